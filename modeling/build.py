"""From a league's stanza and its games to its Design."""

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array

from modeling.block import Block, forgetting
from modeling.design import FIXED_PRIOR, Design, Fixed, Kind, Noise
from modeling.effects import Effect, insist_on_attributes, needs_players, numbers_of, parse_effects
from modeling.games import ATTRIBUTE, Games
from modeling.names import told_apart, with_priors
from modeling.observed import Observed, observe
from modeling.outcomes import outcome_for
from modeling.outcomes.outcome import Array, Outcome
from modeling.periods import label_of, period_years, season_years
from modeling.terms import Term, Walk, home_term, laid_out, player_term, scaled, team_term, varied, walk_of
from store.errors import FitError
from store.stanzas import Stanza
from store.thresholds import thresholds_of

SLOPE, DRIFT = 0.5, 0.5  # default prior scales of slopes and of a year's drift, in the competitor's own
MANY_VALUES = 12  # an attribute of more different numbers than this is a slope, of fewer a set of values
REST_DAYS = 14  # more rest than this is not counted
WORDS = {"attack": "attack of a {}", "defence": "defence of a {}", "total": "strength of a {}"}


@dataclass(frozen=True)
class Parts:
    """What the blocks are made from."""

    league: str
    stanza: Stanza
    outcome: Outcome
    unit_sd: float
    sides: pl.DataFrame
    terms: dict[str, Term]
    competitors: dict[str, tuple[str, ...]]
    year: Array
    as_of_year: float
    memberships: pl.DataFrame
    is_past: NDArray[np.bool_]
    """Of each side whether it may tell how large priors and covariates are."""


def build_design(stanza: Stanza, games: Games, known_attributes: Collection[str] = ()) -> Design:
    """The Design of a league. Raises FitError where the stanza asks for what the games or the model cannot give."""
    outcome = outcome_for(games.league, stanza)
    effects = parse_effects(games.league, stanza, outcome)
    insist_on_attributes(games.league, effects, stanza, games.sides, known_attributes)
    _insist_on_sense(games, stanza, outcome, effects)
    seen = observe(games, outcome)
    parts = _parts(games, stanza, outcome, effects, seen)
    blocks = [block for kind in stanza.rate for block in _kind_blocks(parts, kind)]
    pooled, fixed = _effects(parts, effects)
    game = seen.sides["game_id"].rle_id().to_numpy().astype(np.intp)
    first = seen.sides.unique("game_id", keep="first", maintain_order=True)
    rows = slice(0, None, 2) if outcome.row == "game" else slice(None)
    entrant, opponent = _first_competitors(parts)
    design = Design(
        games.league, outcome, parts.unit_sd, seen.y, seen.exposure, game[rows], _home(seen.sides, outcome)[rows],
        entrant[rows], opponent[rows], (*blocks, *pooled), tuple(fixed), _noise(parts),
        tuple(Kind(kind, parts.competitors[kind], parts.terms[kind].matrix) for kind in stanza.rate),
        game, first["played_on"].to_numpy(), _numbered(first["contest_id"]), seen.notes + _group_notes(parts),
        tuple(first["game_id"]), seen.centre,
        season=_numbered(first["season"]), thresholds=thresholds_of(stanza.thresholds),
    )  # fmt: skip
    return with_priors(told_apart(design), stanza)


def _insist_on_sense(games: Games, stanza: Stanza, outcome: Outcome, effects: list[Effect]) -> None:
    league = games.league
    if stanza.noise and not outcome.takes_noise:
        raise FitError(
            f'{league}: noise = {list(stanza.noise)} means nothing for "{outcome.name}" ({outcome.likelihood}).',
            "Take `noise` out of the stanza.",
        )
    if stanza.roles and not needs_players(effects, stanza):
        raise FitError(
            f"{league}: roles = {list(stanza.roles)}, and the model has nothing of players.",
            'Rate players (rate = ["player"]), or take `roles` out.',
        )
    _insist_on_walks(league, stanza)


def _insist_on_walks(league: str, stanza: Stanza) -> None:
    for walk in stanza.walk:
        known = [*stanza.rate, *(effect for effect in stanza.effects if effect.startswith(("team:", "player:")))]
        if walk not in known:
            raise FitError(
                f'{league}: walk = "{walk}" is neither rated nor an effect.', f"It can be {', '.join(known)}."
            )
        if stanza.period == "season" and walk.endswith(":season"):
            raise FitError(
                f'{league}: walk = "{walk}" has a value of its own for each season, so that none lasts to the next.',
                f'Take "{walk}" out of `walk`, or set a shorter period.',
            )
    if stanza.period != "static" and not stanza.walk:
        raise FitError(
            f'{league}: period = "{stanza.period}", and nothing walks.',
            f"Say what does: walk = {list(stanza.rate)}. Or take `period` out.",
        )
    if stanza.persistence != 1 and not stanza.walk:
        words = f"{league}: persistence = {stanza.persistence:g} is of what walks, and nothing walks."
        raise FitError(words, "Say what does with `walk` and `period`, or take `persistence` out.")
    if stanza.walk and stanza.period == "static":
        raise FitError(
            f"{league}: walk = {list(stanza.walk)} needs a period, and period is static.",
            'Set period = "season", "quarter", "month" or "week".',
        )


def _parts(games: Games, stanza: Stanza, outcome: Outcome, effects: list[Effect], seen: Observed) -> Parts:
    sides = seen.sides
    needed = dict.fromkeys([*stanza.rate, *(e.entity for e in effects if e.entity in ("team", "player"))])
    terms, competitors = {}, {}
    for kind in needed:
        terms[kind], competitors[kind] = team_term(sides) if kind == "team" else player_term(sides, games.appearances)
        if not competitors[kind]:
            raise FitError(
                f"{games.league}: the model asks for {kind}s, and no side of the games has one.",
                f'Take "{kind}" out of `rate` and `effects`.',
            )
    year, as_of = period_years(stanza.period, sides["played_on"], sides["season"], games.as_of)
    return Parts(
        games.league, stanza, outcome, seen.unit_sd, sides, terms, competitors, year, as_of, games.memberships,
        seen.is_past,
    )  # fmt: skip


def _kind_blocks(parts: Parts, kind: str) -> list[Block]:
    """The blocks of a kind's ratings: entry states, their groups and their walk, for each component."""
    term, group, found = parts.terms[kind], _groups(parts, kind), []
    for component in parts.outcome.components:
        name, words = _name(parts.stanza, kind, component), WORDS[component].format(kind)
        scale = _scale(parts, term)
        identity = csr_array(diags_array(np.ones(len(term.owner))))
        weights = laid_out(term.matrix, parts.outcome, component)
        own = Block(name, words, kind, component, "base", parts.competitors[kind], weights, scale, identity)
        walks = _walk_blocks(parts, term, own) if kind in parts.stanza.walk else []
        own, *walks = forgetting(own, walks, parts.stanza.persistence)
        found.append(own)
        if group is not None:
            labels, members = group
            found.append(
                Block(
                    f"{name}_group", f"{words}: its {parts.stanza.group}", kind, component, "group", labels,
                    csr_array(weights @ members), scale, members,
                )
            )  # fmt: skip
        found += walks
    return found


def _walk_blocks(parts: Parts, term: Term, entry: Block) -> list[Block]:
    """The walk of a term from its entry states; none where nobody plays in two periods."""
    walk = walk_of(term, parts.year, parts.as_of_year)
    if not len(walk.unit):
        return []
    weights = laid_out(walk.matrix, parts.outcome, entry.component)
    return [
        replace(
            entry, name=f"{entry.name}_walk", role="walk", levels=_walk_levels(parts, entry, walk), weights=weights,
            prior_scale=DRIFT * entry.prior_scale, loading=walk.loading, previous=walk.previous, years=walk.years,
            idle=walk.idle,
        )
    ]  # fmt: skip


def _walk_levels(parts: Parts, entry: Block, walk: Walk) -> tuple[str, ...]:
    games = pl.DataFrame({"year": parts.year}).with_columns(parts.sides["played_on"], parts.sides["season"])
    first = games.unique("year", keep="first", maintain_order=True)
    labels = {year: label_of(parts.stanza.period, day, season) for year, day, season in first.iter_rows()}
    return tuple(f"{entry.levels[unit]}@{labels[year]}" for unit, year in zip(walk.unit, walk.year, strict=True))


def _unit_labels(competitors: tuple[str, ...], term: Term) -> list[str]:
    owners = [competitors[number] for number in term.owner]
    return [f"{o}@{v}" for o, v in zip(owners, term.value, strict=True)] if term.value else owners


def _groups(parts: Parts, kind: str) -> tuple[tuple[str, ...], csr_array] | None:
    """The groups of a kind and who entered in which; None where there are not two."""
    if not parts.stanza.group:
        return None
    known = _entries(parts, kind)
    labels = known["group"].unique().sort()
    if len(labels) < 2:
        return None
    codes = (
        known["group"].replace_strict(labels, pl.int_range(len(labels), eager=True), return_dtype=pl.Int64).to_numpy()
    )
    rows = known["number"].to_numpy()
    members = csr_array((np.ones(len(rows)), (rows, codes)), shape=(len(parts.competitors[kind]), len(labels)))
    return tuple(labels), members


def _entries(parts: Parts, kind: str) -> pl.DataFrame:
    """Number and group of each competitor that has one, of the first season in which it plays and has one.

    Seasons are in the order in which they were played, and only those of the games count.
    """
    order = season_years(parts.sides["played_on"], parts.sides["season"])
    entered = [order[season] for season in _first_seasons(parts, kind)]
    competitors = pl.DataFrame({"competitor_id": parts.competitors[kind], "entered": entered}).with_row_index("number")
    seasons = pl.DataFrame({"season": list(order), "year": list(order.values())})
    entry = parts.memberships.join(seasons, on="season").join(competitors, on="competitor_id")
    later = entry.filter(pl.col("year") >= pl.col("entered")).sort("number", "year")
    return later.unique("number", keep="first", maintain_order=True).select("number", "group")


def _group_notes(parts: Parts) -> tuple[str, ...]:
    """What is said of a `group` that tells nobody apart."""
    name = parts.stanza.group
    if not name:
        return ()
    labels = {kind: _entries(parts, kind)["group"].unique().to_list() for kind in parts.stanza.rate}
    notes = [
        f'The {name} of {kind}s was left out: all that have one are in "{found[0]}".'
        for kind, found in labels.items()
        if len(found) == 1
    ]
    if not any(labels.values()):
        notes = [f"The {name} was left out: nobody who plays in these games has one."]
    return tuple(notes)


def _first_seasons(parts: Parts, kind: str) -> list[str]:
    """The season of each competitor's first game; games are in order of play."""
    starts = parts.terms[kind].matrix.tocsc()
    first = np.minimum.reduceat(starts.indices, starts.indptr[:-1])
    return parts.sides["season"].gather(first).to_list()


def _effects(parts: Parts, effects: list[Effect]) -> tuple[list[Block], list[Fixed]]:
    blocks: list[Block] = []
    fixed: list[Fixed] = []
    for effect in effects:
        if effect.entity == "":
            fixed += _covariate(parts, effect)
        elif effect.entity == "home" and _is_slope(parts, effect):
            numbers = _standardised(parts, numbers_of(parts.sides, effect.by))
            signed = np.where(parts.sides["is_home"].to_numpy(), np.nan_to_num(numbers), 0.0)
            fixed.append(_fixed(parts, effect.name, f"home advantage by {effect.by}, per sd", signed))
        else:
            blocks += _slopes(parts, effect)
    return blocks, fixed


def _covariate(parts: Parts, effect: Effect) -> list[Fixed]:
    """Home advantage, days of rest, or a number of the game as a fixed effect."""
    if effect.by == "home":
        is_home = parts.sides["is_home"].to_numpy()
        return [_fixed(parts, "home", "home advantage", is_home.astype(float))] if is_home.any() else []
    if effect.by == "rest_days":
        return [_fixed(parts, "rest_days", "days of rest, per sd", _standardised(parts, _rest_days(parts)))]
    if parts.outcome.row != "side":
        raise FitError(
            f'{parts.league}: "{effect.by}" is the same for every side of a game, so that it cancels.',
            f'Let somebody\'s strength vary by it: "home:{effect.by}", "team:{effect.by}" or "player:{effect.by}".',
        )
    numbers = numbers_of(parts.sides, effect.by)
    if numbers is None:
        raise FitError(
            f'{parts.league}: "{effect.by}" has values that are no numbers, so that it cannot be a covariate.',
            f'Let somebody\'s strength vary by it: "team:{effect.by}" or "player:{effect.by}".',
        )
    return [_fixed(parts, effect.by, f"{effect.by}, per sd", _standardised(parts, numbers))]


def _slopes(parts: Parts, effect: Effect) -> list[Block]:
    """Deviations of a team, a player or home advantage by something, pooled to zero."""
    base = home_term(parts.sides) if effect.entity == "home" else parts.terms[effect.entity]
    term = _varied(parts, base, effect)
    competitors = ("home",) if effect.entity == "home" else parts.competitors[effect.entity]
    kind = effect.entity if effect.entity in parts.stanza.rate else ""
    scale = SLOPE * (parts.unit_sd if effect.entity == "home" else _scale(parts, base))
    single = effect.entity == "home" and parts.outcome.row == "side"
    found: list[Block] = []
    for component in ("attack",) if single else parts.outcome.components:
        owner = effect.entity if effect.entity == "home" else _name(parts.stanza, effect.entity, component)
        who = "home advantage" if effect.entity == "home" else WORDS[component].format(effect.entity)
        words = f"{who} by {effect.by}"
        own = Block(
            f"{owner}_{effect.by}", words, kind, component, "slope", tuple(_unit_labels(competitors, term)),
            laid_out(term.matrix, parts.outcome, component), scale,
            csr_array(diags_array(np.ones(len(term.owner)))), term.owner, term.value, effect.by,
        )  # fmt: skip
        walks = _walk_blocks(parts, term, own) if effect.name in parts.stanza.walk else []
        found += forgetting(own, walks, parts.stanza.persistence)
    return found


def _varied(parts: Parts, base: Term, effect: Effect) -> Term:
    if effect.by == "home":
        return varied(base, parts.sides.select(pl.when("is_home").then(pl.lit("home"))).to_series())
    if effect.by == "season":
        return varied(base, parts.sides["season"])
    if effect.by == "rest_days":
        return scaled(base, _standardised(parts, _rest_days(parts)))
    if _is_slope(parts, effect):
        return scaled(base, _standardised(parts, numbers_of(parts.sides, effect.by)))
    return varied(base, parts.sides[ATTRIBUTE + effect.by])


def _is_slope(parts: Parts, effect: Effect) -> bool:
    if effect.by in ("home", "season", "rest_days"):
        return False
    numbers = numbers_of(parts.sides, effect.by)
    return numbers is not None and numbers.n_unique() > MANY_VALUES


def _rest_days(parts: Parts) -> pl.Series:
    """Days since the side's team played another contest, at most 14; null at its first. Stints share their contest's.

    Raises FitError where sides have no team.
    """
    sides = parts.sides
    if sides["team"].null_count():
        raise FitError(
            f'{parts.league}: "rest_days" is of teams, and some sides have none.', "Take it out of `effects`."
        )
    contests = sides.unique(["team", "contest_id"], keep="first", maintain_order=True)
    days = pl.col("played_on").diff().dt.total_days().over("team", order_by=pl.int_range(pl.len()))
    rest = contests.select("team", "contest_id", rest=days.clip(0, REST_DAYS))
    return sides.join(rest, on=["team", "contest_id"], how="left", maintain_order="left")["rest"]


def _standardised(parts: Parts, numbers: pl.Series | None) -> Array:
    assert numbers is not None
    past = numbers.filter(parts.is_past)
    return ((numbers - past.mean()) / (past.std() or 1.0)).fill_null(0.0).to_numpy()  # pyright: ignore[reportOperatorIssue]


def _fixed(parts: Parts, name: str, title: str, by_side: Array) -> Fixed:
    values = laid_out(csr_array(by_side[:, None]), parts.outcome, "attack").toarray().ravel()
    return Fixed(name, title, values, FIXED_PRIOR * parts.unit_sd)


def _noise(parts: Parts) -> tuple[Noise, ...]:
    rows = slice(0, None, 2) if parts.outcome.row == "game" else slice(None)
    found = []
    for name in parts.stanza.noise:
        column = parts.sides[ATTRIBUTE + name][rows].fill_null("unknown")
        past = column.filter(parts.is_past[rows])
        by_count = past.value_counts(sort=True, name="n").sort(["n", column.name], descending=[True, False])
        usual = by_count[column.name].to_list()
        values = usual + sorted(set(column) - set(usual))
        if len(values) > MANY_VALUES:
            raise FitError(
                f'{parts.league}: noise = "{name}" has {len(values)} values, and each would have a factor of its own.',
                f"The noise can differ by an attribute of at most {MANY_VALUES} values.",
            )
        codes = column.replace_strict(values, list(range(len(values))), return_dtype=pl.Int64).to_numpy()
        found.append(Noise(name, tuple(values[1:]), codes))
    return tuple(found)


def _home(sides: pl.DataFrame, outcome: Outcome) -> NDArray[np.int_]:
    """1 where a side is at home, -1 where the other of two is, else 0."""
    own = sides["is_home"].to_numpy().astype(int)
    return own if outcome.row == "entrant" else own - own[np.arange(len(own)) ^ 1]


def _numbered(names: pl.Series) -> NDArray[np.intp]:
    return np.unique(names.to_numpy(), return_inverse=True)[1].astype(np.intp)


def _first_competitors(parts: Parts) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """A competitor of each side, of the first kind that is rated, and of the other side."""
    matrix = parts.terms[parts.stanza.rate[0]].matrix
    starts, has = matrix.indptr[:-1], np.diff(matrix.indptr) > 0
    own = np.where(has, matrix.indices[np.minimum(starts, max(matrix.nnz - 1, 0))], -1).astype(np.intp)
    other = np.full(len(own), -1) if parts.outcome.row == "entrant" else own[np.arange(len(own)) ^ 1]
    return own, other


def _name(stanza: Stanza, kind: str, component: str) -> str:
    """A block's name: the kind, or attack and defence; with the kind before it where two kinds are rated."""
    if component == "total":
        return kind
    return f"{kind}_{component}" if len(stanza.rate) > 1 or kind not in stanza.rate else component


def _scale(parts: Parts, term: Term) -> float:
    """Default prior scale of a unit: the typical effect, less where many share a side."""
    past = term.matrix[parts.is_past]
    together = float(past.sum()) / max(int((np.diff(past.indptr) > 0).sum()), 1)
    return parts.unit_sd / max(together, 1.0) ** 0.5
