"""Club football from openfootball's football.json: one file a division and season, and European cups.

A league may take several divisions, seasons and cups at once: the division ("en.1", from the file's name) becomes a
membership, and the country in a cup's names, "Liverpool FC (ENG)", ties them to the league files. Clubs have no ids,
so country and name are the id; spellings known to be one club are written down in `ingest.openfootball_names`.

The score is that of play: after extra time where there was any, never the penalty shoot-out's. A match with an empty
score is still to come, or was cancelled; an awarded one has the score of the ruling. `shoot_out` is who won one.
"""

import json
import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import dataframely as dy
import polars as pl

from ingest.feed import Feed, Source, plain
from ingest.frames import Parsed, attributes
from ingest.lines import rejections, sift
from ingest.openfootball_names import COUNTRIES, SPELLINGS
from ingest.two_sided import two_sided
from store.errors import FeedError

STATUSES = {"cancelled": "abandoned", "abandoned": "abandoned", "postponed": "scheduled", "awarded": "awarded"}
SCORES = ("ft", "ht", "et", "p")
FULL_TIME, EXTRA_TIME = 90, 120
LISBON = (date(2020, 8, 12), date(2020, 8, 23))
_MATCHES = re.compile(r'"matches"\s*:\s*\[')
_NAME = re.compile(r'"name"\s*:\s*("(?:[^"\\]|\\.)*")')
_SEASON = re.compile(r"\b(\d{4})(?:[/-](\d{2,4}))?\s*$")
_NEXT = re.compile(r",\s*(?=\{)")
_DECODER = json.JSONDecoder()
_TEXTS = ("round", "stage", "group", "date", "time", "team1", "team2", "status")


class Row(dy.Schema):
    """A match we can use."""

    line = dy.Int64(nullable=False)
    raw = dy.String(nullable=False)
    date = dy.Date(nullable=False)
    team1 = dy.String(nullable=False)
    team2 = dy.String(nullable=False)
    round = dy.String(nullable=True)
    stage = dy.String(nullable=True)
    group = dy.String(nullable=True)
    time = dy.String(nullable=True)
    status = dy.String(nullable=True)
    score_unreadable = dy.Bool(nullable=False)
    ft1 = dy.Int16(nullable=True, min=0)
    ft2 = dy.Int16(nullable=True, min=0)
    et1 = dy.Int16(nullable=True, min=0)
    et2 = dy.Int16(nullable=True, min=0)
    p1 = dy.Int16(nullable=True, min=0)
    p2 = dy.Int16(nullable=True, min=0)
    ft = dy.String(nullable=True)
    ht = dy.String(nullable=True)
    p = dy.String(nullable=True)

    @dy.rule()
    def score_is_unreadable(cls) -> pl.Expr:
        return ~pl.col("score_unreadable")

    @dy.rule()
    def unknown_status(cls) -> pl.Expr:
        return pl.col("status").is_null() | pl.col("status").is_in(list(STATUSES))

    @dy.rule()
    def club_plays_itself(cls) -> pl.Expr:
        return pl.col("team1") != pl.col("team2")

    @dy.rule()
    def not_UTF_8(cls) -> pl.Expr:
        return ~pl.col("raw").str.contains("\ufffd", literal=True)


def parse(raw: bytes, source: Source) -> Parsed:
    """The canonical frames of one division's or cup's season. Raises FeedError where the file is no such document."""
    text = raw.removeprefix(b"\xef\xbb\xbf").decode("utf-8", errors="replace")
    code = plain(source.slice).removesuffix(".json")
    competition, season, start, end = _document(text, source.slice)
    found = list(_found(text, start, end))
    read = pl.DataFrame([_row(*match) for match in found], schema=_COLUMNS)
    broken = rejections(read.filter(pl.col("broken")).with_columns(rule=pl.lit("not JSON")), source.slice)
    typed = read.filter(~pl.col("broken")).with_columns(pl.col("date").str.to_date("%Y-%m-%d", strict=False))
    rows, rejected = sift(typed.drop("broken", "et"), Row, source.slice)
    clubs = _with_ids(rows, code)
    games = _games(clubs, code, competition, season)
    memberships = _memberships(clubs, code, season)
    return two_sided(games, pl.concat([broken, rejected]), source.slice, len(found), memberships=memberships)


_COLUMNS: dict[str, Any] = (
    {"line": pl.Int64, "raw": pl.String, "broken": pl.Boolean, "score_unreadable": pl.Boolean}
    | dict.fromkeys(_TEXTS, pl.String)
    | dict.fromkeys(("ft1", "ft2", "et1", "et2", "p1", "p2"), pl.Int64)
    | dict.fromkeys(SCORES, pl.String)
)


def _document(text: str, file: str) -> tuple[str, str, int, int]:
    """The competition's name, its season, and where the list of matches starts and ends. Raises FeedError."""
    opening = _MATCHES.search(text)
    named = _NAME.search(text, 0, opening.start()) if opening else None
    title = _text(named[1]) if named else ""
    season = _SEASON.search(title)
    if not opening or not season:
        raise FeedError(
            f"{file} is not a football.json document: it has no name with a season and a list of matches.",
            "Is it the right file for this feed? Files with `rounds` or `clubs` are not read.",
        )
    end = text.rfind("]")
    if end < opening.end() or not (text[end + 1 :].strip() == "}" or _is_json(text)):
        raise FeedError(f"{file} ends in the middle: its list of matches is not closed.", "Fetch it again.")
    label = f"{season[1]}/{season[2][-2:]}" if season[2] else season[1]
    return title[: season.start()].strip(), label, opening.end(), end


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _text(quoted: str) -> str:
    try:
        return json.loads(quoted)
    except ValueError:
        return ""


def _found(text: str, start: int, end: int) -> Iterator[tuple[int, str, Any]]:
    """Line, text and content of each match; a match that is not JSON has None, and reading goes on with the next."""
    line, at = 1 + text.count("\n", 0, start), start
    while at < end:
        if text[at] in ", \t\r\n":
            after, match = at + 1, ...
        else:
            after, match = _decoded(text, at, end)
        if match is not ...:
            yield line, text[at:after], match
        line += text.count("\n", at, after)
        at = after


def _decoded(text: str, at: int, end: int) -> tuple[int, Any]:
    try:
        match, after = _DECODER.raw_decode(text, at)
    except (ValueError, RecursionError):
        match, after = None, end + 1
    if after <= end and isinstance(match, dict):
        return after, match
    following = _NEXT.search(text, at + 1, end)
    return (following.start() if following else end), None


def _row(line: int, raw: str, match: dict[str, Any] | None) -> dict[str, Any]:
    """A row of text and goals; what is not of its type is null, or told by score_unreadable."""
    content = match or {}
    texts = {key: content[key].strip() or None for key in _TEXTS if isinstance(content.get(key), str)}
    given = content.get("score") or {}
    score = given if isinstance(given, dict) else {}
    pairs = {key: _pair(score.get(key)) for key in SCORES}
    unreadable = score is not given or any(key in score and not pairs[key] for key in SCORES)
    row: dict[str, Any] = {"line": line, "raw": raw, "broken": match is None, "score_unreadable": unreadable} | texts
    for key in ("ft", "et", "p"):
        row[f"{key}1"], row[f"{key}2"] = pairs[key] or (None, None)
    for key, pair in pairs.items():
        row[key] = f"{pair[0]}-{pair[1]}" if pair else None
    return row


def _pair(goals: Any) -> tuple[int, int] | None:
    fine = isinstance(goals, list) and len(goals) == 2 and all(type(goal) is int and 0 <= goal < 1000 for goal in goals)
    return (goals[0], goals[1]) if fine else None


def _with_ids(rows: pl.DataFrame, code: str) -> pl.DataFrame:
    """The matches with each club's country, name and id."""
    home_country = COUNTRIES.get(code.split(".")[0], code.split(".")[0].upper())
    for own in ("team1", "team2"):
        named = pl.col(own).str.extract_groups(r"^(?<name>.*?)(?: \((?<country>[A-Z]{3})\))?$")
        rows = rows.with_columns(
            named.struct.field("name").alias(f"{own}_name"),
            named.struct.field("country").fill_null(home_country).alias(f"{own}_country"),
        )
        short = pl.col(f"{own}_name").str.replace(r" (?:A?FC|CF)$", "")
        rows = rows.with_columns(
            pl.concat_str(pl.lit("openfootball:"), f"{own}_country", pl.lit("/"), short.replace(SPELLINGS)).alias(
                f"{own}_id"
            )
        )
    return rows


def _games(rows: pl.DataFrame, code: str, competition: str, season: str) -> pl.DataFrame:
    where = pl.concat_str("stage", "round", separator=", ", ignore_nulls=True)
    no_score = pl.col("ft1").is_null() & pl.col("et1").is_null()
    known = pl.col("status").replace_strict(STATUSES, default=None, return_dtype=pl.String)
    return rows.select(
        "line",
        "raw",
        pl.concat_str(
            pl.lit(f"{code}|{season}"), pl.col("stage").fill_null(""), pl.col("round").fill_null(""),
            pl.col("team1_id").str.strip_prefix("openfootball:"), pl.col("team2_id").str.strip_prefix("openfootball:"),
            separator="|",
        ).alias("game_key"),
        pl.lit(season).alias("season"),
        pl.when(where != "").then(where).alias("round"),
        pl.col("date").alias("played_on"),
        pl.coalesce(known, pl.when(no_score).then(pl.lit("scheduled")).otherwise(pl.lit("played"))).alias("status"),
        attributes(
            division=pl.lit(code), competition=pl.lit(competition), group=pl.col("group"), time=pl.col("time"),
            half_time=pl.col("ht"), penalties=pl.col("p"),
            full_time=pl.when(pl.col("et1").is_not_null()).then(pl.col("ft")),
            shoot_out=pl.when(pl.col("p1") > pl.col("p2")).then("team1_id").when(pl.col("p1") < pl.col("p2"))
            .then("team2_id"),
        ),
        pl.when(_is_neutral(code)).then(0).otherwise(1).alias("home"),
        pl.when(pl.col("et1").is_null()).then(1.0).otherwise(EXTRA_TIME / FULL_TIME).alias("exposure"),
        *(
            column
            for own, team, goals in (("first", "team1", 1), ("second", "team2", 2))
            for column in (
                pl.col(f"{team}_id").alias(f"{own}_team"),
                pl.col(f"{team}_name").alias(f"{own}_name"),
                pl.coalesce(f"et{goals}", f"ft{goals}").alias(f"{own}_score"),
            )
        ),
    )  # fmt: skip


def _is_neutral(code: str) -> pl.Expr:
    """Finals of the European cups; in 2020 their last eight met once only, in Lisbon; English play-off finals."""
    final = pl.col("round") == "Final"
    if code.startswith("uefa."):
        return (final | pl.col("date").is_between(*LISBON)).fill_null(False)
    return (final & pl.lit(code.startswith("en."))).fill_null(False)


def _memberships(rows: pl.DataFrame, code: str, season: str) -> pl.DataFrame:
    """The country of each club, and its division where the file is one of a country's leagues."""
    clubs = pl.concat(
        rows.select(pl.col(f"{own}_id").alias("competitor_id"), pl.col(f"{own}_country").alias("group"))
        for own in ("team1", "team2")
    ).unique("competitor_id", maintain_order=True)
    columns = ["competitor_id", pl.lit(season).alias("season")]
    groupings = [clubs.select(*columns, pl.lit("country").alias("grouping"), "group")]
    if re.fullmatch(r"[a-z]+\.\d", code):
        groupings.append(clubs.select(*columns, pl.lit("division").alias("grouping"), pl.lit(code).alias("group")))
    return pl.concat(groupings)


FEED = Feed(
    name="openfootball",
    title="Club football (openfootball/football.json)",
    licence="CC0 1.0",
    homepage="https://github.com/openfootball/football.json",
    row="one match of a division or a European cup; the score is after extra time, without the shoot-out",
    parse=parse,
    slices=("*.[0-9].json", "uefa.*.json"),
)
