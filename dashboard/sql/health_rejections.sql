-- The rows of one league that broke a rule and were kept out, a rule and file a row, with the first of them.
SELECT
    rule, regexp_extract(subject, '^(.*) line \d+$', 1) AS file, count(*) AS rows_rejected,
    arg_min(subject, regexp_extract(subject, '(\d+)$', 1)::BIGINT) AS first_at,
    left(arg_min(message, regexp_extract(subject, '(\d+)$', 1)::BIGINT), 300) AS first_row
FROM data_health
WHERE league = $league AND what = 'rejected row'
GROUP BY rule, file
ORDER BY rows_rejected DESC, rule, file
LIMIT 200
