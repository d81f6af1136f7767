-- When the first run began of the last so many days on which any did; NULL where there were fewer. Runs are in the order
-- in which they were written: a clock that was ahead once would come first by the time.
WITH day AS (
    SELECT min(rowid) AS first FROM run GROUP BY date(started_at_utc) ORDER BY max(rowid) DESC LIMIT ?
)
SELECT min(started_at_utc) FROM run WHERE (SELECT count(*) FROM day) = ? AND rowid >= (SELECT min(first) FROM day)
