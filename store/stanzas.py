"""League stanzas: what leagues.toml says about each league, checked, with errors that name the mistake."""

import difflib
import re
from datetime import date, time
from pathlib import Path
from typing import Any, Literal

import tomlkit
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveInt,
    StrictBool,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from tomlkit.exceptions import TOMLKitError

from store.columns import AppearanceColumns, Columns
from store.errors import StanzaError, UsageError
from store.home import CHECKOUT, Home
from store.seasons import Deduction, SeasonRules, TableRules
from store.thresholds import checked

CATALOGUE = CHECKOUT / "data" / "leagues.toml"
# What two models of the same results can differ by.
OF_THE_MODEL = (
    "likelihood", "link", "effects", "group", "rate", "walk", "period", "persistence", "noise", "pooling", "priors",
)  # fmt: skip
LEAST_PERSISTENCE = 0.01  # a share of less is nothing after a year, and no number after a few centuries


class Stanza(BaseModel):
    """One league's stanza with its defaults filled in."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    feed: str
    source: tuple[str, ...]
    outcome: str
    rate: tuple[Literal["team", "player"], ...] = ("team",)
    roles: tuple[str, ...] = ()
    since: date | None = None
    period: Literal["static", "season", "quarter", "month", "week"] = "static"
    effects: tuple[str, ...] = ()
    group: str | None = None
    walk: tuple[str, ...] = ()
    persistence: float = Field(default=1.0, strict=True)
    noise: tuple[str, ...] = ()
    pooling: Literal["partial", "none", "complete"] = "partial"
    link: str | None = None
    likelihood: str | None = None
    active_days: int = Field(default=400, gt=0, le=100_000)
    min_games: PositiveInt = 5
    require_connected: StrictBool = False
    share: StrictBool = True
    refit: time = time(4, 0)
    pull: tuple[time, ...] = ()
    fresh_hours: float = Field(default=36.0, gt=0)
    priors: dict[str, float] = {}
    thresholds: dict[str, float | str] = {}
    columns: Columns | None = None
    season: SeasonRules | None = None
    cups: tuple[str, ...] = ()

    @property
    def likelihood_name(self) -> str | None:
        """Which of the outcome's likelihoods is asked for, which may be called its link; None: the usual one."""
        return self.link or self.likelihood

    @field_validator("source", "rate", "roles", "effects", "walk", "noise", "pull", "cups", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return (value,) if isinstance(value, str | time) else value

    @field_validator("rate")
    @classmethod
    def _once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) < len(value):
            raise ValueError("the same kind stands there twice")
        return value

    @field_validator("source")
    @classmethod
    def _some(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            raise ValueError("at least one URL, path or glob is needed")
        return value

    @field_validator("refit", "pull")
    @classmethod
    def _utc[T: time | tuple[time, ...]](cls, value: T) -> T:
        if any(at.tzinfo is not None for at in (value if isinstance(value, tuple) else (value,))):
            raise ValueError('times are UTC and have no offset, for example "04:10"')
        return value

    @field_validator("persistence")
    @classmethod
    def _share(cls, value: float) -> float:
        if not LEAST_PERSISTENCE <= value <= 1:
            raise ValueError(
                f"it is the share of a competitor's distance from its group's mean that a year leaves, from "
                f"{LEAST_PERSISTENCE:g} to 1: 1 forgets nothing"
            )
        return value

    @field_validator("season")
    @classmethod
    def _of_the_outcome(cls, value: SeasonRules | None, found: ValidationInfo) -> SeasonRules | None:
        outcome = found.data.get("outcome")
        if value and outcome != "order" and len(value.points) != 3:
            raise ValueError("points are those of a win, a draw and a loss: points = [3, 1, 0]")
        scored = {"difference", "scored"} & set(value.order) if value else set()
        if scored and outcome in ("win", "result", "order"):
            raise ValueError(f'"{scored.pop()}" needs scores, and outcome = "{outcome}" has none; it can be "wins"')
        return value

    @field_validator("priors")
    @classmethod
    def _positive(cls, value: dict[str, float]) -> dict[str, float]:
        wrong = [name for name, scale in value.items() if not 0 < scale < float("inf")]
        if wrong:
            raise ValueError(f"a prior's scale must be a positive number, and {wrong[0]} is {value[wrong[0]]:g}")
        return value

    @field_validator("thresholds", mode="before")
    @classmethod
    def _thresholds(cls, value: object) -> object:
        return checked(value) if isinstance(value, dict) else value


def read_each(home: Home) -> dict[str, Stanza | StanzaError]:
    """Every league of the home by name, in the file's order: its stanza, or what is wrong with it; empty where there is
    no leagues.toml yet.

    Raises StanzaError where the file as a whole cannot be read.
    """
    return _parsed(home.leagues_toml) if home.leagues_toml.exists() else {}


def read_stanzas(home: Home) -> dict[str, Stanza]:
    """Every league of the home by name, in the file's order; empty where there is no leagues.toml yet.

    Raises StanzaError naming the file, the league and the mistake.
    """
    return _all_sound(read_each(home))


def read_withheld(home: Home) -> list[str]:
    """Leagues whose results are not for readers: their stanzas say `share = false`, now. Raises StanzaError.

    Of a stanza that is wrong in something else what it says counts; one that may mean to say so, misspelt, does.
    """
    if not home.leagues_toml.exists():
        return []
    bodies = _document(home.leagues_toml).unwrap()
    return sorted(name for name, body in bodies.items() if not isinstance(body, dict) or _withholds(body))


def _withholds(body: dict[str, Any]) -> bool:
    return any(value is not True for setting, value in body.items() if difflib.get_close_matches(setting, ["share"]))


def read_catalogue() -> dict[str, Stanza]:
    """The catalogue of known public results that `pooltable add` copies from."""
    return parse_stanzas(CATALOGUE)


def parse_stanzas(path: Path) -> dict[str, Stanza]:
    """The stanzas of one TOML file. Raises StanzaError."""
    return _all_sound(_parsed(path))


def _parsed(path: Path) -> dict[str, Stanza | StanzaError]:
    found: dict[str, Stanza | StanzaError] = {}
    document = _document(path)
    for name, body in document.unwrap().items():
        try:
            found[name] = _checked(path, name, body, document.as_string())
        except StanzaError as error:
            found[name] = error
    return found


def _all_sound(found: dict[str, Stanza | StanzaError]) -> dict[str, Stanza]:
    return {name: _sound(one) for name, one in found.items()}


def _sound(one: Stanza | StanzaError) -> Stanza:
    if isinstance(one, StanzaError):
        raise one
    return one


def choose(home: Home, names: list[str]) -> dict[str, Stanza]:
    """The named leagues of the home, or all of them where no name is given; others may be wrong meanwhile.

    Raises UsageError where the home has no leagues or not that one, with the nearest name, and StanzaError.
    """
    return _all_sound(choose_each(home, names))


def choose_each(home: Home, names: list[str]) -> dict[str, Stanza | StanzaError]:
    """The same, with what is wrong with those whose stanzas are wrong. Raises as `choose` does but for those."""
    found = read_each(home)
    if not found:
        raise UsageError(f"No leagues in {home.leagues_toml}.", "Add one first: pooltable add LEAGUE")
    for name in names:
        if name not in found:
            raise UsageError(f'There is no league "{name}" here.', _nearest(name, found) or "See: pooltable leagues")
    return {name: found[name] for name in names or found}


def varied(name: str, stanza: Stanza, text: str) -> Stanza:
    """A league's stanza with other settings of its model, TOML as in `leagues.toml` with `;` or a line's end between
    them. Priors are added to those there are.

    Raises UsageError, StanzaError.
    """
    try:
        other = tomlkit.parse(re.sub(r';(?=(?:[^"]*"[^"]*")*[^"]*$)', "\n", text)).unwrap()
    except TOMLKitError as error:
        hint = """A setting is written as in leagues.toml, in quotes for the shell: 'likelihood = "poisson"'."""
        raise UsageError(f"{name}: {text!r} cannot be read as settings.", hint) from error
    for setting in other:
        if setting not in OF_THE_MODEL:
            hint = _nearest(setting, OF_THE_MODEL) or f"It can be: {', '.join(OF_THE_MODEL)}."
            raise UsageError(f"{name}: models of the same results cannot differ by `{setting}`.", hint)
    if not other:
        raise UsageError(f"{name}: {text!r} sets nothing.", "Write, for example: effects = []")
    body = stanza.model_dump(exclude_unset=True) | other
    if isinstance(other.get("priors"), dict):
        body["priors"] = {**stanza.priors, **other["priors"]}
    return _validated(f"{name}, {text!r}", body)


def add_stanza(home: Home, name: str, source: tuple[str, ...] = (), feed: str | None = None) -> Stanza:
    """Copies the catalogue's stanza `name` into the home, with other sources or feed where given.

    Raises UsageError where the catalogue has no such league or the home has it already.
    """
    if name in read_each(home):
        raise UsageError(f'The league "{name}" is already in {home.leagues_toml}.', "Edit its stanza there.")
    body = _document(CATALOGUE).get(name)
    if body is None:
        hint = _nearest(name, read_catalogue()) or f"The catalogue has: {', '.join(read_catalogue())}."
        raise UsageError(f'The catalogue has no league "{name}".', hint)
    places = [_absolute(item, Path.cwd()) for item in source] or _bundled(body["source"])
    body["source"] = places if len(places) > 1 else places[0]
    if feed:
        body["feed"] = feed
    stanza = _checked(CATALOGUE, name, body.unwrap())
    _append(home, name, body)
    return stanza


def append_stanza(home: Home, name: str, body: dict[str, Any]) -> Stanza:
    """Adds a stanza that is in no catalogue to the home. Raises StanzaError, UsageError where the name is taken."""
    if name in read_each(home) or name in read_catalogue():
        raise UsageError(f'There is a league "{name}" already.', "Choose another name.")
    stanza = _checked(home.leagues_toml, name, body)
    _append(home, name, body)
    return stanza


def remove_stanza(home: Home, name: str) -> None:
    """Takes a league's stanza out of leagues.toml; loaded results and fits stay. Raises UsageError."""
    choose_each(home, [name])
    document = _document(home.leagues_toml)
    document.remove(name)
    _write(home.leagues_toml, tomlkit.dumps(document))


def _append(home: Home, name: str, body: Any) -> None:
    document = _document(home.leagues_toml) if home.leagues_toml.exists() else tomlkit.document()
    document[name] = body
    home.root.mkdir(parents=True, exist_ok=True)
    _write(home.leagues_toml, tomlkit.dumps(document))


def _write(path: Path, text: str) -> None:
    temporary = path.with_suffix(".toml.new")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def _document(path: Path) -> tomlkit.TOMLDocument:
    try:
        return tomlkit.parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StanzaError(f"{path} cannot be read: {error.strerror}.") from error
    except (UnicodeDecodeError, TOMLKitError) as error:
        raise StanzaError(f"{path} is not TOML: {error}.", "Mend the file; nothing was changed.") from error


def _checked(path: Path, name: str, body: object, text: str = "") -> Stanza:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise StanzaError(f'{path}: "{name}" cannot be a league\'s name.', "Use small letters, digits and _.")
    if not isinstance(body, dict):
        raise StanzaError(f"{path}: {name} must be a stanza, [{name}], with its settings below.")
    try:
        return Stanza.model_validate(body)
    except ValidationError as error:
        line = _line(text, name, next((str(part) for part in error.errors()[0]["loc"]), ""))
        raise StanzaError(f"{path}{f', line {line}' if line else ''}, league {name}: {_mistakes(error)}") from error


def _line(text: str, league: str, setting: str) -> int:
    """The line of a league's setting, or else the first of its stanza; 0 where the text has none."""
    first, is_here = 0, False
    for number, line in enumerate(text.splitlines(), start=1):
        if re.match(r"\s*\[", line):
            table = re.match(rf"\s*\[\s*{league}\s*(\]|\.\s*{re.escape(setting)}\b)?", line)
            is_here, first = bool(table), first or (number if table else 0)
            if table and table[1] not in (None, "]"):
                return number
        elif is_here and re.match(rf'\s*"?{re.escape(setting)}"?\s*[=.]', line):
            return number
    return first


def _validated(where: str, body: dict[str, Any]) -> Stanza:
    try:
        return Stanza.model_validate(body)
    except ValidationError as error:
        raise StanzaError(f"{where}: {_mistakes(error)}") from error


def _mistakes(error: ValidationError) -> str:
    sentences = []
    for mistake in error.errors():
        field = ".".join(str(part) for part in mistake["loc"])
        if mistake["type"] == "extra_forbidden":
            near = _nearest(str(mistake["loc"][-1]), _fields(mistake["loc"]))
            sentences.append(f'unknown setting "{field}". {near}'.strip())
        elif mistake["type"] == "missing":
            sentences.append(f'the setting "{field}" is missing.')
        else:
            found = "" if isinstance(mistake["input"], dict) else f" (found {mistake['input']!r})"
            words = f'"{field}": {mistake["msg"].removeprefix("Value error, ")}{found}'
            sentences.append(words if words.endswith("?") else f"{words}.")
    return " ".join(sentences)


def _fields(place: tuple[int | str, ...]) -> Any:
    """Names of the settings there are in the table where a mistake is."""
    tables = {"columns": Columns, "appearances": AppearanceColumns, "season": SeasonRules}
    within = TableRules if "tables" in place else Deduction if "deducted" in place else Stanza
    return tables.get(str(place[-2]) if len(place) > 1 else "", within).model_fields


def _nearest(word: str, words: Any) -> str:
    near = difflib.get_close_matches(word, list(words), n=1)
    return f'Did you mean "{near[0]}"?' if near else ""


def _bundled(source: Any) -> list[str]:
    """The catalogue's own sources: URLs, or paths from the checkout's root."""
    return [_absolute(item, CHECKOUT) for item in ([source] if isinstance(source, str) else source)]


def _absolute(source: str, folder: Path) -> str:
    return source if "://" in source else str(folder / Path(source).expanduser())
