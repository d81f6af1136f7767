"""What DuckDB's types become on their way out: what a form cannot carry as it is, DuckDB writes as text.

A relation goes in; the same rows come out, with types that Arrow, Parquet, CSV, JSON or a terminal hold exactly.
"""

import duckdb
from duckdb.sqltypes import DuckDBPyType

NUMBERS = frozenset(
    {
        "tinyint", "smallint", "integer", "bigint", "hugeint", "utinyint", "usmallint", "uinteger", "ubigint", "float",
        "double", "decimal",
    }
)  # fmt: skip
AS_TEXT = NUMBERS | {"boolean", "varchar", "blob"}
AS_ARROW = AS_TEXT | {
    "date", "time", "timestamp", "timestamp_s", "timestamp_ms", "timestamp_ns", "timestamp with time zone",
    "timestamptz_ns", "uuid", "enum",
}  # fmt: skip
LISTS = {"list", "array"}


def carried(relation: duckdb.DuckDBPyRelation, *, as_text: bool) -> duckdb.DuckDBPyRelation:
    """The same rows and names, with types that text (JSON, CSV, a terminal) or else Arrow and Parquet hold exactly.

    Dates and times are kept for Arrow alone: Python, through which text is made, has none beyond the year 9999. Keys of
    maps are text in text. A whole number of more than 38 digits fails while rows are computed, but in text.
    """
    wanted = [carried_type(kind, as_text=as_text) for kind in relation.types]
    if all(new == str(old) for new, old in zip(wanted, relation.types, strict=True)):
        return relation
    return relation.project(
        ", ".join(
            f"#{place}::{kind} AS {_quoted(name)}"
            for place, (kind, name) in enumerate(zip(wanted, relation.columns, strict=True), start=1)
        )
    )


def carried_type(kind: DuckDBPyType, *, as_text: bool) -> str:
    """The name of the type that values of a type are cast to; its own where they need not be."""
    if kind.id in LISTS:
        size = kind.children[1][1] if kind.id == "array" else ""
        return f"{_inner(kind.children[0][1], as_text)}[{size}]"
    if kind.id == "map":
        key, value = (_inner(part, as_text) for _, part in kind.children)
        return f"MAP({'VARCHAR' if as_text else key}, {value})"
    if kind.id == "struct" and kind.children:
        return f"STRUCT({', '.join(f'{_quoted(name)} {_inner(part, as_text)}' for name, part in kind.children)})"
    if kind.id == "hugeint" and not as_text:
        return "DECIMAL(38,0)"
    return str(kind) if kind.id in (AS_TEXT if as_text else AS_ARROW) else "VARCHAR"


def _inner(kind: object, as_text: bool) -> str:
    assert isinstance(kind, DuckDBPyType)
    return carried_type(kind, as_text=as_text)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
