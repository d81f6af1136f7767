"""Every threshold that a fit is held to, in one place, each with where it comes from.

A league may tighten any of them in its stanza, `[LEAGUE.thresholds]`, by name; to loosen one it must say why in
`reason`, which stands among the fit's checks. `Thresholds()` are those that hold where a stanza says nothing. They are
in this room because stanzas are: a name that is none stops every command, as any mistake in leagues.toml does.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

REASON = "reason"
TAILS = ("p_fail", "p_warn")
TAIL_BELOW = 0.5


# Some thresholds reject no fit by themselves. What else they take, in words for the fit's checks.
OF_CHANCE = (
    "Beyond it a fit is rejected only where chance rarely goes as far: where its p-value is in a tail of p_fail too."
)
OF_SIZE = (
    "Beyond it a fit is rejected only where it is off by a size that matters too: share, variance, dominance or pit."
)
SHOWN = "Beyond it a fit is warned of, and never rejected."
OF_ORDER = (
    "A fit is rejected only where upheaval and moved are both passed, and no new games or other model explain it."
)
OF_NEWS = "Beyond it a fit is rejected only where no new games or other model explain it."
OF_EFFECT = "Beyond it a fit is rejected only where the results would settle the effect by themselves."
OF_STRETCH = "Beyond it a fit is rejected only where results correlate against the ratings by more than 0.1 too."
OF_ERROR = "Beyond it a fit is rejected only where two engines lie farther apart than their draws explain."


def _at_most(value: float, also: str = "") -> Any:
    """A threshold that what is found must stay below: less is tighter; `also` is what else it takes to reject a fit."""
    return field(default=value, metadata={"tighter": "lower", "also": also})


def _at_least(value: float, also: str = "") -> Any:
    """A threshold that what is found must reach: more is tighter; `also` is what else it takes to reject a fit."""
    return field(default=value, metadata={"tighter": "higher", "also": also})


@dataclass(frozen=True)
class Thresholds:
    """What a fit is held to."""

    # Chains. Vehtari, Gelman, Simpson, Carpenter and Buerkner (2021), "Rank-normalization, folding, and localization",
    # Bayesian Analysis 16: R-hat below 1.01 and an effective sample size above 100 a chain, here 4 chains.
    r_hat: float = _at_most(1.01)
    ess_bulk: float = _at_least(400)
    ess_tail: float = _at_least(400)
    # Betancourt (2017), "A conceptual introduction to Hamiltonian Monte Carlo", section 6.1: a transition in which the
    # geometry is wrong, of which a healthy fit has none.
    divergences: float = _at_most(0)
    # Betancourt (2016), "Diagnosing suboptimal cotangent disintegrations in Hamiltonian Monte Carlo": below 0.3 a chain
    # crosses the energies too slowly for its tails. A warning: what came of it, R-hat and the sample sizes say.
    e_bfmi: float = _at_least(0.3, SHOWN)
    # Stan's manual: trees at their largest cost time and bias nothing. A warning from one in a hundred on.
    tree_depth: float = _at_most(0.01, SHOWN)

    # Fast engines. Vehtari, Simpson, Gelman, Yao and Gabry (2024), "Pareto smoothed importance sampling", JMLR 25:
    # above 0.7 the exact posterior has mass where the approximation has next to none.
    k_hat: float = _at_most(0.7)
    evidence: float = _at_most(0.05)
    """Nats the hyperparameters' top may still be above: a third of a sd."""
    surface: float = _at_most(0.5)
    """Nats by which the surface through the evidence was off at the last points tried."""
    residual: float = _at_most(0.01)
    """Sds that the means of a chain fit may be off: a twentieth of what a reader could notice."""
    held_rows: float = _at_most(1e-3)
    """Share of rows that tell nothing: one row in a thousand lost changes no rating by as much."""
    damped: float = _at_most(0.25, SHOWN)
    """Share of sweeps; a rough way, shown: whether the end of it is right the residual says."""
    prior_edge: float = _at_most(4.0)
    """A half-normal prior has 1 in 16,000 of its mass beyond so many scales; the league does not fit its units."""

    # Another engine of the same Design: how far the two may lie apart, or as far as the reference's own halves and the
    # draws' error explain where that is more. A rating that is off by a quarter of its sd keeps 89 % in its 90 %
    # interval, and a chance of one half within 0.07; sds off by a quarter make of 90 % 81 to 96 %.
    agree_means: float = _at_most(0.25, OF_ERROR)
    agree_sds: float = _at_most(1.25, OF_ERROR)
    agree_parameter_sds: float = _at_most(1.45, OF_ERROR)
    """Of the log of a scale near zero: its sd is that of a long tail."""
    agree_chances: float = _at_most(0.06, OF_ERROR)
    agree_order: float = _at_least(0.99, OF_ERROR)

    # Predictive checks. A hard one fails only where its p-value is in either tail of `p_fail` and it is off by more
    # than its practical size: both rarely happen by chance, and a large league shows misfits that are real and too
    # small to matter.
    p_fail: float = _at_least(0.005, OF_SIZE)
    p_warn: float = _at_least(0.025, SHOWN)
    share: float = _at_most(0.05, OF_CHANCE)
    """Practical size of a share of games."""
    variance: float = _at_most(0.15, OF_CHANCE)
    """Practical size of a variance, as a share of the one observed: 7 % of a standard deviation."""
    dominance: float = _at_most(0.1, OF_CHANCE)
    """Practical size of the share of races won by whoever won most."""

    # Held-out results among their forecasts: how far the share within any interval may be off where that is no chance.
    # Of the chain engine it is a part of what shows that it computed right. Of the others, which show that by
    # themselves, it is of the model: in a year in which a league scores a tenth more than ever (English football in
    # 2023/24: 0.056) forecasts of scores are off, and ratings are not.
    pit_chain: float = _at_most(0.05, OF_CHANCE)
    pit: float = _at_most(0.1, OF_CHANCE)

    # Results and model (consistency.py). An effect that the results would settle by themselves, and do not beside the
    # others, has a variance inflation above 10, the most that is useful: Marquardt (1970), Technometrics 12.
    identified: float = _at_most(0.4, OF_EFFECT)
    """Share of its prior's variance that is left of such an effect."""
    agreeing: float = _at_most(4.5, OF_STRETCH)
    """Standard errors that results may correlate against the ratings, in the worst of 5,000 stretches of games: where
    they have nothing to do with ratings one league in 500 has so many, and healthy ones agree with their ratings."""
    # The order of the ranked beside the last accepted fit's (upheaval.py). Two keys: ratings that no result sets apart
    # have an order of chance, which turns over though no rating moves. In 42 healthy leagues of 12 to 48 competitors a
    # tenth of games more left correlations of 0.90 and more, with moves up to 0.8 sds.
    upheaval: float = _at_least(0.8, OF_ORDER)
    moved: float = _at_most(0.5, OF_ORDER)
    """Sds, root mean square over the ranked."""

    jumped: float = _at_most(6.0, OF_NEWS)
    """Sds, of whoever moved most. The mean of a rating that stands still moves by less than its sd, whatever comes: 6
    are chance once in 500 million; in 14 healthy leagues a tenth of games more moved nobody by more than 1.1."""

    # One-sided: a fit as good as the baseline is rejected by chance with probability 0.0013, less than once in two
    # years of nights.
    worse_by_se: float = _at_most(3.0)

    reason: str = ""
    """Why the league's stanza loosens some of them; empty where it loosens none."""

    def p_is_outside(self, p_value: float, tail: float) -> bool:
        """Whether a two-sided p-value lies in either tail."""
        return not tail <= p_value <= 1 - tail

    @property
    def own(self) -> dict[str, float]:
        """Those that differ from the usual ones, by name."""
        return {name: value for name in NAMES if (value := getattr(self, name)) != getattr(USUAL, name)}

    @property
    def as_json(self) -> dict[str, Any]:
        """What the stanza asks for, with its reason; empty where it asks for nothing."""
        return {**self.own, REASON: self.reason} if self.own else {}


USUAL = Thresholds()
NAMES = tuple(one.name for one in fields(Thresholds) if one.name != REASON)
TIGHTER: dict[str, Literal["lower", "higher"]] = {
    one.name: one.metadata["tighter"] for one in fields(Thresholds) if one.name != REASON
}


ALSO: dict[str, str] = {one.name: one.metadata["also"] for one in fields(Thresholds) if one.name != REASON}


def is_looser(name: str, value: float) -> bool:
    """Whether a value of a threshold lets pass what the usual one would not."""
    usual = getattr(USUAL, name)
    return value > usual if TIGHTER[name] == "lower" else value < usual


def checked(asked: Mapping[str, object]) -> dict[str, float | str]:
    """What a stanza asks for in `[LEAGUE.thresholds]`: numbers by the names of thresholds, and perhaps a reason.

    Raises ValueError, in words, for a name that is no threshold's, for what is no bound, and where a threshold is
    loosened without a reason.
    """
    numbers = {name: _bound(name, value) for name, value in asked.items() if name != REASON}
    if REASON not in asked:
        _insist_on_tighter(numbers)
        return {**numbers}
    reason = asked[REASON]
    if not isinstance(reason, str) or not reason.strip():
        raise ValueError('reason must say in words why a threshold is loosened: reason = "…"')
    return {**numbers, REASON: reason}


def thresholds_of(asked: Mapping[str, float | str]) -> Thresholds:
    """The thresholds that a league's fits are held to, where its stanza asks for these."""
    numbers = {name: float(value) for name, value in asked.items() if name != REASON}
    return replace(USUAL, **numbers, reason=str(asked.get(REASON, "")))


def _bound(name: str, value: object) -> float:
    if name not in NAMES:
        near = difflib.get_close_matches(name, NAMES, 1)
        there_are = f'did you mean "{near[0]}"?' if near else f"there are {', '.join(NAMES)}"
        raise ValueError(f'there is no threshold called "{name}"; {there_are}')
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise ValueError(f"a threshold must be a number, 0 or more, and {name} is {value!r}")
    if name in TAILS and value >= TAIL_BELOW:
        raise ValueError(f"{name} is a tail of a distribution, so it must be below {TAIL_BELOW}, and it is {value:g}")
    return float(value)


def _insist_on_tighter(numbers: Mapping[str, float]) -> None:
    loosened = [name for name, value in numbers.items() if is_looser(name, value)]
    if loosened:
        usual = ", ".join(f"{name} = {numbers[name]:g} (usually {getattr(USUAL, name):g})" for name in loosened)
        raise ValueError(
            f'a threshold may be tightened, and this loosens {usual}; take it back, or say why: reason = "…", which is '
            "shown with every fit"
        )
