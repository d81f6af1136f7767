"""Fetching from a loopback server and from disk: what counts as data, and what stands in where there is none."""

import gzip
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ingest import snapshots
from ingest.fetch import Fetched, Limits, expand, fetch, unpacked
from store.errors import FeedError

NOW = datetime(2025, 11, 1, tzinfo=UTC)
LIMITS = Limits(timeout_seconds=(2, 2), max_bytes=1000, retries=2, backoff_seconds=0)


@dataclass
class Server:
    """A server that gives its answers in turn, the last one for ever, and remembers what it was asked."""

    answers: list[tuple[int, dict[str, str], bytes]]
    url: str = ""
    asked: list[dict[str, str]] = field(default_factory=list)


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    running: list[ThreadingHTTPServer] = []

    def start(*answers: tuple[int, dict[str, str], bytes]) -> Server:
        server = Server(list(answers))

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked.append(dict(self.headers))
                status, headers, body = server.answers.pop(0) if len(server.answers) > 1 else server.answers[0]
                self.send_response(status)
                for name, value in ({"Content-Length": str(len(body))} | headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        running.append(http)
        threading.Thread(target=http.serve_forever, daemon=True).start()
        server.url = f"http://127.0.0.1:{http.server_port}/some/results.csv"
        return server

    yield start
    for http in running:
        http.shutdown()
        http.server_close()


def get(folder: Path, *sources: Path | str, later: int = 0) -> list[Fetched]:
    return fetch(
        folder, tuple(map(str, sources)), NOW + timedelta(hours=later), lambda name: name.endswith("csv"), LIMITS
    )


def test_bytes_are_kept_under_their_hash_with_a_sidecar(tmp_path, serve):
    server = serve((200, {"ETag": '"1"', "Last-Modified": "Sat, 01 Nov 2025 00:00:00 GMT"}, b"a,b\n"))
    (found,) = get(tmp_path, server.url)
    assert found.name == "results.csv"
    assert found.note == ""
    assert (tmp_path / found.snapshot.file).read_bytes() == b"a,b\n"
    (sidecar,) = tmp_path.glob("*.json")
    said = json.loads(sidecar.read_text())
    assert said["source"] == server.url
    assert said["etag"] == '"1"'
    assert said["bytes"] == 4
    assert said["fetched_at_utc"] == "2025-11-01T00:00:00"
    assert found.snapshot.file == f"{said['sha256']}.csv"


def test_a_second_request_is_conditional_and_304_gives_the_last_snapshot(tmp_path, serve):
    server = serve((200, {"ETag": '"1"', "Last-Modified": "Sat, 01 Nov 2025 00:00:00 GMT"}, b"a,b\n"), (304, {}, b""))
    first, second = get(tmp_path, server.url), get(tmp_path, server.url, later=1)
    assert first == second
    assert server.asked[1]["If-None-Match"] == '"1"'
    assert server.asked[1]["If-Modified-Since"] == "Sat, 01 Nov 2025 00:00:00 GMT"


def test_new_bytes_are_a_new_snapshot_and_the_old_one_stays(tmp_path, serve):
    server = serve((200, {}, b"a,b\n"), (200, {}, b"a,b\n1,2\n"), (200, {}, b"a,b\n"))
    hashes = [get(tmp_path, server.url, later=hour)[0].snapshot.sha256 for hour in range(3)]
    assert hashes[0] == hashes[2] != hashes[1]
    assert len(list(tmp_path.glob("*.csv"))) == 2
    newest = snapshots.newest(tmp_path, server.url)
    assert newest and newest.sha256 == hashes[2]


def test_503_is_tried_again(tmp_path, serve):
    server = serve((503, {"Retry-After": "0"}, b""), (200, {}, b"a,b\n"))
    assert get(tmp_path, server.url)[0].snapshot.bytes == 4
    assert len(server.asked) == 2


def test_a_compressed_answer_is_kept_as_what_it_is_of(tmp_path, serve):
    server = serve((200, {"Content-Encoding": "gzip"}, gzip.compress(b"a,b\n" * 50)))
    assert get(tmp_path, server.url)[0].snapshot.bytes == 200
    assert server.asked[0]["Accept-Encoding"] == "gzip"


def test_retry_after_is_waited_for(tmp_path, serve):
    server = serve((429, {"Retry-After": "1"}, b""), (200, {}, b"a,b\n"))
    began = time.monotonic()
    assert get(tmp_path, server.url)[0].snapshot.bytes == 4
    assert time.monotonic() - began >= 1


def test_a_server_that_says_nothing_is_timed_out(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/results.csv"
        limits = replace(LIMITS, timeout_seconds=(0.2, 0.2), retries=0)
        with pytest.raises(FeedError, match=r"cannot be fetched: .*timed out"):
            fetch(tmp_path, (url,), NOW, lambda name: True, limits)


def test_a_body_that_never_ends_is_given_up(tmp_path, serve):
    server = serve((200, {}, b"a,b\n" * 20))
    with pytest.raises(FeedError, match="sends too slowly"):
        fetch(tmp_path, (server.url,), NOW, lambda name: True, replace(LIMITS, total_seconds=-1))


def test_offline_asks_nobody_where_there_is_a_snapshot(tmp_path, serve):
    server = serve((200, {}, b"a,b\n"))
    first = get(tmp_path, server.url)
    assert fetch(tmp_path, (server.url,), NOW, lambda name: True, LIMITS, offline=True) == first
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        ((200, {}, b"  <!DOCTYPE html><p>Sorry</p>"), "is a web page, not data"),
        ((200, {}, b"<!-- moved --><body>Sorry</body>"), "is a web page, not data"),
        ((200, {"Content-Length": "100"}, b"a,b\n"), "cannot be fetched"),
        ((200, {"Content-Encoding": "gzip"}, gzip.compress(b"a,b\n" * 50)[:-12]), "not a whole gzip file"),
        ((200, {}, b""), "is empty"),
        ((200, {}, b"x" * 1001), "more than 1,000 bytes"),
        ((200, {}, gzip.compress(b"a,b\n" * 50)[:-6]), "not a whole gzip file"),
        ((404, {}, b"gone"), "answered 404"),
        ((503, {}, b""), "answered 503"),
    ],
)
def test_what_is_not_data_is_an_error_and_with_a_snapshot_a_note(tmp_path, serve, answer, complaint):
    server = serve(answer)
    with pytest.raises(FeedError, match=complaint) as error:
        get(tmp_path, server.url)
    assert server.url in error.value.message
    assert not list(tmp_path.glob("*"))
    server.answers = [(200, {}, b"a,b\n"), answer]
    good = get(tmp_path, server.url)[0]
    stale = get(tmp_path, server.url, later=1)[0]
    assert stale.snapshot == good.snapshot
    assert complaint in stale.note
    assert "snapshot of 2025-11-01T00:00:00 UTC was used" in stale.note


def test_a_server_that_is_not_there_is_a_note_where_there_is_a_snapshot(tmp_path):
    url = "http://127.0.0.1:9/results.csv"
    snapshots.keep(tmp_path, url, b"a,b\n", NOW, (None, None))
    (found,) = get(tmp_path, url, later=1)
    assert "cannot be fetched" in found.note


def test_a_file_that_went_away_leaves_its_last_snapshot(tmp_path):
    path = tmp_path / "results.csv"
    path.write_text("a,b\n")
    good = get(tmp_path / "raw", path)[0]
    path.unlink()
    stale = get(tmp_path / "raw", path)[0]
    assert stale.snapshot == good.snapshot
    assert f"{path} cannot be read: No such file or directory." in stale.note
    with pytest.raises(FeedError, match="No such file"):
        get(tmp_path / "raw", tmp_path / "never.csv")


def test_folders_and_globs_give_the_files_the_feed_knows(tmp_path):
    for name in ("2023/en.csv", "2024/en.csv", "2024/notes.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("a,b\n")
    raw = tmp_path / "raw"
    assert [found.name for found in get(raw, tmp_path / "2024")] == ["en.csv"]
    assert [found.name for found in get(raw, tmp_path / "*" / "en.csv")] == ["2023/en.csv", "2024/en.csv"]
    assert [found.name for found in get(raw, tmp_path / "2023" / "en.csv", tmp_path / "2024" / "en.csv")] == [
        "2023/en.csv",
        "2024/en.csv",
    ]
    with pytest.raises(FeedError, match="no files for this feed"):
        get(raw, tmp_path / "20*" / "*.md")


def test_a_url_is_named_by_its_last_part_without_its_query():
    assert expand("https://host/a/b.csv?raw=1#x", lambda name: True)[0][1] == "b.csv"


def test_gzip_is_unpacked_whole_or_not_at_all():
    packed = gzip.compress(b"one") + gzip.compress(b"two")
    assert unpacked(packed, "x") == b"onetwo"
    assert unpacked(b"plain", "x") == b"plain"
    with pytest.raises(FeedError, match="more than 5 bytes"):
        unpacked(packed, "x", max_bytes=5)


def test_a_half_written_raw_file_is_not_used(tmp_path):
    path = tmp_path / "results.csv"
    path.write_text("a,b\n1,2\n")
    raw = tmp_path / "raw"
    kept = raw / get(raw, path)[0].snapshot.file
    kept.write_bytes(b"a,b")
    assert snapshots.newest(raw, str(path)) is None
    get(raw, path)
    assert kept.read_text() == "a,b\n1,2\n"


def test_damaged_bytes_of_the_right_length_are_refused(tmp_path):
    snapshot = snapshots.keep(tmp_path, "/x/results.csv", b"a,b\n", NOW, (None, None))
    (tmp_path / snapshot.file).write_bytes(b"a;b\n")
    with pytest.raises(FeedError, match="is damaged"):
        snapshots.read(tmp_path, snapshot)


def test_a_disk_that_refuses_is_one_clear_error(tmp_path):
    blocked = tmp_path / "raw"
    blocked.write_text("a file where the folder should be")
    with pytest.raises(FeedError, match="cannot be written"):
        snapshots.keep(blocked, "/x/results.csv", b"a,b\n", NOW, (None, None))


def test_a_range_of_years_in_braces_is_a_source_a_year():
    found = expand("https://example.org/matches_{2009..2011}.csv?raw=1", lambda name: True)
    assert [name for _, name in found] == ["matches_2009.csv", "matches_2010.csv", "matches_2011.csv"]
    assert found[0][0] == "https://example.org/matches_2009.csv?raw=1"
    assert expand("/x/matches_{9..11}.csv", lambda name: True) == [("/x/matches_{9..11}.csv", "matches_{9..11}.csv")]
