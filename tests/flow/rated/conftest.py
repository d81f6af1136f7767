"""Real leagues rated by the real command, each once; what came of them is read from the warehouse.

They are fitted in a home of the session's own. With POOLTABLE_RATED_HOME they are fitted in that folder, where a later
run finds them again: what is due is fitted, the rest is as before.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from store.home import Home
from store.warehouse import reading

HERE = Path(__file__).parent
MOST_SECONDS = 7200  # of one command; the largest league took 20 minutes on two cores
FORMULA_1 = ("results.csv", "races.csv", "drivers.csv", "constructors.csv", "circuits.csv", "status.csv")
LATEST = """
SELECT * FROM fit WHERE league = $league AND is_dated = ($as_of IS NOT NULL) AND as_of = coalesce($as_of, as_of)
ORDER BY current_at_utc DESC LIMIT 1
"""


@dataclass
class Rated:
    """A home with the leagues of leagues.toml beside this file, and the catalogue's Formula 1."""

    home: Home
    fits: dict[tuple[str, str | None], dict] = field(default_factory=dict)

    def fit(self, league: str, as_of: str | None = None) -> dict:
        """The row of `fit` of a league, which is loaded and fitted where that is still to be done."""
        if (league, as_of) not in self.fits:
            pulled = self.command("pull", league)
            assert pulled.returncode == 0, pulled.stderr
            fitted = self.command("fit", league, "--due", "--engine", "nuts", *(["--as-of", as_of] if as_of else []))
            rows = self.ask(LATEST, league=league, as_of=as_of).rows(named=True)
            assert rows, fitted.stderr
            assert "Traceback" not in fitted.stderr, fitted.stderr
            assert (fitted.returncode == 0) == (rows[0]["verdict"] == "accepted"), fitted.stdout + fitted.stderr
            self.fits[league, as_of] = rows[0]
        return self.fits[league, as_of]

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """What `pooltable WORDS` said, and its exit code."""
        command = [sys.executable, "-m", "jobs.cli", "--home", str(self.home.root), *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=MOST_SECONDS, check=False)

    def ask(self, sql: str, **values: object) -> pl.DataFrame:
        """Rows of the warehouse."""
        with reading(self.home) as con:
            found = pl.from_arrow(con.sql(sql, params=values or None).to_arrow_table())
        assert isinstance(found, pl.DataFrame)
        return found

    def ratings(self, league: str, kind: str, component: str = "total", as_of: str | None = None) -> pl.DataFrame:
        """Ratings of one kind, best first, with names and standings."""
        return self.ask(
            """
            SELECT c.competitor_id, c.name, r.* EXCLUDE (league, fit_id, kind, competitor_id), s.status, s.rank, s.games
            FROM rating AS r
            JOIN competitor AS c ON (c.league, c.competitor_id) = (r.league, r.competitor_id)
            JOIN standing AS s ON (s.fit_id, s.kind, s.competitor_id) = (r.fit_id, r.kind, r.competitor_id)
            WHERE r.fit_id = $fit_id AND r.kind = $kind AND r.component = $component
            ORDER BY r.mean DESC
            """,
            fit_id=self.fit(league, as_of)["fit_id"],
            kind=kind,
            component=component,
        )

    def parameters(self, league: str, as_of: str | None = None) -> dict[str, NDArray[np.float64]]:
        """Posterior draws of every scale, fixed effect and parameter of the likelihood."""
        draws = pl.read_parquet(self.home.draws_of(self.fit(league, as_of)["fit_id"]))
        own = draws.filter(pl.col("parameter").is_not_null())
        return {name: np.array(one) for name, one in own.select("parameter", "draws").iter_rows()}


@pytest.fixture(scope="session")
def rated(tmp_path_factory: pytest.TempPathFactory, real_data: Path) -> Rated:
    """The leagues, none of them fitted before a test asks for it."""
    kept = os.environ.get("POOLTABLE_RATED_HOME")
    made = Rated(Home(Path(kept) if kept else tmp_path_factory.mktemp("rated")))
    made.home.root.mkdir(parents=True, exist_ok=True)
    made.home.leagues_toml.write_text((HERE / "leagues.toml").read_text().replace("REAL", str(real_data)))
    sources = [word for file in FORMULA_1 for word in ("--source", str(real_data / "f1" / file))]
    added = made.command("add", "formula_1", *sources)
    assert added.returncode == 0, added.stderr
    added = made.command("add", "demo_stints")
    assert added.returncode == 0, added.stderr
    return made


@pytest.fixture(scope="session")
def show() -> Callable[[str, pl.DataFrame], None]:
    """Prints a table under its title as Markdown; pytest -s shows it."""

    def printed(title: str, rows: pl.DataFrame) -> None:
        everything = {"tbl_rows": -1, "tbl_cols": -1, "tbl_width_chars": 10_000, "fmt_str_lengths": 300}
        plain = {"tbl_hide_dataframe_shape": True, "tbl_hide_column_data_types": True, "float_precision": 3}
        with pl.Config(tbl_formatting="MARKDOWN", **everything, **plain):
            print(f"\n\n{title}\n\n{rows}")

    return printed
