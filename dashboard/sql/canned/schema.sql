-- What there is to ask about
-- Every table and column with its type and meaning; `pooltable sql --schema` shows the macros too.
SELECT c.table_name, t.comment AS table_meaning, c.column_name, c.data_type, c.comment AS meaning
FROM duckdb_columns() AS c
JOIN duckdb_tables() AS t USING (table_oid)
WHERE NOT c.internal
ORDER BY c.table_name, c.column_index
