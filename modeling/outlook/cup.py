"""A cup: groups and then a knock-out, or a knock-out alone, simulated from joint draws; who reaches which round.

In: a file that says who plays, in which groups and slots. Out: the chance of each entrant to reach each round. A game
that has to have a winner goes on for a third of its length where it is level (football's extra time), then luck decides
(penalties); where no draws are forecast, its winner is the forecast's.
"""

from dataclasses import dataclass
from datetime import date, datetime
from itertools import combinations, permutations
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import polars as pl
import tomlkit
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from tomlkit.exceptions import TOMLKitError

from modeling import record
from modeling.games import ATTRIBUTE, NO_APPEARANCES, is_of_teams, season_before
from modeling.outcomes.outcome import Array, Auxiliaries, Outcome
from modeling.outlook.bracket import BYE, best_of, reached, seeded
from modeling.outlook.coming import read_draws
from modeling.outlook.fixtures import Given
from modeling.outlook.forecasts import of_rows
from modeling.outlook.given import ID, Names, read_names
from modeling.outlook.league import Ahead, look_ahead
from modeling.outlook.season import as_scores
from modeling.outlook.table import Rules, Tables, tables
from modeling.sampled import SEED, Report
from store.errors import FitError, UsageError
from store.home import Home
from store.seasons import TieBreak
from store.stanzas import Stanza
from store.warehouse import reading

CUPS = 10_000
DRAWS = 200  # joint draws a cup takes in turn: their chances of all meetings are in memory together
EXTRA_TIME = 1 / 3  # of a game's length
BYE_NAME = ""
THIRD = "3"  # the place of which the best of several groups go through
FINAL = 2  # the number of a game that is the only one of two, beside those of legs, 0 and 1


class Cup(BaseModel):
    """What a file of a cup says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    date: date
    bracket: tuple[str, ...] = ()
    """Who stands in which slot, neighbours meeting first: a name, a place of a group as A1, the third of one of some
    groups as ABC3, or "" for a bye. Of the thirds as many go through as there are such slots, the best of them."""
    seeds: tuple[str, ...] = ()
    """Or the entrants by seed, the best first: the draw keeps them apart, and the best have the byes."""
    groups: dict[str, tuple[str, ...]] = {}
    """Entrants of each group; all of a group meet once."""
    points: tuple[float, float, float] = (3.0, 1.0, 0.0)
    order: tuple[TieBreak, ...] = ("points", "difference", "scored", "head_to_head")
    hosts: tuple[str, ...] = ()
    """Who is at home in every game against somebody who is not."""
    legs: Literal[1, 2] = 1
    """Two: a tie is decided by both scores together, each side being at home once; the last one is a single game."""
    best_of: Annotated[int, Field(ge=1, le=99)] = 1
    """Games of a series (an odd number): who has won most of them goes through."""
    attributes: dict[str, str] = {}
    """Attributes of all its games, as the league's results have them: a surface, a number of sets."""


@dataclass(frozen=True)
class CupOutlook:
    """Chances of a cup."""

    fit_id: str
    as_of: date
    rows: pl.DataFrame
    """entrant, name, and `reach`: chances to be in the draw, in the second round and so on, and to win it."""

    @property
    def rounds(self) -> tuple[str, ...]:
        """The rounds by those left in them: last 16, ..., last 2, winner."""
        count = len(self.rows["reach"][0])
        return (*(f"last {2 ** (count - 1 - k)}" for k in range(count - 1)), "winner")


def keep_cup(home: Home, league: str, name: str, found: CupOutlook, now: datetime) -> None:
    """Stores the chances of a cup, in place of those as of the same day."""
    keys = {"league": league, "fit_id": found.fit_id, "made_at_utc": now.replace(tzinfo=None), "as_of": found.as_of,
            "cup": name}  # fmt: skip
    rounds = pl.DataFrame({"stage": range(1, len(found.rounds) + 1), "round": found.rounds})
    rows = found.rows.select(competitor_id="entrant", chance="reach").with_columns(
        stage=pl.lit(rounds["stage"].to_list()), round=pl.lit(rounds["round"].to_list())
    )
    record.record_cup(home, keys, rows.explode("chance", "stage", "round"))


@dataclass(frozen=True)
class Placed:
    """A group's ends in every cup."""

    who: NDArray[np.intp]
    """Who takes each place, shape (cups, places)."""
    merit: Array
    """Points, difference and score of the third, shape (cups, 3); of a group of two nobody's."""


def read_cup(path: Path) -> Cup:
    """The cup that a file says. Raises UsageError naming the mistake."""
    try:
        cup = Cup.model_validate(tomlkit.parse(path.read_text(encoding="utf-8")).unwrap())
    except (OSError, UnicodeDecodeError, TOMLKitError) as error:
        said = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"{path} cannot be read: {said}.", "Give a TOML file with `date` and `bracket`.") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UsageError(f'{path}: "{where}": {first["msg"]}.', "modeling/README.md says what a cup is.") from error
    size = len(cup.bracket)
    if bool(cup.bracket) == bool(cup.seeds) or (size and (size & (size - 1) or size < 2)):
        raise UsageError(f"{path}: a cup has a bracket of 2, 4, 8, … slots, or seeds.", 'An empty slot, "", is a bye.')
    if cup.best_of % 2 == 0 or (cup.best_of > 1 and cup.legs > 1):
        raise UsageError(f"{path}: a series has an odd number of games, and no legs.", "For example: best_of = 7")
    return cup


def cup_of(
    home: Home, league: str, stanza: Stanza, cup: Cup, *, as_of: date | None = None, report: Report | None = None
) -> CupOutlook:
    """Who reaches which round, by the league's accepted fit. Raises UsageError where a name is not known or a slot is
    of no group, FitError where the league has no games of two sides."""
    tell = report or (lambda stage, share: None)
    with reading(home) as con:
        draws = read_draws(con, home, league, as_of)
        names = read_names(con, league, "team" if is_of_teams(con, league) else "player")
        season = season_before(con, league, draws.as_of)
    entrants = _entrants(cup, names)
    ids = list(entrants.values())
    tell("games and model", 0.2)
    pairs = list(combinations(range(len(ids)), 2))
    day = max(cup.date, draws.as_of)
    hosts = {ids.index(names.find(name, names.kind)) for name in cup.hosts}
    given = _meetings(cup, ids, pairs, hosts, day, season, names.kind)
    ahead = look_ahead(home, league, stanza, draws, given)
    if ahead.coming.design.outcome.row == "entrant":
        raise FitError(f"{league}: a cup needs games of two sides.", "Races have a championship: pooltable simulate")
    tell("simulating", 0.5)
    found = _reach(cup, ahead, entrants, pairs)
    named = {one: name for name, one in entrants.items()}
    rows = pl.DataFrame({"entrant": ids, "name": [named[one] for one in ids], "reach": found.tolist()})
    order = np.lexsort(found.T)[::-1]
    return CupOutlook(draws.fit_id, draws.as_of, rows[order.tolist()])


def _entrants(cup: Cup, names: Names) -> dict[str, str]:
    """Ids of the entrants by the names that the cup gives them."""
    grouped = [name for group in cup.groups.values() for name in group]
    single = [name for name in (*cup.bracket, *cup.seeds)
              if name != BYE_NAME and not _place(cup, name) and not _some_third(cup, name)]  # fmt: skip
    try:
        found = {name: names.find(name, names.kind) for name in (*grouped, *single)}
    except ValueError as error:
        raise UsageError(
            f"{names.league}: {error}.", "A slot is a name, a place of a group as A1, or empty."
        ) from error
    if len(set(found.values())) < len(grouped) + len(single):
        raise UsageError(f"{names.league}: somebody stands in the cup twice.", "Mend its groups and slots.")
    return found


def _place(cup: Cup, slot: str) -> tuple[str, int] | None:
    """The group and the place that a slot stands for; None where it is a name."""
    group, place = slot[:-1], slot[-1:]
    return (group, int(place)) if group in cup.groups and place.isdigit() and place != "0" else None


def _meetings(
    cup: Cup, ids: list[str], pairs: list[tuple[int, int]], hosts: set[int], day: date, season: str, kind: str
) -> Given:
    """Every game that there can be, as games to come: of two legs the first, the second at the other's, and a final."""
    legs = [(a, b, leg) for leg in (range(3) if cup.legs == 2 else [FINAL]) for a, b in pairs]
    sides, line_ups = [], []
    for a, b, leg in legs:
        game = f"{ID}{day}|{a:04d}|{b:04d}|{leg}"
        host = next(iter(hosts & {a, b}), None) if not {a, b} <= hosts else None
        at_home = host if leg == FINAL else (a, b)[leg]
        common = {"game_id": game, "contest_id": game, "season": season, "played_on": day, "neutral": at_home is None,
                  "exposure": 1.0} | {ATTRIBUTE + name: value for name, value in cup.attributes.items()}  # fmt: skip
        for side, who in ((1, a), (2, b)):
            sides.append(
                common | {"side": side, "team": ids[who] if kind == "team" else None, "is_home": who == at_home}
            )
            line_ups += [] if kind == "team" else [(game, side, ids[who], 1.0)]
    frame = pl.DataFrame(sides, infer_schema_length=None).with_columns(
        pl.col("side").cast(pl.Int16), pl.col("team").cast(pl.String)
    )
    return Given(frame, pl.DataFrame(line_ups, schema=NO_APPEARANCES.schema, orient="row"))


def _reach(cup: Cup, ahead: Ahead, entrants: dict[str, str], pairs: list[tuple[int, int]]) -> Array:
    """Chance of each entrant to reach each round, shape (entrants, rounds + 1)."""
    coming, rng = ahead.coming, np.random.default_rng(SEED)
    draw = np.linspace(0, len(coming.known) - 1, min(DRAWS, len(coming.known))).astype(int)
    eta = coming.eta(draw, rng)
    number = {name: k for k, name in enumerate(entrants)}
    slots = _slots(cup, ahead, eta, draw, number, pairs, rng)
    through = _through(cup, ahead, eta, draw, len(pairs))
    chance = np.zeros((len(through), len(draw), len(entrants), len(entrants)))
    first, second = np.array(pairs).T
    chance[:, :, first, second], chance[:, :, second, first] = through, 1 - through
    if cup.legs == 2:
        chance = chance[[*[0] * (int(np.log2(slots.shape[-1])) - 1), 1]]
    return reached(slots, chance, CUPS, rng)


def _through(cup: Cup, ahead: Ahead, eta: Array, draw: NDArray[np.intp], pairs: int) -> Array:
    """Chance of the first of each pair to go through: shape (1, draws, pairs); with two legs (2, …), the final last."""
    coming, outcome = ahead.coming, ahead.coming.design.outcome
    arguments = coming.arguments(draw)
    if np.ndim(arguments["noise"]):
        arguments["noise"] = arguments["noise"][..., :1]  # all its games have the same attributes
    by_side = outcome.row == "side"
    first, second = (eta[:, 0::2], eta[:, 1::2]) if by_side else (eta, np.zeros_like(eta))
    if cup.legs == 1:
        return _decided(cup, outcome, first, second, arguments)[None]
    if not (by_side and outcome.counts):
        raise FitError("Two legs need scores that are counts.", "Set legs = 1, or best_of.")
    summed, other = (np.logaddexp(one[:, :pairs], one[:, pairs : 2 * pairs]) for one in (first, second))
    final = _decided(cup, outcome, first[:, 2 * pairs :], second[:, 2 * pairs :], arguments)
    return np.stack([_decided(cup, outcome, summed, other, arguments, EXTRA_TIME / 2), final])


def _decided(
    cup: Cup, outcome: Outcome, first: Array, second: Array, arguments: Auxiliaries, extra: float = EXTRA_TIME
) -> Array:
    """Chance of the first to go through, of the shape of its linear predictor; extra time is a share `extra` of what
    the predictor is of: of one game, or of two together."""
    win, drawn, _ = np.moveaxis(outcome.chances(first, second, arguments), -1, 0)
    if not drawn.any():
        return best_of(win, cup.best_of)
    longer = outcome.chances(first, second, arguments | {"exposure": extra})
    return best_of(win + drawn * (longer[..., 0] + longer[..., 1] / 2), cup.best_of)


def _slots(
    cup: Cup, ahead: Ahead, eta: Array, draw: NDArray[np.intp], number: dict[str, int], pairs: list[tuple[int, int]],
    rng: np.random.Generator,
) -> NDArray[np.intp]:  # fmt: skip
    """Who stands in which slot: one row for all cups, or a row a cup where groups decide."""
    if cup.seeds:
        own = np.array([number[name] for name in cup.seeds])
        slots = seeded(len(own))
        return np.where(slots == BYE, BYE, own[slots])
    if not cup.groups:
        return np.array([BYE if name == BYE_NAME else number[name] for name in cup.bracket])
    taken = {name: _group_places(cup, ahead, eta, draw, [number[one] for one in members], pairs, rng)
             for name, members in cup.groups.items()}  # fmt: skip
    thirds = _best_of_thirds(cup, taken, rng) if any(_some_third(cup, slot) for slot in cup.bracket) else {}
    return np.stack([_slot(cup, slot, at, number, taken, thirds) for at, slot in enumerate(cup.bracket)], axis=1)


def _slot(
    cup: Cup, slot: str, at: int, number: dict[str, int], taken: dict[str, Placed], thirds: dict[int, NDArray[np.intp]]
) -> NDArray[np.intp]:
    """Who stands in the bracket's slot number `at` in every cup."""
    place = _place(cup, slot)
    if at in thirds:
        return thirds[at]
    if place is None:
        return np.full(CUPS, BYE if slot == BYE_NAME else number[slot])
    if place[1] > len(cup.groups[place[0]]):
        raise UsageError(f'The slot "{slot}" is of a place that group {place[0]} does not have.', "Mend `bracket`.")
    return taken[place[0]].who[:, place[1] - 1]


def _some_third(cup: Cup, slot: str) -> tuple[str, ...]:
    """The groups of one of which a slot takes the third; none where it is of another kind."""
    of = slot[:-1]
    is_one = slot[-1:] == THIRD and len(of) > 1 and slot not in cup.groups and all(name in cup.groups for name in of)
    return tuple(of) if is_one else ()


def _best_of_thirds(cup: Cup, taken: dict[str, Placed], rng: np.random.Generator) -> dict[int, NDArray[np.intp]]:
    """By number of the slot, the third that stands in it in every cup: the best thirds by what counts in a table, each
    where its group may go. Raises UsageError where some of them have no way in."""
    slots = {at: groups for at, slot in enumerate(cup.bracket) if (groups := _some_third(cup, slot))}
    names = [name for name, members in cup.groups.items() if len(members) >= int(THIRD)]
    merit = np.stack([taken[name].merit for name in names], axis=1)
    keys = [rng.random(merit.shape[:2]), *(-merit[..., k] for k in reversed(range(merit.shape[2])))]
    through = np.sort(np.lexsort(np.stack(keys), axis=1)[:, : len(slots)], axis=1)
    found = {at: np.empty(CUPS, np.intp) for at in slots}
    for combination in np.unique(through, axis=0):
        cups = np.flatnonzero((through == combination).all(axis=1))
        for at, group in _ways_in(slots, [names[k] for k in combination]).items():
            found[at][cups] = taken[group].who[cups, int(THIRD) - 1]
    return found


def _ways_in(slots: dict[int, tuple[str, ...]], groups: list[str]) -> dict[int, str]:
    """A group for each slot that takes the third of one of some: the first way in the order of slots and groups."""
    for chosen in permutations(groups):
        if all(group in own for group, own in zip(chosen, slots.values(), strict=True)):
            return dict(zip(slots, chosen, strict=True))
    raise UsageError(f"The thirds of groups {', '.join(groups)} do not all find a slot.", "Mend `bracket`.")


def _group_places(
    cup: Cup, ahead: Ahead, eta: Array, draw: NDArray[np.intp], members: list[int], pairs: list[tuple[int, int]],
    rng: np.random.Generator,
) -> Placed:  # fmt: skip
    coming, outcome = ahead.coming, ahead.coming.design.outcome
    own = [k for k, (a, b) in enumerate(pairs) if a in members and b in members]
    width = 2 if outcome.row == "side" else 1
    rows = (np.array(own)[:, None] * width + np.arange(width)).ravel()
    again = np.arange(CUPS) % len(draw)
    arguments = of_rows(coming.arguments(draw[again]), rows, eta.shape[1])
    y = outcome.simulate(rng, eta[np.ix_(again, rows)], np.ones(len(rows)), arguments, np.arange(len(rows)) // width)
    code = {who: k for k, who in enumerate(members)}
    first, second = (np.array([code[pairs[k][side]] for k in own]) for side in (0, 1))
    keys = rng.random((CUPS, len(members), 2))
    scores = as_scores(outcome.name, y)
    ended = tables(first, second, scores, keys, Rules(cup.points, cup.order))
    order = np.argsort(ended.places, axis=1)
    return Placed(np.array(members)[order], _merit(first, second, scores, ended, order[:, int(THIRD) - 1 : int(THIRD)]))


def _merit(
    first: NDArray[np.intp], second: NDArray[np.intp], scores: Array, ended: Tables, who: NDArray[np.intp]
) -> Array:
    """Points, difference and score of one member in every cup; `who` has shape (cups, 1)."""
    at_first, at_second = (who == side[None] for side in (first, second))
    scored = (scores[..., 0] * at_first + scores[..., 1] * at_second).sum(axis=1)
    let = (scores[..., 1] * at_first + scores[..., 0] * at_second).sum(axis=1)
    return np.stack([np.take_along_axis(ended.points, who, axis=1)[:, 0], scored - let, scored], axis=1)
