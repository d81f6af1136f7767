-- Keys of all leagues.
SELECT league FROM league ORDER BY league
