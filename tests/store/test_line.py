"""The line: first come, first served; one client never has all turns nor all places."""

import threading
import time
from contextlib import ExitStack

import pytest

from store import line as lines
from store.errors import BusyError
from store.line import Line


def test_one_client_has_half_of_the_turns_and_others_the_rest(monkeypatch):
    monkeypatch.setattr(lines, "WAIT_SECONDS", 0.01)
    line = Line(most=4, waiting=8)
    with ExitStack() as held:
        for client in ("a", "a", "b", "b"):
            held.enter_context(line.turn(client))
        with pytest.raises(BusyError, match="No turn came"), line.turn("c"):
            pass
    with ExitStack() as held:
        for _ in range(2):
            held.enter_context(line.turn("a"))
        with pytest.raises(BusyError, match="No turn came"), line.turn("a"):
            pass
        with line.turn("b"):
            pass


def test_places_are_limited_for_one_and_for_all():
    line = Line(most=2, waiting=16)
    held = [line._enter("a") for _ in range(3)]
    with pytest.raises(BusyError, match="of yours"):
        line._enter("a")
    held += [line._enter(f"c{number}") for number in range(15)]
    with pytest.raises(BusyError, match="16 questions are waiting"):
        line._enter("new")
    assert [ticket.client for ticket in held if ticket.called.is_set()] == ["a", "c0"]


def test_who_came_first_is_first():
    line, order = Line(most=1, waiting=16), []

    def come(client):
        with line.turn(client):
            order.append(client)

    with line.turn("first"):
        threads = []
        for number in range(5):
            threads.append(threading.Thread(target=come, args=[str(number)]))
            threads[-1].start()
            while len(line._tickets) < number + 2:
                time.sleep(0.001)
    for thread in threads:
        thread.join()
    assert order == ["0", "1", "2", "3", "4"]


def test_a_failure_gives_the_turn_back():
    line = Line(most=1, waiting=0)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), line.turn("a"):
            raise ZeroDivisionError
    with line.turn("a"):
        pass
