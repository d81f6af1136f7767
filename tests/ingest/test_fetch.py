"""Fetching from a loopback server and from disk: what counts as data, and what stands in where there is none."""

import gzip
import json
import socket
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingest import snapshots
from ingest.fetch import Fetched, expand, fetch, unpacked
from ingest.servers import Limits
from store.errors import FeedError, StoreError

NOW = datetime(2025, 11, 1, tzinfo=UTC)
LIMITS = Limits(timeout_seconds=(2, 2), max_bytes=1000, retries=2, backoff_seconds=0)
UNBOUNDED = {"Content-Length": ""}  # sent without: the body ends where the connection does


def get(folder: Path, *sources: Path | str, later: int = 0, loaded: list[Fetched] | None = None) -> list[Fetched]:
    """What is fetched, some hours later than NOW, where what was `loaded` is."""
    return fetch(
        folder,
        tuple(map(str, sources)),
        NOW + timedelta(hours=later),
        lambda name: name.endswith("csv"),
        LIMITS,
        loaded={file.snapshot.source: file.snapshot.sha256 for file in loaded or []},
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
    first = get(tmp_path, server.url)
    assert get(tmp_path, server.url, later=1, loaded=first) == first
    assert server.asked[1]["If-None-Match"] == '"1"'
    assert server.asked[1]["If-Modified-Since"] == "Sat, 01 Nov 2025 00:00:00 GMT"


def test_new_bytes_are_a_new_snapshot_and_the_old_one_stays(tmp_path, serve):
    server = serve((200, {}, b"a,b\n"), (200, {}, b"a,b\n1,2\n"), (200, {}, b"a,b\n"))
    hashes = [get(tmp_path, server.url, later=hour)[0].snapshot.sha256 for hour in range(3)]
    assert hashes[0] == hashes[2] != hashes[1]
    assert len(list(tmp_path.glob("*.csv"))) == 2
    server.answers = [(500, {}, b"")]
    assert get(tmp_path, server.url)[0].snapshot.sha256 == hashes[2], "the newest stands in where none was loaded"


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


def test_a_retry_after_nobody_can_read_does_not_hide_the_answer(tmp_path, serve):
    server = serve((503, {"Retry-After": "soon"}, b""), (503, {"Retry-After": "soon"}, b""), (200, {}, b"a,b\n"))
    assert get(tmp_path, server.url)[0].snapshot.bytes == 4
    server.answers = [(503, {"Retry-After": "soon"}, b"")]
    with pytest.raises(FeedError, match="answered 503 Service Unavailable"):
        get(tmp_path / "new", server.url)


def test_what_the_network_says_is_told_in_our_words(tmp_path, serve, monkeypatch):
    def fails(host: str, *_rest: object, **_more: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    loop = serve((302, {}, b""))
    loop.answers = [(302, {"Location": loop.url}, b"")]
    short = serve((200, {"Content-Length": "100"}, b"a,b\n"))
    for url, reason in (
        ("http://127.0.0.1:9/results.csv", "its server refuses the connection"),
        (loop.url, "it redirects too many times"),
        (short.url, "its answer breaks off before its end"),
        (serve((200, {}, b"a,b\n")).url.replace("http:", "https:"), "no secure connection to its server can be made"),
        ("ftp://127.0.0.1/results.csv", "it is no address for http or https"),
        ("http://nowhere.invalid/results.csv", "the name of its server is not found"),
    ):
        if "nowhere" in url:
            monkeypatch.setattr(socket, "getaddrinfo", fails)
        with pytest.raises(FeedError) as error:
            get(tmp_path, url)
        assert error.value.message == f"{url} cannot be fetched: {reason}."


def test_what_calls_itself_a_web_page_is_none(tmp_path, serve):
    server = serve((200, {"Content-Type": "text/html; charset=utf-8"}, b"Down for maintenance, back at six"))
    with pytest.raises(FeedError, match=r"is a web page, not data: the server says it is text/html"):
        get(tmp_path, server.url)
    server.answers = [(200, {"Content-Type": "text/csv"}, b"a,b\n")]
    assert get(tmp_path, server.url)[0].snapshot.bytes == 4


def test_a_bad_answer_is_not_pinned_by_its_etag(tmp_path, serve):
    """The request is conditional on what was loaded, so that a 304 never means the bytes nobody could read."""
    server = serve((200, {"ETag": '"good"'}, b"a,b\n"), (200, {"ETag": '"bad"'}, b'{"error": 1}'), (304, {}, b""))
    good = get(tmp_path, server.url)
    bad = get(tmp_path, server.url, later=1, loaded=good)
    assert bad[0].snapshot.sha256 != good[0].snapshot.sha256
    assert get(tmp_path, server.url, later=2, loaded=good) == good
    assert [asked.get("If-None-Match") for asked in server.asked] == [None, '"good"', '"good"']
    server.answers = [(200, {}, b"a,b\n")]
    get(tmp_path, server.url, later=3)
    assert "If-None-Match" not in server.asked[-1], "nothing was loaded, so nothing is known to be good"


def test_what_was_loaded_stands_in_and_not_a_newer_bad_answer(tmp_path, serve):
    server = serve((200, {}, b"a,b\n"), (200, {}, b"Service unavailable"), (500, {}, b""))
    good = get(tmp_path, server.url)
    get(tmp_path, server.url, later=1, loaded=good)
    stale = get(tmp_path, server.url, later=2, loaded=good)
    assert stale[0].snapshot == good[0].snapshot
    assert "answered 500" in stale[0].note
    known = {server.url: good[0].snapshot.sha256}
    assert fetch(tmp_path, (server.url,), NOW, lambda name: True, LIMITS, offline=True, loaded=known) == good


@pytest.mark.parametrize("pattern", ["", "*.csv", "**/*.csv"])
def test_a_folder_that_is_gone_or_empty_leaves_its_last_snapshots(tmp_path, pattern):
    mount = tmp_path / "mount"
    (mount / "deep").mkdir(parents=True)
    (mount / "a.csv").write_text("a,b\n")
    (mount / "b.csv").write_text("a,b\n1,2\n")
    source, raw = mount / pattern if pattern else mount, tmp_path / "raw"
    good = get(raw, source)
    for file in mount.glob("*.csv"):
        file.unlink()
    empty = get(raw, source, later=1, loaded=good)
    assert [(file.name, file.snapshot) for file in empty] == [(file.name, file.snapshot) for file in good]
    assert {file.note for file in empty} == {
        f"There are no files for this feed in {source}. The last snapshots of its 2 files were used."
    }
    (mount / "deep").rmdir()
    mount.rmdir()
    gone = get(raw, source, later=2, loaded=good)
    assert [file.snapshot for file in gone] == [file.snapshot for file in good]
    assert len({file.note for file in gone}) == 1 and "2 files were used" in gone[0].note


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
    get(raw, path)
    assert kept.read_text() == "a,b\n1,2\n"
    kept.write_bytes(b"a,b")
    path.unlink()
    with pytest.raises(FeedError) as error:
        get(raw, path)
    assert error.value.message == (
        f"{path} cannot be read: No such file or directory."
        f" Its snapshot of 2025-11-01T00:00:00 UTC cannot stand in: {kept} is damaged."
    )


def test_damaged_bytes_of_the_right_length_are_refused(tmp_path):
    snapshot = snapshots.keep(tmp_path, "/x/results.csv", b"a,b\n", NOW, (None, None))
    (tmp_path / snapshot.file).write_bytes(b"a;b\n")
    with pytest.raises(FeedError, match="is damaged"):
        snapshots.read(tmp_path, snapshot)


def test_a_disk_that_refuses_is_one_clear_error(tmp_path):
    blocked = tmp_path / "raw"
    blocked.write_text("a file where the folder should be")
    with pytest.raises(StoreError, match="cannot be written"):
        snapshots.keep(blocked, "/x/results.csv", b"a,b\n", NOW, (None, None))


def test_an_answer_of_unknown_length_that_ends_within_a_line_is_cut_off(tmp_path, serve):
    server = serve((200, {}, b"a,b\n"), (200, UNBOUNDED, b"a,b\n1,"))
    good = get(tmp_path, server.url)
    (cut,) = get(tmp_path, server.url, later=1, loaded=good)
    assert cut.snapshot == good[0].snapshot
    assert "breaks off within its last line, after 6 bytes." in cut.note
    for headers, body in ((UNBOUNDED, b"a,b\n1,2\n"), (UNBOUNDED, b'{"a": 1}'), ({}, b"a,b\n1,2")):
        server.answers = [(200, headers, body)]
        (whole,) = get(tmp_path, server.url, later=2, loaded=good)
        assert (whole.note, whole.snapshot.bytes) == ("", len(body))


def test_where_no_line_ever_ended_the_file_an_answer_of_unknown_length_may_do_so_too(tmp_path, serve):
    server = serve((200, UNBOUNDED, b"a,b\n1,2"), (200, UNBOUNDED, b"a,b\n1,2\n3,4"))
    good = get(tmp_path, server.url)
    assert get(tmp_path, server.url, later=1, loaded=good)[0].note == ""


def test_a_range_of_years_in_braces_is_a_source_a_year():
    found = expand("https://example.org/matches_{2009..2011}.csv?raw=1", lambda name: True)
    assert [name for _, name in found] == ["matches_2009.csv", "matches_2010.csv", "matches_2011.csv"]
    assert found[0][0] == "https://example.org/matches_2009.csv?raw=1"
    assert expand("/x/matches_{9..11}.csv", lambda name: True) == [("/x/matches_{9..11}.csv", "matches_{9..11}.csv")]


def test_since_when_snapshots_stand_in_is_kept_until_the_source_is_back(tmp_path, serve):
    server = serve((200, {}, b"a,b\n"), (404, {}, b""))
    get(tmp_path, server.url)
    assert snapshots.standing_in(tmp_path) == {}
    for hour in (1, 2):
        get(tmp_path, server.url, later=hour)
        assert snapshots.standing_in(tmp_path) == {server.url: "2025-11-01T01:00:00"}
    server.answers = [(200, {}, b"a,b\n")]
    get(tmp_path, server.url, later=3)
    assert snapshots.standing_in(tmp_path) == {}
