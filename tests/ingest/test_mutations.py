"""Whatever happens to a file: no traceback, and every row is either loaded or rejected."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.feed import Source, feeds, find
from ingest.frames import Parsed
from store.errors import PooltableError
from store.home import CHECKOUT
from store.stanzas import read_catalogue

STANZAS = read_catalogue()
HEAD = 40


def start_of(path: str) -> bytes:
    return b"".join((CHECKOUT / path).read_bytes().splitlines(keepends=True)[:HEAD])


INTERNATIONALS = (
    "date,home_team,away_team,home_score,away_score,tournament,city,country,neutral\n"
    + "".join(f'2024-01-{day:02d},A{day},"B, {day}",{day},1,Cup,Port,Isle,FALSE\n' for day in range(1, 29))
    + "2026-01-01,A1,A2,NA,NA,Cup,Port,Isle,TRUE\n"
).encode()
FILES = {
    "international_football": INTERNATIONALS,
    "simulated_football": start_of("data/demo/football/results.csv"),
    "simulated_stints": start_of("data/demo/stints/stints.csv"),
}


def parse(name: str, raw: bytes) -> Parsed | None:
    stanza = next(stanza for stanza in STANZAS.values() if stanza.feed == name)
    try:
        return find(name).parse(raw, Source("league", "file.csv", stanza))
    except PooltableError:
        return None


def adds_up(parsed: Parsed) -> bool:
    loaded, rejected = set(parsed.source_rows["line"]), set(parsed.rejected["line"])
    return len(loaded) + len(rejected) == parsed.rows_read and not loaded & rejected


@pytest.mark.parametrize("name", feeds())
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_bytes_overwritten_anywhere(name, data):
    raw = bytearray(FILES[name])
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    parsed = parse(name, bytes(raw))
    assert parsed is None or adds_up(parsed)


@pytest.mark.parametrize("name", feeds())
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_lines_dropped_repeated_cut_and_shuffled(name, data):
    header, *body = FILES[name].decode().splitlines()
    lines = data.draw(st.lists(st.sampled_from(body), max_size=30))
    cut = [line[: data.draw(st.integers(0, len(line)))] if data.draw(st.booleans()) else line for line in lines]
    parsed = parse(name, "\n".join([header, *cut]).encode())
    assert parsed is not None
    assert adds_up(parsed)
    whole = {line for line, before in zip(cut, lines, strict=True) if line == before and line in body}
    assert parsed.games.height >= len(whole)


@pytest.mark.parametrize("name", feeds())
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_one_broken_line_costs_no_other(name, data):
    lines = FILES[name].split(b"\n")
    which = data.draw(st.integers(1, len(lines) - 2))
    broken = data.draw(st.binary(max_size=60)).replace(b"\n", b"")
    parsed = parse(name, b"\n".join([*lines[:which], broken, *lines[which + 1 :]]))
    assert parsed is not None
    assert adds_up(parsed)
    assert set(parsed.source_rows["line"]) >= set(range(2, len(lines))) - {which + 1}


@pytest.mark.parametrize("name", feeds())
@settings(max_examples=25, deadline=None)
@given(raw=st.binary(max_size=400))
def test_any_bytes_at_all(name, raw):
    parsed = parse(name, raw)
    assert parsed is None or adds_up(parsed)


@pytest.mark.parametrize("name", feeds())
@pytest.mark.parametrize("encoding", ["utf-16", "latin-1", "utf-8-sig"])
def test_other_encodings(name, encoding):
    text = FILES[name].decode().replace("Port", "Pört").replace("a", "å")
    parsed = parse(name, text.encode(encoding))
    assert parsed is None or adds_up(parsed)
