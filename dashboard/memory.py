"""What an edition answered lately. An edition never changes, so the same question has the same answer."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

type Row = dict[str, Any]

MOST_ROWS = 20_000  # kept of one edition; a leaderboard of 10,000 competitors is some 20 MB


class Memory:
    """The answers asked for last, as many as have `most` rows together. Threads may share it."""

    def __init__(self, most: int = MOST_ROWS) -> None:
        self._most, self._rows = most, 0
        self._kept: OrderedDict[bytes, list[Row]] = OrderedDict()
        self._turn = threading.Lock()

    def rows(self, name: str, values: dict[str, Any], ask: Callable[[], list[Row]]) -> list[Row]:
        """The rows of a named query with its values, from `ask` where they are not known. They are the caller's own."""
        key = hashlib.sha256(repr((name, sorted(values.items()))).encode()).digest()  # however long what was asked is
        with self._turn:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
        if found is None:
            found = ask()
            self._keep(key, found)
        return [dict(row) for row in found]

    def _keep(self, key: bytes, found: list[Row]) -> None:
        """Keeps an answer and forgets the oldest; one that nobody gave any rows counts as a row too."""
        with self._turn:
            if key in self._kept or len(found) > self._most:
                return
            self._kept[key] = found
            self._rows += max(1, len(found))
            while self._rows > self._most:
                _, oldest = self._kept.popitem(last=False)
                self._rows -= max(1, len(oldest))
