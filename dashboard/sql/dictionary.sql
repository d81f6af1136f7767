-- Everything there is to ask about: tables, columns and macros with their meaning.
SELECT object, name, column_name, type, comment FROM data_dictionary
