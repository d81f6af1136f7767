-- Macros of ratings, ranks, and what they were: from joint draws and rating_history.

CREATE MACRO rank_probability(league_name, competitor_name, k) AS (
    WITH asked AS (
        SELECT
            rated_league(league_name) AS asked_league, competitor_of(league_name, competitor_name) AS asked_id,
            coalesce(k, error('A number of places is needed; it is NULL.')) AS places
    )
    SELECT len([r FOR r IN any_value(d.ranks) IF r <= any_value(places)]) / len(any_value(d.ranks))
    FROM asked JOIN rating_draw AS d ON d.league = asked_league AND d.competitor_id = asked_id
);
COMMENT ON MACRO rank_probability IS 'rank_probability(league_name, competitor_name, k): the probability that a competitor is truly among the best k of the ranked of its kind, from the ranks in each joint draw; NULL where it is not ranked. Example: SELECT rank_probability(''demo_football'', ''Halvermoor'', 4)';

-- Draws are looked up by competitor alone, and what is wanted of them chosen afterwards: only so does DuckDB use the index.
CREATE MACRO top(league_name, k) AS TABLE
WITH asked AS (
    SELECT
        rated_league(league_name) AS asked_league, coalesce(k, error('A number of places is needed; it is NULL.')) AS places
),
best AS MATERIALIZED (
    SELECT b.*, places FROM asked JOIN leaderboard AS b ON b.league = asked_league AND b.rank <= places
),
drawn AS MATERIALIZED (
    SELECT b.*, any_value(d.ranks) AS ranks
    FROM best AS b JOIN rating_draw AS d ON d.league = b.league AND d.competitor_id = b.competitor_id
    GROUP BY ALL
)
SELECT
    kind, rank, name, competitor_id, rating, sd, q5, q95, rank_low, rank_high,
    len([r FOR r IN ranks IF r <= places]) / len(ranks) AS p_top
FROM drawn
ORDER BY kind, rank;
COMMENT ON MACRO TABLE top IS 'top(league_name, k): the first k of each kind on the leaderboard, each with its probability p_top of truly being among the best k. Example: FROM top(''demo_football'', 5)';

CREATE MACRO compare(league_name, competitor_names) AS TABLE
WITH asked AS MATERIALIZED (
    SELECT rated_league(league_name) AS asked_league
),
found AS MATERIALIZED (
    FROM competitors_of(league_name, competitor_names)
),
drawn AS MATERIALIZED (
    SELECT
        f.place, f.kind, f.name, f.competitor_id,
        any_value(d.draws) FILTER (d.league = asked_league AND d.component = 'total') AS draws
    FROM asked CROSS JOIN found AS f JOIN rating_draw AS d ON d.competitor_id = f.competitor_id
    GROUP BY ALL
),
pair AS (
    SELECT
        this.place AS a_place, other.place AS b_place, this.name AS a, other.name AS b, this.competitor_id AS a_id, other.competitor_id AS b_id,
        CASE
            WHEN this.kind <> other.kind
                THEN error('"' || this.name || '" is a ' || this.kind || ' and "' || other.name || '" a ' || other.kind || ': kinds are rated apart.')
            ELSE [d[1]::DOUBLE - d[2] FOR d IN list_zip(this.draws, other.draws)]
        END AS differences
    FROM drawn AS this JOIN drawn AS other ON this.place <> other.place
)
SELECT
    a, b, a_id, b_id, len([d FOR d IN differences IF d > 0]) / len(differences) AS probability,
    list_avg(differences) AS difference, list_aggregate(differences, 'quantile_cont', 0.05) AS difference_q5,
    list_aggregate(differences, 'quantile_cont', 0.95) AS difference_q95
FROM pair
ORDER BY a_place, b_place;
COMMENT ON MACRO TABLE compare IS 'compare(league_name, competitor_names): one row a pair of the competitors in the list, in either order: the probability that a is rated above b, and the difference of their ratings with its 90 % interval, from the joint draws. Example: FROM compare(''demo_football'', [''Halvermoor'', ''Jarrowmont'', ''Kestering''])';

CREATE MACRO known_basis(basis_name) AS CASE
    WHEN basis_name IN ('smoothed', 'as_published', 'backfilled') THEN basis_name
    WHEN basis_name IS NULL THEN error('A basis is needed; it is NULL: say smoothed, as_published or backfilled.')
    ELSE error('There is no basis "' || basis_name || '": say smoothed, as_published or backfilled.')
END;
COMMENT ON MACRO known_basis IS 'known_basis(basis_name): the same name; an error where rating_history has no such basis. Example: SELECT known_basis(''smoothed'')';

CREATE MACRO history_day(league_name, on_date, basis_name) AS (
    WITH asked AS (
        SELECT
            rated_league(league_name) AS asked_league, on_date::DATE AS asked_day, known_basis(basis_name) AS asked_basis
    ),
    kept AS (
        SELECT max(h.as_of) FILTER (h.as_of <= asked_day) AS found, min(h.as_of) AS first_kept
        FROM asked JOIN rating_history AS h ON h.league = asked_league AND h.basis = asked_basis
    )
    SELECT CASE
        WHEN found IS NOT NULL THEN found
        WHEN asked_day IS NULL THEN error('A date is needed; it is NULL.')
        WHEN first_kept IS NULL
            THEN error('Nothing ' || asked_basis || ' of league "' || asked_league || '" is kept here. Earlier days are fitted by: pooltable backfill ' || asked_league || ' --from DATE --to DATE')
        ELSE error(
            'The first ' || asked_basis || ' ratings kept of league "' || asked_league || '" are of ' || first_kept || ', later than '
            || asked_day || '. Others: SELECT DISTINCT basis, as_of FROM rating_history'
        )
    END
    FROM asked, kept
);
COMMENT ON MACRO history_day IS 'history_day(league_name, on_date, basis_name): the as_of of the rows of rating_history that hold on a date; an error that says what there is where none do. Example: SELECT history_day(''demo_football'', DATE ''2025-01-01'', ''smoothed'')';

-- rated_league and known_basis here too: of a constant that stands in no row DuckDB would ask nothing further, nor say so.
CREATE MACRO leaderboard_at(league_name, on_date, basis_name := 'smoothed') AS TABLE
WITH asked AS (
    SELECT
        rated_league(league_name) AS asked_league, known_basis(basis_name) AS asked_basis,
        history_day(league_name, on_date, basis_name) AS asked_day
)
SELECT h.*
FROM asked JOIN rating_history AS h ON h.league = asked_league AND h.basis = asked_basis AND h.as_of = asked_day
ORDER BY h.kind, h.rank NULLS LAST, h.rating DESC;
COMMENT ON MACRO TABLE leaderboard_at IS 'leaderboard_at(league_name, on_date, basis_name := ''smoothed''): the rows of rating_history that hold on a date: as all results now tell it, or with basis_name := ''as_published'' as was said then, or ''backfilled''. Example: FROM leaderboard_at(''demo_football'', DATE ''2025-01-01'') WHERE rank <= 5';

CREATE MACRO rating_at(league_name, competitor_name, on_date, basis_name := 'smoothed') AS TABLE
WITH asked AS (
    SELECT
        rated_league(league_name) AS asked_league, known_basis(basis_name) AS asked_basis,
        history_day(league_name, on_date, basis_name) AS asked_day, competitor_of(league_name, competitor_name) AS asked_id
)
SELECT h.*
FROM asked
JOIN rating_history AS h
    ON h.league = asked_league AND h.basis = asked_basis AND h.as_of = asked_day AND h.competitor_id = asked_id;
COMMENT ON MACRO TABLE rating_at IS 'rating_at(league_name, competitor_name, on_date, basis_name := ''smoothed''): a competitor''s row of leaderboard_at; none where it had not been rated yet. Example: FROM rating_at(''demo_football'', ''Halvermoor'', DATE ''2025-01-01'')';

CREATE MACRO earlier_day(league_name, since_date, basis_name) AS TABLE
WITH given AS (
    SELECT rated_league(league_name) AS asked_league, since_date::DATE AS asked_day, basis_name AS asked_basis
),
asked AS (
    SELECT asked_league, l.as_of AS now_on, coalesce(asked_day, l.as_of - 7) AS wanted, asked_basis
    FROM given JOIN league AS l ON l.league = asked_league
),
kept AS (
    SELECT DISTINCT h.basis AS kept_basis, h.as_of AS kept_on
    FROM asked JOIN rating_history AS h ON h.league = asked_league AND h.basis <> 'smoothed' AND h.as_of < now_on
    WHERE asked_basis IS NULL
    UNION ALL
    SELECT asked_basis, history_day(asked_league, wanted, asked_basis) FROM asked WHERE asked_basis IS NOT NULL
),
best AS (
    SELECT kept_basis, kept_on FROM kept, asked
    ORDER BY
        kept_on <= wanted DESC, CASE WHEN kept_on <= wanted THEN wanted - kept_on ELSE kept_on - wanted END,
        kept_basis = 'as_published' DESC
    LIMIT 1
)
SELECT
    asked_league AS league, kept_on AS since, kept_basis AS basis,
    CASE
        WHEN kept_on IS NULL THEN
            'Nothing was published or backfilled before ' || now_on || '. To fill in what would have been: pooltable fit '
            || asked_league || ' --as-of ' || least(wanted, now_on - 1) || '; pooltable publish'
        WHEN kept_on > wanted THEN
            'Nothing is kept from ' || wanted || ' or before. To fill it in: pooltable fit ' || asked_league || ' --as-of '
            || wanted || '; pooltable publish'
        WHEN kept_basis = 'smoothed' THEN
            'All results of today, told of then: where the model holds ratings still, ranks of then are those of now.'
    END AS note
FROM asked LEFT JOIN best ON true;
COMMENT ON MACRO TABLE earlier_day IS 'earlier_day(league_name, since_date, basis_name): one row: the day and basis in rating_history that movement compares with, and a note where they are not what was asked. Example: FROM earlier_day(''demo_football'', NULL, NULL)';

CREATE MACRO kept_rank(kind_name, rank_then, rank_now) AS CASE WHEN rank_then IS NOT NULL THEN
    rank() OVER (PARTITION BY kind_name ORDER BY rank_then NULLS LAST)
    + count(*) FILTER (rank_then IS NULL) OVER (PARTITION BY kind_name ORDER BY rank_now)
END;
COMMENT ON MACRO kept_rank IS 'kept_rank(kind_name, rank_then, rank_now): of each row, a competitor ranked now, the rank it would have now if those ranked then were in the order of then: who left the ranking since moves nobody up, and who came to it since stands where he stands now; NULL where it was not ranked then. Example: SELECT name, kept_rank(kind, 5 - rank, rank) FROM leaderboard WHERE league = ''demo_football'' AND rank <= 4';

-- Where nothing is known of then, what is known of now stands there all the same, with the reason.
CREATE MACRO movement(league_name, since_date := NULL, basis_name := NULL) AS TABLE
WITH day AS MATERIALIZED (
    FROM earlier_day(league_name, since_date, basis_name)
)
SELECT
    kind, name, competitor_id, rank, earlier_rank, rating, earlier_rating, since,
    CASE WHEN kept IS NOT NULL THEN len([r FOR r IN ranks IF r < kept]) / len(ranks) END AS p_up,
    CASE WHEN kept IS NOT NULL THEN len([r FOR r IN ranks IF r > kept]) / len(ranks) END AS p_down,
    basis, note
FROM (
    SELECT
        b.kind, b.name, b.competitor_id, b.rank, h.rank AS earlier_rank, b.rating, h.rating AS earlier_rating, day.since,
        kept_rank(b.kind, h.rank, b.rank) AS kept, d.ranks, day.basis, day.note
    FROM day
    JOIN leaderboard AS b ON b.league = day.league AND b.rank IS NOT NULL
    JOIN rating_draw AS d ON d.league = b.league AND d.competitor_id = b.competitor_id AND d.ranks IS NOT NULL
    LEFT JOIN rating_history AS h
        ON h.league = b.league AND h.kind = b.kind AND h.competitor_id = b.competitor_id AND h.basis = day.basis AND h.as_of = day.since
)
WHERE earlier_rank IS NOT NULL OR since IS NULL
ORDER BY kind, rank;
COMMENT ON MACRO TABLE movement IS 'movement(league_name, since_date := a week before the league''s as_of, basis_name := NULL): what changed: one row a competitor ranked then and now: both ranks and ratings, and the probabilities, from the ranks in today''s joint draws, that it is truly above its earlier rank (p_up) or below it (p_down), who left the ranking since or came to it left aside (kept_rank). basis and since say what it is compared with: the last day up to since_date that was published (as_published) or fitted later (backfilled), else the first after it; or what basis_name names, smoothed too. note says where that is not what was asked; where nothing of an earlier day is kept, all of then is NULL and note says how to fill it in. Example: FROM movement(''demo_football'') LIMIT 5';

CREATE MACRO lineage(league_name) AS TABLE
WITH asked AS MATERIALIZED (
    SELECT rated_league(league_name) AS asked_league
)
SELECT
    edition.edition_id, edition.published_at_utc, shown.*,
    (
        SELECT max(run_id) FROM step
        WHERE step.league = shown.league AND starts_with(step.command, 'fit')
            AND step.started_at_utc <= shown.fitted_at_utc
            AND coalesce(step.ended_at_utc, shown.fitted_at_utc) >= shown.fitted_at_utc
    ) AS run_id,
    (SELECT stanza FROM league WHERE league.league = shown.league) AS stanza
FROM (
    SELECT
        fit.league, fit.fit_id, fit.verdict, fit.fitted_at_utc, fit.as_of, fit.engine, fit.seed, fit.games,
        fit.games_fingerprint, fit.design, fit.code_hash, fit.versions, load.load_id, load.slice, load.source,
        load.sha256, load.etag, load.fetched_at_utc, load.loaded_at_utc
    FROM asked
    JOIN fit ON fit.league = asked_league AND fit.is_published
    LEFT JOIN load ON load.league = fit.league AND load.loaded_at_utc <= fit.fitted_at_utc
    QUALIFY row_number() OVER (PARTITION BY load.slice ORDER BY load.loaded_at_utc DESC) = 1
) AS shown CROSS JOIN edition
WHERE shown.sha256 IS DISTINCT FROM ''
ORDER BY shown.slice;
COMMENT ON MACRO TABLE lineage IS 'lineage(league_name): where a league''s leaderboard comes from, a row a file: the edition, the fit with the hash of its games, its model, code, seed and verdict, the run that made it (NULL where it was made by hand or long ago), the bytes that were loaded when it was made, with their SHA-256 and ETag, and the stanza of the last pull. Example: FROM lineage(''demo_football'')';
