"""Reading delimited text: every row keeps its line, and one broken line costs only itself."""

from typing import Any

import polars as pl
import pytest

from ingest.feed import Source
from ingest.lines import read_table
from store.errors import FeedError
from store.stanzas import read_catalogue

SOURCE = Source("league", "file.csv", read_catalogue()["international_football"])


def read(text: str | bytes, columns: list[str] | None = None, **options: Any):
    raw = text.encode() if isinstance(text, str) else text
    return read_table(raw, SOURCE, columns or ["a", "b"], **options)


def rejected(table) -> list[tuple[int, str]]:
    return sorted(table.rejected.select("line", "rule").rows())


def test_rows_know_their_line_with_header_and_blank_lines_counted():
    table = read("a,b\n1,2\n\n,,\n3,4\n")
    assert table.rows.select("line", "a", "b").rows() == [(2, "1", "2"), (5, "3", "4")]
    assert table.rows_read == 2


def test_windows_line_ends_byte_order_mark_and_spaces_are_no_content():
    table = read(b"\xef\xbb\xbfa , b\r\n 1 ,2\r\n")
    assert table.rows.select("a", "b").rows() == [("1", "2")]


def test_columns_are_found_by_name_in_any_order():
    assert read("b,x,a\n1,2,3\n").rows.select("a", "b").rows() == [("3", "1")]


def test_quoted_commas_and_quotes_are_read():
    table = read('a,b\n"Washington, D.C.","say ""so"""\n')
    assert table.rows.select("a", "b").rows() == [("Washington, D.C.", 'say "so"')]


def test_an_unbalanced_quote_does_not_swallow_the_rows_after_it():
    table = read('a,b\n1,"2\n3,4\n')
    assert rejected(table) == [(2, "unbalanced quotes")]
    assert table.rows["a"].to_list() == ["3"]


def test_bytes_that_are_not_utf8_cost_only_their_line():
    table = read(b"a,b\n1,2\n\xff,4\n5,6\n")
    assert rejected(table) == [(3, "not UTF-8")]
    assert table.rows["a"].to_list() == ["1", "5"]


def test_ragged_rows_are_rejected_but_empty_surplus_fields_are_not():
    table = read("a,b\n1\n1,2,3\n1,2,,\n")
    assert rejected(table) == [(2, "too few fields"), (3, "too many fields")]
    assert table.rows.height == 1


def test_empty_and_missing_marks_are_null():
    assert read("a,b\nNA,\n1,2\n", missing="NA").rows.select("a", "b").rows() == [(None, None), ("1", "2")]


def test_an_absent_column_is_named_with_the_header_that_is_there():
    with pytest.raises(FeedError, match=r"file\.csv has no column b: its first line is 'a,c'"):
        read("a,c\n1,2\n")


def test_a_file_without_a_line_is_an_error():
    with pytest.raises(FeedError, match="is empty"):
        read("\n\n")


def test_the_rejected_raw_text_is_the_line_as_it_stands():
    assert read('a,b\n x,"y\n').rejected["raw"].to_list() == [' x,"y']
    assert read("a,b\n1,2\n").rejected.schema == pl.Schema(
        {"file": pl.String, "line": pl.Int64, "rule": pl.String, "raw": pl.String}
    )
