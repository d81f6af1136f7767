"""A league's games to come: read, forecast from its fit, and recorded."""

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import duckdb
import numpy as np
import polars as pl

from modeling import record
from modeling.build import build_design
from modeling.games import Games, attribute_values, is_of_teams, season_before
from modeling.outcomes import outcome_for
from modeling.outlook.coming import Coming, Draws, coming_of, read_draws
from modeling.outlook.fixtures import Fixtures, Given, read_fixtures
from modeling.outlook.forecasts import forecast_rows, place_rows
from modeling.outlook.given import Mistake, read_given, read_names
from modeling.sampled import SEED, Report
from store.errors import FitError
from store.home import Home
from store.stanzas import Stanza
from store.warehouse import reading


@dataclass(frozen=True)
class Ahead:
    """A league's games to come, with what a fit says of them."""

    fixtures: Fixtures
    draws: Draws
    coming: Coming
    rng: np.random.Generator

    @property
    def games(self) -> Games:
        """The past and the games to come."""
        return self.fixtures.games


@dataclass(frozen=True)
class Forecast:
    """What was forecast, as recorded, and the lines of a file that were left out."""

    fit_id: str
    as_of: date
    is_race: bool
    rows: pl.DataFrame
    mistakes: list[Mistake]


def look_ahead(
    home: Home,
    league: str,
    stanza: Stanza,
    draws: Draws,
    given: Given | None = None,
    absent: frozenset[str] = frozenset(),
) -> Ahead:
    """The games to come of a league from the fit's as-of date on, or those given. Raises FitError."""
    fixtures = read_fixtures(home, league, stanza, draws.as_of, given=given, absent=absent)
    rng = np.random.default_rng(SEED)
    design = build_design(stanza, fixtures.games, fixtures.known)
    return Ahead(fixtures, draws, coming_of(design, fixtures.games, stanza, draws, rng), rng)


def forecast_league(
    home: Home,
    league: str,
    stanza: Stanza,
    now: datetime,
    *,
    path: Path | None = None,
    as_of: date | None = None,
    report: Report | None = None,
) -> Forecast:
    """Forecasts the league's games to come, or those of a file, from its accepted fit, records and returns them.

    Raises FitError where there is no fit or no game to forecast, UsageError where the file cannot be read.
    """
    tell = report or (lambda stage, share: None)
    tell("reading the fit", 0.0)
    is_race = outcome_for(league, stanza).row == "entrant"
    with reading(home) as con:
        draws = read_draws(con, home, league, as_of)
        given, mistakes = (None, []) if path is None else _read(con, path, league, stanza, draws.as_of)
    if given is not None and given.sides.is_empty():
        said = "; ".join(f"line {one.line}: {one.reason}" for one in mistakes[:5])
        raise FitError(f"{league}: no line of {path} can be forecast: {said}.", "Mend the file.")
    tell("games and model", 0.2)
    ahead = look_ahead(home, league, stanza, draws, given)
    tell("forecasting", 0.5)
    rows = (place_rows if is_race else forecast_rows)(ahead.coming, ahead.games, ahead.rng)
    keys = {"league": league, "fit_id": draws.fit_id, "as_of": draws.as_of, "made_at_utc": now.replace(tzinfo=None)}
    record.record_forecasts(home, "forecast_place" if is_race else "forecast", keys, rows)
    return Forecast(draws.fit_id, draws.as_of, is_race, rows, mistakes)


def _read(
    con: duckdb.DuckDBPyConnection, path: Path, league: str, stanza: Stanza, as_of: date
) -> tuple[Given, list[Mistake]]:
    """The games of a file; without a season they are of the last one before the as-of date."""
    is_race = outcome_for(league, stanza).row == "entrant"
    kind = "player" if not is_of_teams(con, league) or (is_race and "player" in stanza.rate) else "team"
    season = season_before(con, league, as_of)
    names = read_names(con, league, kind)
    fixed = names.attributes & {stanza.group or "", (stanza.season.table if stanza.season else None) or ""}
    names.values = {name: attribute_values(con, league, name) for name in sorted(fixed)}
    return read_given(path, names, as_of, season, is_race=is_race)
