-- Incidents of which people are still to be told by a channel: that they began, while they stand; that they are over,
-- where they were told by it that they began.
WITH told AS (
    SELECT number, max(is_over) AS is_over FROM telling WHERE channel = ? GROUP BY number
)
SELECT i.number, kind, league, message, began_at_utc, ended_at_utc, ended_message, latest_message
FROM incident AS i LEFT JOIN told USING (number)
WHERE CASE WHEN ended_at_utc IS NULL THEN told.number IS NULL ELSE told.is_over = 0 END
ORDER BY i.number
