-- What readers see of the results. `warehouse` is attached; the variables edition_id, published_at_utc, leagues,
-- withheld and contents_hash are set. Only what may be downloaded goes in: of leagues withheld no table of their games.

CREATE TABLE edition AS
SELECT
    getvariable('edition_id')::VARCHAR AS edition_id,
    getvariable('published_at_utc')::TIMESTAMP AS published_at_utc,
    1 AS schema_version,
    getvariable('contents_hash')::VARCHAR AS contents_hash;
COMMENT ON TABLE edition IS 'One row: this edition. Key: edition_id.';
COMMENT ON COLUMN edition.edition_id IS 'Name of the edition; its file name without the ending.';
COMMENT ON COLUMN edition.published_at_utc IS 'When it was published, UTC.';
COMMENT ON COLUMN edition.schema_version IS 'Version of the tables'' shape; raised when a name changes its meaning.';
COMMENT ON COLUMN edition.contents_hash IS 'Hash of everything it was made from, but for the run history: where nothing of it changed, a night publishes nothing.';

CREATE TEMP TABLE published AS
SELECT league, arg_max(fit_id, current_at_utc) AS fit_id
FROM warehouse.fit
WHERE verdict = 'accepted' AND NOT is_dated AND league IN (SELECT unnest(getvariable('leagues')))
    AND fit_id IN (SELECT unnest(getvariable('fits_with_draws')))
GROUP BY league;

CREATE TABLE league AS
SELECT
    l.league, l.title, l.outcome, l.is_simulated, coalesce(json_array_length(l.stanza, '$.rate') > 0, true) AS is_rated,
    NOT list_contains(getvariable('withheld')::VARCHAR[], l.league) AS is_shared, l.feed,
    -- Neither folders of this machine nor names, passwords and keys in URLs are for readers.
    [
        CASE
            WHEN contains(s, '://')
                THEN regexp_replace(regexp_replace(s, '://[^/]*@', '://'), '([?&][^=&#]+=)[^&#]*', '\1…', 'g')
            ELSE regexp_extract(s, '[^/]*$')
        END
        FOR s IN l.source
    ] AS source,
    regexp_replace(json_merge_patch(l.stanza, '{"source": null}'), '"(?:\.\.?)?/(?:[^/"]+/)*', '"', 'g') AS stanza,
    l.licence, p.fit_id, f.unit, f.design::JSON ->> '$.likelihood_name' AS likelihood, f.as_of,
    f.fitted_at_utc,
    (SELECT max(loaded_at_utc) FROM warehouse.load AS d WHERE d.league = l.league) AS loaded_at_utc,
    (SELECT count(DISTINCT contest_id) FROM warehouse.game AS g WHERE g.league = l.league AND g.status = 'played')
        AS games,
    f.games AS games_rated, (
        SELECT median(players) FROM (
            SELECT count(*) AS players FROM warehouse.appearance AS a WHERE a.league = l.league GROUP BY game_id, side
        )
    ) AS players_a_side,
    newest.fit_id AS newest_fit_id, newest.verdict AS newest_verdict, newest.reasons AS newest_reasons
FROM warehouse.league AS l
LEFT JOIN published AS p USING (league)
LEFT JOIN warehouse.fit AS f ON f.fit_id = p.fit_id
LEFT JOIN (
    SELECT league, max_by(struct_pack(fit_id, verdict, reasons), current_at_utc) AS n
    FROM warehouse.fit WHERE NOT is_dated GROUP BY league
) AS newest_fit ON newest_fit.league = l.league
CROSS JOIN LATERAL (SELECT newest_fit.n.fit_id, newest_fit.n.verdict, newest_fit.n.reasons) AS newest
WHERE l.league IN (SELECT unnest(getvariable('leagues')))
ORDER BY l.title;
COMMENT ON TABLE league IS 'One row a league: a pool of results that is rated together. Key: league.';
COMMENT ON COLUMN league.is_rated IS 'False where the stanza says rate = []: results are loaded and shown, and not rated.';
COMMENT ON COLUMN league.is_shared IS 'False where the stanza says share = false: ratings, forecasts and evidence are here, and no row of its games (game, game_change, rejected_row, track_record, backtest_forecast, influential_game) or of what others forecast.';
COMMENT ON COLUMN league.source IS 'Names of the files or URLs the results come from.';
COMMENT ON COLUMN league.stanza IS 'What leagues.toml said of the league when it was last pulled, as JSON with its defaults filled in and without its source and the folders of files.';
COMMENT ON COLUMN league.fit_id IS 'The fit whose ratings are published: the last accepted one; NULL where there is none yet.';
COMMENT ON COLUMN league.unit IS 'Unit of the league''s ratings, for example log score, logits or points.';
COMMENT ON COLUMN league.likelihood IS 'Which of its outcome''s likelihoods its model has: logit, probit, normal, student, poisson, negative_binomial, dixon_coles or plackett_luce.';
COMMENT ON COLUMN league.as_of IS 'As-of date of the published fit: it used games before this day 00:00 UTC.';
COMMENT ON COLUMN league.fitted_at_utc IS 'When the published fit was made, UTC.';
COMMENT ON COLUMN league.loaded_at_utc IS 'When results were last changed by a load, UTC.';
COMMENT ON COLUMN league.games IS 'Contests played, over all loaded results.';
COMMENT ON COLUMN league.games_rated IS 'Games that the published fit used.';
COMMENT ON COLUMN league.players_a_side IS 'How many players are known on a side of a game, the median; NULL where none are.';
COMMENT ON COLUMN league.newest_fit_id IS 'The newest fit, accepted or not.';
COMMENT ON COLUMN league.newest_verdict IS 'Verdict of the newest fit. Where it is rejected, the published ratings are older: see as_of.';
COMMENT ON COLUMN league.newest_reasons IS 'Why the newest fit was rejected; empty where accepted.';

CREATE TABLE competitor AS
SELECT c.league, c.competitor_id, c.kind, c.name, c.entity_id
FROM warehouse.competitor AS c
WHERE c.league IN (SELECT league FROM league)
ORDER BY ALL;
COMMENT ON TABLE competitor IS 'One row a competitor (team or player) of a league. Key: league, competitor_id.';

CREATE TABLE truth AS
SELECT t.league, t.competitor_id, c.name, t.component, t.value
FROM warehouse.truth AS t
JOIN league AS l ON l.league = t.league AND l.is_simulated
LEFT JOIN competitor AS c ON (c.league, c.competitor_id) = (t.league, t.competitor_id);
COMMENT ON COLUMN truth.name IS 'Name shown to people.';
COMMENT ON TABLE truth IS 'One row a true strength of a competitor, known in simulated leagues only. Key: league, competitor_id, component.';

CREATE TABLE game AS
SELECT
    g.league, g.game_id, g.contest_id, g.season, g.played_on, g.status, g.round, g.neutral, g.attributes,
    coalesce(
        list(
            struct_pack(
                side := s.side, team_id := s.team, team := c.name, is_home := s.is_home, score := s.score,
                finish := s.finish, won := s.won
            )
            ORDER BY s.is_home DESC, s.side
        ) FILTER (s.side IS NOT NULL),
        []
    ) AS sides
FROM warehouse.game AS g
LEFT JOIN warehouse.side AS s USING (league, game_id)
LEFT JOIN warehouse.competitor AS c ON c.league = s.league AND c.competitor_id = s.team
WHERE g.league IN (SELECT league FROM league WHERE is_shared)
GROUP BY ALL
ORDER BY g.league, g.played_on, g.game_id;
COMMENT ON TABLE game IS 'One row a game: one contest, or one stint or goal of a contest. Key: league, game_id.';
COMMENT ON COLUMN game.sides IS 'The entries: side, team_id, team (name), is_home, score, finish, won; the home side first; empty where a scheduled game has no entrants yet.';

CREATE TABLE data_health AS
SELECT league, 'finding' AS what, severity, check_name AS rule, subject, message, found_at_utc AS at_utc
FROM warehouse.finding WHERE league IN (SELECT league FROM league)
UNION ALL
SELECT
    r.league, 'rejected row', 'warn', r.rule, r.file || ' line ' || r.line, r.raw, l.loaded_at_utc
FROM warehouse.rejected_row AS r
JOIN warehouse.load AS l USING (load_id)
WHERE r.league IN (SELECT league FROM league WHERE is_shared)
ORDER BY ALL;
COMMENT ON TABLE data_health IS 'One row a finding of the data checks or a row kept out of the ratings. Key: league, what, rule, subject, message.';
COMMENT ON COLUMN data_health.league IS 'League.';
COMMENT ON COLUMN data_health.what IS 'finding or rejected row.';
COMMENT ON COLUMN data_health.severity IS 'stop (the league is not fitted until it is mended) or warn.';
COMMENT ON COLUMN data_health.rule IS 'The check, or the rule the row broke.';
COMMENT ON COLUMN data_health.subject IS 'What offends: a game, a competitor, a day; for a rejected row its file and line.';
COMMENT ON COLUMN data_health.message IS 'What is wrong, in words; for a rejected row, the row itself.';
COMMENT ON COLUMN data_health.at_utc IS 'When it was found, UTC.';

CREATE TABLE load AS
SELECT
    l.load_id, l.league, l.slice,
    CASE
        WHEN contains(l.source, '://')
            THEN regexp_replace(regexp_replace(l.source, '://[^/]*@', '://'), '([?&][^=&#]+=)[^&#]*', '\1…', 'g')
        ELSE regexp_extract(l.source, '[^/]*$')
    END AS source,
    l.fetched_at_utc, l.loaded_at_utc, l.sha256, l.etag, l.rows_read, l.rows_rejected, l.games_new, l.games_changed,
    l.games_gone, l.games_unchanged
FROM warehouse.load AS l
WHERE l.league IN (SELECT league FROM league)
ORDER BY l.loaded_at_utc DESC, l.league, l.slice;
COMMENT ON TABLE load IS 'One row a load of a file of results: what it brought and changed. Files without change make no row. Key: load_id.';
COMMENT ON COLUMN load.slice IS 'Name of the file in its league, whose games were replaced as a whole.';
COMMENT ON COLUMN load.source IS 'URL or name of the file.';
COMMENT ON COLUMN load.rows_rejected IS 'Those of them that were kept out: see rejected_row, which has those of each file''s last load.';
COMMENT ON COLUMN load.games_changed IS 'Games there before whose content differs: see game_change.';
COMMENT ON COLUMN load.games_gone IS 'Games there before that the file no longer holds: see game_change.';

CREATE TABLE game_change AS
SELECT league, load_id, game_id, change, description
FROM warehouse.game_change
WHERE league IN (SELECT league FROM league WHERE is_shared)
ORDER BY ALL;
COMMENT ON TABLE game_change IS 'One row a game that a load changed or took away: what a source corrected. New games are only counted, so a first load lists nothing; of one pull at most 1,000 games are listed, and loads of the last year. Key: load_id, game_id.';
COMMENT ON COLUMN game_change.game_id IS 'The game; where it is gone, it is not in game.';

CREATE TABLE rejected_row AS
SELECT load_id, league, feed, file, line, rule, raw
FROM warehouse.rejected_row
WHERE league IN (SELECT league FROM league WHERE is_shared)
ORDER BY league, file, line;
COMMENT ON TABLE rejected_row IS 'One row a source row that broke a rule and was kept out of the ratings, of each file''s last load. Key: league, file, line, rule.';
