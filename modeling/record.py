"""Writing a judged fit down: draws to their Parquet file first, then everything else in one transaction."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import date, datetime
from itertools import chain
from typing import Any

import duckdb
import numpy as np
import polars as pl
import xarray as xr
from pyarrow.parquet import ParquetWriter

from modeling.earlier import after_others, kept_cups, spent_fits
from store.home import Home
from store.warehouse import writing

ATTRIBUTE = "attribute:"  # what the names of attributes begin with among the arrays of a file
# A league publishes its newest accepted fit that has draws; a due fit is not made again while its own are there. The
# others of each sort are for what may happen to the newest.
KEPT = 3
SIMULATED = ("simulated_table", "simulated_game", "simulated_play_off", "outlook_without")
TABLES = ("fit", "fit_check", "predictive_check", "pooling", "hyperparameter", "rating", "standing", "borrowing",
          "rating_path")  # fmt: skip


def record(home: Home, fit: dict[str, Any], tables: dict[str, pl.DataFrame], draws: Iterable[pl.DataFrame]) -> None:
    """Stores a fit (a row of `fit`), its tables (without league and fit_id) and its draws, which may come in pieces.

    A fit of the same id is replaced: the same inputs give the same posterior, and from the same start the same draws.
    Draws and paths are kept of a league's three newest fits of each sort: accepted or rejected, as of a chosen date or
    not.
    """
    keys = [pl.lit(fit["league"]).alias("league"), pl.lit(fit["fit_id"]).alias("fit_id")]
    _write_draws(home, fit["fit_id"], (part.with_columns(keys[0]) for part in draws))
    with writing(home) as con:
        for table in dict.fromkeys((*TABLES, *tables)):  # an audit stays: the same inputs need it no more
            con.execute(f"DELETE FROM {table} WHERE fit_id = ?", [fit["fit_id"]])  # noqa: S608
        _insert(con, "fit", pl.DataFrame([fit], schema_overrides={"reasons": pl.List(pl.String)}))
        if fit["current_at_utc"] == fit["fitted_at_utc"]:  # else it is made again as of its day, and keeps its place
            _make_current(con, fit["fit_id"], fit["current_at_utc"])
        for table, rows in tables.items():
            if rows.height:
                _insert(con, table, rows.with_columns(keys))
        spent = spent_fits(con, fit["league"], KEPT)
        con.execute("DELETE FROM rating_path WHERE list_contains(?, fit_id)", [spent])
    for fit_id in spent:
        home.draws_of(fit_id).unlink(missing_ok=True)
        home.restart_of(fit_id).unlink(missing_ok=True)


def record_comparison(home: Home, league: str, comparison_id: str, tables: dict[str, pl.DataFrame]) -> None:
    """Stores a comparison of models: its tables (without league and comparison_id). One of the same id is replaced."""
    keys = [pl.lit(league).alias("league"), pl.lit(comparison_id).alias("comparison_id")]
    with writing(home) as con:
        for table, rows in tables.items():
            con.execute(f"DELETE FROM {table} WHERE comparison_id = ?", [comparison_id])  # noqa: S608
            if rows.height:
                _insert(con, table, rows.with_columns(keys))


def record_backtest(home: Home, keys: dict[str, str], rows: pl.DataFrame, games: pl.DataFrame) -> None:
    """Stores a backtest, its league and id in `keys`, in place of an earlier one of the same id."""
    both = [pl.lit(value).alias(name) for name, value in keys.items()]
    with writing(home) as con:
        for table, found in (("backtest", rows), ("backtest_forecast", games)):
            con.execute(f"DELETE FROM {table} WHERE league = $league AND backtest_id = $backtest_id", keys)  # noqa: S608
            _insert(con, table, found.with_columns(both))


def record_forecasts(home: Home, table: str, keys: dict[str, Any], rows: pl.DataFrame) -> None:
    """Stores forecasts (`forecast` or `forecast_place`) made at one time from one fit, named in `keys`.

    Earlier ones of the same games go, but the last that was made before a game's day stays beside one made later.
    """
    with writing(home) as con:
        con.register("forecast_games", rows.select("game_id").unique().to_arrow())
        con.execute(
            f"DELETE FROM {table} AS old USING forecast_games AS new"  # noqa: S608
            " WHERE old.league = $league AND old.game_id = new.game_id"
            " AND (old.made_at_utc >= old.played_on OR $made_at_utc < old.played_on)",
            {name: keys[name] for name in ("league", "made_at_utc")},
        )
        con.unregister("forecast_games")
        _insert(con, table, rows.with_columns(pl.lit(value).alias(name) for name, value in keys.items()))


def record_outlook(
    home: Home, keys: dict[str, Any], tables: dict[str, pl.DataFrame], simulated: dict[str, pl.DataFrame]
) -> None:
    """Stores the outlook of a league's season and its leverage, in place of those as of the same day, and its simulated
    seasons in place of the league's earlier ones."""
    with writing(home) as con:
        for table in SIMULATED:
            con.execute(
                f"DELETE FROM {table} WHERE league = $league AND as_of <= $as_of",  # noqa: S608
                {name: keys[name] for name in ("league", "as_of")},
            )
        for table, rows in tables.items():
            same = {name: keys[name] for name in ("league", "season", "as_of")}
            con.execute(
                f"DELETE FROM {table} WHERE league = $league AND season = $season AND as_of = $as_of",  # noqa: S608
                same,
            )
            if rows.height:
                _insert(con, table, _keyed(rows, keys))
        for table, rows in simulated.items():
            if rows.height:
                _insert(con, table, _keyed(rows, keys))


def end_outlook(home: Home, league: str, as_of: date) -> None:
    """Takes back what a league's outlooks as of a day or later say, and its simulated seasons; earlier ones stay."""
    with writing(home) as con:
        for table in SIMULATED:
            con.execute(f"DELETE FROM {table} WHERE league = $league", {"league": league})  # noqa: S608
        for table in ("outlook", "leverage"):
            con.execute(
                f"DELETE FROM {table} WHERE league = $league AND as_of >= $as_of",  # noqa: S608
                {"league": league, "as_of": as_of},
            )


def record_cup(home: Home, keys: dict[str, Any], rows: pl.DataFrame) -> None:
    """Stores the chances of a cup, in place of those as of the same day."""
    with writing(home) as con:
        same = {name: keys[name] for name in ("league", "cup", "as_of")}
        con.execute("DELETE FROM cup_outlook WHERE league = $league AND cup = $cup AND as_of = $as_of", same)
        _insert(con, "cup_outlook", _keyed(rows, keys))


def _keyed(rows: pl.DataFrame, keys: dict[str, Any]) -> pl.DataFrame:
    return rows.with_columns(pl.lit(value).alias(name) for name, value in keys.items())


def confirm(home: Home, fit_id: str, now: datetime) -> None:
    """Makes an earlier fit its league's current one: today's inputs are those it was made from."""
    with writing(home) as con:
        _make_current(con, fit_id, now.replace(tzinfo=None))


def _make_current(con: duckdb.DuckDBPyConnection, fit_id: str, now: datetime) -> None:
    """Dates a fit now, or after all others of its league: one that was made while the clock was ahead would else stay
    the current one until that time comes."""
    con.execute("UPDATE fit SET current_at_utc = ? WHERE fit_id = ?", [after_others(con, fit_id, now), fit_id])


def accept(home: Home, fit_id: str, reason: str) -> None:
    """Accepts an earlier fit that the rules rejected, for a person's reason."""
    with writing(home) as con:
        con.execute("UPDATE fit SET verdict = 'accepted', override_reason = ? WHERE fit_id = ?", [reason, fit_id])


def keep_restart(home: Home, fit_id: str, left: xr.Dataset, before: str | None) -> None:
    """Stores what a fit left behind for the next; what the fit `before` it left is no longer needed."""
    arrays = {str(name): left[name].to_numpy() for name in (*left.data_vars, *left.coords)}
    temporary = home.draws / f".{uuid.uuid4().hex}.npz"
    np.savez(temporary, **arrays, **{f"{ATTRIBUTE}{name}": value for name, value in left.attrs.items()})  # type: ignore[arg-type]
    temporary.replace(home.restart_of(fit_id))
    if before and before != fit_id:
        home.restart_of(before).unlink(missing_ok=True)


def read_restart(home: Home, fit_id: str) -> xr.DataTree | None:
    """What a fit left behind, as `restart` of a tree; None where there is nothing."""
    path = home.restart_of(fit_id)
    if not path.exists():
        return None
    with np.load(path) as arrays:
        found = {name: arrays[name] for name in arrays.files if not name.startswith(ATTRIBUTE)}
        attributes = {n.removeprefix(ATTRIBUTE): arrays[n].item() for n in arrays.files if n.startswith(ATTRIBUTE)}
    variables = {name: (tuple(f"{name}_{i}" for i in range(one.ndim)), one) for name, one in found.items()}
    return xr.DataTree.from_dict({"restart": xr.Dataset(variables, attrs=attributes)})


def rows_of(items: Sequence[Any]) -> pl.DataFrame:
    """Dataclass instances as a frame, one row each."""
    return pl.DataFrame([asdict(item) for item in items], infer_schema_length=None)


def forget_cup(home: Home, league: str, name: str) -> list[str]:
    """Deletes what is kept of a cup; returns the names of the league's cups that were kept until then."""
    with writing(home) as con:
        kept = kept_cups(con, league)
        con.execute("DELETE FROM cup_outlook WHERE league = $league AND cup = $cup", {"league": league, "cup": name})
    return kept


def _insert(con: duckdb.DuckDBPyConnection, table: str, rows: pl.DataFrame) -> None:
    con.register("new_rows", rows.to_arrow())
    con.execute(f"INSERT INTO {table} BY NAME FROM new_rows")
    con.unregister("new_rows")


def _write_draws(home: Home, fit_id: str, draws: Iterable[pl.DataFrame]) -> None:
    """Writes the file piece by piece: a large league's draws are more than there is room for twice."""
    home.draws.mkdir(parents=True, exist_ok=True)
    temporary = home.draws / f".{uuid.uuid4().hex}"
    parts = (part.to_arrow(compat_level=pl.CompatLevel.oldest()) for part in draws)
    first = next(parts)
    with ParquetWriter(temporary, first.schema, compression="zstd") as writer:
        for part in chain([first], parts):
            writer.write_table(part)
    temporary.replace(home.draws_of(fit_id))
