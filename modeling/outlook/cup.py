"""A cup: groups and then a knock-out, or a knock-out alone, simulated from joint draws; who reaches which round.

In: a file that says who plays, in which groups and slots. Out: the chance of each entrant to reach each round.
"""

from dataclasses import dataclass
from datetime import date, datetime
from itertools import combinations, permutations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from modeling import record
from modeling.games import ATTRIBUTE, is_of_teams, season_before
from modeling.outcomes.outcome import Array
from modeling.outlook.bracket import BYE, best_of, reached, seeded
from modeling.outlook.coming import read_draws
from modeling.outlook.cup_file import BYE_NAME, THIRD, Cup
from modeling.outlook.fixtures import FAR, Given
from modeling.outlook.forecasts import of_rows
from modeling.outlook.given import ID, Names, as_sentence, insist_on_values, read_names
from modeling.outlook.league import Ahead, look_ahead
from modeling.outlook.season import as_scores
from modeling.outlook.table import Rules, Tables, tables
from modeling.outlook.ties import AT_FIRST, AT_SECOND, SINGLE, Meeting, as_given, decided, two_legs
from modeling.sampled import SEED, Report
from store.errors import FitError, UsageError
from store.home import Home
from store.stanzas import Stanza
from store.warehouse import reading

CUPS = 10_000
DRAWS = 200  # joint draws a cup takes in turn: their chances of all meetings are in memory together


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
    """Points, difference and score of the third, shape (cups, 3); of a group of two nothing: (cups, 0)."""


def cup_of(
    home: Home, league: str, stanza: Stanza, cup: Cup, *, as_of: date | None = None, report: Report | None = None
) -> CupOutlook:
    """Who reaches which round, by the league's accepted fit; the order of names in lists that have none tells nothing.

    Raises UsageError where a name or an attribute is not known or the cup begins before the fit's as-of date or long
    after it, FitError where the league has no games of two sides.
    """
    tell = report or (lambda stage, share: None)
    with reading(home) as con:
        draws = read_draws(con, home, league, as_of)
        names = read_names(con, league, "team" if is_of_teams(con, league) else "player")
        season = season_before(con, league, draws.as_of)
        insist_on_values(con, league, cup.attributes)
    if cup.date < draws.as_of:
        raise UsageError(
            f"The cup begins on {cup.date}, before {draws.as_of}, up to when the ratings know what came of the games.",
            f"Forecast it from an earlier fit, with --as-of {cup.date}, or give the day of what is still to be played.",
        )
    if cup.date - draws.as_of > FAR:
        raise UsageError(f"The cup begins on {cup.date}, more than ten years after {draws.as_of}.", "Mend its `date`.")
    entrants = _entrants(cup, names)
    ids = list(entrants.values())
    tell("games and model", 0.2)
    pairs = list(combinations(range(len(ids)), 2))
    given = _meetings(cup, ids, pairs, _hosts(cup, names, ids), season, names.kind)
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
    """Ids of the entrants by the names that the cup gives them, in order of ids."""
    grouped = [name for group in cup.groups.values() for name in group]
    single = [name for name in (*cup.bracket, *cup.seeds)
              if name != BYE_NAME and not cup.place(name) and not cup.groups_of_third(name)]  # fmt: skip
    try:
        found = {name: names.find(name, names.kind) for name in (*grouped, *single)}
    except ValueError as error:
        raise UsageError(
            f"{names.league}: {as_sentence(error)}", "A slot is a name, a place of a group as A1, or empty."
        ) from error
    if len(set(found.values())) < len(grouped) + len(single):
        raise UsageError(f"{names.league}: somebody stands in the cup twice.", "Mend its groups and slots.")
    return dict(sorted(found.items(), key=lambda pair: pair[1]))


def _hosts(cup: Cup, names: Names, ids: list[str]) -> set[int]:
    """Numbers of the hosts."""
    try:
        found = {name: names.find(name, names.kind) for name in cup.hosts}
    except ValueError as error:
        raise UsageError(f"{names.league}: {as_sentence(error)}", "Mend `hosts`.") from error
    for name, one in found.items():
        if one not in ids:
            raise UsageError(f'The host "{name}" does not stand in the cup.', "Hosts are entrants: mend `hosts`.")
    return {ids.index(one) for one in found.values()}


def _meetings(cup: Cup, ids: list[str], pairs: list[tuple[int, int]], hosts: set[int], season: str, kind: str) -> Given:
    """Every game that there can be, as games to come: those at the first's and at the second's of each pair, where some
    are played home and away, then single ones."""

    def ground(a: int, b: int, leg: int) -> int:
        if leg != SINGLE:
            return 1 + leg
        at_home = hosts & {a, b}
        return 0 if len(at_home) != 1 else 1 if a in at_home else 2

    legs = (AT_FIRST, AT_SECOND, SINGLE) if 2 in (cup.legs, cup.rounds) else (SINGLE,)
    meetings = [Meeting(f"{ID}{cup.date}|{a:04d}|{b:04d}|{leg}", ids[a], ids[b], ground(a, b, leg))
                for leg in legs for a, b in pairs]  # fmt: skip
    attributes = {ATTRIBUTE + name: value for name, value in cup.attributes.items()}
    return as_given(meetings, cup.date, season, kind, attributes)


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
    single = decided(outcome, first[:, -pairs:], second[:, -pairs:], arguments)
    if cup.legs == 1:
        return best_of(single, cup.best_of)[None]
    both = ((one[:, :pairs], one[:, pairs : 2 * pairs]) for one in (first, second))
    return np.stack([decided(outcome, *two_legs(outcome, *both), arguments, legs=2), single])


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
    taken = {name: _group_places(cup, ahead, eta, draw, sorted(number[one] for one in members), pairs, rng)
             for name, members in sorted(cup.groups.items())}  # fmt: skip
    thirds = _best_of_thirds(cup, taken, rng) if any(cup.groups_of_third(slot) for slot in cup.bracket) else {}
    return np.stack([_slot(cup, slot, at, number, taken, thirds) for at, slot in enumerate(cup.bracket)], axis=1)


def _slot(
    cup: Cup, slot: str, at: int, number: dict[str, int], taken: dict[str, Placed], thirds: dict[int, NDArray[np.intp]]
) -> NDArray[np.intp]:
    """Who stands in the bracket's slot number `at` in every cup."""
    place = cup.place(slot)
    if at in thirds:
        return thirds[at]
    if place is None:
        return np.full(CUPS, BYE if slot == BYE_NAME else number[slot])
    return taken[place[0]].who[:, place[1] - 1]


def _best_of_thirds(cup: Cup, taken: dict[str, Placed], rng: np.random.Generator) -> dict[int, NDArray[np.intp]]:
    """By number of the slot, the third that stands in it in every cup: the best thirds by what counts in a table, each
    where its group may go. Raises UsageError where some of them have no way in."""
    slots = {at: groups for at, slot in enumerate(cup.bracket) if (groups := cup.groups_of_third(slot))}
    names = cup.with_thirds
    merit = np.stack([taken[name].merit for name in names], axis=1)
    keys = [rng.random(merit.shape[:2]), *(-merit[..., k] for k in reversed(range(merit.shape[2])))]
    through = np.sort(np.lexsort(np.stack(keys), axis=1)[:, : len(slots)], axis=1)
    found = {at: np.empty(CUPS, np.intp) for at in slots}
    for combination in np.unique(through, axis=0):
        cups = np.flatnonzero((through == combination).all(axis=1))
        for at, group in _ways_in(slots, [names[k] for k in combination]).items():
            found[at][cups] = taken[group].who[cups, THIRD - 1]
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
    """Places of a group, whose games are single ones, or home and away."""
    coming, outcome = ahead.coming, ahead.coming.design.outcome
    meet = [k for k, (a, b) in enumerate(pairs) if a in members and b in members]
    blocks = (0, 1) if cup.rounds == 2 else (2,) if cup.legs == 2 else (0,)  # of meetings, each of all pairs
    own = [block * len(pairs) + k for block in blocks for k in meet]
    width = 2 if outcome.row == "side" else 1
    rows = (np.array(own)[:, None] * width + np.arange(width)).ravel()
    again = np.arange(CUPS) % len(draw)
    arguments = of_rows(coming.arguments(draw[again]), rows, eta.shape[1])
    y = outcome.simulate(rng, eta[np.ix_(again, rows)], np.ones(len(rows)), arguments, np.arange(len(rows)) // width)
    code = {who: k for k, who in enumerate(members)}
    first, second = (np.array([code[pairs[k][side]] for _ in blocks for k in meet]) for side in (0, 1))
    keys = rng.random((CUPS, len(members), 2))
    scores = as_scores(outcome.name, y)
    ended = tables(first, second, scores, keys, Rules(cup.points, cup.order))
    order = np.argsort(ended.places, axis=1)
    third = order[:, THIRD - 1 : THIRD]
    merit = _merit(first, second, scores, ended, third) if third.size else np.empty((CUPS, 0))
    return Placed(np.array(members)[order], merit)


def _merit(
    first: NDArray[np.intp], second: NDArray[np.intp], scores: Array, ended: Tables, who: NDArray[np.intp]
) -> Array:
    """Points, difference and score of one member in every cup; `who` has shape (cups, 1)."""
    at_first, at_second = (who == side[None] for side in (first, second))
    scored = (scores[..., 0] * at_first + scores[..., 1] * at_second).sum(axis=1)
    let = (scores[..., 1] * at_first + scores[..., 0] * at_second).sum(axis=1)
    return np.stack([np.take_along_axis(ended.points, who, axis=1)[:, 0], scored - let, scored], axis=1)
