-- Macros that readers call. Parameters end in _name or _id: a parameter called like a column would select every row.
-- In a client that ATTACHes an edition, say USE first: macros look their tables up in the current database.

CREATE MACRO competitor_of(league_name, competitor_name) AS (
    SELECT CASE count(*)
        WHEN 1 THEN max(competitor_id)
        WHEN 0 THEN error(
            'No rated competitor "' || competitor_name || '" in league "' || league_name || '".'
            || coalesce(' Did you mean "' || (
                SELECT arg_min(near.name, levenshtein(lower(near.name), lower(competitor_name)))
                FROM leaderboard AS near WHERE near.league = league_name
            ) || '"?', ' See: FROM league')
        )
        ELSE error('More than one competitor is called "' || competitor_name || '": use its competitor_id.')
    END
    FROM leaderboard
    WHERE league = league_name AND (name = competitor_name OR competitor_id = competitor_name)
);
COMMENT ON MACRO competitor_of IS 'competitor_of(league_name, competitor_name): the competitor_id of a rated competitor given by name or id; an error that names the nearest where there is none.';
