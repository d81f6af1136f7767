"""Doors to the past: backtest, backfill."""

import re
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from jobs.console import say, working
from jobs.doors import Engine, day, example, fit_each, home_of, utc_now

if TYPE_CHECKING:
    from modeling.backtest import Backtest

COLUMNS = ("games", "log loss", "difference", "95 % interval", "Brier", "slope", "50 %", "90 %")


def register(app: typer.Typer) -> None:
    """Hangs these doors into the command."""
    words = "pooltable backtest english_football --from 2018-08-01 --to 2019-05-31 --every 28d"
    app.command(epilog=example(words))(backtest)
    words = "pooltable backfill english_football --from 2000-01-01 --to 2023-12-31 --every season"
    app.command(epilog=example(words))(backfill)


def backtest(
    ctx: typer.Context,
    league: Annotated[str, typer.Argument(metavar="LEAGUE", help="The league's name.")],
    first: Annotated[date, typer.Option("--from", parser=day, metavar="DATE", help="First day to forecast games of.")],
    last: Annotated[date, typer.Option("--to", parser=day, metavar="DATE", help="Last day.")],
    every: Annotated[str, typer.Option(help="Days between fits, such as 28d.")] = "28d",
    engine: Engine = "auto",
) -> None:
    """Forecast past games from the games before them, and compare with what is easy, tuned or published."""
    days = interval(every)
    from store.stanzas import choose

    home = home_of(ctx)
    stanza = choose(home, [league])[league]
    with working(f"backtest {league}") as report:
        from modeling.backtest import backtest_league  # only now: it takes seconds

        made = backtest_league(home, league, stanza, utc_now(), first, last, days, engine, report)
    say(page(league, made, first, last, every))


def backfill(
    ctx: typer.Context,
    league: Annotated[str, typer.Argument(metavar="LEAGUE", help="The league's name.")],
    first: Annotated[date, typer.Option("--from", parser=day, metavar="DATE", help="First as-of date.")],
    last: Annotated[date, typer.Option("--to", parser=day, metavar="DATE", help="Last as-of date.")],
    every: Annotated[str, typer.Option(help="season: the day after each one's last game; or days, as in 28d.")] = (
        "season"
    ),
    engine: Engine = "auto",
) -> None:
    """Fit a league as of dates in the past, for `rating_history`; what was fitted before is not fitted again."""
    apart = None if every == "season" else interval(every)
    from store.stanzas import choose

    home = home_of(ctx)
    stanza = choose(home, [league])[league]
    from jobs.pool import Wanted
    from modeling.backfill import as_of_dates  # only now: it takes seconds
    from modeling.fit import prepare_fit

    fit = partial(prepare_fit, home, league, stanza, utc_now(), engine=engine)
    dates = as_of_dates(home, league, stanza, first, last, apart)
    fit_each(home, f"backfill {league}", [Wanted(f"{league} as of {one}", partial(fit, as_of=one)) for one in dates])


def interval(text: str) -> timedelta:
    """The days in words such as 28d. Raises UsageError."""
    from store.errors import UsageError

    found = re.fullmatch(r"([1-9]\d{0,4})d", text)
    if not found:
        raise UsageError(f"--every {text} is no interval.", "Give a whole number of days, for example: --every 28d")
    return timedelta(days=int(found[1]))


def page(league: str, made: "Backtest", first: date, last: date, every: str) -> str:
    """What came of a backtest, as text: how it was made, a line a forecaster, and the comparisons in words."""
    from jobs.formats import aligned

    cuts = f"each of {made.cuts} cuts, every {every}" if made.cuts > 1 else "the first day"
    how = (
        f"parameters learned from the games before {cuts}; results teach everybody day by day"
        if made.engine == "filter"
        else f"fitted ({made.engine}) to the games before {cuts}"
    )
    rows = [_line(row) for row in made.overall.iter_rows(named=True)]
    table = aligned(("forecaster", *COLUMNS), rows, [False, *(True for _ in COLUMNS)])
    told = made.overall.filter(~made.overall["forecaster"].is_in(["model"]))["message"].to_list()
    return "\n".join([f"{league}, {first} to {last}: {how}.", "", table, "", *told])


def _line(row: "dict[str, object]") -> tuple[str, ...]:
    numbers = [_number(row[name], 3) for name in ("brier", "calibration_slope", "coverage_50", "coverage_90")]
    low, high = _number(row["difference_low"], 4), _number(row["difference_high"], 4)
    apart = "" if row["forecaster"] == "model" else _number(row["difference"], 4)
    between = f"{low} to {high}" if apart and low else ""
    return (str(row["title"]), f"{row['games']:,}", _number(row["log_loss"], 4), apart, between, *numbers)


def _number(value: object, places: int) -> str:
    return f"{value:.{places}f}" if isinstance(value, float) else ""
