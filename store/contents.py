"""What an edition is made from, as one hash: the same hash, the same edition but for its name and the run history."""

import hashlib
import json
from pathlib import Path

import duckdb

SQL = Path(__file__).parent / "sql" / "edition"
# What tells of editions that were made is no part of what one is made from.
TABLES = """
SELECT table_name FROM duckdb_tables()
WHERE database_name = ? AND table_name NOT IN ('migration', 'publication') ORDER BY ALL
"""
# When something was last found as before is no change of it; which fit is its league's current one is.
TIMES = "SELECT column_name FROM duckdb_columns() WHERE database_name = ? AND table_name = ? AND column_name IN ?"
LOOKED_AT = ["current_at_utc", "found_at_utc", "made_at_utc"]
CURRENT = """
SELECT league, verdict, is_dated, arg_max(fit_id, current_at_utc) FROM {}.fit GROUP BY ALL ORDER BY ALL
"""


def contents_hash(
    con: duckdb.DuckDBPyConnection, database: str, leagues: list[str], withheld: list[str], draws: list[str]
) -> str:
    """Hash of all rows of an open warehouse (attached as `database`), the leagues to be shown and those withheld, the
    fits that have draws, and the code that makes an edition of them."""
    tables = [name for (name,) in con.execute(TABLES, [database]).fetchall()]
    found = {
        "tables": {name: _hash_of(con, database, name) for name in tables},
        "current": [list(row) for row in con.execute(CURRENT.format(database)).fetchall()],
        "leagues": leagues,
        "withheld": withheld,
        "draws": sorted(draws),
        "code": [path.read_text() for path in [*sorted(SQL.glob("*.sql")), Path(__file__).with_name("edition.py")]],
    }
    return hashlib.sha256(json.dumps(found).encode()).hexdigest()[:16]


def _hash_of(con: duckdb.DuckDBPyConnection, database: str, table: str) -> str:
    """How many rows a table has, and the sum of their hashes: whatever their order."""
    without = [name for (name,) in con.execute(TIMES, [database, table, LOOKED_AT]).fetchall()]
    columns = f"* EXCLUDE ({', '.join(without)})" if without else "*"
    statement = f"SELECT count(*), sum(hash(t)::HUGEINT) FROM (SELECT {columns} FROM {database}.{table}) AS t"  # noqa: S608
    return str(con.execute(statement).fetchall()[0])
