-- The league's other names, and who is new in it. The variables league and now are set, aliases_frame is registered,
-- and known_frame has the competitors (kind, competitor_id, name) from before the load.

DELETE FROM alias WHERE league = getvariable('league');
INSERT INTO alias BY NAME
SELECT getvariable('league') AS league, *
FROM aliases_frame
SEMI JOIN (FROM competitor WHERE league = getvariable('league')) AS c USING (competitor_id);

-- A finding stays for a month, or until its competitor is gone, say because it was declared another's alias.
DELETE FROM finding
WHERE league = getvariable('league') AND check_name = 'new_name'
    AND (
        found_at_utc < getvariable('now')::TIMESTAMP - INTERVAL 30 DAY
        OR subject NOT IN (SELECT competitor_id FROM competitor WHERE league = getvariable('league'))
    );

-- Newcomers, most suspicious first, with the three known names most like theirs, and the ids of those whom no game names
-- any more, up to five: one of them may have a new spelling in the whole file. A first load has no newcomers.
INSERT INTO finding
WITH newcomer AS (
    SELECT c.competitor_id, c.kind, c.name
    FROM competitor AS c
    ANTI JOIN known_frame AS k USING (competitor_id)
    WHERE c.league = getvariable('league') AND (SELECT count(*) FROM known_frame) > 0
),
likeness AS (
    SELECT n.competitor_id, k.name, jaro_winkler_similarity(lower(n.name), lower(k.name)) AS similarity
    FROM newcomer AS n JOIN known_frame AS k ON k.kind = n.kind
),
nearest AS (
    SELECT
        competitor_id, max(similarity) AS similarity,
        array_to_string(max_by(name, similarity, 3), ', ') AS names
    FROM likeness WHERE similarity >= 0.7 GROUP BY competitor_id
),
lost AS (
    SELECT k.kind, array_to_string(list(k.competitor_id ORDER BY k.competitor_id)[:5], ', ') AS ids
    FROM known_frame AS k
    ANTI JOIN (FROM competitor WHERE league = getvariable('league')) AS c USING (competitor_id)
    GROUP BY k.kind
)
SELECT
    getvariable('league'), 'new_name', 'warn', n.competitor_id,
    n.name || ' is new. ' || coalesce('The nearest known: ' || s.names || '.', 'No known name is like it.')
        || coalesce(' Gone in the same load: ' || l.ids || '.', ''),
    getvariable('now')::TIMESTAMP
FROM newcomer AS n
LEFT JOIN nearest AS s USING (competitor_id)
LEFT JOIN lost AS l USING (kind)
ORDER BY s.similarity DESC NULLS LAST, n.name
LIMIT 100;
