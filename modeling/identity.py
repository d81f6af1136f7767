"""What a fit is called: a hash of everything it depends on, so that the same inputs have the same fit_id."""

import hashlib
import json
import platform
from dataclasses import asdict
from functools import cache
from importlib.metadata import version
from pathlib import Path

from modeling.design import Design
from modeling.games import Games
from store.stanzas import Stanza

LIBRARIES = ("arviz-stats", "numba", "numpy", "nutpie", "pymc", "pytensor", "scipy")
STANZA_SETTINGS = {
    "since",
    "active_days",
    "min_games",
    "require_connected",
}  # what of a stanza matters beside the Design


@cache
def code_hash() -> str:
    """Hash of this room's code."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


@cache
def versions() -> str:
    """Versions of Python and of the libraries a fit depends on, as JSON."""
    return json.dumps({"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}})


def fit_id(stanza: Stanza, games: Games, design: Design, engine: str, seed: int) -> str:
    """Hash of league, Design with priors and arrays, since, as-of date, code, library versions, games, seed, engine."""
    inputs = {
        "league": games.league,
        "design": design.as_json(),
        "arrays": design.fingerprint,
        "thresholds": asdict(design.thresholds),  # those of the league's own, and what is usual: store's code
        "stanza": stanza.model_dump(mode="json", include=STANZA_SETTINGS),
        "as_of": games.as_of.isoformat(),
        "code": code_hash(),
        "versions": versions(),
        "games": games.fingerprint,
        "seed": seed,
        "engine": engine,
    }
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:16]
