"""Major League Baseball game logs of Retrosheet: 161 fields without a header, with line-ups and starting pitchers.

The nine who start on each side appear with the position they field (DH for a designated hitter), the starting pitcher
as SP whether he bats or not. A game's key is its day, its home team and its number in a double-header. A club that
moved is one competitor under its last code. A suspended game stands under the day it began and has the score of its
end; a forfeited one is awarded. The home team is the nominal one: `park` says where, `home_batted_first` when it
batted in the visitors' turn.

The information used here was obtained free of charge from and is copyrighted by Retrosheet. Interested parties may
contact Retrosheet at www.retrosheet.org.
"""

import dataframely as dy
import polars as pl

from ingest.feed import Feed, Source
from ingest.frames import Parsed, attributes
from ingest.lines import Table, read_table, sift
from ingest.two_sided import two_sided
from store.errors import FeedError

WIDTH = 161
FIELDS = [str(number) for number in range(1, WIDTH + 1)]
MOVED = {"FLO": "MIA"}
POSITIONS = {
    "1": "P", "2": "C", "3": "1B", "4": "2B", "5": "3B", "6": "SS", "7": "LF", "8": "CF", "9": "RF", "10": "DH",
}  # fmt: skip
# own side: the columns of its team, league, score, starting pitcher, and the first of its nine starters' three each
VISITOR = {"team": 4, "league": 5, "score": 10, "manager": 90, "pitcher": 102, "nine": 106}
HOME = {"team": 7, "league": 8, "score": 11, "manager": 92, "pitcher": 104, "nine": 133}
SIDES = {"first": VISITOR, "second": HOME}
NOTICE = (
    "Retrosheet: The information used here was obtained free of charge from and is copyrighted by Retrosheet. "
    "Interested parties may contact Retrosheet at www.retrosheet.org."
)
_STARTER = {"player": dy.String(), "name": dy.String(), "share": dy.Float64(), "role": dy.String()}


class Row(dy.Schema):
    """A game we can use."""

    line = dy.Int64(nullable=False)
    raw = dy.String(nullable=False)
    date = dy.Date(nullable=False)
    number = dy.String(nullable=False)
    home_team = dy.String(nullable=False)
    visiting_team = dy.String(nullable=False)
    home_league = dy.String(nullable=False)
    visiting_league = dy.String(nullable=False)
    home_score = dy.Int16(nullable=False, min=0)
    visiting_score = dy.Int16(nullable=False, min=0)
    forfeit = dy.String(nullable=True)
    attributes = dy.List(dy.Struct({"key": dy.String(), "value": dy.String()}), nullable=False)
    home_players = dy.List(dy.Struct(_STARTER), nullable=False)
    visiting_players = dy.List(dy.Struct(_STARTER), nullable=False)

    @dy.rule()
    def unknown_number_of_game(cls) -> pl.Expr:
        return pl.col("number").is_in(["0", "1", "2", "3", "A", "B"])

    @dy.rule()
    def unknown_forfeit(cls) -> pl.Expr:
        return pl.col("forfeit").is_null() | pl.col("forfeit").is_in(["V", "H", "T"])

    @dy.rule()
    def team_plays_itself(cls) -> pl.Expr:
        return pl.col("home_team") != pl.col("visiting_team")

    @dy.rule()
    def player_on_both_sides(cls) -> pl.Expr:
        sides = (pl.col(f"{side}_players").list.eval(pl.element().struct.field("player")) for side in _OWN.values())
        first, second = sides
        return first.list.set_intersection(second).list.len() == 0


_OWN = {"first": "visiting", "second": "home"}


def parse(raw: bytes, source: Source) -> Parsed:
    """The canonical frames of one season's game log. Raises FeedError where no line has the log's 161 fields."""
    table = read_table(raw, source, FIELDS, names=FIELDS)
    if table.rows.is_empty():
        raise FeedError(
            f"{source.slice} has no line of {WIDTH} fields.", "Is it a game log of Retrosheet, such as GL2016.TXT?"
        )
    rows, rejected = sift(_typed(table), Row, source.slice)
    return two_sided(
        _games(rows),
        pl.concat([table.rejected, rejected]),
        source.slice,
        table.rows_read,
        memberships=_leagues(rows),
    )


def _typed(table: Table) -> pl.DataFrame:
    return table.rows.select(
        "line",
        "raw",
        pl.col("1").str.to_date("%Y%m%d", strict=False).alias("date"),
        pl.col("2").alias("number"),
        pl.col("15").alias("forfeit"),
        *(
            column
            for own, side in SIDES.items()
            for column in (
                _of(side, "team").replace(MOVED).alias(f"{_OWN[own]}_team"),
                _of(side, "league").alias(f"{_OWN[own]}_league"),
                _of(side, "score").alias(f"{_OWN[own]}_score"),
                _starters(side).alias(f"{_OWN[own]}_players"),
            )
        ),
        attributes(
            day_or_night=pl.col("13"), completed=pl.col("14"), forfeit=pl.col("15"), protest=pl.col("16"),
            park=pl.col("17"), attendance=pl.col("18"), minutes=pl.col("19"), outs=pl.col("12"),
            visiting_line=pl.col("20"), home_line=pl.col("21"),
            visiting_manager=_of(VISITOR, "manager"), home_manager=_of(HOME, "manager"),
            home_batted_first=pl.when(pl.col("160").str.contains("HTBF", literal=True)).then(pl.lit("true")),
        ),
    )  # fmt: skip


def _of(side: dict[str, int], what: str, further: int = 0) -> pl.Expr:
    return pl.col(str(side[what] + further))


def _starters(side: dict[str, int]) -> pl.Expr:
    """The starting pitcher and the nine in their batting order, each once, whom the line names."""
    pitcher = _player(_of(side, "pitcher"), _of(side, "pitcher", 1), pl.lit("SP"))
    nine = [
        _player(_of(side, "nine", at), _of(side, "nine", at + 1), _position(_of(side, "nine", at + 2)))
        for at in range(0, 27, 3)
    ]
    who = pl.element().struct.field("player")
    return pl.concat_list(pitcher, *nine).list.eval(pl.element().filter(who.is_not_null() & who.is_first_distinct()))


def _player(who: pl.Expr, name: pl.Expr, role: pl.Expr) -> pl.Expr:
    return pl.struct(
        ("retrosheet:" + who).alias("player"),
        pl.coalesce(name, who).alias("name"),
        pl.lit(1.0).alias("share"),
        role.alias("role"),
    )


def _position(code: pl.Expr) -> pl.Expr:
    return code.replace_strict(POSITIONS, default=None, return_dtype=pl.String)


def _games(rows: pl.DataFrame) -> pl.DataFrame:
    forfeit = pl.col("forfeit")
    status = pl.when(forfeit == "T").then(pl.lit("abandoned")).when(forfeit.is_not_null()).then(pl.lit("awarded"))
    by_score = {"first": pl.col("visiting_score") - pl.col("home_score")}
    by_score["second"] = -by_score["first"]
    winner = {"first": "V", "second": "H"}
    return rows.select(
        "line",
        "raw",
        pl.concat_str(pl.col("date").cast(pl.String), "home_team", "number", separator="|").alias("game_key"),
        pl.col("number").replace_strict({"2": 1, "3": 2, "B": 1}, default=0, return_dtype=pl.Int32).alias("sequence"),
        pl.col("date").dt.year().cast(pl.String).alias("season"),
        pl.col("date").alias("played_on"),
        status.otherwise(pl.lit("played")).alias("status"),
        "attributes",
        pl.lit(2).alias("home"),
        *(
            column
            for own, side in _OWN.items()
            for column in (
                ("retrosheet:" + pl.col(f"{side}_team")).alias(f"{own}_team"),
                pl.col(f"{side}_team").alias(f"{own}_name"),
                pl.col(f"{side}_score").alias(f"{own}_score"),
                pl.when(forfeit.is_in(["V", "H"]))
                .then(forfeit == winner[own])
                .when(forfeit.is_null() & (by_score[own] != 0))
                .then(by_score[own] > 0)
                .alias(f"{own}_won"),
                pl.col(f"{side}_players").alias(f"{own}_players"),
            )
        ),
    )


def _leagues(rows: pl.DataFrame) -> pl.DataFrame:
    """The league (AL, NL) each team plays in, season by season: the one of its last row."""
    teams = pl.concat(
        rows.select(
            ("retrosheet:" + pl.col(f"{side}_team")).alias("competitor_id"),
            pl.col("date").dt.year().cast(pl.String).alias("season"),
            pl.col(f"{side}_league").alias("group"),
            "line",
        )
        for side in _OWN.values()
    )
    last = teams.sort("line").unique(["competitor_id", "season"], keep="last", maintain_order=True)
    return last.select("competitor_id", "season", pl.lit("league").alias("grouping"), "group")


FEED = Feed(
    name="retrosheet_gamelog",
    title="Major League Baseball game logs (Retrosheet)",
    licence=NOTICE,
    homepage="https://www.retrosheet.org/gamelogs/",
    row="one game, with the nine starters and the starting pitcher of both sides",
    parse=parse,
    slices=("GL*.TXT",),
)
