-- What there is to ask about
-- Every table, column and macro of the edition with its type and meaning.
FROM data_dictionary
