"""A small league out of a large one, for holding an engine without limits of size against one that has them."""

from bisect import bisect_right
from dataclasses import replace
from datetime import timedelta

import polars as pl

from modeling.build import build_design
from modeling.design import Design
from modeling.games import ATTRIBUTE, Games
from store.errors import FitError
from store.stanzas import Stanza

MOST_EFFECTS = 2_000  # minutes by NUTS; a dense factor takes 5,000, at 16 times the cost
YEARS = 5  # long enough for walks to be tested, short enough that more than a few competitors fit
FIRST_TRY = 16  # competitors


def sub_league(games: Games, stanza: Stanza, most: int = MOST_EFFECTS) -> tuple[Games, Design]:
    """The games of the last five years among as many of the most-played competitors as give `most` effects at most.

    Competitors are teams, or players where sides have no team. The same games give the same sub-league. Raises FitError
    where even two competitors have too many.
    """
    recent = lately(games)
    ordered = _most_played(recent)

    def effects(count: int) -> int:
        chosen = _among(recent, ordered.head(count), stanza)
        return _design(chosen, stanza).effects if chosen.sides.height else 0

    upper = min(FIRST_TRY, len(ordered))
    while upper < len(ordered) and effects(upper) <= most:
        upper = min(2 * upper, len(ordered))
    count = 1 + bisect_right(range(2, upper + 1), most, key=effects)
    chosen = _among(recent, ordered.head(count), stanza)
    if chosen.sides.is_empty():
        hint = "Set a longer period, or fewer things that its ratings vary by."
        raise FitError(f"{games.league}: no part of it has {most:,} effects or fewer.", hint)
    return chosen, _design(chosen, stanza)


def lately(games: Games) -> Games:
    """The games of the last five years: all that a sub-league is made of."""
    last = games.sides["played_on"].max()
    return _of(games, games.sides.filter(pl.col("played_on") > pl.lit(last) - timedelta(days=round(365.25 * YEARS))))


def _design(games: Games, stanza: Stanza) -> Design:
    asked = [name.removeprefix(ATTRIBUTE) for name in games.sides.columns if name.startswith(ATTRIBUTE)]
    return build_design(stanza, games, asked)


def _units(games: Games) -> pl.DataFrame:
    """Who is on each side: game_id, side, unit."""
    if games.sides["team"].null_count() == 0:
        return games.sides.select("game_id", "side", unit="team")
    return games.appearances.select("game_id", "side", unit="player")


def _most_played(games: Games) -> pl.Series:
    """Competitors by their number of games, the most first; equals by id."""
    counted = _units(games).group_by("unit").agg(pl.col("game_id").n_unique().alias("games"))
    return counted.sort("games", "unit", descending=[True, False])["unit"]


def _among(games: Games, chosen: pl.Series, stanza: Stanza) -> Games:
    """The games among the chosen competitors; of a race, its entrants among them where they are two or more."""
    units = _units(games)
    others = units.join(chosen.to_frame(), on="unit", how="anti")
    own = units.join(others, on=["game_id", "side"], how="anti").select("game_id", "side").unique()
    entered = games.sides.group_by("game_id").len("entered")
    needed = pl.lit(2) if stanza.outcome == "order" else pl.col("entered")
    counted = own.group_by("game_id").len("kept").join(entered, on="game_id").filter(pl.col("kept") >= needed)
    played = own.join(counted, on="game_id", how="semi")
    sides = games.sides.join(played, on=["game_id", "side"], how="semi", maintain_order="left")
    return _of(games, sides)


def _of(games: Games, sides: pl.DataFrame) -> Games:
    """Some of the sides, with their appearances."""
    players = games.appearances.join(sides, on=["game_id", "side"], how="semi", maintain_order="left")
    return replace(games, sides=sides, appearances=players)
