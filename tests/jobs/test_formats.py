"""Frames as text: what comes out can be read back, and does no harm to a terminal."""

from datetime import date
from decimal import Decimal

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from jobs.formats import as_table, cell

FRAME = pl.DataFrame(
    {
        "name": ["Åland", None, 'a "b", c'],
        "rating": [0.123456789, float("nan"), None],
        "draws": [[1.0, 2.0], [], None],
        "on": [date(2026, 1, 2)] * 3,
        "goals": pl.Series([Decimal(3), None, Decimal(4)], dtype=pl.Decimal(38, 0)),
    }
)


def test_a_table_is_aligned_with_numbers_to_the_right():
    lines = as_table(pl.DataFrame({"name": ["Åland", "B"], "n": [1, 100]})).splitlines()
    assert lines == ["name     n", "-----  ---", "Åland    1", "B      100"]


def test_a_table_too_wide_becomes_blocks():
    assert as_table(pl.DataFrame({"a": ["x" * 30], "bb": ["y"]}), width=20) == f"a   {'x' * 30}\nbb  y"


def test_a_newline_does_not_break_a_row():
    frame = pl.DataFrame({"a\nb": ["x\ny", "z"], "n": [1, 2]})
    assert as_table(frame).splitlines() == ["a\\nb  n", "----  -", "x\\ny  1", "z     2"]
    assert as_table(frame, width=3) == "a\\nb  x\\ny\nn     1\n\na\\nb  z\nn     2"


def test_a_long_table_says_what_it_leaves_out():
    text = as_table(pl.DataFrame({"n": range(500)}))
    assert text.splitlines()[-1] == "(200 of 500 rows; --format csv gives all)"
    assert len(text.splitlines()) == 203


def test_an_empty_table_still_names_its_columns():
    assert as_table(FRAME.clear()).splitlines()[0].split() == FRAME.columns


def test_long_lists_are_cut_and_say_so():
    assert cell([1.0, 2.0, 3.0, 4.0, 5.0]) == "[1, 2, 3, 4, … 5 in all]"


@given(st.text())
def test_no_cell_holds_what_a_terminal_would_obey(text):
    assert all(letter.isprintable() or letter == "\n" for letter in cell(text))
