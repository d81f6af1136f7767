"""Writing a judged fit down: draws to their Parquet file first, then everything else in one transaction."""

import uuid
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import duckdb
import polars as pl

from store.home import Home
from store.warehouse import writing

TABLES = ("fit", "fit_check", "predictive_check", "pooling", "hyperparameter", "rating", "standing", "borrowing")


def record(home: Home, fit: dict[str, Any], tables: dict[str, pl.DataFrame], draws: pl.DataFrame) -> None:
    """Stores a fit (a row of `fit`), its tables (without league and fit_id) and its draws.

    A fit of the same id is replaced: the same inputs give the same posterior, and from the same start the same draws.
    """
    keys = [pl.lit(fit["league"]).alias("league"), pl.lit(fit["fit_id"]).alias("fit_id")]
    _write_draws(home, fit["fit_id"], draws.with_columns(keys[0]))
    with writing(home) as con:
        for table in dict.fromkeys((*TABLES, *tables)):  # an audit stays: the same inputs need it no more
            con.execute(f"DELETE FROM {table} WHERE fit_id = ?", [fit["fit_id"]])  # noqa: S608
        _insert(con, "fit", pl.DataFrame([fit], schema_overrides={"reasons": pl.List(pl.String)}))
        for table, rows in tables.items():
            if rows.height:
                _insert(con, table, rows.with_columns(keys))


def confirm(home: Home, fit_id: str, now: datetime) -> None:
    """Makes an earlier fit its league's current one: today's inputs are those it was made from."""
    with writing(home) as con:
        con.execute("UPDATE fit SET current_at_utc = ? WHERE fit_id = ?", [now.replace(tzinfo=None), fit_id])


def rows_of(items: Sequence[Any]) -> pl.DataFrame:
    """Dataclass instances as a frame, one row each."""
    return pl.DataFrame([asdict(item) for item in items], infer_schema_length=None)


def _insert(con: duckdb.DuckDBPyConnection, table: str, rows: pl.DataFrame) -> None:
    con.register("new_rows", rows.to_arrow())
    con.execute(f"INSERT INTO {table} BY NAME FROM new_rows")
    con.unregister("new_rows")


def _write_draws(home: Home, fit_id: str, draws: pl.DataFrame) -> None:
    home.draws.mkdir(parents=True, exist_ok=True)
    temporary = home.draws / f".{uuid.uuid4().hex}"
    draws.write_parquet(temporary)
    temporary.replace(home.draws_of(fit_id))
