-- The most memory that each command took of late for each league, of its five newest steps that were measured.
WITH measured AS (
    SELECT league, command, peak_bytes, row_number() OVER (
        PARTITION BY league, command ORDER BY rowid DESC
    ) AS place
    FROM step WHERE peak_bytes IS NOT NULL
)
SELECT league, command, max(peak_bytes) FROM measured WHERE place <= 5 GROUP BY league, command
