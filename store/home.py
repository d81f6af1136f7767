"""The home: the folder that holds everything a running Pooltable owns, and the settings that name it."""

from dataclasses import dataclass
from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict

CHECKOUT = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """Settings from the environment: POOLTABLE_HOME, POOLTABLE_LOCK_WAIT_SECONDS, and so on."""

    model_config = SettingsConfigDict(env_prefix="POOLTABLE_", env_ignore_empty=True)

    home: Path = Path("data/home")
    lock_wait_seconds: float = 30.0
    jobs: int | None = None  # leagues a night works on at once; none: as many as there are cores and memory for


@dataclass(frozen=True)
class Home:
    """Paths inside one home folder; nothing is made or opened until it is needed."""

    root: Path
    lock_wait_seconds: float = 30.0
    jobs: int | None = None

    @property
    def leagues_toml(self) -> Path:
        """Which leagues are rated here."""
        return self.root / "leagues.toml"

    @property
    def warehouse(self) -> Path:
        """The writers' database."""
        return self.root / "warehouse.duckdb"

    @property
    def raw(self) -> Path:
        """Immutable downloads, a folder a league."""
        return self.root / "raw"

    @property
    def draws(self) -> Path:
        """Posterior draws, a Parquet file a fit."""
        return self.root / "draws"

    @property
    def editions(self) -> Path:
        """Published read-only databases."""
        return self.root / "editions"

    @property
    def current(self) -> Path:
        """Symbolic link to the edition that readers see."""
        return self.editions / "current.duckdb"

    @property
    def runs(self) -> Path:
        """Run history (SQLite)."""
        return self.root / "runs.sqlite"

    @property
    def logs(self) -> Path:
        """Logs of nightly steps, a folder a run."""
        return self.root / "logs"

    def draws_of(self, fit_id: str) -> Path:
        """The Parquet file with one fit's posterior draws."""
        return self.draws / f"{fit_id}.parquet"

    def restart_of(self, fit_id: str) -> Path:
        """What one fit of a large league left for the next to start from."""
        return self.draws / f"{fit_id}.restart.npz"


def open_home(root: Path | None = None) -> Home:
    """The home at `root`, else the one the environment names, else data/home under the current folder."""
    settings = Settings()
    return Home((root or settings.home).expanduser().absolute(), settings.lock_wait_seconds, settings.jobs)
