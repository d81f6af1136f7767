"""Formula 1 races from the Ergast database's CSV export, each a game of all its entrants.

A side is a car: its team the constructor, its players the drivers. Drivers who shared a car in the fifties have a row
each with the same place; a driver who raced two cars is on two sides. Who is not classified has no `finish`, and his
`role` says why in the source's words ("R: Engine", "F: Did not qualify"): a broken machine says little of the driver.
Missing is written \\N. A race of the calendar after the last one with results is still to be run: a scheduled game,
without sides until its results are there. An earlier one without results is no game.

Of the export's folder, this feed reads races only. Qualifying is another contest, in a league of its own: the feed
`ergast_f1_qualifying` reads it from the same folder, with `session` below.
"""

from dataclasses import replace

import dataframely as dy
import polars as pl

from ingest.entrants import entrants
from ingest.feed import Feed, Source
from ingest.frames import Game, Parsed, Rejected, attributes
from ingest.lines import Table, read_table, rejections, sift
from store.errors import FeedError

MISSING = "\\N"
ENTRY = ["raceId", "driverId", "constructorId", "number", "position"]
OUTCOME = ["positionText", "positionOrder", "statusId"]
RACES = "races.csv"
SESSIONS = ["qualifying", "race"]  # in the order of a weekend
# The columns of a name, and what it is called here, by the companion file and its key.
NAMES = {
    "drivers.csv": ("driverId", ["forename", "surname"], "driver"),
    "constructors.csv": ("constructorId", ["name"], "constructor"),
    "circuits.csv": ("circuitId", ["name"], "circuit"),
    "status.csv": ("statusId", ["status"], "reason"),
}


class Row(dy.Schema):
    """A row of results or qualifying we can use, with its race; `positionText` and `status` of results only."""

    line = dy.Int64(nullable=False)
    raw = dy.String(nullable=False)
    raceId = dy.String(nullable=False)
    driverId = dy.String(nullable=False)
    constructorId = dy.String(nullable=False)
    number = dy.String(nullable=True)
    position = dy.Int16(nullable=True, min=1)
    positionText = dy.String(nullable=True)
    positionOrder = dy.String(nullable=True)
    statusId = dy.String(nullable=True)
    year = dy.String(nullable=True)
    round = dy.String(nullable=True)
    date = dy.Date(nullable=True)
    race = dy.String(nullable=True)
    circuitId = dy.String(nullable=True)

    @dy.rule()
    def race_is_not_in_the_calendar(cls) -> pl.Expr:
        return pl.col("date").is_not_null() & pl.col("year").is_not_null()


def parse(raw: bytes, source: Source) -> Parsed:
    """The canonical frames of results.csv, with the calendar and the names beside it. Raises FeedError."""
    run = session("race", raw, source, [*ENTRY, *OUTCOME])
    return replace(run, games=pl.concat([run.games, Game.cast(_to_come(source, run))]))


def session(name: str, raw: bytes, source: Source, columns: list[str]) -> Parsed:
    """The canonical frames of a file of one kind of session, "race" or "qualifying", which has these columns.

    Raises FeedError where the file lacks one of them, or where the calendar, races.csv, is not there: only it knows
    the days.
    """
    table = read_table(raw, source, columns, missing=MISSING)
    calendar, broken = _calendar(source)
    rows, rejected = sift(
        _typed(table).join(calendar, on="raceId", how="left", maintain_order="left"), Row, source.slice
    )
    for file in NAMES:
        rows, unreadable = _named(rows, source, file)
        broken = pl.concat([broken, unreadable])
    games = rows.select(
        "line",
        "raw",
        _key(name).alias("game_key"),
        _car().alias("entry_key"),
        *_weekend(name),
        pl.lit("played").alias("status"),
        ("f1:constructor-" + pl.col("constructorId")).alias("team"),
        pl.col("constructor").alias("team_name"),
        pl.col("position").alias("finish"),
        ("f1:driver-" + pl.col("driverId")).alias("player"),
        pl.col("driver").alias("player_name"),
        _role().alias("role"),
    )
    return entrants(games, pl.concat([table.rejected, rejected, broken]), source.slice, table.rows_read)


def _key(name: str) -> pl.Expr:
    return pl.concat_str("raceId", pl.lit(f"|{name}"))


def _weekend(name: str) -> list[pl.Expr]:
    """What the calendar says of a session."""
    return [
        pl.lit(SESSIONS.index(name)).alias("sequence"),
        pl.col("year").alias("season"),
        pl.col("date").alias("played_on"),
        pl.col("round"),
        attributes(session=pl.lit(name), race=pl.col("race"), circuit=pl.col("circuit")),
    ]


def _to_come(source: Source, run: Parsed) -> pl.DataFrame:
    """The games of the calendar's races after the last one that was run; none where none was."""
    last = pl.lit(run.games["played_on"].max(), pl.Date)
    calendar, _ = _named(_calendar(source)[0].drop_nulls("year"), source, "circuits.csv")
    return calendar.filter(pl.col("date") > last).select(
        _key("race").alias("game_id"),
        _key("race").alias("contest_id"),
        *_weekend("race"),
        pl.lit("day").alias("played_on_precision"),
        pl.lit("scheduled").alias("status"),
        pl.lit(True).alias("neutral"),
    )


def _typed(table: Table) -> pl.DataFrame:
    """The table's rows with all of the columns of Row that are the file's own; qualifying lacks the outcome's."""
    absent = [pl.lit(None, pl.String).alias(name) for name in OUTCOME if name not in table.rows.columns]
    return table.rows.with_columns(pl.col("position").str.to_integer(strict=False), *absent)


def _calendar(source: Source) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Each race's year, round, day, name and circuit; and the rows of races.csv that cannot be used."""
    if RACES not in source.companions:
        raise FeedError(f"{source.slice} needs {RACES}: it has the days.", f"Add {RACES} to the league's source.")
    columns = ["raceId", "year", "round", "circuitId", "name", "date"]
    table = read_table(source.companions[RACES], source, columns, file=RACES, missing=MISSING)
    days = table.rows.with_columns(pl.col("date").str.to_date("%Y-%m-%d", strict=False)).rename({"name": "race"})
    no_key = pl.when(pl.col("raceId").is_null()).then(pl.lit("raceId is missing"))
    rule = no_key.when(pl.col("date").is_null()).then(pl.lit("date is missing or unreadable"))
    known, unusable = _by_key(days.with_columns(rule=rule), "raceId")
    return known.drop("line", "raw", "rule"), pl.concat([table.rejected, rejections(unusable, RACES)])


def _named(rows: pl.DataFrame, source: Source, file: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows with the names of a companion file, or with ids for names where it or one of them is missing.

    And the companion's rejected rows: without a key or a name, or with a key that a later row has too. Raises
    FeedError where it holds no row at all: everybody would lose his name.
    """
    key, parts, name = NAMES[file]
    if file not in source.companions:
        return rows.with_columns(pl.col(key).alias(name)), pl.DataFrame(Rejected.create_empty())
    table = read_table(source.companions[file], source, [key, *parts], file=file, missing=MISSING)
    if not table.rows_read:
        raise FeedError(f"{file} has a header and no rows.", "Look at the source; nothing was loaded from it.")
    names = table.rows.with_columns(
        pl.concat_str(parts, separator=" ", ignore_nulls=True).replace("", None).alias(name)
    )
    known, unusable = _by_key(names.with_columns(rule=_lacks(key, name)), key)
    joined = rows.join(known.select(key, name), on=key, how="left", maintain_order="left")
    named = joined.with_columns(pl.coalesce(name, key).alias(name))
    return named, pl.concat([table.rejected, rejections(unusable, file)])


def _lacks(key: str, name: str) -> pl.Expr:
    """Which of the two a row of a companion lacks, as a rule; null where it has both."""
    no_key = pl.when(pl.col(key).is_null()).then(pl.lit(f"{key} is missing"))
    return no_key.when(pl.col(name).is_null()).then(pl.lit(f"the {name}'s name is missing"))


def _by_key(rows: pl.DataFrame, key: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows without a `rule` that are the last of their key, and the others with the rule that they break."""
    repeated = pl.col("rule").is_null() & ~pl.col(key).is_last_distinct().over("rule")
    marked = rows.with_columns(rule=pl.when(repeated).then(pl.lit(f"{key} stands there again")).otherwise("rule"))
    return marked.filter(pl.col("rule").is_null()), marked.filter(pl.col("rule").is_not_null())


def _car() -> pl.Expr:
    """What is one entry: the constructor's car number, where it ended at one place; one driver's where it has none.

    Numbers were used twice in a race too, by cars that ended apart.
    """
    place = pl.coalesce(pl.col("position").cast(pl.String), "order " + pl.col("positionOrder"), pl.lit(""))
    number = pl.coalesce("number", "driver " + pl.col("driverId"))
    return pl.concat_str("constructorId", number, place, separator="|")


def _role() -> pl.Expr:
    why = pl.concat_str("positionText", "reason", separator=": ", ignore_nulls=True)
    return pl.when(pl.col("position").is_null()).then(why).otherwise(pl.lit("driver"))


FEED = Feed(
    name="ergast_f1",
    title="Formula 1 races (Ergast database export)",
    licence="CC BY 4.0",
    homepage="https://github.com/vankesteren/f1model",
    row="one driver in one race",
    parse=parse,
    slices=("results.csv",),
    companions=(RACES, *NAMES),
)
