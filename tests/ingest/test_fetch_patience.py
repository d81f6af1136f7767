"""How long a pull waits: for servers that say nothing, refuse or never end, and for all of its files together."""

import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest

from ingest import snapshots
from ingest.fetch import fetch
from ingest.servers import Asker, Limits, NotAsked
from store.errors import FeedError

NOW = datetime(2025, 11, 1, tzinfo=UTC)
LIMITS = Limits(timeout_seconds=(2, 2), max_bytes=1000, retries=2, backoff_seconds=0)


@dataclass
class Silent:
    """A server that takes connections and says nothing."""

    listening: socket.socket

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listening.getsockname()[1]}"

    def connections(self) -> int:
        """How many came since it was asked last."""
        self.listening.setblocking(False)
        found = 0
        with suppress(BlockingIOError):
            while True:
                self.listening.accept()[0].close()
                found += 1
        return found


@pytest.fixture
def silent() -> Iterator[Silent]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield Silent(listening)


IMPATIENT = replace(LIMITS, timeout_seconds=(0.2, 0.2), retries=0)


def test_a_server_that_says_nothing_is_timed_out(tmp_path, silent):
    with pytest.raises(FeedError) as error:
        fetch(tmp_path, (f"{silent.url}/results.csv",), NOW, lambda name: True, IMPATIENT)
    assert error.value.message == (
        f"{silent.url}/results.csv cannot be fetched: its server timed out: nothing came for 0.2 s."
    )


def test_a_silent_server_is_asked_once_in_a_pull_and_its_other_files_share_one_note(tmp_path, silent):
    urls = [f"{silent.url}/results-{number}.csv" for number in range(5)]
    for url in urls:
        snapshots.keep(tmp_path, url, b"a,b\n", NOW, (None, None))
    found = fetch(tmp_path, tuple(urls), NOW, lambda name: True, IMPATIENT)
    assert silent.connections() == 1
    assert [file.name for file in found] == [f"results-{number}.csv" for number in range(5)]
    first, *others = [file.note for file in found]
    assert first.startswith(f"{urls[0]} cannot be fetched: its server timed out")
    host = silent.url.removeprefix("http://")
    assert set(others) == {
        f"{host} was asked for no further files after it failed: its server timed out: nothing came for 0.2 s."
        " The last snapshots were used."
    }


def test_another_server_is_asked_all_the_same(tmp_path, silent, serve):
    server = serve((200, {}, b"a,b\n"))
    snapshots.keep(tmp_path, f"{silent.url}/results.csv", b"a,b\n", NOW, (None, None))
    found = fetch(tmp_path, (f"{silent.url}/results.csv", server.url), NOW, lambda name: True, IMPATIENT)
    assert [bool(file.note) for file in found] == [True, False]


def test_a_server_that_refuses_after_all_retries_is_asked_once_for_each_other_file(serve):
    server = serve((503, {}, b""))
    with Asker(LIMITS) as asker:
        for path, asked in (("a.csv", 3), ("b.csv", 4), ("c.csv", 5)):
            with pytest.raises(FeedError, match="answered 503"):
                asker.ask(server.url.replace("results.csv", path))
            assert len(server.asked) == asked


def test_a_pull_has_one_budget_of_time_for_all_of_its_files(serve):
    server = serve((200, {}, b"a,b\n"))
    clock = iter([0.0, 100.0, 100.0, 901.0])
    with Asker(Limits(), lambda: next(clock)) as asker:
        assert asker.ask(server.url)
        with pytest.raises(NotAsked, match="The 900 s a pull may spend on fetching were over"):
            asker.ask(server.url)
    assert len(server.asked) == 1


def test_a_body_that_never_ends_is_given_up(serve):
    server = serve((200, {}, b"a,b\n" * 20))
    clock = iter([0.0, 0.0, 901.0])
    with Asker(Limits(), lambda: next(clock)) as asker, pytest.raises(FeedError, match="sends too slowly"):
        asker.ask(server.url)
