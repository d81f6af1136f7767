-- What an edition offers, made from its comments.

CREATE VIEW data_dictionary AS
WITH relation AS (
    SELECT 'table' AS object, table_name AS name, comment, regexp_extract(comment, 'Key: ([a-z_, ]+)\.$', 1) AS keys
    FROM duckdb_tables() WHERE database_name = current_database()
    UNION ALL
    SELECT 'view', view_name, comment, '' FROM duckdb_views() WHERE database_name = current_database() AND NOT internal
)
SELECT object, name, column_name, type, comment, is_key
FROM (
    SELECT object, name, NULL AS column_name, NULL AS type, comment, NULL AS is_key, 0 AS position FROM relation
    UNION ALL
    SELECT
        r.object, r.name, c.column_name, c.data_type, c.comment, list_contains(string_split(r.keys, ', '), c.column_name),
        c.column_index
    FROM relation AS r
    JOIN duckdb_columns() AS c ON c.database_name = current_database() AND c.table_name = r.name AND NOT c.internal
    UNION ALL
    SELECT 'macro', function_name, NULL, '(' || array_to_string(parameters, ', ') || ')', comment, NULL, 0
    FROM duckdb_functions()
    WHERE database_name = current_database() AND function_type IN ('macro', 'table_macro') AND NOT internal
)
ORDER BY object = 'macro', name, position;
COMMENT ON VIEW data_dictionary IS 'One row a table or view, a column of one, or a macro: everything an edition offers, with what it means.';
COMMENT ON COLUMN data_dictionary.object IS 'table, view or macro.';
COMMENT ON COLUMN data_dictionary.name IS 'Its name.';
COMMENT ON COLUMN data_dictionary.column_name IS 'The column that the row is of; NULL where it is of the whole.';
COMMENT ON COLUMN data_dictionary.type IS 'Type of the column; parameters of a macro.';
COMMENT ON COLUMN data_dictionary.comment IS 'Grain, unit and meaning, and how uncertainty is stated; of a macro with an example.';
COMMENT ON COLUMN data_dictionary.is_key IS 'True of columns that together identify a row of their table: no two rows share their values.';
