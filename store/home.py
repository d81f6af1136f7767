"""The home: the folder that holds everything a running Pooltable owns, and the settings that name it."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource
from pydantic_settings.exceptions import SettingsError

from store.errors import UsageError

CHECKOUT = Path(__file__).resolve().parent.parent
FILE = "pooltable.toml"


class Cluster(BaseModel):
    """Where fits are made, if not on this machine."""

    model_config = ConfigDict(extra="forbid")

    address: str | None = Field(default=None, pattern=r"^[a-z]+://.+")
    """Of a Dask scheduler, for example tcp://10.0.0.5:8786."""


class Settings(BaseSettings):
    """Settings of a home: from the environment (POOLTABLE_HOME, POOLTABLE_JOBS, POOLTABLE_CLUSTER__ADDRESS), else
    from `pooltable.toml` in the home, else as they stand here."""

    model_config = SettingsConfigDict(
        env_prefix="POOLTABLE_", env_ignore_empty=True, env_nested_delimiter="__", extra="forbid"
    )

    home: Path = Path("data/home")
    lock_wait_seconds: float = 30.0
    token: SecretStr = SecretStr("")  # whoever asks the dashboard or its API must know it, where it is set
    cors: str = ""  # origins of other sites that may read the API, blanks between; * for any
    queries_per_minute: float = Field(default=120.0, gt=0)  # of one address, in each worker
    proxies: int = Field(default=0, ge=0)  # in front of the dashboard, whose word on a client's address is taken
    jobs: int | None = Field(default=None, gt=0)
    """Leagues worked on side by side on this machine; None: as many as there are cores and memory for."""
    cluster: Cluster = Cluster()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment before the file: the home is where it says."""
        home = Path((env_settings() | init_settings()).get("home", cls.model_fields["home"].default))
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, home.expanduser() / FILE)


@dataclass(frozen=True)
class Home:
    """Paths inside one home folder; nothing is made or opened until it is needed."""

    root: Path
    lock_wait_seconds: float = 30.0
    jobs: int | None = None
    cluster: str | None = None

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
    def backups(self) -> Path:
        """Copies of the warehouse from before its upgrades; left out of backups of the home."""
        return self.root / "backups"

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


def read_settings(root: Path | None = None) -> Settings:
    """The settings of the home at `root`, or of the one that the environment names. Raises UsageError."""
    try:
        return Settings(home=root) if root else Settings()
    except (ValidationError, SettingsError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        where = f"{FILE} of {root or 'the home'}, or a variable of the environment, is wrong"
        raise UsageError(f"{where}: {_mistakes(error)}.", "Mend the setting, or leave it out.") from error


def open_home(root: Path | None = None) -> Home:
    """The home at `root`, else the one the environment names, else data/home under the current folder.

    Raises UsageError where a setting is wrong.
    """
    settings = read_settings(root)
    home = settings.home.expanduser().absolute()
    return Home(home, settings.lock_wait_seconds, settings.jobs, settings.cluster.address)


def _mistakes(error: Exception) -> str:
    """What is wrong, setting by setting, without what was found there: it may be a secret."""
    if not isinstance(error, ValidationError):
        return str(error)
    places = [[str(part) for part in one["loc"]] for one in error.errors()]
    return "; ".join(
        f"{'.'.join(place)} (POOLTABLE_{'__'.join(place).upper()}): {one['msg']}"
        for place, one in zip(places, error.errors(), strict=True)
    )
