"""What a query would leave behind: DuckDB's few functions that write to its memory, where whoever asks next finds it.

A query's text goes in, before it is worked on. Names are looked for anywhere in it, also in texts and comments, so that
no way of writing a call hides one. What is hidden from the text, because a function makes a query of a value, is
allowed and told apart: whoever answers for others starts afresh after it.
"""

import re

WRITING = re.compile(
    r"\b(?:(?:de)?register|create|destroy)_external_resource(?:_type)?\b|\b(?:dis|en)able_(?:logging|profiling)\b"
    r"|\bwrite_log\b|\btruncate_duckdb_logs\b",
    re.IGNORECASE,
)
MADE_OF_VALUES = re.compile(r"\b(?:query|json_execute_serialized_sql)\b", re.IGNORECASE)


def writing(sql: str) -> str:
    """The first function that the query names and that writes what would outlive it; "" where there is none."""
    found = WRITING.search(sql)
    return found[0].lower() if found else ""


def may_hide(sql: str) -> bool:
    """True where a function that runs a value as a query could call what the text does not show."""
    return MADE_OF_VALUES.search(sql) is not None
