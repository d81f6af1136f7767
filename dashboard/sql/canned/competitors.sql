-- Who is in a league
-- Every competitor that the results name, rated or not, by name.
-- $league: key of a league
SELECT competitor_id, name, kind FROM competitor WHERE league = $league ORDER BY name, competitor_id
