"""`feed = "csv"`: a game stands once in its league, however often its file tells of it.

Rows of one key (and one `sequence`, where that is mapped) are about one game. The first that has a result stays, or a
fuller row with the same result; the others are rejected, each naming the line that stayed. Nothing is loaded twice in
silence, and no result replaces another.
"""

import polars as pl

from store.columns import Columns

PLACE = ["game", "sequence"]
ANOTHER_RESULT = "with another result"  # looked for by the check another_result


def once(rows: pl.DataFrame, columns: Columns) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows without those that tell of a game again, and these (line, rule, raw).

    `rows` has the key `game`, line, raw, sequence, and first, second, their scores and winner as in `mapped_games`.
    """
    rows = rows.with_columns(pl.col("sequence").fill_null(0))
    again = rows.filter(pl.struct(PLACE).is_duplicated())
    if again.is_empty():
        return rows, again.select("line", pl.lit("").alias("rule"), "raw")
    told = again.with_columns(_sides().alias("sides"), _result().alias("result"), _has_result().alias("has_result"))
    judged = told.join(that_stay(told, PLACE, ["sides", "result"]), on=PLACE, how="left", maintain_order="left")
    others = judged.filter(pl.col("line") != pl.col("kept_line")).select("line", _rule(columns).alias("rule"), "raw")
    return rows.join(others, on="line", how="anti", maintain_order="left"), others


def told_apart(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with "#2", "#3" ... behind the keys of games that only their sequence tells apart, in its order."""
    number = pl.col("sequence").rank("dense").over("game")
    later = pl.concat_str("game", pl.lit("#"), number.cast(pl.String))
    return rows.with_columns(game=pl.when(number == 1).then("game").otherwise(later))


def that_stay(told: pl.DataFrame, place: list[str], said: list[str]) -> pl.DataFrame:
    """The row that stays of those at each place: the place's columns, and kept_line, kept_raw and kept_ what is `said`.

    `told` has line, raw and has_result besides. The first with a result stays, of rows that say the same the fullest.
    """
    in_order = told.sort("has_result", "line", descending=[True, False])
    first = in_order.unique(place, keep="first", maintain_order=True).select(*place, *said)
    same = told.join(first, on=[*place, *said], how="semi")
    fullest = same.sort(pl.col("raw").str.replace_all(r"\s", "").str.len_chars(), "line", descending=[True, False])
    kept = {f"kept_{name}": name for name in ("line", "raw", *said)}
    return fullest.unique(place, keep="first", maintain_order=True).select(*place, **kept)


def _has_result() -> pl.Expr:
    return pl.col("first_score").is_not_null() | pl.col("winner").is_not_null()


def _sides() -> pl.Expr:
    return pl.concat_str(pl.min_horizontal("first", "second"), pl.max_horizontal("first", "second"), separator="|")


def _result() -> pl.Expr:
    """Scores and winner as text that does not depend on which side is first."""
    in_order = pl.col("first") <= pl.col("second")
    scores = [pl.col(f"{side}_score").cast(pl.String).fill_null("") for side in ("first", "second")]
    lower, upper = (pl.when(in_order).then(one).otherwise(other) for one, other in (scores, scores[::-1]))
    winner = pl.when(pl.col("winner") == "first").then("first").when(pl.col("winner") == "second").then("second")
    return pl.concat_str(lower, upper, winner.otherwise("winner").fill_null(""), separator="|")


def _rule(columns: Columns) -> pl.Expr:
    """Why a row is not the one that stayed."""
    told = "game" if columns.game else "day and sides"
    told += " and sequence" if columns.sequence else ""
    hint = "" if columns.game or columns.sequence else " (if both were played, map `sequence` or `game`)"
    line = pl.concat_str(pl.lit(f"same {told} as line "), pl.col("kept_line").cast(pl.String))
    other_sides = line + ", with other sides: `game` must name columns that tell games apart"
    return (
        pl.when(pl.col("raw") == pl.col("kept_raw"))
        .then(pl.lit("copy of an earlier row"))
        .when(pl.col("sides") != pl.col("kept_sides"))
        .then(other_sides)
        .when(pl.col("result") == pl.col("kept_result"))
        .then(line + ", with the same result")
        .when(~pl.col("has_result"))
        .then(line + ", without its result")
        .otherwise(line + f", {ANOTHER_RESULT}{hint}")
    )
