"""Backtests: a league's games forecast walking forward, by our model and by what it must beat, scored and stored.

At each cut everything is told the games before it and asked for those up to the next. Where the chain engine would take
the league, our model is the forward filter: results teach it, and the baselines, day by day, and its parameters are
learned anew at each cut.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from modeling import record
from modeling.backtest_contests import Asked, contests_of, read_asked
from modeling.backtest_cuts import MODEL, UNPOOLED, Made, Window, filtered, rated_daily, refitted
from modeling.backtest_scores import scored, summaries
from modeling.baselines import baselines
from modeling.baselines.contests import Baseline, Contests, Forecasts
from modeling.baselines.market import published
from modeling.build import build_design
from modeling.engines.choice import CHAIN, choose
from modeling.identity import code_hash
from modeling.sampled import SEED, Report
from store.errors import FitError, UsageError
from store.home import Home
from store.stanzas import Stanza

FILTER = "filter"
OURS = {MODEL: "our model", UNPOOLED: "our model without pooling"}


@dataclass(frozen=True)
class Backtest:
    """What came of a backtest."""

    backtest_id: str
    engine: str
    cuts: int
    rows: pl.DataFrame
    """As the table `backtest`, the forecasters of all games first, the best of them first."""

    @property
    def overall(self) -> pl.DataFrame:
        """The rows of all games."""
        return self.rows.filter(pl.col("slice_kind") == "all")


@dataclass
class _Tuned:
    """Baselines with what was found for each at the last cut."""

    baselines: tuple[Baseline, ...]
    settings: dict[str, Any] = field(default_factory=dict)

    def tune(self, past: Contests) -> None:
        """Tunes each on games of the past, from where it stood."""
        for one in self.baselines:
            self.settings[one.name] = one.tune(past, self.settings.get(one.name))

    def forecast(self, past: Contests, to_come: Contests) -> dict[str, Forecasts]:
        """What each that can says of games to come."""
        able = [one for one in self.baselines if self.settings[one.name] is not None]
        return {one.name: one.forecast(self.settings[one.name], past, to_come.fixtures()) for one in able}

    def words(self) -> dict[str, tuple[str, str]]:
        """Title and settings of each in words."""
        known = {one.name: self.settings.get(one.name) for one in self.baselines}
        return {
            one.name: (one.title, one.say(known[one.name]) if known[one.name] is not None else "")
            for one in self.baselines
        }


def backtest_league(
    home: Home,
    league: str,
    stanza: Stanza,
    now: datetime,
    first: date,
    last: date,
    every: timedelta,
    engine: str = "auto",
    report: Report | None = None,
) -> Backtest:
    """Forecasts the games with first <= day <= last walking forward, stores what came of it and returns it.

    Raises UsageError where the days make no sense, FitError where there are no games to learn from or to forecast.
    """
    tell = report or (lambda stage, share: None)
    if first > last:
        raise UsageError(f"--from {first} is after --to {last}.", "Give the earlier day first.")
    tell("reading games", 0.0)
    asked = read_asked(home, league, stanza, last + timedelta(days=1))
    contests = contests_of(asked)
    windows = _windows(contests, league, first, last, every)
    whole = build_design(stanza, rated_daily(asked.games, asked.counting, windows[0].first), asked.known)
    choice = choose(whole, engine)
    how = FILTER if choice.engine == CHAIN else choice.engine
    stage = f"{'learning at' if how == FILTER else 'fitting before'} {len(windows)} cuts"
    tell(stage, 0.02)

    def done(share: float) -> None:
        tell(stage, 0.02 + 0.95 * share)

    ours = (
        filtered(whole, asked.counting, windows, done)
        if how == FILTER
        else refitted(stanza, asked.games, asked.counting, asked.known, windows, engine, done)
    )
    made = _walk(ours, contests, asked.is_race, is_daily=how == FILTER)
    tell("scoring", 0.97)
    backtest_id = f"{first}_{last}_{every.days}d_{engine}"
    ours = {"league": league, "backtest_id": backtest_id}
    games = _listed(made, asked)
    about = ours | {
        "from_on": first, "to_on": last, "every_days": every.days, "engine": how,
        "made_at_utc": now.replace(tzinfo=None), "code_hash": code_hash(),
    }  # fmt: skip
    rows = _rows(games, made.words, about)
    record.record_backtest(home, ours, rows, games.drop("week", "event", "event_chance"))
    return Backtest(backtest_id, how, len(windows), rows)


def _windows(contests: Contests, league: str, first: date, last: date, every: timedelta) -> list[Window]:
    """The windows between cuts that have games. Raises FitError where none has, or nothing was played before."""
    until, days = last + timedelta(days=1), contests.day.astype("datetime64[D]")
    spans = [Window(cut, min(cut + every, until)) for cut in _cuts(first, until, every)]
    found = [one for one in spans if contests.between(one.first, one.until).games]
    played = f"They were played from {days[0]} to {days[-1]}." if len(days) else ""
    if not found:
        raise FitError(f"{league}: no game with a result from {first} to {last}.", played)
    if not contests.between(None, first).games:
        raise FitError(f"{league}: no game before {first} to learn from.", f"{played} Begin later: --from".strip())
    return found


def _cuts(first: date, until: date, every: timedelta) -> Iterator[date]:
    while first < until:
        yield first
        first += every


@dataclass
class _Walked:
    """Scored games of every forecaster, and the forecasters in words."""

    games: list[pl.DataFrame]
    words: dict[str, tuple[str, str]]


def _walk(ours: Iterator[tuple[Window, Made]], contests: Contests, is_race: bool, *, is_daily: bool) -> _Walked:
    """Scored games of our model and of the baselines, which know what it knows: the games before each cut, or day."""
    tuned = _Tuned(tuple(one for one in baselines() if one.of_races == is_race) + published(list(contests.published)))
    found: list[pl.DataFrame] = []
    for window, made in ours:
        past, to_come = contests.between(None, window.first), contests.between(window.first, window.until)
        tuned.tune(past)
        said = _by_day(tuned, contests, window) if is_daily else [(to_come, tuned.forecast(past, to_come))]
        for games, forecasts in said:
            found += [_scored(name, one, games, window) for name, one in forecasts.items()]
        found += [_scored(name, one.of(ids, to_come), to_come, window) for name, (ids, one) in made.items()]
    return _Walked(found, {name: (title, "") for name, title in OURS.items()} | tuned.words())


def _by_day(tuned: _Tuned, contests: Contests, window: Window) -> Iterator[tuple[Contests, dict[str, Forecasts]]]:
    """Each day's games, and what baselines that know the days before say of them."""
    for day in np.unique(contests.between(window.first, window.until).day):
        today = day.astype(date)
        games = contests.between(today, today + timedelta(days=1))
        yield games, tuned.forecast(contests.between(None, today), games)


def _scored(name: str, forecasts: Forecasts, games: Contests, window: Window) -> pl.DataFrame:
    added = pl.lit(name).alias("forecaster"), pl.lit(window.first).alias("cut_on")
    return scored(forecasts, games, SEED).with_columns(added)


def _listed(made: _Walked, asked: Asked) -> pl.DataFrame:
    """The scored games with day, week, season and competition."""
    week = (pl.col("played_on").to_physical() // 7).cast(pl.Int64).alias("week")
    return pl.concat(made.games).join(asked.listed.with_columns(week), on="game_id", how="left", maintain_order="left")


def _rows(games: pl.DataFrame, words: dict[str, tuple[str, str]], about: dict[str, Any]) -> pl.DataFrame:
    found = summaries(games, MODEL, SEED)
    titles = pl.col("forecaster").replace_strict({name: title for name, (title, _) in words.items()})
    settings = pl.col("forecaster").replace_strict({name: text for name, (_, text) in words.items()})
    told = found.with_columns(titles.alias("title"), settings.alias("settings"))
    messages = pl.Series("message", [sentence(row) for row in told.iter_rows(named=True)])
    constant = [pl.lit(value).alias(name) for name, value in about.items()]
    order = (pl.col("slice_kind") != "all", "slice_kind", "slice", "log_loss")
    return told.with_columns(messages, *constant).sort(*order)


def sentence(row: dict[str, Any]) -> str:
    """A forecaster beside our model in words, of a row of `backtest`."""
    on = f"on {row['games']:,} game{'s' if row['games'] != 1 else ''}"
    if row["forecaster"] == MODEL or row["difference"] is None:
        return f"Log loss {row['log_loss']:.4f} {on}."
    apart, low, high = row["difference"], row["difference_low"], row["difference_high"]
    if low is None:
        return f"Too few weeks of play to set our model against {row['title']}: {apart:+.3f} a game {on}."
    if low <= 0 <= high:
        return f"Level with {row['title']} within noise: {apart:+.3f} [{low:+.3f}, {high:+.3f}] a game {on}."
    word, sign = ("Beats", 1) if low > 0 else ("Behind", -1)
    low, high = sorted((sign * low, sign * high))
    return f"{word} {row['title']} by {sign * apart:.3f} [{low:.3f}, {high:.3f}] a game {on}."
