-- Statements that give each column of the edition which has no comment yet the one it has in the warehouse: in the table of
-- the same name, or in one it was made from. `warehouse` is attached. What an edition's file says itself, stays.

WITH made_from(table_name, source_name, place) AS (
    SELECT DISTINCT table_name, table_name, 0 FROM duckdb_tables() WHERE database_name = 'edition'
    UNION ALL
    SELECT made.table_name, source.source_name, source.place
    FROM (VALUES ('leaderboard'), ('slope'), ('borrowing'), ('rating_history'), ('schedule'), ('competitor_game')) AS made(table_name),
        (VALUES ('standing', 1), ('rating', 2), ('competitor', 3), ('fit', 4)) AS source(source_name, place)
)
SELECT format(
    'COMMENT ON COLUMN edition."{}"."{}" IS ''{}''', e.table_name, e.column_name,
    replace(arg_min(w.comment, m.place), '''', '''''')
)
FROM duckdb_columns() AS e
JOIN made_from AS m USING (table_name)
JOIN duckdb_columns() AS w
    ON w.database_name = 'warehouse' AND w.table_name = m.source_name AND w.column_name = e.column_name
WHERE e.database_name = 'edition' AND e.comment IS NULL AND w.comment IS NOT NULL
GROUP BY e.table_name, e.column_name;
