"""Proposing the stanza of a league from a delimited file: what its columns are called and what stands in them.

Nothing is guessed in silence: the proposal is read with at once, and says how many rows make a game of it.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import ValidationError

from ingest.feed import Source
from ingest.feeds import csv as csv_feed
from ingest.fetch import unpacked
from ingest.lines import header_of, read_table
from ingest.mapped_dates import DAY_NUMBER, formats_of, swapped
from ingest.mapped_rows import DELIMITERS
from store.errors import FeedError
from store.stanzas import Stanza

PLAYER_DELIMITERS = (";", "|", ",", "/")
UTF16 = (b"\xff\xfe", b"\xfe\xff")
WORDS = {
    "date": "date day gameday game_date match_date played_on datetime date_time kickoff tourney_date",
    "home": "home home_team hometeam team_home home_name home_club host team1 team_1 home_side",
    "away": "away away_team awayteam team_away away_name away_club visitor visitor_team guest team2 team_2 away_side",
    "home_id": "home_id home_team_id hometeam_id team1_id team_1_id",
    "away_id": "away_id away_team_id awayteam_id visitor_id team2_id team_2_id",
    "home_score": "home_score home_goals home_points home_pts home_runs hgoal hgoals fthg hg hs score1 score_1 goals1 "
    "score_home homescore home_final",
    "away_score": "away_score away_goals away_points away_pts away_runs vgoal vgoals agoal ftag ag as score2 score_2 "
    "goals2 score_away awayscore visitor_score away_final",
    "winner": "winner winner_name winning_team winner_tie w",
    "loser": "loser loser_name losing_team loser_tie l",
    "winner_score": "winner_score winner_points winner_goals winner_sets winning_score ptsw pts_w "
    "wpts wscore w_score wsets",
    "loser_score": "loser_score loser_points loser_goals loser_sets losing_score ptsl pts_l lpts "
    "lscore l_score lsets",
    "home_players": "home_players home_lineup home_line_up home_starters home_xi home_eleven",
    "away_players": "away_players away_lineup away_line_up away_starters away_xi away_eleven visitor_players",
    "season": "season year",
    "round": "round week matchday matchweek stage",
    "neutral": "neutral neutral_site is_neutral",
    "group": "division div tier conference",
    "game": "game_id match_id race_id gameid matchid raceid event_id race game match event",
    "key": "game_id match_id gameid matchid event_id id",
    "player": "driver player athlete rider runner skier horse jockey driver_id player_id driverid",
    "team": "team constructor club constructor_id constructorid",
    "finish": "finish position place pos rank position_order positionorder finishing_position",
    "score": "score points goals pts runs",
    "is_home": "is_home home_away site location",
}  # fmt: skip


@dataclass(frozen=True)
class Proposal:
    """A stanza's body, and one line about how the file reads by it."""

    body: dict[str, Any]
    verdict: str


@dataclass(frozen=True)
class Look:
    """What a file looks like: its text columns (the first rows), and the settings that read it."""

    name: str
    rows: pl.DataFrame
    settings: dict[str, Any]

    def column(self, meaning: str) -> str | None:
        """The column that is called like this, if any: the one earliest in the list of words."""
        plain = {_plain(name): name for name in reversed(self.rows.columns)}
        return next((plain[word] for word in WORDS[meaning].split() if word in plain), None)

    def numbered(self, word: str) -> list[str]:
        """The columns that are called like this with a number behind, for example home_player_1, home_player_2."""
        return [name for name in self.rows.columns if re.fullmatch(rf"{word}_?[0-9]+", _plain(name))]

    def columns(self, *meanings: str) -> dict[str, str]:
        """Those of the meanings for which there is a column, with it."""
        found = {meaning: self.column(meaning) for meaning in meanings}
        return {meaning: column for meaning, column in found.items() if column}


def propose(path: Path, league: str) -> Proposal:
    """A stanza that reads this file of results. Raises FeedError, saying what cannot be told, where there is none."""
    raw = _text_of(path)
    look = look_at(raw, path.name)
    columns = look.settings | _date(look) | _shape(look)
    body = {"title": league.replace("_", " ").capitalize(), "feed": "csv", "source": str(path.absolute())}
    body |= _outcome(look, columns) | {"columns": columns}
    return Proposal(body, " ".join([_verdict(raw, path.name, league, body), *_doubts(look, columns)]))


def _text_of(path: Path) -> bytes:
    """The file's bytes, unzipped. Raises FeedError where it is not there, or is plainly no delimited text."""
    try:
        if path.is_dir():
            raise FeedError(f"{path} is a folder.", "Give one of its files of results; `source` may name the others.")
        raw = unpacked(path.read_bytes(), path.name)
    except FileNotFoundError as error:
        web = "To read from the web, download it once; its address can be the `source` afterwards."
        raise FeedError(f"There is no file {path}.", web if "http" in str(path) else "Check the path.") from error
    except OSError as error:
        raise FeedError(f"{path} cannot be read: {error.strerror}.", "Check the path.") from error
    start = raw[:2000].removeprefix(b"\xef\xbb\xbf").lstrip()
    if not start:
        raise FeedError(f"{path} is empty.", "Give a file of results.")
    if start.startswith(b"<"):
        raise FeedError(f"{path} is a web page or other markup.", "Save the table itself, as CSV.")
    if start.startswith((b"{", b"[")):
        raise FeedError(f"{path} is JSON.", "Save it as CSV, or see `pooltable leagues` for feeds that read JSON.")
    if start.startswith((b"PK\3\4", b"%PDF")) or (b"\0" in start and not start.startswith(UTF16)):
        raise FeedError(f"{path} is no text: a spreadsheet or an archive?", "Save the table as CSV.")
    return raw


def look_at(raw: bytes, name: str) -> Look:
    """What the file looks like. Raises FeedError where it has no header or no rows."""
    encoding = _encoding(raw)
    text = raw.decode(encoding, errors="replace").encode()
    delimiter = max(DELIMITERS, key=lambda mark: len(header_of(text, name, mark)))
    header = header_of(text, name, delimiter)
    values = [field for field in header if _is_value(field)]
    if values:
        raise FeedError(
            f'{name} has no header: its first line holds "{values[0]}".', "Write the columns' names into a first line."
        )
    source = Source("", name, Stanza(title="", feed="csv", source=(name,), outcome="score"))
    table = read_table(text, source, [], missing="NA", others=True, delimiter=delimiter)
    if table.rows.is_empty():
        raise FeedError(f"{name} has no rows that fit its header.", f"Its first line is: {', '.join(header)[:200]}")
    settings = {"encoding": encoding, "delimiter": delimiter}
    plain = {"encoding": "utf-8", "delimiter": ","}
    rows = table.rows.drop("line", "raw")
    return Look(name, rows, {key: value for key, value in settings.items() if value != plain[key]})


def _is_value(field: str) -> bool:
    """Whether a field of a first line is a date or a number, so that the line is no header."""
    text = pl.Series([field])
    return text.cast(pl.Float64, strict=False).null_count() == 0 or bool(formats_of(text))


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def _encoding(raw: bytes) -> str:
    if raw.startswith(UTF16):
        return "utf-16"
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8"


def _date(look: Look) -> dict[str, Any]:
    """The column of dates and its formats: the one that is called so, else the first that reads as dates throughout."""
    named = look.column("date")
    for column in [named] if named else look.rows.columns:
        formats = formats_of(look.rows[column])
        if formats and (named or formats[0] != DAY_NUMBER):
            return {"date": column} | ({} if formats == ["%Y-%m-%d"] else {"date_format": formats})
    raise _lost(look, "its dates" if not named else f'how the dates in "{named}" are written')


def _shape(look: Look) -> dict[str, Any]:
    """The mapping of who played and how it ended. Raises FeedError where that cannot be told."""
    extra = look.columns("season", "round")
    numbered = extra | _key(look)
    groups = {"groups": [group]} if (group := look.column("group")) else {}
    pair = look.columns("home", "away")
    if len(pair) == 2:
        scores = look.columns("home_score", "away_score")
        result = look.columns("winner") if len(scores) < 2 else {}
        if len(scores) == 2 or result:
            who, ending = (_with_ids(look, pair), scores) if len(scores) == 2 else (pair, result)
            return numbered | look.columns("neutral") | groups | who | ending | _players(look)
        raise _lost(look, "the scores of both sides, or the winner")
    duel = look.columns("winner", "loser")
    if len(duel) == 2:
        scores = look.columns("winner_score", "loser_score")
        return numbered | groups | duel | (scores if len(scores) == 2 else {})
    return extra | groups | _entrants(look)


def _key(look: Look) -> dict[str, Any]:
    """The column of a game's id, where one is called so and each row has one of its own."""
    column = look.column("key")
    is_unique = column is not None and look.rows[column].is_unique().all() and not look.rows[column].null_count()
    return {"game": [column]} if is_unique else {}


def _with_ids(look: Look, pair: dict[str, str]) -> dict[str, str]:
    """Home and away: where ids stand beside the names, they tell who it is, and the names what he is called."""
    ids = look.columns("home_id", "away_id")
    if len(ids) < 2:
        return pair
    return {"home": ids["home_id"], "away": ids["away_id"], "home_name": pair["home"], "away_name": pair["away"]}


def _players(look: Look) -> dict[str, Any]:
    """Who played, where columns say so: one delimited column a side, or one column a player."""
    listed = look.columns("home_players", "away_players")
    if len(listed) == 2:
        cells = look.rows[listed["home_players"]].drop_nulls()
        counts = {mark: int(cells.str.contains(mark, literal=True).sum()) for mark in PLAYER_DELIMITERS}
        best = max(counts, key=lambda mark: counts[mark])
        return listed | {"player_delimiter": best} if counts[best] > len(cells) / 2 else {}
    numbered = {f"{side}_players": look.numbered(f"{side}_player") for side in ("home", "away")}
    return numbered if all(numbered.values()) else {}


def _entrants(look: Look) -> dict[str, Any]:
    game = look.column("game")
    player, team = look.column("player"), look.column("team")
    result = look.columns("finish") or look.columns("score")
    if not game or not (player or team) or not result:
        raise _lost(look, "who played: home and away, winner and loser, or a game with its entrants")
    who: dict[str, Any] = {"competitor": player, "kind": "player"} if player else {"competitor": team}
    if player and team:
        who["team"] = team
    return {"rows": "side", "game": [game]} | who | result | look.columns("is_home")


def _outcome(look: Look, columns: dict[str, Any]) -> dict[str, Any]:
    rate = {"rate": ["player"]} if columns.get("kind") == "player" else {}
    if "finish" in columns:
        return {"outcome": "order"} | rate
    if "loser" in columns:
        return {"outcome": "win"}
    home = {"effects": ["home"]} if "home" in columns or "is_home" in columns else {}
    if "home_score" not in columns and "score" not in columns:
        return {"outcome": "result"} | home
    scores = look.rows[columns.get("home_score") or columns["score"]].cast(pl.Float64, strict=False)
    mean = scores.mean()
    is_goals = isinstance(mean, float) and mean < 15 and bool((scores.drop_nulls() >= 0).all())
    return {"outcome": "score" if is_goals else "margin"} | rate | home


def _verdict(raw: bytes, name: str, league: str, body: dict[str, Any]) -> str:
    """How the file reads by the proposal. Raises FeedError where no row makes a game."""
    try:
        stanza = Stanza.model_validate(body)
    except ValidationError as error:
        raise FeedError(f"{name}: no mapping fits: {error.errors()[0]['msg']}.", _BY_HAND) from error
    parsed = csv_feed.parse(raw, Source(league, name, stanza))
    rules = [f"{rule} ({count:,})" for rule, count in parsed.rejected["rule"].value_counts(sort=True).head(3).rows()]
    if parsed.games.is_empty():
        raise FeedError(f"{name}: no row makes a game: {'; '.join(rules)}.", _BY_HAND)
    text = f"{parsed.rows_read:,} rows make {parsed.games.height:,} games of {parsed.competitors.height:,} competitors"
    return f"{text}; {parsed.rejected.height:,} cannot be used: {'; '.join(rules)}." if rules else f"{text}."


def _doubts(look: Look, columns: dict[str, Any]) -> list[str]:
    """What the file leaves open, a sentence each."""
    formats = columns.get("date_format", [])
    found = []
    if other := swapped(look.rows[columns["date"]], formats):
        found.append(f"Its dates are ambiguous: they were read as {formats[0]}, and {other} would fit as well.")
    if "home_players" in columns:
        found.append('It says who played: rate = ["player"] rates them.')
    return found


def _lost(look: Look, what: str) -> FeedError:
    return FeedError(f"{look.name} does not tell {what}. Its columns: {', '.join(look.rows.columns)}.", _BY_HAND)


_BY_HAND = "Write the league's stanza by hand: ingest/README.md has every setting of [LEAGUE.columns]."
