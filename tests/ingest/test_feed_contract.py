"""The contract every feed keeps, over the registry: canonical frames, every row accounted for, no damage spreads.

Each feed has a small file of made-up rows in its source's format, `fixtures/<feed>/<file>`, with its companion files
beside it; `fixtures/<feed>/stanza.toml` holds a stanza where the catalogue has none. All rows of a fixture are good.
"""

import json
import re
from functools import cache
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.feed import Source, feeds, find, plain
from ingest.fetch import unpacked
from ingest.frames import SCHEMAS, Parsed
from store.errors import FeedError, PooltableError
from store.stanzas import Stanza, parse_stanzas, read_catalogue

FIXTURES = Path(__file__).parent / "fixtures"
HEADERS = {"retrosheet_gamelog": 0}  # lines above the first row; 1 in every other file of lines
NAMES = [name for name in sorted(feeds()) if (FIXTURES / name).is_dir()]
mutations = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@cache
def files(name: str) -> dict[str, bytes]:
    """A feed's fixture files by name, unzipped."""
    folder = FIXTURES / name
    found = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return {file: unpacked(path.read_bytes(), file) for file, path in found.items() if file != "stanza.toml"}


def main_file(name: str) -> str:
    return next(file for file in files(name) if not feeds()[name].is_companion(file))


@cache
def stanza_of(name: str) -> Stanza:
    own = FIXTURES / name / "stanza.toml"
    known = parse_stanzas(own) if own.exists() else read_catalogue()
    return next(stanza for stanza in known.values() if stanza.feed == name)


def parse(name: str, raw: bytes | None = None, file: str = "") -> Parsed:
    """What the feed makes of its fixture, or of these bytes in its main file's place."""
    found, main = files(name), main_file(name)
    feed = find(name)
    companions = {plain(other): body for other, body in found.items() if feed.is_companion(other)}
    return feed.parse(found[main] if raw is None else raw, Source("league", file or main, stanza_of(name), companions))


def attempt(name: str, raw: bytes) -> Parsed | None:
    """What the feed makes of these bytes; None where it says in one clear line that it cannot."""
    try:
        return parse(name, raw)
    except PooltableError as error:
        assert "\n" not in error.message
        return None


def rows_of(name: str) -> tuple[bytes, list[bytes], bytes]:
    """What stands above a fixture's rows, the rows, and what stands below."""
    raw = files(name)[main_file(name)]
    if main_file(name).endswith(".json"):
        document = json.loads(raw)
        head = json.dumps({key: value for key, value in document.items() if key != "matches"})[:-1]
        rows = [json.dumps(row, ensure_ascii=False).encode() for row in document["matches"]]
        return f'{head}, "matches": ['.encode(), rows, b"]}"
    lines = raw.splitlines()
    above = HEADERS.get(name, 1)
    rows = [line for line in lines[above:] if line.strip(b', \t"')]
    return b"".join(line + b"\n" for line in lines[:above]), rows, b""


def rebuilt(name: str, rows: list[bytes]) -> bytes:
    """The fixture with other rows."""
    head, _, tail = rows_of(name)
    return head + (b",\n" if tail else b"\n").join(rows) + tail


def bare(row: bytes) -> str:
    """A row's text without its white space, which JSON does not keep."""
    try:
        text = row.decode()
    except UnicodeDecodeError:
        text = row.decode("latin-1")
    return re.sub(r"\s", "", text)


def texts(parsed: Parsed) -> set[str]:
    """The bare rows that went into games."""
    return {re.sub(r"\s", "", raw) for raw in parsed.source_rows["raw"]}


def adds_up(name: str, parsed: Parsed) -> bool:
    """Whether each row read from the main file is in a game or rejected."""
    rejected = parsed.rejected.filter(pl.col("file") == main_file(name)).height
    return parsed.source_rows.height + rejected == parsed.rows_read


def hangs_together(parsed: Parsed) -> bool:
    """Whether the frames keep their schemas, and sides, appearances and competitors belong to games and entrants."""
    entrants = set(pl.concat([parsed.sides["team"].drop_nulls(), parsed.appearances["player"]]))
    forecasts = {*parsed.forecasts["forecast_id"], *parsed.outlooks["forecast_id"]}
    return (
        all(schema.is_valid(getattr(parsed, frame)) for frame, schema in SCHEMAS.items())
        and set(parsed.sides["game_id"]) == set(parsed.games["game_id"])
        and set(parsed.source_rows["game_id"]) == set(parsed.games["game_id"]) | forecasts
        and entrants == set(parsed.competitors["competitor_id"])
        and parsed.appearances.join(parsed.sides, on=["game_id", "side"], how="anti").is_empty()
        and set(parsed.memberships["competitor_id"]) <= entrants
        and all(":" in competitor for competitor in entrants)
    )


def test_every_feed_has_a_fixture():
    assert sorted(feeds()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_feed_is_named_like_its_module_and_says_what_it_is(name):
    feed = feeds()[name]
    assert feed.name == name
    assert feed.licence and feed.title and feed.row and feed.homepage
    assert all(feed.is_known(file) for file in files(name))


@pytest.mark.parametrize("name", NAMES)
def test_a_feed_gives_canonical_frames_that_hang_together(name):
    parsed = parse(name)
    for frame, schema in SCHEMAS.items():
        schema.validate(getattr(parsed, frame))
    assert parsed.rejected.is_empty()
    assert adds_up(name, parsed) and parsed.rows_read == len(rows_of(name)[1]) > 0
    assert hangs_together(parsed)


@pytest.mark.parametrize("name", NAMES)
def test_ids_and_sides_do_not_depend_on_the_order_of_rows(name):
    turned = parse(name, rebuilt(name, rows_of(name)[1][::-1]))
    order = ["game_id", "side"]
    assert pl.DataFrame(turned.sides).sort(order).equals(pl.DataFrame(parse(name).sides).sort(order))


@pytest.mark.parametrize("name", NAMES)
def test_a_file_of_something_else_is_a_clear_error(name):
    with pytest.raises(FeedError, match=r"x\.csv"):
        parse(name, b"some,other,file\n1,2,3\n", "x.csv")


@pytest.mark.parametrize("name", NAMES)
@mutations
@given(data=st.data())
def test_bytes_overwritten_anywhere(name, data):
    raw = bytearray(files(name)[main_file(name)])
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    parsed = attempt(name, bytes(raw))
    assert parsed is None or (adds_up(name, parsed) and hangs_together(parsed))


@pytest.mark.parametrize("name", NAMES)
@mutations
@given(data=st.data())
def test_rows_dropped_repeated_cut_and_shuffled(name, data):
    rows = rows_of(name)[1]
    some = data.draw(st.lists(st.sampled_from(rows), min_size=1, max_size=20))
    cut = [row[: data.draw(st.integers(0, len(row)))] if data.draw(st.booleans()) else row for row in some]
    whole = {bare(row) for row, before in zip(cut, some, strict=True) if row == before}
    parsed = attempt(name, rebuilt(name, cut))
    if parsed is None:  # without a header only whole rows tell what a file is
        assert HEADERS.get(name) == 0 and not whole
    else:
        assert adds_up(name, parsed) and hangs_together(parsed)
        assert texts(parsed) >= whole


@pytest.mark.parametrize("name", NAMES)
@mutations
@given(data=st.data())
def test_one_broken_row_costs_no_other(name, data):
    rows = rows_of(name)[1]
    which = data.draw(st.integers(0, len(rows) - 1))
    broken = data.draw(st.binary(max_size=60)).replace(b"\n", b"")
    parsed = attempt(name, rebuilt(name, [*rows[:which], broken, *rows[which + 1 :]]))
    assert parsed is not None
    assert adds_up(name, parsed) and hangs_together(parsed)
    others = rebuilt(name, [*rows[:which], *rows[which + 1 :]])
    assert texts(parsed) >= texts(parse(name, others))


@pytest.mark.parametrize("name", NAMES)
@mutations
@given(data=st.data())
def test_columns_dropped(name, data):
    if main_file(name).endswith(".json"):
        rows = rows_of(name)[1]
        keys = sorted({key for row in rows for key in json.loads(row)})
        gone = data.draw(st.sampled_from(keys))
        kept = [{key: value for key, value in json.loads(row).items() if key != gone} for row in rows]
        raw = rebuilt(name, [json.dumps(row).encode() for row in kept])
    else:
        lines = files(name)[main_file(name)].splitlines()
        gone = data.draw(st.integers(0, lines[0].count(b",")))
        raw = b"\n".join(b",".join(line.split(b",")[:gone] + line.split(b",")[gone + 1 :]) for line in lines)
    parsed = attempt(name, raw)
    assert parsed is None or (adds_up(name, parsed) and hangs_together(parsed))


@pytest.mark.parametrize("name", NAMES)
@mutations
@given(raw=st.binary(max_size=400))
def test_any_bytes_at_all(name, raw):
    parsed = attempt(name, raw)
    assert parsed is None or adds_up(name, parsed)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("encoding", ["utf-16", "latin-1", "utf-8-sig"])
def test_other_encodings(name, encoding):
    raw = files(name)[main_file(name)]
    text = raw.decode("utf-8", errors="replace").replace("\ufffd", "é").replace("o", "ö")
    parsed = attempt(name, text.encode(encoding, errors="ignore"))
    assert parsed is None or (adds_up(name, parsed) and hangs_together(parsed))


@pytest.mark.parametrize("name", NAMES)
def test_a_byte_order_mark_costs_nothing(name):
    raw = files(name)[main_file(name)]
    with_mark, without = parse(name, b"\xef\xbb\xbf" + raw), parse(name)
    assert with_mark.games.equals(pl.DataFrame(without.games)) and with_mark.rejected.is_empty()
