-- What an edition offers, with the comment of every table, column and macro. A table's own row has no column_name.

SELECT object, name, column_name, type, comment
FROM (
    SELECT 'table' AS object, table_name AS name, NULL AS column_name, NULL AS type, comment, 0 AS position
    FROM duckdb_tables()
    UNION ALL
    SELECT 'view', view_name, NULL, NULL, comment, 0
    FROM duckdb_views() WHERE NOT internal
    UNION ALL
    SELECT
        CASE WHEN v.view_name IS NULL THEN 'table' ELSE 'view' END, c.table_name, c.column_name, c.data_type,
        c.comment, c.column_index
    FROM duckdb_columns() AS c
    LEFT JOIN duckdb_views() AS v ON v.view_oid = c.table_oid AND NOT v.internal
    WHERE NOT c.internal
    UNION ALL
    SELECT 'macro', function_name, NULL, '(' || array_to_string(parameters, ', ') || ')', comment, 0
    FROM duckdb_functions() WHERE function_type IN ('macro', 'table_macro') AND NOT internal
)
ORDER BY object = 'macro', name, position;
