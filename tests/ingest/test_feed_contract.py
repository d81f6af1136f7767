"""The contract every feed keeps, over the registry: canonical frames, every row accounted for, no damage spreads.

Each feed has small files of made-up rows in its source's formats, `fixtures/<feed>/<file>`: each that is no companion
is a case of its own, with the companions beside it. `fixtures/<feed>/stanza.toml` holds stanzas, by the file's name,
where the catalogue has none. All rows of a fixture are good. The damage is drawn from a fixed seed.
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.feed import Feed, Source, feeds, find, plain
from ingest.fetch import unpacked
from ingest.frames import SCHEMAS, Parsed
from ingest.pull import Pulled, pull
from store.errors import FeedError, PooltableError
from store.home import Home
from store.stanzas import Stanza, parse_stanzas, read_catalogue
from store.warehouse import reading

FIXTURES = Path(__file__).parent / "fixtures"
HEADERS = {"retrosheet_gamelog": 0}  # lines above the first row; 1 in every other file of lines
NOW = datetime(2025, 11, 1, tzinfo=UTC)
Case = tuple[str, str]
mutations = settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def _cases() -> Iterator[Case]:
    """Each feed with each of its fixture's files that are no companions."""
    for name in sorted(feeds()):
        read_with = [find(name).of(stanza) for stanza in stanzas_of(name).values()]
        for path in sorted((FIXTURES / name).glob("*")):
            if path.suffix != ".toml" and not any(feed.is_companion(path.name) for feed in read_with):
                yield name, path.name


@cache
def stanzas_of(name: str) -> dict[str, Stanza]:
    """The feed's stanzas, its fixture's own or those of the catalogue."""
    own = FIXTURES / name / "stanza.toml"
    known = parse_stanzas(own) if own.exists() else read_catalogue()
    return {league: stanza for league, stanza in known.items() if stanza.feed == name}


def stanza_of(name: str, file: str) -> Stanza:
    """The stanza a fixture's file is read with: the one of that name, else the feed's first."""
    found = stanzas_of(name)
    return found.get(plain(file).split(".")[0], next(iter(found.values())))


def _feed(name: str, file: str) -> Feed:
    return find(name).of(stanza_of(name, file))


CASES = list(_cases())
every_file = pytest.mark.parametrize("case", CASES, ids="/".join)


@cache
def body_of(case: Case) -> bytes:
    return unpacked((FIXTURES / case[0] / case[1]).read_bytes(), case[1])


@cache
def companions_of(case: Case) -> dict[str, bytes]:
    """The companion files of a case by name."""
    feed = _feed(*case)
    files = sorted(path for path in (FIXTURES / case[0]).glob("*") if feed.is_companion(path.name))
    return {plain(path.name): unpacked(path.read_bytes(), path.name) for path in files}


def parse(case: Case, raw: bytes | None = None, companions: dict[str, bytes] | None = None) -> Parsed:
    """What the feed makes of the case's file, or of these bytes in its place."""
    beside = companions_of(case) if companions is None else companions
    source = Source("league", case[1], stanza_of(*case), beside)
    return find(case[0]).parse(body_of(case) if raw is None else raw, source)


def attempt(case: Case, raw: bytes | None = None, companions: dict[str, bytes] | None = None) -> Parsed | None:
    """What the feed makes of these bytes; None where it says in one clear line that it cannot."""
    try:
        return parse(case, raw, companions)
    except PooltableError as error:
        assert "\n" not in error.message
        return None


def rows_of(case: Case) -> tuple[bytes, list[bytes], bytes]:
    """What stands above a file's rows, the rows, and what stands below."""
    raw = body_of(case)
    if case[1].endswith(".json"):
        document = json.loads(raw)
        head = json.dumps({key: value for key, value in document.items() if key != "matches"})[:-1]
        rows = [json.dumps(row, ensure_ascii=False).encode() for row in document["matches"]]
        return f'{head}, "matches": ['.encode(), rows, b"]}"
    lines = raw.splitlines()
    above = HEADERS.get(case[0], 1)
    rows = [line for line in lines[above:] if line.strip(b", \t\"'")]
    return b"".join(line + b"\n" for line in lines[:above]), rows, b""


def rebuilt(case: Case, rows: list[bytes]) -> bytes:
    """The file with other rows."""
    head, _, tail = rows_of(case)
    return head + (b",\n" if tail else b"\n").join(rows) + tail


def ids(parsed: Parsed) -> set[str]:
    """What is known of the file's games (or of forecasts): a row may be a copy, but its game is there."""
    return set(parsed.source_rows["game_id"])


def texts(parsed: Parsed) -> set[str]:
    """The bare rows that went into games."""
    return {re.sub(r"\s", "", raw) for raw in parsed.source_rows["raw"]}


def adds_up(case: Case, parsed: Parsed) -> bool:
    """Whether each row read from the main file is in a game or rejected."""
    rejected = parsed.rejected.filter(pl.col("file") == case[1]).height
    return parsed.source_rows.height + rejected == parsed.rows_read


def hangs_together(parsed: Parsed) -> bool:
    """Whether the frames keep their schemas, and sides, appearances and competitors belong to games and entrants.

    Only a scheduled game may have no sides yet, and no row of the main file.
    """
    entrants = set(pl.concat([parsed.sides["team"].drop_nulls(), parsed.appearances["player"]]))
    games, calendar = set(parsed.games["game_id"]), set(parsed.games.filter(status="scheduled")["game_id"])
    forecasts = {*parsed.forecasts["forecast_id"], *parsed.outlooks["forecast_id"]}
    return (
        all(schema.is_valid(getattr(parsed, frame)) for frame, schema in SCHEMAS.items())
        and games - calendar <= set(parsed.sides["game_id"]) <= games
        and (games - calendar) | forecasts <= set(parsed.source_rows["game_id"]) <= games | forecasts
        and set(parsed.sides["game_id"]) == set(parsed.source_rows["game_id"]) - forecasts
        and entrants == set(parsed.competitors["competitor_id"])
        and parsed.appearances.join(parsed.sides, on=["game_id", "side"], how="anti").is_empty()
        and set(parsed.memberships["competitor_id"]) <= entrants
        and all(":" in competitor for competitor in entrants)
    )


def is_whole(case: Case, parsed: Parsed) -> bool:
    return adds_up(case, parsed) and hangs_together(parsed)


def test_every_feed_has_a_fixture():
    assert sorted({name for name, _ in CASES}) == sorted(feeds())


@pytest.mark.parametrize("name", sorted(feeds()))
def test_a_feed_is_named_like_its_module_and_says_what_it_is(name):
    feed = feeds()[name]
    assert feed.name == name
    assert feed.licence and feed.title and feed.row and feed.homepage


@every_file
def test_a_feed_gives_canonical_frames_that_hang_together(case):
    parsed = parse(case)
    for frame, schema in SCHEMAS.items():
        schema.validate(getattr(parsed, frame))
    assert _feed(*case).is_known(case[1])
    assert parsed.rejected.is_empty()
    assert is_whole(case, parsed) and parsed.rows_read == len(rows_of(case)[1]) > 0


@every_file
def test_a_file_of_something_else_is_a_clear_error(case):
    with pytest.raises(FeedError, match=re.escape(case[1])):
        parse(case, b"some,other,file\n1,2,3\n")


@every_file
@mutations
@given(data=st.data())
def test_lines_swapped_change_neither_ids_nor_sides(case, data):
    turned = parse(case, rebuilt(case, data.draw(st.permutations(rows_of(case)[1]))))
    order = ["game_id", "side"]
    assert pl.DataFrame(turned.sides).sort(order).equals(pl.DataFrame(parse(case).sides).sort(order))
    assert is_whole(case, turned) and texts(turned) == texts(parse(case))


@every_file
@mutations
@given(data=st.data())
def test_bytes_flipped_put_in_and_taken_out_anywhere(case, data):
    raw = bytearray(body_of(case))
    for _ in range(data.draw(st.integers(1, 6))):
        place, old = data.draw(st.integers(0, len(raw) - 1)), data.draw(st.integers(0, 1))
        raw[place : place + old] = data.draw(st.binary(max_size=2))
    parsed = attempt(case, bytes(raw))
    assert parsed is None or is_whole(case, parsed)


@every_file
@mutations
@given(data=st.data())
def test_rows_dropped_repeated_cut_and_shuffled(case, data):
    rows = rows_of(case)[1]
    some = data.draw(st.lists(st.sampled_from(rows), min_size=1, max_size=20))
    cut = [row[: data.draw(st.integers(0, len(row)))] if data.draw(st.booleans()) else row for row in some]
    whole = [row for row, before in zip(cut, some, strict=True) if row == before]
    parsed = attempt(case, rebuilt(case, cut))
    if parsed is None:  # without a header only whole rows tell what a file is
        assert HEADERS.get(case[0]) == 0 and not whole
    else:
        assert is_whole(case, parsed)
        assert not whole or ids(parsed) >= ids(parse(case, rebuilt(case, whole)))


@every_file
@mutations
@given(data=st.data())
def test_a_file_cut_short_keeps_its_whole_rows(case, data):
    head, rows, tail = rows_of(case)
    whole = data.draw(st.integers(0, len(rows) - 1))
    part = rows[whole][: data.draw(st.integers(0, len(rows[whole])))]
    parsed = attempt(case, head + (b",\n" if tail else b"\n").join([*rows[:whole], part]))
    if parsed is None:  # half a JSON document says nothing, and a file without a header or a whole row neither
        assert tail or (HEADERS.get(case[0]) == 0 and not whole)
    else:
        assert is_whole(case, parsed)
        assert not whole or texts(parsed) >= texts(parse(case, rebuilt(case, rows[:whole])))


@every_file
@mutations
@given(data=st.data())
def test_one_broken_row_costs_no_other(case, data):
    rows = rows_of(case)[1]
    which = data.draw(st.integers(0, len(rows) - 1))
    broken = data.draw(st.binary(max_size=60)).replace(b"\n", b"")
    parsed = attempt(case, rebuilt(case, [*rows[:which], broken, *rows[which + 1 :]]))
    assert parsed is not None
    assert is_whole(case, parsed)
    others = rebuilt(case, [*rows[:which], *rows[which + 1 :]])
    assert texts(parsed) >= texts(parse(case, others))


@every_file
@mutations
@given(data=st.data())
def test_columns_dropped(case, data):
    if case[1].endswith(".json"):
        rows = rows_of(case)[1]
        keys = sorted({key for row in rows for key in json.loads(row)})
        gone = data.draw(st.sampled_from(keys))
        kept = [{key: value for key, value in json.loads(row).items() if key != gone} for row in rows]
        raw = rebuilt(case, [json.dumps(row).encode() for row in kept])
    else:
        raw = without_column(body_of(case), data.draw(st.integers(0, 40)))
    parsed = attempt(case, raw)
    assert parsed is None or is_whole(case, parsed)


def without_column(raw: bytes, which: int) -> bytes:
    """The file without a column, counted on from the first again behind the last."""
    lines = raw.splitlines()
    delimiter = b";" if lines[0].count(b";") > lines[0].count(b",") else b","
    gone = which % (lines[0].count(delimiter) + 1)
    return b"\n".join(
        delimiter.join(field for place, field in enumerate(line.split(delimiter)) if place != gone) for line in lines
    )


@every_file
@mutations
@given(raw=st.binary(max_size=400))
def test_any_bytes_at_all(case, raw):
    parsed = attempt(case, raw)
    assert parsed is None or adds_up(case, parsed)


@pytest.mark.parametrize("case", [case for case in CASES if companions_of(case)], ids="/".join)
@mutations
@given(data=st.data())
def test_a_damaged_or_missing_companion(case, data):
    companions = dict(companions_of(case))
    file = data.draw(st.sampled_from(sorted(companions)))
    raw = companions.pop(file)
    damaged = data.draw(st.sampled_from(["missing", "cut", "overwritten", "rows", "column", "encoding"]))
    if damaged == "cut":
        companions[file] = raw[: data.draw(st.integers(0, len(raw)))]
    elif damaged == "overwritten":
        place = data.draw(st.integers(0, len(raw) - 1))
        companions[file] = raw[:place] + data.draw(st.binary(max_size=8)) + raw[place + 1 :]
    elif damaged == "rows":
        head, *rows = raw.splitlines(keepends=True)
        companions[file] = head + b"".join(data.draw(st.lists(st.sampled_from(rows), max_size=20)))
    elif damaged == "column":
        companions[file] = without_column(raw, data.draw(st.integers(0, 40)))
    elif damaged == "encoding":
        companions[file] = raw.decode().encode("utf-16")
    parsed = attempt(case, companions=companions)
    assert parsed is None or is_whole(case, parsed)


@every_file
@pytest.mark.parametrize("encoding", ["utf-16", "latin-1", "utf-8-sig"])
def test_other_encodings(case, encoding):
    text = body_of(case).decode("utf-8", errors="replace").replace("\ufffd", "é").replace("o", "ö")
    parsed = attempt(case, text.encode(encoding, errors="ignore"))
    assert parsed is None or is_whole(case, parsed)


@every_file
@mutations
@given(data=st.data())
def test_a_row_in_another_encoding_costs_no_other(case, data):
    rows = rows_of(case)[1]
    which = data.draw(st.integers(0, len(rows) - 1))
    other = rows[which].decode("latin-1").replace("a", "ä").replace("e", "é").encode("latin-1")
    parsed = parse(case, rebuilt(case, [*rows[:which], other, *rows[which + 1 :]]))
    assert is_whole(case, parsed)
    assert texts(parsed) >= texts(parse(case, rebuilt(case, [*rows[:which], *rows[which + 1 :]])))


@every_file
def test_a_byte_order_mark_or_the_line_ends_of_windows_cost_nothing(case):
    raw, before = body_of(case), pl.DataFrame(parse(case).games)
    for other in (b"\xef\xbb\xbf" + raw, raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")):
        parsed = parse(case, other)
        assert before.equals(pl.DataFrame(parsed.games)) and parsed.rejected.is_empty()


def in_the_warehouse(home: Home) -> list[tuple[int, ...]]:
    """How many games, forecasts and rejected rows are there."""
    tables = ("game", "peer_forecast", "rejected_row")
    with reading(home) as con:
        return [con.execute(f"SELECT count(*) FROM {table}").fetchall()[0] for table in tables]


@every_file
@settings(mutations, max_examples=1, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_what_a_load_says_is_what_the_warehouse_has(case, data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("load")
    home, path = Home(folder / "home"), folder / case[1]
    for name, body in companions_of(case).items():
        (folder / name).write_bytes(body)
    sources = tuple(str(file) for file in sorted(folder.glob("*.*")) if file != path)
    stanza = stanza_of(*case).model_copy(update={"source": (str(path), *sources)})

    def load(hour: int, raw: bytes) -> Pulled:
        path.write_bytes(raw)
        return pull(home, "league", stanza, NOW + timedelta(hours=hour), accept=True)

    first = load(0, body_of(case))
    assert load(1, body_of(case)).slices_loaded == 0
    before = in_the_warehouse(home)
    raw = bytearray(rebuilt(case, data.draw(st.permutations(rows_of(case)[1]))[1:]))
    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        second = load(2, bytes(raw))
    except PooltableError:
        assert in_the_warehouse(home) == before
        return
    games = second.games_new + second.games_changed + second.games_unchanged
    assert second.games_changed + second.games_unchanged + second.games_gone == first.games_new
    after = in_the_warehouse(home)
    assert (after[0], after[2]) == ((games,), (second.rows_rejected,))
