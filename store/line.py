"""The line in front of what is scarce: first come, first served, but nobody gets more than his share.

A client's name goes in, a turn comes out. One client has at most half of the turns, so that somebody else's question is
begun at once, and an eighth of the places, so that there is room for it.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from store.errors import BusyError

WAIT_SECONDS = 6.0  # one may wait for a turn
HINT = "Ask again in a few seconds."


@dataclass(eq=False)
class Ticket:
    """Somebody who waits, or whose turn it is."""

    client: str
    called: threading.Event = field(default_factory=threading.Event)


class Line:
    """Turns for `most` at a time, and places for `waiting` more."""

    def __init__(self, most: int, waiting: int) -> None:
        self._most = most
        self._waiting = waiting
        self._turns_of_one = max(1, most // 2)
        self._places_of_one = self._turns_of_one + waiting // 8
        self._tickets: list[Ticket] = []
        self._lock = threading.Lock()

    @contextmanager
    def turn(self, client: str) -> Iterator[None]:
        """A turn for the length of the block. Raises BusyError where there is no place, or no turn comes in time."""
        ticket = self._enter(client)
        try:
            if not ticket.called.wait(WAIT_SECONDS):
                raise BusyError(f"No turn came within {WAIT_SECONDS:g} seconds.", HINT)
            yield
        finally:
            with self._lock:
                self._tickets.remove(ticket)
                self._call()

    def _enter(self, client: str) -> Ticket:
        ticket = Ticket(client)
        with self._lock:
            mine = sum(other.client == client for other in self._tickets)
            if mine >= self._places_of_one:
                raise BusyError(f"{mine} questions of yours are waiting already.", "Ask them one after the other.")
            if len(self._tickets) >= self._most + self._waiting:
                raise BusyError(f"{self._waiting} questions are waiting already.", HINT)
            self._tickets.append(ticket)
            self._call()
        return ticket

    def _call(self) -> None:
        """Calls whose turn it is by now, in the order in which they came."""
        busy = Counter(ticket.client for ticket in self._tickets if ticket.called.is_set())
        for ticket in self._tickets:
            if not ticket.called.is_set() and busy.total() < self._most and busy[ticket.client] < self._turns_of_one:
                ticket.called.set()
                busy[ticket.client] += 1
