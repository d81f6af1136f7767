"""Doors to what is to come: forecast."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobs.console import say, working
from jobs.doors import day, example, home_of, utc_now
from store.errors import UsageError

if TYPE_CHECKING:
    from modeling.outlook.league import Forecast
    from modeling.outlook.outlook import Outlook
    from store.home import Home
    from store.stanzas import Stanza

LISTED = "SELECT count(*) > 0 FROM game WHERE league = $league AND status = 'scheduled'"
HANGING = 5  # games on the screen that matter most
SHOWN = 30  # games or entrants on the screen; all are kept
AsOf = Annotated[
    date | None, typer.Option(parser=day, metavar="DATE", help="Use the fit as of that day, and forecast from it.")
]
League = Annotated[str, typer.Argument(metavar="LEAGUE", help="The league's name.")]


def register(app: typer.Typer) -> None:
    """Hangs these doors into the command."""
    app.command(epilog=example("pooltable forecast english_football fixtures.csv"))(forecast)
    app.command(epilog=example('pooltable simulate english_football --given "Arsenal FC 0-2 Chelsea FC"'))(simulate)


def forecast(
    ctx: typer.Context,
    league: League,
    fixtures: Annotated[Path | None, typer.Argument(help="A CSV file of games; none: those the feed lists.")] = None,
    as_of: AsOf = None,
    due: Annotated[
        bool, typer.Option("--due", help="As the night does: the season's outlook too; nothing to forecast is well.")
    ] = False,
) -> None:
    """Forecast the games to come: chances, scores and margins, with what the ratings leave unsure."""
    from store.stanzas import choose

    home = home_of(ctx)
    stanza = choose(home, [league])[league]
    if due:
        say(_due(home, league, stanza))
        return
    with working(f"forecast {league}") as report:
        from modeling.outlook.league import forecast_league  # only now: it takes seconds

        made = forecast_league(home, league, stanza, utc_now(), path=fixtures, as_of=as_of, report=report)
    say(page(league, made))


def _due(home: "Home", league: str, stanza: "Stanza") -> str:
    """Forecasts, outlook and cups as the night makes them, in a line."""
    now = utc_now()
    told = None
    if stanza.rate and _lists_games(home, league):
        told = _games_due(home, league, stanza, now)
    elif stanza.season:
        told = _play_offs_due(home, league, stanza, now)
    cups = (
        [name for name in stanza.cups if _cup_due(home, league, stanza, home.root / name, now)] if stanza.rate else []
    )
    return ", and ".join([told or f"{league}: no games to come are listed", *cups])


def _games_due(home: "Home", league: str, stanza: "Stanza", now: datetime) -> str:
    """Forecasts of the games to come, and the end of the season, in words."""
    with working(f"forecast {league}") as report:
        from modeling.outlook.league import forecast_league
        from modeling.outlook.outlook import keep, outlook_of

        made = forecast_league(home, league, stanza, now, report=report)
        told = f"{league}: {made.rows['game_id'].n_unique():,} games forecast"
        if stanza.season is None:
            return told
        found = outlook_of(home, league, stanza, report=report)
        keep(home, league, found, now)
    return f"{told}, and {_end_of(found)}"


def _play_offs_due(home: "Home", league: str, stanza: "Stanza", now: datetime) -> str | None:
    """The end of a season whose play-offs are next though the feed lists none of their games, in words; None where
    there are no such, and what was told of the season is over."""
    from modeling.outlook.fixtures import NothingToCome
    from modeling.outlook.outlook import end, is_fitted, keep, outlook_of

    if stanza.rate and is_fitted(home, league):
        with suppress(NothingToCome), working(f"simulate {league}") as report:
            found = outlook_of(home, league, stanza, report=report)
            keep(home, league, found, now)
            return f"{league}: {_end_of(found)}"
    end(home, league)
    return None


def _end_of(found: "Outlook") -> str:
    doubts = f" (beware: {'; '.join(found.doubts)})" if found.doubts else ""
    return f"the end of season {found.season}{doubts}"


def _cup_due(home: "Home", league: str, stanza: "Stanza", file: Path, now: datetime) -> bool:
    """Whether a cup has not begun yet, and so was simulated and kept."""
    from modeling.earlier import read_accepted
    from modeling.outlook.cup import cup_of, keep_cup
    from modeling.outlook.cup_file import read_cup
    from store.warehouse import reading

    cup = read_cup(file)
    with reading(home) as con:
        known_until = [day for _, day in read_accepted(con, league, None)[:1]]
    if cup.date < max([now.date(), *known_until]):
        return False
    with working(f"simulate {file.stem}") as report:
        keep_cup(home, league, file.stem, cup_of(home, league, stanza, cup, report=report), now)
    return True


def _lists_games(home: "Home", league: str) -> bool:
    """Whether the league's results list games to come."""
    from store.warehouse import reading

    with reading(home) as con:
        return con.execute(LISTED, {"league": league}).fetchall()[0][0]


def simulate(
    ctx: typer.Context,
    league: League,
    given: Annotated[list[str] | None, typer.Option(help='A result: "City 0-2 Rovers"; may be repeated.')] = None,
    without: Annotated[list[str] | None, typer.Option(help="A player who does not play; may be repeated.")] = None,
    cup: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A TOML file with a cup's draw, in its place.")
    ] = None,
    forget: Annotated[bool, typer.Option("--forget", help="With --cup: take back what is kept of that cup.")] = False,
    as_of: AsOf = None,
) -> None:
    """Simulate the rest of the season: final tables, titles and relegations, and what they hang on.

    What is simulated with --given or --without is shown and not kept.
    """
    from store.stanzas import choose

    home = home_of(ctx)
    stanza = choose(home, [league])[league]
    if cup and (given or without):
        raise UsageError("--cup has no use for --given or --without.", "Say who goes through in the cup's file.")
    if forget and not cup:
        raise UsageError("--forget says no cup.", f"Say which: pooltable simulate {league} --cup FILE --forget")
    if cup and forget:
        say(_forgotten(home, league, cup.stem))
        return
    if cup:
        say(_cup(home, league, stanza, cup, as_of))
        return
    with working(f"simulate {league}") as report:
        from modeling.outlook.outlook import keep, outlook_of  # only now: it takes seconds

        results, absent = tuple(given or ()), tuple(without or ())
        found = outlook_of(home, league, stanza, as_of=as_of, given=results, absent=absent, report=report)
        if not results and not absent:
            keep(home, league, found, utc_now())
    say(outlook_page(league, found))


def _forgotten(home: "Home", league: str, name: str) -> str:
    """A kept cup, taken back, in a line. Raises UsageError where none of that name is kept."""
    from modeling.record import forget_cup

    kept = forget_cup(home, league, name)
    if name not in kept:
        there = f"Kept are: {', '.join(kept)}." if kept else "No cup of it is."
        raise UsageError(f'{league}: no cup "{name}" is kept.', there)
    return f'{league}: what was kept of the cup "{name}" is gone; editions from the next one on are without it.'


def _cup(home: "Home", league: str, stanza: "Stanza", file: Path, as_of: date | None) -> str:
    """A cup, kept, as text: the chance of each entrant to reach each round."""
    from jobs.formats import aligned

    with working(f"simulate {league}") as report:
        from modeling.outlook.cup import cup_of, keep_cup
        from modeling.outlook.cup_file import read_cup

        found = cup_of(home, league, stanza, read_cup(file), as_of=as_of, report=report)
        keep_cup(home, league, file.stem, found, utc_now())
    rows, names = found.rows.to_dicts(), ("", *found.rounds)
    lines = [(str(row["name"]), *(_percent(chance) for chance in row["reach"])) for row in rows]
    head = f"{league}, {file.name}, as of {found.as_of}, by fit {found.fit_id}."
    return f"{head}\n\n{aligned(names, lines, [number > 0 for number in range(len(names))])}"


def page(league: str, made: "Forecast") -> str:
    """A forecast as text: a line a game or entrant, and the lines of a file that were left out."""
    from jobs.formats import aligned
    from modeling.outlook.given import as_sentence

    rows = made.rows.head(SHOWN).to_dicts()
    names, line, right = (RACE, _entrant, 3) if made.is_race else (GAME, _game, 2)
    table = aligned(names, [line(row) for row in rows], [number >= right for number in range(len(names))])
    games = made.rows["game_id"].n_unique()
    head = f"{league}: {games:,} game{'s' if games != 1 else ''} from {made.as_of} on, by fit {made.fit_id}."
    more = [f"({SHOWN} of {made.rows.height:,} lines; all are kept in forecasts)"] if made.rows.height > SHOWN else []
    left = [f"Left out, line {one.line}: {as_sentence(one.reason)}" for one in made.mistakes]
    return "\n".join([head, "", table, *more, *left])


GAME = ("day", "game", "win", "draw", "loss", "win is in", "score", "margin", "90 % of margins", "likeliest")
RACE = ("day", "race", "entrant", "win", "podium", "top 10", "place")


def _game(row: dict[str, Any]) -> tuple[str, ...]:
    between = f"{row['win_low']:.0%}-{row['win_high']:.0%}"
    score = _pair(row.get("expected_first"), row.get("expected_second"))
    margin = f"{row['expected_margin']:+.1f}" if row.get("expected_margin") is not None else ""
    spread = f"{row['margin_q5']:+.0f} to {row['margin_q95']:+.0f}" if margin else ""
    likely = ", ".join(
        f"{one['first']}-{one['second']} {one['chance']:.0%}" for one in (row.get("likely_scores") or [])[:3]
    )
    draw = f"{row['draw']:.0%}" if row["draw"] else ""
    sides = f"{row['first_name']} {'-' if row['is_first_home'] else 'v'} {row['second_name']}"
    return (str(row["played_on"]), sides, f"{row['win']:.0%}", draw, f"{row['loss']:.0%}", between, score, margin,
            spread, likely)  # fmt: skip


def _pair(first: float | None, second: float | None) -> str:
    return "" if first is None or second is None else f"{first:.1f}-{second:.1f}"


def _entrant(row: dict[str, Any]) -> tuple[str, ...]:
    return (str(row["played_on"]), row["game_id"], row["entrant_name"], f"{row['win']:.1%}", f"{row['top3']:.0%}",
            f"{row['top10']:.0%}", f"{row['expected_place']:.1f}")  # fmt: skip


def outlook_page(league: str, found: "Outlook") -> str:
    """An outlook as text: each table, and the games that matter most."""
    from modeling.outlook.given import as_sentence

    given = f", given {found.fixed} result{'s' if found.fixed != 1 else ''}" if found.fixed else ""
    without = f", without {_listed(found.absent)}" if found.absent else ""
    parts = [f"{league}, season {found.season}, as of {found.as_of}{given}{without}, by fit {found.fit_id}."]
    for (table,), rows in found.rows.group_by("table", maintain_order=True):
        parts += ["", *([f"{table}:"] if table else []), _table(rows.to_dicts(), found.names)]
    parts += ["", *(f"Beware: {as_sentence(doubt)}" for doubt in found.doubts)] if found.doubts else []
    moving = found.leverage.sort("swing", descending=True).head(HANGING).to_dicts()
    if moving:
        parts += ["", "What hangs most on the next games:", *(_hanging(row, found) for row in moving)]
    return "\n".join(parts)


def _listed(names: Sequence[str]) -> str:
    """Names in a row: "A, B and C"."""
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


def _table(rows: list[dict[str, Any]], names: dict[str, str]) -> str:
    from jobs.formats import aligned

    prizes = [one["prize"] for one in rows[0]["chances"]]
    lines: list[tuple[str, ...]] = [
        (str(names.get(row["competitor_id"], row["competitor_id"])), str(row["played"]), f"{row['points']:g}",
         str(row["remaining"]), f"{row['expected_points']:.1f}", f"{row['points_q5']:.0f}-{row['points_q95']:.0f}",
         f"{row['expected_place']:.1f}", *(_percent(one["chance"]) for one in row["chances"]))
        for row in rows
    ]  # fmt: skip
    columns = ("", "played", "points", "left", "in the end", "90 %", "place", *prizes)
    return aligned(columns, lines, [number > 0 for number in range(len(columns))])


def _percent(chance: float) -> str:
    return "" if chance == 0 else "<1%" if chance <= 0.005 else ">99%" if 0.995 <= chance < 1 else f"{chance:.0%}"


def _hanging(row: dict[str, Any], found: "Outlook") -> str:
    who = found.names.get(row["competitor_id"], row["competitor_id"])
    told = [(name, row[key]) for name, key in (("a home win", "if_first_wins"), ("a draw", "if_drawn"),
                                               ("an away win", "if_second_wins")) if row[key] is not None]  # fmt: skip
    after = ", ".join(f"{_percent(chance) or '0%'} after {name}" for name, chance in told)
    return f"  {found.games[row['game_id']]}: {who} {row['prize']}: {row['chance']:.0%} now, {after}."
