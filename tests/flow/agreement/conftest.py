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

from modeling.agreement import Agreement, Drawn, agree, drawn_of
from modeling.design import Design
from modeling.engines import nuts
from modeling.field import Field, make_field
from modeling.fit import design_of
from modeling.posterior import Posterior, from_tree
from modeling.ratings import make_ratings
from store.home import Home
from store.stanzas import choose

HERE = Path(__file__).parent
ENGINES = Path(nuts.__file__).parent
SEED, FAST_DRAWS = 20140101, 6000
NUTS_DRAWS = {"nhl": 6000}  # of all four chains
USUAL_DRAWS = 10_000


@dataclass(frozen=True)
class Case:
    """A league's Design, and who is rated in it."""

    league: str
    design: Design
    fields: tuple[Field, ...]

    def drawn(self, posterior: Posterior) -> Drawn:
        """What a posterior is compared in."""
        rng = np.random.default_rng(SEED)
        ratings = [make_ratings(self.design, posterior, one, rng) for one in self.fields]
        return drawn_of(self.design, posterior, ratings)


@dataclass(frozen=True)
class Compared:
    """A fast engine beside NUTS on a case, and how many seconds it took."""

    agreement: Agreement
    seconds: float


@dataclass
class Leagues:
    """A home with the leagues of leagues.toml beside this file."""

    home: Home
    cases: dict[str, Case] = field(default_factory=dict)
    compared: dict[tuple[str, str], Compared] = field(default_factory=dict)

    def compare(self, league: str, engine: str) -> Compared:
        """A fast engine that takes the league beside NUTS."""
        if (league, engine) not in self.compared:
            drawn, seconds = _fitted(self.case(league), engine)
            self.compared[league, engine] = Compared(agree(drawn, self.reference(self.case(league))), seconds)
        return self.compared[league, engine]

    def engines(self, league: str) -> list[str]:
        """The engines other than NUTS that take a league: each is a folder with an `engine.py`."""
        every = sorted(path.parent.name for path in ENGINES.glob("*/engine.py"))
        return [name for name in every if _engine(name).takes(self.case(league).design) is None]

    def case(self, league: str) -> Case:
        """The Design of a league, which is loaded where that is still to be done."""
        if league not in self.cases:
            command = [sys.executable, "-m", "jobs.cli", "--home", str(self.home.root), "pull", league]
            subprocess.run(command, capture_output=True, text=True, timeout=900, check=True)
            stanza = choose(self.home, [league])[league]
            games, design = design_of(self.home, league, stanza, None)
            fields = tuple(make_field(design, kind, stanza, games.as_of) for kind in design.kinds)
            self.cases[league] = Case(league, design, fields)
        return self.cases[league]

    def reference(self, case: Case) -> Drawn:
        """What NUTS draws of a case: as it is kept, else sampled and kept."""
        kept = self.kept_at(case)
        if not kept.exists():
            compiled = nuts.compile_design(case.design)
            tree = nuts.sample(compiled, np.ones(case.design.games, bool), SEED, _draws(case) // nuts.CHAINS)
            keep(case.drawn(from_tree(case.design, tree)), kept)
        return _kept(kept)

    def kept_at(self, case: Case) -> Path:
        """Where NUTS's draws of a case are kept, by all that they depend on."""
        stated = json.dumps([case.design.as_json(), case.design.fingerprint, _draws(case), SEED], sort_keys=True)
        name = hashlib.sha256(stated.encode()).hexdigest()[:16]
        return self.home.root / "nuts" / f"{case.league}-{name}.npz"


def _engine(name: str) -> Any:
    return importlib.import_module(f"modeling.engines.{name}.engine")


def _fitted(case: Case, engine: str) -> tuple[Drawn, float]:
    """What a fast engine draws, and in how many seconds: of the second fit of two, for the first may compile."""
    fit, everything = _engine(engine).fit, np.ones(case.design.games, dtype=bool)
    fit(case.design, everything, SEED, draws=100)
    began = time.perf_counter()
    tree = fit(case.design, everything, SEED, draws=FAST_DRAWS)
    return case.drawn(from_tree(case.design, tree)), time.perf_counter() - began


def _draws(case: Case) -> int:
    return NUTS_DRAWS.get(case.league, USUAL_DRAWS)


def keep(drawn: Drawn, kept: Path) -> None:
    """Writes what was drawn into a file."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    half_written = kept.with_suffix(".part.npz")
    totals: dict[str, Any] = {f"totals_{number}": one.astype(np.float32) for number, one in enumerate(drawn.totals)}
    np.savez(
        half_written, effects=drawn.effects.astype(np.float32), effect_names=drawn.effect_names,
        parameters=drawn.parameters, parameter_names=drawn.parameter_names, chains=drawn.chains, **totals,
    )  # fmt: skip
    half_written.replace(kept)


def _kept(kept: Path) -> Drawn:
    with np.load(kept) as found:
        names, own = (tuple(found[one].tolist()) for one in ("effect_names", "parameter_names"))
        totals = tuple(found[f"totals_{number}"].astype(float) for number in range(len(found.files) - 5))
        return Drawn(found["effects"].astype(float), names, found["parameters"], own, totals, int(found["chains"]))


@pytest.fixture(scope="session")
def leagues(tmp_path_factory: pytest.TempPathFactory, real_data: Path) -> Leagues:
    """The leagues, none of them loaded before a test asks for it."""
    kept = os.environ.get("POOLTABLE_AGREEMENT_HOME")
    home = Home(Path(kept) if kept else tmp_path_factory.mktemp("agreement"))
    home.root.mkdir(parents=True, exist_ok=True)
    home.leagues_toml.write_text((HERE / "leagues.toml").read_text().replace("REAL", str(real_data)))
    return Leagues(home)
