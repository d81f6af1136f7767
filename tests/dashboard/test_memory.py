"""Answers of one edition are asked once, stay within bounds, and are the caller's own."""

from typing import Any

from dashboard.memory import Memory, Row
from dashboard.reader import Reader
from store.home import Home


class Asked:
    """Rows on demand, and how often they were asked for."""

    def __init__(self, rows: int) -> None:
        self.times, self._rows = 0, rows

    def __call__(self) -> list[Row]:
        self.times += 1
        return [{"number": number} for number in range(self._rows)]


def test_the_same_question_is_asked_once_and_another_value_is_another_question() -> None:
    memory, ask = Memory(), Asked(3)
    for values in ({"a": 1, "b": "x"}, {"b": "x", "a": 1}):
        assert memory.rows("q", values, ask) == [{"number": 0}, {"number": 1}, {"number": 2}]
    assert ask.times == 1
    others: list[tuple[str, dict[str, Any]]] = [("q", {"a": "1", "b": "x"}), ("r", {"a": 1, "b": "x"}), ("q", {})]
    for name, values in others:
        memory.rows(name, values, ask)
    assert ask.times == 4


def test_rows_that_a_page_changes_are_its_own() -> None:
    memory, ask = Memory(), Asked(1)
    memory.rows("q", {}, ask)[0]["number"] = 99
    memory.rows("q", {}, ask).clear()
    assert memory.rows("q", {}, ask) == [{"number": 0}] and ask.times == 1


def test_the_oldest_is_forgotten_and_what_is_too_large_is_not_kept() -> None:
    memory = Memory(most=5)
    old, new, large, none = Asked(3), Asked(3), Asked(6), Asked(0)
    for name, ask in (("old", old), ("new", new), ("old", old), ("old", old), ("large", large), ("large", large)):
        memory.rows(name, {}, ask)
    assert (old.times, new.times, large.times) == (2, 1, 2)
    for _ in range(2):
        memory.rows("none", {}, none)
    assert none.times == 1


def test_an_edition_is_asked_a_named_query_once(home: Home, monkeypatch: Any) -> None:
    reader = Reader(home)
    with reader.answer() as answer:
        first = answer.rows("leagues")
    with reader.answer() as answer:
        monkeypatch.setattr(type(answer), "_ask", lambda *_: [])
        assert answer.rows("leagues") == first and answer.asked == [("leagues", {})]
        assert answer.rows("groups", league="nations", kind="team") == []
