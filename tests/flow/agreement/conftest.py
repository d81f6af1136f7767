"""Real leagues as Designs, each with the posterior that NUTS has of it and the one of any fast engine.

NUTS takes minutes. With POOLTABLE_AGREEMENT_HOME its draws are kept in that folder, by the Design they are of, where
a later run finds them again.
"""

import hashlib
import importlib
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modeling.design import Design
from modeling.engines import nuts
from modeling.field import Field, make_field
from modeling.fit import design_of
from modeling.posterior import Posterior, from_tree
from modeling.ratings import Ratings, make_ratings
from store.home import Home
from store.stanzas import choose
from store.warehouse import reading

HERE = Path(__file__).parent
ENGINES = Path(nuts.__file__).parent
SEED, FAST_DRAWS = 20140101, 8000
NUTS_DRAWS = {"nhl": 6000}  # of all four chains
USUAL_DRAWS = 10_000


@dataclass(frozen=True)
class Case:
    """A league's Design, and who is rated in it."""

    league: str
    design: Design
    fields: tuple[Field, ...]

    def ratings(self, posterior: Posterior) -> list[Ratings]:
        """Ratings of every kind under a posterior."""
        rng = np.random.default_rng(SEED)
        return [make_ratings(self.design, posterior, one, rng) for one in self.fields]


@dataclass(frozen=True)
class Fast:
    """What a fast engine says of a case, and how long it took."""

    posterior: Posterior
    seconds: float
    diagnostics: dict[str, Any]


@dataclass
class Leagues:
    """A home with the leagues of leagues.toml beside this file."""

    home: Home
    cases: dict[str, Case] = field(default_factory=dict)

    def case(self, league: str) -> Case:
        """The Design of a league, which is loaded where that is still to be done."""
        if league not in self.cases:
            command = [sys.executable, "-m", "jobs.cli", "--home", str(self.home.root), "pull", league]
            subprocess.run(command, capture_output=True, text=True, timeout=900, check=True)
            stanza = choose(self.home, [league])[league]
            with reading(self.home) as con:
                games, design = design_of(con, league, stanza, None)
            fields = tuple(make_field(design, kind, stanza, games.as_of) for kind in design.kinds)
            self.cases[league] = Case(league, design, fields)
        return self.cases[league]

    def reference(self, case: Case) -> Posterior:
        """The posterior by NUTS: as it is kept, else sampled and kept."""
        kept = self.kept_at(case)
        if not kept.exists():
            compiled = nuts.compile_design(case.design)
            tree = nuts.sample(compiled, np.ones(case.design.games, bool), SEED, _draws(case) // nuts.CHAINS)
            _keep(from_tree(case.design, tree), kept)
        return _kept(kept)

    def kept_at(self, case: Case) -> Path:
        """Where NUTS's draws of a case are kept, by all that they depend on."""
        stated = json.dumps([case.design.as_json(), case.design.fingerprint, _draws(case), SEED], sort_keys=True)
        name = hashlib.sha256(stated.encode()).hexdigest()[:16]
        return self.home.root / "nuts" / f"{case.league}-{name}.npz"


def fitted(case: Case, engine: str) -> Fast:
    """The posterior by a fast engine; the second fit of two, for the first may compile."""
    fit = importlib.import_module(f"modeling.engines.{engine}.engine").fit
    everything = np.ones(case.design.games, dtype=bool)
    fit(case.design, everything, SEED, draws=100)
    began = time.perf_counter()
    tree = fit(case.design, everything, SEED, draws=FAST_DRAWS)
    seconds = time.perf_counter() - began
    return Fast(from_tree(case.design, tree), seconds, dict(tree["diagnostics"].attrs))


def fast_engines() -> list[str]:
    """The engines that are not NUTS, each a folder with an `engine.py`."""
    return sorted(path.parent.name for path in ENGINES.glob("*/engine.py"))


def refusal(case: Case, engine: str) -> str | None:
    """Why an engine cannot take a case, or None where it can."""
    return importlib.import_module(f"modeling.engines.{engine}.engine").takes(case.design)


def _draws(case: Case) -> int:
    return NUTS_DRAWS.get(case.league, USUAL_DRAWS)


def _keep(posterior: Posterior, kept: Path) -> None:
    groups = {"fixed": posterior.fixed, "blocks": posterior.blocks, "scales": posterior.scales}
    groups |= {"auxiliaries": posterior.auxiliaries}
    arrays: dict[str, Any] = {f"{group}|{name}": one for group, all in groups.items() for name, one in all.items()}
    kept.parent.mkdir(parents=True, exist_ok=True)
    half_written = kept.with_suffix(".part.npz")
    as_floats = {name: one.astype(np.float32) for name, one in arrays.items()}
    np.savez(half_written, level=posterior.level, chains=posterior.chains, **as_floats)
    half_written.replace(kept)


def _kept(kept: Path) -> Posterior:
    groups: dict[str, dict[str, Any]] = {"fixed": {}, "blocks": {}, "scales": {}, "auxiliaries": {}}
    with np.load(kept) as found:
        for key in found.files:
            if "|" in key:
                group, name = key.split("|", 1)
                groups[group][name] = found[key].astype(float)
        return Posterior(found["level"], **groups, chains=int(found["chains"]))


@pytest.fixture(scope="session")
def leagues(tmp_path_factory: pytest.TempPathFactory, real_data: Path) -> Leagues:
    """The leagues, none of them loaded before a test asks for it."""
    kept = os.environ.get("POOLTABLE_AGREEMENT_HOME")
    home = Home(Path(kept) if kept else tmp_path_factory.mktemp("agreement"))
    home.root.mkdir(parents=True, exist_ok=True)
    home.leagues_toml.write_text((HERE / "leagues.toml").read_text().replace("REAL", str(real_data)))
    return Leagues(home)
