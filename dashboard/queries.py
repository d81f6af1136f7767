"""Named queries: the text of dashboard/sql/<name>.sql. Values are bound by name ($league), never pasted in."""

from functools import cache
from pathlib import Path

SQL = Path(__file__).parent / "sql"


@cache
def query(name: str) -> str:
    """The text of one named query."""
    return (SQL / f"{name}.sql").read_text(encoding="utf-8")


def names() -> list[str]:
    """Names of all queries."""
    return sorted(path.stem for path in SQL.glob("*.sql"))
