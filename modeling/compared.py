"""What forecasts of the same games by two models say of the models: the difference, how sure it is, and in words.

The standard error of a sum of paired differences is that of independent games: Vehtari, Gelman and Gabry (2017),
Statistics and Computing 27, section 5.1. When it can be relied on: Sivula, Magnusson, Matamoros and Vehtari (2025),
"Uncertainty in Bayesian leave-one-out cross-validation based model comparison", Bayesian Analysis; not where the models
forecast nearly alike, where games are few, or where some games' estimates are wrong.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from modeling.outcomes.outcome import Array

SMALL = 4.0  # Sivula and others (2025): of a smaller difference neither size nor standard error matters
FEW_GAMES = 100  # the same: with fewer, the normal approximation is too sure
SURE, LIKELY = 2.0, 1.0  # differences in standard errors: 1 in 44 and 1 in 6 are as large by chance


@dataclass(frozen=True)
class Scored:
    """How one model forecasts, by one method."""

    title: str
    settings: str
    engine: str
    method: str
    game_ids: tuple[str, ...]
    elpd: Array
    """Log predictive density of each game, shape (games,)."""
    doubtful: NDArray[np.bool_]
    """Games whose elpd is not to be relied on."""
    is_own: bool = False
    """True of the league's own stanza."""
    p_eff: float | None = None
    k_hat: Array | None = None
    """Of LOO's weights, shape (games,)."""
    is_refitted: NDArray[np.bool_] | None = None
    warning: str = ""
    """What is wrong with the fit itself, as a sentence."""

    @property
    def row(self) -> dict[str, Any]:
        """Its own columns of `comparison`."""
        k, left_out = self.k_hat, self.is_refitted
        return {
            "variant": self.title,
            "settings": self.settings,
            "is_own": self.is_own,
            "engine": self.engine,
            "method": self.method,
            "games": len(self.elpd),
            "elpd": float(self.elpd.sum()),
            "elpd_se": se_of_sum(self.elpd),
            "p_eff": self.p_eff,
            "worst_k": None if k is None or not np.isfinite(k).all() else float(k.max()),
            "high_k": None if left_out is None else int((self.doubtful | left_out).sum()),
            "refitted": None if left_out is None else int(left_out.sum()),
            "doubtful": int(self.doubtful.sum()),
        }


@dataclass(frozen=True)
class Difference:
    """One model less another."""

    total: float
    se: float
    games: int
    doubtful: int
    verdict: str
    """better, probably better, alike, probably worse, worse, or open: where doubtful games decide."""
    p_better: float | None
    """Probability that it forecasts better; None where a normal approximation is not to be trusted."""


def se_of_sum(values: Array) -> float:
    """Standard error of the sum of independent values; zero of a single one."""
    return float(math.sqrt(len(values)) * values.std(ddof=1)) if len(values) > 1 else 0.0


def difference(one: Scored, other: Scored) -> Difference:
    """The first less the second on the same games, and how sure it is."""
    apart, doubtful = one.elpd - other.elpd, one.doubtful | other.doubtful
    total, se = float(apart.sum()), se_of_sum(apart)
    level = _level(apart)
    if doubtful.any() and _level(apart[~doubtful]) != level:
        return Difference(total, se, len(apart), int(doubtful.sum()), "open", None)
    is_normal = abs(total) >= SMALL and len(apart) >= FEW_GAMES and se > 0
    words = {2: "better", 1: "probably better", 0: "alike", -1: "probably worse", -2: "worse"}
    chance = float(norm.cdf(total / se)) if is_normal else None
    return Difference(total, se, len(apart), int(doubtful.sum()), words[level], chance)


def _level(apart: Array) -> int:
    """How sure it is that the first is better: 2, likely 1, not to be told 0, that it is worse -1 or -2."""
    total, se = float(apart.sum()), se_of_sum(apart)
    if abs(total) < SMALL or abs(total) < LIKELY * se:
        return 0
    is_sure = abs(total) >= SURE * se and len(apart) >= FEW_GAMES
    return int(np.sign(total)) * (2 if is_sure else 1)


def table(scored: list[Scored]) -> list[dict[str, Any]]:
    """Rows of `comparison`: every model by every method, with its difference from the league's own and a sentence."""
    rows = []
    for one in scored:
        own = next(other for other in scored if other.is_own and other.method == one.method)
        apart = difference(one, own)
        said = headline([other for other in scored if other.method == one.method]) if one.is_own else sentence(one, own)
        compared: dict[str, Any] = {"difference": None, "difference_se": None, "p_better": None, "verdict": None}
        if not one.is_own:
            compared = {
                "difference": apart.total,
                "difference_se": apart.se,
                "p_better": apart.p_better,
                "verdict": apart.verdict,
            }
        rows.append(one.row | compared | {"sentence": " ".join(part for part in (said, one.warning) if part)})
    return rows


def headline(scored: list[Scored]) -> str:
    """Which of the models by one method, in a sentence."""
    own = next(one for one in scored if one.is_own)
    others = [(one, difference(one, own)) for one in scored if not one.is_own]
    first, ahead = max(others, key=lambda pair: pair[1].total)
    if ahead.total > 0 and ahead.verdict == "open":
        return f"Whether {first.title} forecasts best is open: games whose estimate is in doubt decide."
    better = [(one, apart) for one, apart in others if apart.verdict in ("better", "probably better")]
    if better:
        best, apart = max(better, key=lambda pair: pair[1].total)
        return f"{_capital(best.title)} forecasts best{'' if apart.verdict == 'better' else ', probably'}."
    level = [one.title for one, apart in others if apart.verdict in ("alike", "open")]
    if level:
        return f"Nothing surely forecasts better than {own.title}; {_listed(level)} cannot be told from it."
    is_sure = all(apart.verdict == "worse" for _, apart in others)
    return f"{_capital(own.title)} forecasts best{'' if is_sure else ', probably'}."


def sentence(one: Scored, own: Scored) -> str:
    """How a model compares with the league's own, and how sure that is."""
    apart, names = difference(one, own), (_capital(one.title), own.title)
    per = f"{abs(apart.total):.1f} ± {apart.se:.1f} on {apart.games:,} games"
    if apart.verdict == "alike":
        return (
            f"{names[0]} and {names[1]} cannot be told apart: {_signed(apart)} on {apart.games:,} games{_why(apart)}."
        )
    if apart.verdict == "open":
        return (
            f"{names[0]} against {names[1]} is open: {_signed(apart)} on {apart.games:,} games, and what"
            f" {_counted(apart.doubtful)} whose estimate is in doubt would say decides."
        )
    word = "better" if apart.total > 0 else "worse"
    sure = {"better": "surely", "worse": "surely"}.get(apart.verdict, "probably")
    likely = apart.p_better if apart.p_better is None or apart.total > 0 else 1 - apart.p_better
    chance = "" if likely is None else ", P > 0.999" if likely > 0.999 else f", P = {likely:.3f}"
    few = f"; with fewer than {FEW_GAMES} games the standard error is a guess" if apart.games < FEW_GAMES else ""
    per += f" ({1000 * abs(apart.total) / apart.games:.1f} per 1,000)"
    return f"{names[0]} forecasts {word} than {names[1]} by {per}: {sure}{chance}{few}."


def _why(apart: Difference) -> str:
    """Why no more can be said of a difference."""
    if abs(apart.total) < SMALL:
        return f"; of a difference below {SMALL:g} the standard error means nothing"
    return ""


def _signed(apart: Difference) -> str:
    return f"{apart.total:+.1f} ± {apart.se:.1f}".replace("-", "−")


def _counted(games: int) -> str:
    return "1 game" if games == 1 else f"{games:,} games"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
