"""Who is who: names that people declared to be one competitor, kept in `aliases/<league>.csv` of the home.

The file says it, every load applies it, and taking the line out undoes it: nothing is ever merged by likeness alone.
"""

import csv
import difflib
import os
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from ingest.frames import Parsed
from ingest.lines import read_declared
from store.errors import FeedError, StoreError, UsageError
from store.home import Home
from store.warehouse import reading

RATED = "SELECT 1 FROM rating WHERE league = ? AND competitor_id = ? LIMIT 1"
HEADER = ["competitor_id", "name", "same_as", "same_as_name"]


@dataclass(frozen=True)
class Merge:
    """A competitor of the source that is another one: the ids of both, and the names they had when that was said.

    `is_former`: the results did not name that other one any more when it was said; not kept in the file.
    """

    competitor_id: str
    name: str
    same_as: str
    same_as_name: str
    is_former: bool = field(default=False, compare=False)


def aliases_file(home: Home, league: str) -> Path:
    """The file of a league's declared aliases."""
    return home.root / "aliases" / f"{league}.csv"


def read_merges(home: Home, league: str) -> list[Merge]:
    """What was declared of a league, as written; empty where there is no file. Raises StoreError naming the line."""
    path = aliases_file(home, league)
    rows = read_declared(path, HEADER)
    for line, row in rows:
        if not all(row):
            raise StoreError(f"{path}, line {line}: none of its {len(HEADER)} fields may be empty.", "Mend that line.")
    return [Merge(alias, name, same_as, same_as_name) for _, (alias, name, same_as, same_as_name) in rows]


def merge(home: Home, league: str, one: str, other: str) -> Merge:
    """Declares that the league's competitor `one` (a name or an id) is `other`; applied at the next load.

    `other` may be one whom the results no longer name, as after a new spelling in the whole file: by its id, or by
    the name in its id where it was rated. Raises UsageError where a name is not known, means several competitors, or
    both are one already.
    """
    known = _competitors(home, league)
    alias = _one_of(known, one, league)
    target = _former(home, league, alias, known, other) or _one_of(known, other, league, alias["competitor_id"])
    if alias["competitor_id"] == target["competitor_id"]:
        raise UsageError(f'{league}: "{one}" and "{other}" are the same competitor already.')
    if alias["kind"] != target["kind"]:
        raise UsageError(f'{league}: "{one}" is a {alias["kind"]} and "{other}" is a {target["kind"]}.')
    is_former = target["competitor_id"] not in {row["competitor_id"] for row in known}
    said = Merge(alias["competitor_id"], alias["name"], target["competitor_id"], target["name"], is_former)
    _write(aliases_file(home, league), [*read_merges(home, league), said])
    return said


def unmerge(home: Home, league: str, one: str, other: str) -> Merge:
    """Takes back that `one` is `other`; applied at the next load. Raises UsageError where nobody said so."""
    merges = read_merges(home, league)
    found = [
        said for said in merges if one in (said.competitor_id, said.name) and other in (said.same_as, said.same_as_name)
    ]
    if not found:
        names = ", ".join(f'"{said.name}" is "{said.same_as_name}"' for said in merges) or "nothing"
        raise UsageError(f'{league}: nobody said that "{one}" is "{other}".', f"Said so far: {names}.")
    _write(aliases_file(home, league), [said for said in merges if said not in found])
    return found[0]


def restore(home: Home, league: str, merges: list[Merge]) -> None:
    """Makes a league's declared aliases these."""
    _write(aliases_file(home, league), merges)


def merged(parsed: Parsed, merges: list[Merge]) -> Parsed:
    """The frames with every declared alias's competitor replaced by the one it is; the name becomes an alias of that.

    Raises FeedError where the two meet in a game, so that they cannot be one, and where aliases go in a circle.
    """
    if not merges:
        return parsed
    final = _ends(merges)
    names = {said.same_as: said.same_as_name for said in merges} | {said.competitor_id: said.name for said in merges}
    _insist_they_never_meet(parsed, final, names)
    gone = pl.col("competitor_id").is_in(list(final))
    spelt = [{"alias": said.name, "competitor_id": final[said.competitor_id]} for said in merges]
    aliases = pl.concat([pl.DataFrame(parsed.aliases), pl.DataFrame(spelt)], how="diagonal")
    return replace(
        parsed,
        sides=parsed.sides.with_columns(pl.col("team").replace(final)),
        appearances=parsed.appearances.with_columns(pl.col("player").replace(final)),
        competitors=_renamed(parsed, merges, final),
        memberships=_first(parsed.memberships, gone, final, ["competitor_id", "season", "grouping"]),
        truth=parsed.truth.filter(~gone),
        aliases=_first(aliases, gone, final, ["alias", "competitor_id"]),
    )


def _renamed(parsed: Parsed, merges: list[Merge], final: dict[str, str]) -> pl.DataFrame:
    """The competitors without the merged ones; those they are come in by their declared name where they are missing."""
    names = {said.same_as: said.same_as_name for said in merges}
    mapped = parsed.competitors.filter(pl.col("competitor_id").is_in(list(final))).with_columns(
        pl.col("competitor_id").replace(final)
    )
    mapped = mapped.with_columns(name=pl.col("competitor_id").replace_strict(names, return_dtype=pl.String))
    stay = parsed.competitors.filter(~pl.col("competitor_id").is_in(list(final)))
    return pl.concat([stay, mapped]).unique("competitor_id", keep="first", maintain_order=True)


def _first(frame: pl.DataFrame, gone: pl.Expr, final: dict[str, str], key: list[str]) -> pl.DataFrame:
    """The frame with ids replaced; of rows with one key, one that had the lasting id already stays."""
    order = frame.sort(gone, maintain_order=True)
    return order.with_columns(pl.col("competitor_id").replace(final)).unique(key, keep="first", maintain_order=True)


def _ends(merges: list[Merge]) -> dict[str, str]:
    """The lasting id by each merged one: aliases of aliases followed to their end."""
    step = {said.competitor_id: said.same_as for said in merges}
    final = {}
    for start in step:
        end, seen = step[start], {start}
        while end in step:
            if end in seen:
                raise FeedError(
                    f"The aliases of {start} go in a circle.",
                    "Undo one: pooltable alias LEAGUE ALIAS COMPETITOR --undo",
                )
            seen.add(end)
            end = step[end]
        final[start] = end
    return final


def _insist_they_never_meet(parsed: Parsed, final: dict[str, str], names: dict[str, str]) -> None:
    entrants = pl.concat(
        [
            parsed.sides.select("game_id", pl.col("team").alias("id")).drop_nulls(),
            parsed.appearances.select("game_id", pl.col("player").alias("id")),
        ]
    ).filter(pl.col("id").is_in([*final, *final.values()]))
    meetings = (
        entrants.with_columns(end=pl.col("id").replace(final))
        .group_by("game_id", "end")
        .agg(pl.col("id").unique().sort())
        .filter(pl.col("id").list.len() > 1)
        .sort("game_id")
    )
    if meetings.height:
        game, _, ids = meetings.row(0)
        words = [f'"{names.get(id_, id_)}"' for id_ in ids]
        raise FeedError(
            f"{' and '.join(words)} are both in the game {game}, so they cannot be one competitor.",
            "Nothing was changed. Leave them two, or correct that game if it names the wrong one. An alias that was"
            f" declared earlier is taken back by: pooltable alias LEAGUE {words[0]} {words[1]} --undo",
        )


def _competitors(home: Home, league: str) -> list[dict[str, str]]:
    """Each name of the league's competitors: competitor_id, kind, name (as shown), called (that name or an alias)."""
    with reading(home) as con:
        rows = con.execute(
            "SELECT competitor_id, kind, name, name AS called FROM competitor WHERE league = $league UNION "
            "SELECT competitor_id, kind, name, competitor_id FROM competitor WHERE league = $league UNION "
            "SELECT competitor_id, kind, name, alias FROM alias JOIN competitor USING (league, competitor_id) "
            "WHERE league = $league",
            {"league": league},
        ).fetchall()
    return [dict(zip(("competitor_id", "kind", "name", "called"), row, strict=True)) for row in rows]


def _former(
    home: Home, league: str, alias: dict[str, str], known: list[dict[str, str]], other: str
) -> dict[str, str] | None:
    """A competitor whom no result names any more: whose id is given, or who was rated under that name; else None."""
    if other in {row["called"] for row in known}:
        return None
    namespace = alias["competitor_id"].split(":", 1)[0] + ":"
    id_ = namespace + other.removeprefix(namespace)
    if not other.startswith(namespace):
        with reading(home) as con:
            if not con.execute(RATED, [league, id_]).fetchone():
                return None
    return {"competitor_id": id_, "kind": alias["kind"], "name": id_.removeprefix(namespace)}


def _one_of(known: list[dict[str, str]], name: str, league: str, like: str = "") -> dict[str, str]:
    """The competitor of that name or id. `like` is the id of one in whose form a former one's may be given."""
    if not known:
        raise UsageError(f"{league}: nothing is loaded yet, so no names are known.", f"First: pooltable pull {league}")
    found = {row["competitor_id"]: row for row in known if row["called"] == name}
    if len(found) == 1:
        return next(iter(found.values()))
    if found:
        raise UsageError(f'{league}: "{name}" is the name of {len(found)}.', f"Say which: {', '.join(sorted(found))}.")
    near = difflib.get_close_matches(name, {row["called"] for row in known}, n=3)
    hint = f"Did you mean {' or '.join(near)}?" if near else "Give the name as the results write it, or the id."
    if like:
        former = f"{like.split(':', 1)[0]}:{name}"
        hint += f' One whom the results no longer name is told by the id, perhaps "{former}".'
    raise UsageError(f'{league}: there is no competitor "{name}".', hint)


def _write(path: Path, merges: list[Merge]) -> None:
    temporary = path.with_suffix(".csv.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("w", encoding="utf-8", newline="") as file:
            rows = [[said.competitor_id, said.name, said.same_as, said.same_as_name] for said in merges]
            csv.writer(file, lineterminator="\n").writerows([HEADER, *rows])
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}.", "Is the disk full, or read-only?") from error
