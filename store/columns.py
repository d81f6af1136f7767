"""The column mapping of `feed = "csv"`: the `[LEAGUE.columns]` table of a stanza, checked.

Values are names of columns unless said otherwise. What a file of results holds is one row a game of two sides
(`rows = "game"`) or one row a side or entrant (`rows = "side"`). ingest/README.md has the reference.
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PositiveFloat, field_validator, model_validator

DAYS_SINCE = "days since "


def _one_or_many(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_one_or_many)]
Status = Literal["scheduled", "played", "retired", "walkover", "abandoned", "awarded"]


class AppearanceColumns(BaseModel):
    """Where a second file says who played: `file` is its name (a pattern) among the sources.

    Its columns `game` are in the order of the results' `game` columns. `side` holds the side's competitor, or home or
    away.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str
    game: Names
    side: str
    player: str
    player_name: str | None = None
    share: str | None = None
    role: str | None = None


class Columns(BaseModel):
    """Which column of a delimited file is what."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rows: Literal["game", "side"] = "game"
    kind: Literal["team", "player"] = "team"  # what the competitors are
    delimiter: str = Field(",", min_length=1, max_length=1)
    encoding: Literal["utf-8", "latin-1", "utf-16"] = "utf-8"
    missing: Names = ("NA",)  # texts of a missing value, beside none at all
    optional: Names = ()  # columns that some of the files do not have

    date: str
    date_format: Names = ("%Y-%m-%d",)  # tried in turn; "days since 1970-01-01" for a day number
    game: Names = ()  # what identifies a game; date and both competitors where nothing is said
    contest: str | None = None
    sequence: str | None = None
    season: str | None = None
    round: str | None = None
    status: str | None = None
    statuses: dict[str, Status] = {}  # the source's words for a status
    neutral: bool | str = False
    exposure: str | None = None
    exposure_unit: PositiveFloat = 1.0  # exposure of a full game
    share_unit: PositiveFloat = 1.0  # share of a whole game, for example 90 where shares are minutes
    attributes: Names = ()
    groups: Names = ()

    home: str | None = None
    away: str | None = None
    home_name: str | None = None
    away_name: str | None = None
    home_score: str | None = None
    away_score: str | None = None
    winner: str | None = None
    loser: str | None = None
    winner_name: str | None = None
    loser_name: str | None = None
    winner_score: str | None = None
    loser_score: str | None = None
    home_players: Names = ()
    away_players: Names = ()
    home_player_names: Names = ()
    away_player_names: Names = ()
    home_shares: Names = ()
    away_shares: Names = ()
    player_delimiter: str | None = None

    competitor: str | None = None
    competitor_name: str | None = None
    team: str | None = None
    score: str | None = None
    finish: str | None = None
    won: str | None = None
    is_home: str | None = None

    appearances: AppearanceColumns | None = None

    @field_validator("delimiter")
    @classmethod
    def _divides(cls, value: str) -> str:
        if value in '"\r\n':
            raise ValueError("a quote or the end of a line cannot divide fields")
        return value

    @field_validator("attributes", "groups")
    @classmethod
    def _once_each(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(value))

    @field_validator("date_format")
    @classmethod
    def _formats(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        wrong = [form for form in value if not _is_format(form)]
        if wrong or not value:
            shown = f'"{wrong[0]}" is none' if wrong else "none is given"
            raise ValueError(
                f'write a date\'s year, month and day as in "%d/%m/%Y", or "{DAYS_SINCE}1970-01-01"; {shown}'
            )
        return value

    @model_validator(mode="after")
    def _hangs_together(self) -> "Columns":
        for wrong, why in _MISTAKES_OF_SIDES if self.rows == "side" else _MISTAKES_OF_GAMES:
            if wrong(self):
                raise ValueError(why)
        for names, shares in ((self.home_players, self.home_shares), (self.away_players, self.away_shares)):
            if shares and len(shares) != len(names):
                raise ValueError("there must be as many columns of shares as of players")
        if self.appearances and len(self.appearances.game) != len(self.game):
            raise ValueError('"game" must name the key\'s columns, as many here as in "appearances"')
        return self


def _is_format(form: str) -> bool:
    """Whether a text tells how the year, month and day of a date are written."""
    if form.startswith(DAYS_SINCE):
        try:
            date.fromisoformat(form.removeprefix(DAYS_SINCE))
        except ValueError:
            return False
        return True
    parts = {part[:1] for part in form.split("%")[1:]}
    return all(parts & set(letters) for letters in ("YyFDx", "mbBhFDxj", "deFDxj"))


_ENTRANT = ("competitor", "competitor_name", "team", "score", "finish", "won", "is_home")
_PAIR = ("home", "away", "home_name", "away_name", "home_score", "away_score", "winner", "loser", "winner_score")
_PAIR += ("winner_name", "loser_name", "loser_score", "home_players", "away_players", "home_shares", "away_shares")
_MISTAKES_OF_SIDES = (
    (lambda own: not own.game or not own.competitor, 'rows = "side" needs "game" and "competitor"'),
    (lambda own: not (own.finish or own.score or own.won), 'rows = "side" needs "finish", "score" or "won"'),
    (lambda own: any(getattr(own, name) for name in _PAIR), 'rows = "side" has no home, away, winner or loser columns'),
    (lambda own: own.team and own.kind == "team", '"team" is the team of a player: say kind = "player"'),
)
_MISTAKES_OF_GAMES = (
    (
        lambda own: not (own.home and own.away) and not (own.winner and own.loser),
        'rows = "game" needs "home" and "away", or "winner" and "loser"',
    ),
    (lambda own: own.loser and (own.home or own.away), 'either "home" and "away", or "winner" and "loser"'),
    (
        lambda own: not own.loser and not own.winner and not (own.home_score and own.away_score),
        '"home" and "away" need "home_score" and "away_score", or "winner"',
    ),
    (lambda own: any(getattr(own, name) for name in _ENTRANT), 'columns of entrants need rows = "side"'),
    (
        lambda own: own.loser and (own.home_players or own.away_players or own.home_shares or own.away_shares),
        'columns of players need "home" and "away"; beside "winner" and "loser" use an appearances file',
    ),
    (
        lambda own: own.kind == "player" and (own.home_players or own.away_players or own.appearances),
        'kind = "player" has its players in the competitor columns already',
    ),
)
