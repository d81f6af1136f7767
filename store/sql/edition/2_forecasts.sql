-- Forecasts of games to come, outlooks of seasons, and the track record: what was forecast before its day, beside what
-- came of it. `warehouse` is attached.

-- Games that were forecast and are over, as they stand there now, whatever the forecast called them.
CREATE TEMP TABLE forecast_result AS
WITH asked AS (
    SELECT league, game_id, played_on FROM warehouse.forecast
    UNION
    SELECT league, game_id, played_on FROM warehouse.forecast_place
),
played AS (
    SELECT g.league, g.game_id, g.played_on
    FROM warehouse.game AS g
    JOIN warehouse.league AS l USING (league)
    WHERE g.league IN (SELECT league FROM league WHERE is_shared)
        AND (g.status = 'played' OR (g.status = 'retired' AND l.outcome = 'win'))
        AND (
            (g.league, g.played_on) IN (SELECT (league, played_on) FROM asked)
            OR (g.league, g.game_id) IN (SELECT (league, game_id) FROM asked)
        )
),
line_up AS (
    SELECT league, game_id, side, string_agg(player, '+' ORDER BY player) AS players
    FROM warehouse.appearance SEMI JOIN played USING (league, game_id)
    GROUP BY ALL
),
entries AS (
    SELECT
        o.league, o.game_id, o.played_on, list(s.team ORDER BY s.side) AS teams, list(p.players ORDER BY s.side) AS players,
        list(coalesce(s.score, s.won::INTEGER) ORDER BY s.side) AS scores, list(s.finish ORDER BY s.side) AS finishes
    FROM played AS o
    JOIN warehouse.side AS s USING (league, game_id)
    LEFT JOIN line_up AS p USING (league, game_id, side)
    GROUP BY ALL
)
SELECT
    league, game_id, played_on, scores, finishes,
    CASE WHEN teams[1] IS NULL OR (len(teams) > 2 AND players[1] IS NOT NULL) THEN players ELSE teams END AS who
FROM entries;

-- Of what was forecast the games that are not to come any more: those that the feed does not list as scheduled, and those
-- of a file of fixtures that a result is of.
CREATE TEMP TABLE forecast_over AS
SELECT league, game_id FROM warehouse.game WHERE status <> 'scheduled'
UNION ALL
SELECT f.league, f.game_id
FROM warehouse.forecast AS f
JOIN forecast_result AS r ON (r.league, r.played_on, list_sort(r.who)) = (f.league, f.played_on, list_sort([f.first, f.second]))
WHERE f.game_id LIKE 'fixture:%'
UNION ALL
SELECT f.league, f.game_id
FROM warehouse.forecast_place AS f
JOIN forecast_result AS r ON (r.league, r.played_on) = (f.league, f.played_on)
WHERE f.game_id LIKE 'fixture:%' AND len(r.who) > 2;

CREATE TABLE forecast AS
SELECT
    league, game_id, played_on, season, first AS first_id, second AS second_id, first_name AS first,
    second_name AS second, is_first_home, win, draw, loss, win_low, win_high, loss_low, loss_high, expected_first,
    expected_second, expected_margin, margin_rating_sd, margin_noise_sd, margin_q5, margin_q25, margin_q75, margin_q95,
    likely_scores, "over", score_chances, as_of, made_at_utc, fit_id
FROM warehouse.forecast
ANTI JOIN forecast_over USING (league, game_id)
WHERE league IN (SELECT league FROM league)
QUALIFY row_number() OVER (PARTITION BY league, game_id ORDER BY as_of DESC, made_at_utc DESC) = 1
ORDER BY league, played_on, game_id;
COMMENT ON TABLE forecast IS 'One row a game of two sides that is to come and was forecast: its newest forecast; once its result is in, it goes on in track_record. Chances are means over joint draws; low and high say how far the ratings'' uncertainty alone moves them. Key: league, game_id.';
COMMENT ON COLUMN forecast.played_on IS 'Day of the game.';
COMMENT ON COLUMN forecast.first_id IS 'competitor_id of the home side, or on neutral ground of the first one; players of a side are joined by +.';
COMMENT ON COLUMN forecast.second_id IS 'The same of the other side.';
COMMENT ON COLUMN forecast.first IS 'Name of the home side, or on neutral ground of the first one.';
COMMENT ON COLUMN forecast.second IS 'Name of the other side.';
COMMENT ON COLUMN forecast.as_of IS 'The forecast knows the results of games before this day.';
COMMENT ON COLUMN forecast.fit_id IS 'The fit it was made from.';

CREATE TABLE forecast_place AS
SELECT
    league, game_id, played_on, season, entrant AS entrant_id, entrant_name AS entrant, team AS team_id, win, top3,
    top10, expected_place, place_chances, as_of, made_at_utc, fit_id
FROM warehouse.forecast_place
ANTI JOIN forecast_over USING (league, game_id)
WHERE league IN (SELECT league FROM league)
QUALIFY rank() OVER (PARTITION BY league, game_id ORDER BY as_of DESC, made_at_utc DESC) = 1
ORDER BY league, played_on, game_id, expected_place;
COMMENT ON TABLE forecast_place IS 'One row an entrant of a race that is to come and was forecast: its newest forecast, whose chances are means over joint draws; once the race is over, it goes on in track_record. Key: league, game_id, entrant_id.';
COMMENT ON COLUMN forecast_place.played_on IS 'Day of the race.';
COMMENT ON COLUMN forecast_place.entrant_id IS 'competitor_id of the entrant.';
COMMENT ON COLUMN forecast_place.entrant IS 'Its name.';
COMMENT ON COLUMN forecast_place.team_id IS 'competitor_id of its team.';
COMMENT ON COLUMN forecast_place.as_of IS 'The forecast knows the results of races before this day.';
COMMENT ON COLUMN forecast_place.fit_id IS 'The fit it was made from.';

CREATE TABLE outlook AS
SELECT
    o.league, o.season, o."table", o.competitor_id, c.name, o.played, o.points, o.place, o.remaining, o.expected_points,
    o.points_q5, o.points_q25, o.points_q75, o.points_q95, o.expected_place,
    map_from_entries(o.chances) AS chances, o.place_chances, o.as_of, o.made_at_utc, o.fit_id
FROM warehouse.outlook AS o
JOIN warehouse.competitor AS c USING (league, competitor_id)
WHERE o.league IN (SELECT league FROM league)
ORDER BY o.league, o.as_of, o."table", o.expected_place;
COMMENT ON TABLE outlook IS 'One row a competitor in a table of a season that is not over, or whose play-offs are not or were lately, and a day: how the season ends, as seen that day. Everything about the end is of 10,000 seasons played out, with other ratings each time as their uncertainty has it: of chances 0.01 at most is the simulation''s own (two standard errors). Key: league, season, table, competitor_id, as_of.';
COMMENT ON COLUMN outlook.name IS 'Its name.';
COMMENT ON COLUMN outlook.chances IS 'Chance of what places mean, by name: chances[''champion''], chances[''relegated''].';
COMMENT ON COLUMN outlook.as_of IS 'The outlook knows the results of games before this day; the one to read has the as_of of the league''s published fit; where none has, nothing is left to play, or no outlook was made since.';
COMMENT ON COLUMN outlook.fit_id IS 'The fit it was made from.';

CREATE TABLE leverage AS
SELECT
    v.league, v.season, v."table", v.game_id, v.competitor_id, c.name, v.prize, v.chance, v.if_first_wins, v.if_drawn,
    v.if_second_wins, v.swing, v.as_of, v.made_at_utc, v.fit_id
FROM warehouse.leverage AS v
JOIN warehouse.competitor AS c USING (league, competitor_id)
WHERE v.league IN (SELECT league FROM league)
ORDER BY v.league, v.as_of, v.swing DESC;
COMMENT ON TABLE leverage IS 'One row a coming game, a competitor and what its place may mean: how the chance of that hangs on the game. Of each game those it moves most. Shares of 10,000 seasons played out; a swing below 0.03 may be the simulation''s own chance. Key: league, season, table, game_id, competitor_id, prize, as_of.';
COMMENT ON COLUMN leverage.name IS 'Its name.';
COMMENT ON COLUMN leverage.if_first_wins IS 'The chance where the game''s first (home) side wins; NULL where that hardly ever came about.';
COMMENT ON COLUMN leverage.fit_id IS 'The fit it was made from.';

CREATE TABLE simulated_table AS
SELECT s.league, s.season, s."table", s.competitor_id, c.name, s.points, s.places, s.prizes, s.as_of, s.made_at_utc, s.fit_id
FROM warehouse.simulated_table AS s
JOIN warehouse.competitor AS c USING (league, competitor_id)
WHERE s.league IN (SELECT league FROM league)
    AND s.as_of = (SELECT l.as_of FROM league AS l WHERE l.league = s.league)
ORDER BY s.league, s."table", s.competitor_id;
COMMENT ON TABLE simulated_table IS 'One row a competitor in a table of a season that is not over: its end in each of 4,000 simulated seasons of the published fit''s outlook. Element k of all arrays of a league is one season. Key: league, table, competitor_id.';
COMMENT ON COLUMN simulated_table.name IS 'Its name.';

CREATE TABLE simulated_game AS
SELECT
    s.league, s.season, s."table", s.game_id, s.first AS first_id, s.second AS second_id,
    coalesce(a.name, s.first) AS first, coalesce(b.name, s.second) AS second, s.worth, s.results, s.wins, s.losses, s.as_of, s.made_at_utc, s.fit_id
FROM warehouse.simulated_game AS s
LEFT JOIN warehouse.competitor AS a ON (a.league, a.competitor_id) = (s.league, s.first)
LEFT JOIN warehouse.competitor AS b ON (b.league, b.competitor_id) = (s.league, s.second)
WHERE s.league IN (SELECT league FROM league)
    AND s.as_of = (SELECT l.as_of FROM league AS l WHERE l.league = s.league)
ORDER BY s.league, s."table", s.game_id;
COMMENT ON TABLE simulated_game IS 'One row a coming game of a table, of the next 30: its result and its chances in every simulated season. Element k is the season of element k in simulated_table. Key: league, table, game_id.';
COMMENT ON COLUMN simulated_game.first_id IS 'competitor_id of the home side, or on neutral ground of the first one.';
COMMENT ON COLUMN simulated_game.second_id IS 'competitor_id of the other side.';
COMMENT ON COLUMN simulated_game.first IS 'Name of the home side, or on neutral ground of the first one.';
COMMENT ON COLUMN simulated_game.second IS 'Name of the other side.';

CREATE TABLE simulated_play_off AS
SELECT s.league, s.season, s."table", s.prize, s.play_off, s.places, s.as_of, s.made_at_utc, s.fit_id
FROM warehouse.simulated_play_off AS s
WHERE s.league IN (SELECT league FROM league)
    AND s.as_of = (SELECT l.as_of FROM league AS l WHERE l.league = s.league)
ORDER BY s.league, s."table", s.prize, s.play_off;
COMMENT ON TABLE simulated_play_off IS 'One row what a play-off decides in a table of a season that is not over: the place of the table that gains it in each simulated season, beside those of prizes in simulated_table. Element k is the season of element k there. Key: league, table, prize, play_off.';

CREATE TABLE outlook_without AS
SELECT
    o.league, o.season, o.player AS player_id, p.name AS player, o."table", o.competitor_id, c.name, o.expected_points,
    o.points_q5, o.points_q25, o.points_q75, o.points_q95, o.expected_place, map_from_entries(o.chances) AS chances,
    o.as_of, o.made_at_utc, o.fit_id
FROM warehouse.outlook_without AS o
JOIN warehouse.competitor AS c USING (league, competitor_id)
JOIN warehouse.competitor AS p ON (p.league, p.competitor_id) = (o.league, o.player)
WHERE o.league IN (SELECT league FROM league)
    AND o.as_of = (SELECT l.as_of FROM league AS l WHERE l.league = o.league)
ORDER BY o.league, p.name, o.player, o."table", o.expected_place;
COMMENT ON TABLE outlook_without IS 'One row a player in the line-ups of the games to come and a competitor in a table: how the season ends without the player, by the newest outlook. Key: league, player_id, table, competitor_id.';
COMMENT ON COLUMN outlook_without.player_id IS 'competitor_id of the player who is missing; his side has its last line-up without him.';
COMMENT ON COLUMN outlook_without.player IS 'Name of the player.';
COMMENT ON COLUMN outlook_without.name IS 'Name of the competitor in the table.';
COMMENT ON COLUMN outlook_without.chances IS 'Chance of what places mean, by name.';

CREATE TABLE cup_outlook AS
SELECT o.league, o.cup, o.competitor_id, c.name, o.stage, o.round, o.chance, o.as_of, o.made_at_utc, o.fit_id
FROM warehouse.cup_outlook AS o
JOIN warehouse.competitor AS c USING (league, competitor_id)
WHERE o.league IN (SELECT league FROM league)
ORDER BY o.league, o.cup, o.as_of, o.stage DESC, o.chance DESC;
COMMENT ON TABLE cup_outlook IS 'One row an entrant of a cup, a round and a day: the chance to reach the round, as seen that day. Key: league, cup, competitor_id, stage, as_of.';
COMMENT ON COLUMN cup_outlook.name IS 'Its name.';

-- Only what was said before the day counts, and of that the last.
CREATE TEMP TABLE forecast_before AS
WITH named AS (
    SELECT f.*, r.game_id AS over_id, r.played_on AS over_on, r.scores, r.who
    FROM warehouse.forecast AS f
    JOIN forecast_result AS r ON (r.league, r.played_on, list_sort(r.who)) = (f.league, f.played_on, list_sort([f.first, f.second]))
    WHERE f.game_id LIKE 'fixture:%'
    UNION
    SELECT f.*, r.game_id, r.played_on, r.scores, r.who
    FROM warehouse.forecast AS f
    JOIN forecast_result AS r ON (r.league, r.game_id) = (f.league, f.game_id)
    WHERE len(r.who) = 2
)
SELECT
    *, scores[list_position(who, first)] AS first_score, scores[list_position(who, second)] AS second_score
FROM named
WHERE made_at_utc < over_on AND as_of <= over_on
QUALIFY row_number() OVER (PARTITION BY league, over_id ORDER BY as_of DESC, made_at_utc DESC) = 1;

CREATE TABLE track_record AS
WITH pairs AS (
    SELECT
        league, over_id AS game_id, over_on AS played_on, season, first AS first_id, second AS second_id,
        first_name AS first, second_name AS second, win, draw, loss, first_score, second_score,
        CASE WHEN first_score > second_score THEN 'win' WHEN first_score < second_score THEN 'loss' ELSE 'draw' END AS result,
        expected_margin, first_score - second_score AS margin, margin_q5, margin_q25, margin_q75, margin_q95, made_at_utc,
        fit_id
    FROM forecast_before
    WHERE first_score IS NOT NULL AND second_score IS NOT NULL
),
scored AS (
    SELECT
        *,
        CASE result
            WHEN 'win' THEN -ln(greatest(win, 1e-12))
            WHEN 'loss' THEN -ln(greatest(loss, 1e-12))
            ELSE CASE WHEN draw > 0 THEN -ln(draw) ELSE -(ln(greatest(win, 1e-12)) + ln(greatest(loss, 1e-12))) / 2 END
        END AS log_loss,
        -(coalesce(win * ln(nullif(win, 0)), 0) + coalesce(draw * ln(nullif(draw, 0)), 0) + coalesce(loss * ln(nullif(loss, 0)), 0)) AS expected_log_loss
    FROM pairs
),
races AS (
    SELECT
        f.league, r.game_id, r.played_on, f.season, f.entrant_name, f.win, f.made_at_utc, f.fit_id, f.entrant, r.who, r.finishes
    FROM warehouse.forecast_place AS f
    JOIN forecast_result AS r
        ON r.league = f.league AND (r.game_id = f.game_id OR (f.game_id LIKE 'fixture:%' AND r.played_on = f.played_on))
    WHERE f.made_at_utc < r.played_on AND f.as_of <= r.played_on AND len(r.who) > 2
    QUALIFY rank() OVER (PARTITION BY f.league, r.game_id ORDER BY f.as_of DESC, f.made_at_utc DESC) = 1
)
SELECT
    league, game_id, played_on, season, first_id, second_id, first, second, win, draw, loss, first_score, second_score,
    result, log_loss, expected_log_loss, expected_margin, margin, margin BETWEEN margin_q25 AND margin_q75 AS is_in_50,
    margin BETWEEN margin_q5 AND margin_q95 AS is_in_90, made_at_utc, fit_id
FROM scored
UNION ALL
SELECT
    league, game_id, any_value(played_on), any_value(season), max(who[list_position(finishes, 1)]), NULL,
    max(entrant_name) FILTER (entrant = who[list_position(finishes, 1)]), NULL,
    max(win) FILTER (entrant = who[list_position(finishes, 1)]), NULL, NULL, NULL, NULL, 'win',
    -ln(greatest(max(win) FILTER (entrant = who[list_position(finishes, 1)]), 1e-12)),
    -sum(coalesce(win * ln(nullif(win, 0)), 0)), NULL, NULL, NULL, NULL, any_value(made_at_utc), any_value(fit_id)
FROM races
GROUP BY league, game_id
HAVING max(win) FILTER (entrant = who[list_position(finishes, 1)]) IS NOT NULL
ORDER BY league, played_on, game_id;
COMMENT ON TABLE track_record IS 'One row a game that was forecast before its day and is over: the last forecast made before that day, and what came of it. Of a race the row is its winner''s. Key: league, game_id.';
COMMENT ON COLUMN track_record.league IS 'League.';
COMMENT ON COLUMN track_record.game_id IS 'The game, by the id that it has now.';
COMMENT ON COLUMN track_record.played_on IS 'Day it was played.';
COMMENT ON COLUMN track_record.season IS 'Season.';
COMMENT ON COLUMN track_record.first_id IS 'The first: its competitor_id, or that of each of a pair, joined by +.';
COMMENT ON COLUMN track_record.second_id IS 'The second; NULL of races.';
COMMENT ON COLUMN track_record.first IS 'Name of the home side, or on neutral ground of the first one; of a race its winner.';
COMMENT ON COLUMN track_record.second IS 'Name of the other side; NULL of races.';
COMMENT ON COLUMN track_record.win IS 'Chance that was given to the first.';
COMMENT ON COLUMN track_record.draw IS 'Chance that was given to a draw.';
COMMENT ON COLUMN track_record.loss IS 'Chance that was given to the second.';
COMMENT ON COLUMN track_record.first_score IS 'Score of the first; 1 and 0 where there are only winners.';
COMMENT ON COLUMN track_record.second_score IS 'Score of the second.';
COMMENT ON COLUMN track_record.result IS 'win, draw or loss of the first.';
COMMENT ON COLUMN track_record.log_loss IS 'Minus the logarithm of the chance that was given to what came; lower is better. A game that ended level where no draw is forecast counts half as a win, half as a loss.';
COMMENT ON COLUMN track_record.expected_log_loss IS 'What the forecast itself expected its log loss to be: on average they agree where chances are right.';
COMMENT ON COLUMN track_record.expected_margin IS 'Margin of the first that was expected, in goals or points; NULL where there are none.';
COMMENT ON COLUMN track_record.margin IS 'Margin that came, in goals or points.';
COMMENT ON COLUMN track_record.is_in_50 IS 'Whether it lies in the 50 % interval of the margin.';
COMMENT ON COLUMN track_record.is_in_90 IS 'Whether it lies in the 90 % interval of the margin.';
COMMENT ON COLUMN track_record.made_at_utc IS 'When the forecast was made, UTC.';
COMMENT ON COLUMN track_record.fit_id IS 'The fit it was made from.';
