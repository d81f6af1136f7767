"""What a model must beat: forecasters of games behind one door, found by looking in this folder.

A module here has `BASELINES`: each is tuned on games of the past and forecasts games to come from those alone.
"""

import importlib
import pkgutil

from modeling.baselines.contests import Baseline

SHARED = ("contests", "market", "ordered")


def baselines() -> tuple[Baseline, ...]:
    """Every baseline there is, in the order of its files."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name not in SHARED)
    return tuple(one for name in names for one in importlib.import_module(f"{__name__}.{name}").BASELINES)
