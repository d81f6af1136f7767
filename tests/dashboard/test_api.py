"""The HTTP API: what it answers, in which forms, how it says mistakes, and that answers name their edition."""

import io
import re
import shlex
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import duckdb
import polars as pl
import pyarrow as pa
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dashboard import handbook
from dashboard.access import Access
from dashboard.api import api
from dashboard.app import build_app
from dashboard.canned import canned, read
from store.edition import publish
from store.guard import unavailable
from store.home import Home

EDITION = "ratings-20240110-050000-000"
VALUES = {"league": "nations", "a": "Nations 1", "b": "Nations 2"}
guarded = pytest.mark.skipif(unavailable() is not None, reason="the guard is off here")


@pytest.fixture(scope="module")
def client(home: Home) -> Any:
    """A client that may ask as often as it likes."""
    server = build_app(home, access=Access(per_minute=1e6)).server
    yield server.test_client()
    server.config["GUARD"].close()


def sql(client: FlaskClient, query: str, headers: dict[str, str] | None = None, **values: str) -> TestResponse:
    return client.get(f"/api/sql?{urlencode({'sql': query, **values})}", headers=headers)


@guarded
def test_sql_is_answered_with_bound_values_and_names_its_edition(client: FlaskClient) -> None:
    query = "SELECT name, rank + $n AS n FROM leaderboard WHERE league = $league AND rank <= $n ORDER BY rank"
    answer = sql(client, query, n="2", league="nations")
    assert answer.status_code == 200, answer.text
    assert answer.get_json() == {
        "edition": EDITION, "columns": ["name", "n"], "next": None,
        "rows": [{"name": "Nations 1", "n": 3}, {"name": "Nations 2", "n": 4}],
    }  # fmt: skip
    assert (answer.headers["X-Edition"], answer.headers["ETag"]) == (EDITION, f'"{EDITION}"')
    hostile = sql(client, "SELECT name FROM leaderboard WHERE league = $league", league="' OR true --")
    assert hostile.get_json()["rows"] == []


@guarded
def test_a_long_query_is_posted(client: FlaskClient) -> None:
    query = "SELECT name, $n AS n, $t AS t, $b AS b, $z AS z FROM leaderboard WHERE league = $league LIMIT 1"
    values = {"n": 7, "t": "1.0", "b": True, "z": None, "league": "nations"}
    answer = client.post("/api/sql", json={"sql": f"{query} -- {'x' * 9000}", "params": values})
    assert answer.status_code == 200, answer.text
    (row,) = answer.get_json()["rows"]
    assert (row["n"], row["b"], row["z"]) == (7, True, None) and answer.headers["X-Edition"] == EDITION
    plain = client.post(
        "/api/sql?n=2&_format=csv", data="SELECT $n + 1 AS n", content_type="application/sql; charset=utf-8"
    )
    assert plain.data == b"n\n3\n"
    paged = client.post("/api/sql?_limit=2", json={"sql": "FROM range(3)"}).get_json()
    assert client.post(paged["next"], json={"sql": "FROM range(3)"}).get_json()["rows"] == [{"range": 2}]
    assert client.post("/api/sql", json={"sql": "SELECT 1"}, headers={"If-None-Match": "*"}).status_code == 200
    assert client.post("/api/sql", json={"sql": "DELETE FROM game"}).status_code == 400


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"sql=SELECT+1", "application/x-www-form-urlencoded", 415),
        (b"SELECT 1", "text/plain", 415),
        (b"SELECT 1", "multipart/form-data; boundary=x", 415),
        (b"SELECT 1", "", 415),
        (b"SELECT '\xff'", "application/sql", 400),
        (b"{", "application/json", 400),
        (b'["SELECT 1"]', "application/json", 400),
        (b'{"sql": 1}', "application/json", 400),
        (b'{"sql": "SELECT 1", "parameters": {}}', "application/json", 400),
        (b'{"sql": "SELECT $a", "params": {"a": [1]}}', "application/json", 400),
        (b'{"sql": "SELECT $a", "params": {"a": 1' + b"0" * 400 + b"}}", "application/json", 400),
        (b'{"sql": "SELECT \\ud800"}', "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"x" * 300_000, "application/sql", 413),
    ],
)
@guarded
def test_no_other_body_is_read(client: FlaskClient, body: bytes, kind: str, status: int) -> None:
    answer = client.post("/api/sql", data=body, headers={"Content-Type": kind})
    assert answer.status_code == status and {"error", "hint"} <= set(answer.get_json()), answer.text


@pytest.mark.parametrize(
    "path", ["/api/leagues", "/api/sql", "/download/current.duckdb", "/api/queries/schema", "/api/x"]
)
def test_other_methods_are_refused_in_json(client: FlaskClient, path: str) -> None:
    answer = client.delete(path)
    assert answer.status_code == 405 and "GET" in answer.headers["Allow"]
    assert set(answer.get_json()) == {"error", "hint"}


@guarded
def test_the_forms_hold_the_same_rows(client: FlaskClient) -> None:
    query = "SELECT name, rating, last_played FROM leaderboard WHERE league = 'cup' ORDER BY rank"
    rows = sql(client, query).get_json()["rows"]
    csv = sql(client, query, _format="csv")
    parquet = pl.read_parquet(io.BytesIO(sql(client, query, _format="parquet").data))
    arrow = pa.ipc.open_stream(sql(client, query, _format="arrow").data).read_all()
    assert csv.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert pl.read_csv(csv.data, try_parse_dates=True).equals(parquet)
    assert arrow.to_pylist() == parquet.to_dicts()
    assert [row["name"] for row in rows] == parquet["name"].to_list() and len(rows) == 20


@guarded
def test_pages_follow_one_another_within_one_edition(client: FlaskClient) -> None:
    address = f"/api/sql?{urlencode({'sql': 'FROM range($n) ORDER BY 1', 'n': '12000'})}"
    seen: list[int] = []
    while address:
        answer = client.get(address)
        body = answer.get_json()
        assert answer.headers.get("Link", "") == (f'<{body["next"]}>; rel="next"' if body["next"] else "")
        assert len(body["rows"]) <= 5000
        seen += [row["range"] for row in body["rows"]]
        address = body["next"]
    assert seen == list(range(12000))
    elsewhere = sql(client, "FROM range(9)", _offset="3", _edition="ratings-of-yesterday")
    assert elsewhere.status_code == 409 and EDITION in elsewhere.get_json()["error"]


@guarded
def test_a_mistake_has_its_position_and_a_caret(client: FlaskClient) -> None:
    answer = sql(client, "SELECT name,\n nme FROM leaderboard", _format="csv")
    body = answer.get_json()
    assert answer.status_code == 400 and body["position"] == {"line": 2, "column": 2}
    assert body["caret"] == "LINE 2:  nme FROM leaderboard\n         ^^^"
    assert '"nme" not found' in body["error"] and "/api/queries/schema" in body["hint"] and "LINE" not in body["error"]


@guarded
@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("DELETE FROM game", "DELETE statements are not allowed"),
        ("SELECT 1; SELECT 2", "One statement is wanted"),
        ("SELECT $n", "needs a value for $n"),
        ("FROM read_text('/etc/passwd')", "disabled by configuration"),
        ("SELECT string_agg(repeat('x', 1000000), '') FROM range(3000)", "more memory than it may"),
        ("SELECT repeat('x', 1000000) FROM range(9)", "larger than 5 MB"),
    ],
)
def test_what_cannot_be_answered_is_said_in_words(client: FlaskClient, query: str, words: str) -> None:
    answer = sql(client, query)
    assert answer.status_code == 400 and words in answer.get_json()["error"]
    assert set(answer.get_json()) <= {"error", "hint", "position", "caret"}


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        ("/api/sql", 400, "No query"),
        ("/api/sql?sql=FROM+edition&_format=xml", 400, "json, csv, parquet, arrow"),
        ("/api/sql?sql=FROM+edition&_limit=-1", 400, "_limit"),
        ("/api/sql?sql=FROM+edition&_offset=x", 400, "_offset"),
        ("/api/sql?sql=FROM+edition&sql=FROM+game", 400, "given twice"),
        ("/api/queries/top_team", 404, "top_teams"),
        ("/api/queries/top_teams", 400, 'needs a value for "league"'),
        ("/api/queries/top_teams?league=nations&m=3", 400, 'no parameter "m"'),
        ("/api/queries/top_teams?league=nations&n=many", 400, '"n" must be a whole number from 0'),
        ("/api/queries/top_teams?league=nations&n=2.5", 400, 'it is "2.5"'),
        ("/api/queries/games?league=nations&since=2025-13-01", 400, '"since" must be a day'),
        ("/api/queries/games?league=nations&since=20250101", 400, "2026-01-31"),
        ("/api/queries/movement?league=nations&since=yesterday", 400, '"since" must be a day'),
        ("/api/leagues/nations/leaderboard?league=cup", 400, '"nations" already'),
        ("/api/sql?sql=FROM+edition&_limit=0", 400, "from 1 on"),
        ("/api/sql?sql=SELECT+%FF", 400, "UTF-8"),
        ("/api/queries/games?league=%FF", 400, "UTF-8"),
        ("/api/queries/top_teams?league=atlantis", 404, "cup, nations, waiting"),
        ("/api/queries/win_probability?league=nations&a=Nations+1&b=Natons+2", 400, "Did you mean"),
        ("/api/leagues/atlantis/leaderboard.csv", 404, "atlantis"),
        ("/api/leagues/nations/leaderboard.doc", 400, "There is no format"),
        ("/api/leagues/nations/leaderboard.csv?_format=json", 400, "ends in .csv"),
        ("/api/leagues/nations/leaderboard.csv?m=3", 400, 'no parameter "m"'),
        ("/api/sql?_offset=3&_edition=ratings-of-yesterday", 400, "the POST's body again"),
        ("/api/leagues/nations/schema.csv", 404, "not about one league"),
        ("/api/leagues/nations/../../etc/passwd", 404, ""),
        ("/api/nowhere", 404, "nothing at /api/nowhere"),
        ("/api/", 404, "nothing at /api/"),
        ("/download/current.duckdb.wal", 404, "nothing at /download/current.duckdb.wal"),
        ("/download/", 404, "nothing at /download/"),
        ("/api/queries/top_teams?league=nation", 404, 'Did you mean "nations"'),
        ("/api/queries/top_teams?league=nations&kind=teem", 400, "any, team, player"),
        ("/api/queries/history?league=nations&basis=smooth", 400, "as_published, smoothed, backfilled"),
        ("/api/queries/top_teams?league=nations&n=-1", 400, "-1"),
        ("/api/sql?sql=FROM+edition&_limits=5", 400, "_format, _limit, _offset, _edition"),
        ("/api/sql?sql=SELECT+$_limit", 400, "a POST's params"),
    ],
)
def test_wrong_addresses_are_errors_in_json(client: FlaskClient, address: str, status: int, words: str) -> None:
    answer = client.get(address)
    assert answer.status_code == status, answer.text
    assert words in f"{answer.get_json()['error']} {answer.get_json()['hint']}"


@pytest.mark.parametrize("name", sorted(canned()))
def test_every_prepared_question_is_answered_and_says_what_it_takes(client: FlaskClient, name: str) -> None:
    one = canned()[name]
    assert one.title and len(one.description) > 20
    stated = {part.name for part in one.parameters}
    assert set(duckdb.connect().extract_statements(one.sql)[0].named_parameters) == stated
    wanted = {part.name: VALUES[part.name] for part in one.parameters if part.usual is None}
    answer = client.get(f"/api/queries/{name}?{urlencode(wanted)}")
    assert answer.status_code == 200, answer.text
    assert answer.get_json()["edition"] == answer.headers["X-Edition"] == EDITION
    empty = {"data_health", "fixtures"}
    assert bool(answer.get_json()["rows"]) == (name not in empty)


def test_a_prepared_question_is_read_from_its_header() -> None:
    one = read("q", "-- Title\n-- What it\n-- tells.\n-- $league: a key\n-- $n = 10: how many\nSELECT $league, $n\n")
    assert (one.title, one.description, one.sql) == ("Title", "What it tells.", "SELECT $league, $n")
    assert one.values({"league": "x"}) == {"league": "x", "n": "10"}
    bare = one.parameters[1]
    typed = read("q", "-- T\n-- $n (count) = 10: how many\n-- $d (day) = ever: since\nSELECT $n, $d\n").parameters
    assert [(part.name, part.kind, part.usual) for part in (bare, *typed)] == [
        ("n", None, "10"), ("n", "count", "10"), ("d", "day", "ever"),
    ]  # fmt: skip
    typed[1].check("ever")
    few = read("q", "-- T\n-- $k = a | b: which\nSELECT $k\n").parameters[0]
    assert (few.usual, few.choices) == ("a", ("a", "b"))


def test_leagues_as_files(client: FlaskClient) -> None:
    for form, load in (("csv", pl.read_csv), ("parquet", pl.read_parquet)):
        answer = client.get(f"/api/leagues/nations/leaderboard.{form}")
        assert f"filename=nations-leaderboard.{form}" in answer.headers["Content-Disposition"]
        assert load(io.BytesIO(answer.data)).height == 40
    board = client.get("/api/leagues/nations/leaderboard").get_json()["rows"]
    assert [row["rank"] for row in board[:3]] == [1, 2, 3]
    leagues = client.get("/api/leagues").get_json()["rows"]
    assert [row["league"] for row in leagues] == ["nations", "cup", "waiting"]


@pytest.mark.parametrize(
    "address", ["/api/leagues/cup/leaderboard.csv", "/api/queries/schema", "/download/current.duckdb"]
)
def test_asking_again_costs_nothing_until_the_next_edition(client: FlaskClient, address: str) -> None:
    first = client.get(address, headers={"Accept-Encoding": "gzip"})
    assert first.headers["X-Edition"] == EDITION and first.headers["Cache-Control"] == "no-cache"
    assert address.startswith("/download") or first.headers["Content-Encoding"] == "gzip"
    again = client.get(address, headers={"Accept-Encoding": "gzip", "If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert client.get(address, headers={"If-None-Match": "*"}).status_code == 304
    wrong = "/api/queries/top_teams?league=atlantis"
    assert client.get(wrong, headers={"If-None-Match": "*"}).status_code == 404, "there is no answer to have"
    wrong = "/api/queries/top_teams?league=cup&kind=team&n=nine"
    assert client.get(wrong, headers={"If-None-Match": first.headers["ETag"]}).status_code == 400
    other = client.get(address, headers={"If-None-Match": '"ratings-of-yesterday"'})
    assert other.status_code == 200


@guarded
def test_only_what_had_an_answer_is_unchanged(client: FlaskClient) -> None:
    tag = {"If-None-Match": f'"{EDITION}"'}
    for _ in range(2):
        assert sql(client, "SELEC 1", tag).status_code == 400
        assert sql(client, "SELECT 304 AS n", tag).status_code == 304
    wrong = client.get("/api/queries/head_to_head?league=nations&a=Nations+1&b=Nobody", headers=tag)
    assert wrong.status_code == 400 and set(wrong.get_json()) == {"error", "hint"}, "a place in SQL that he never wrote"


def test_the_next_edition_is_answered_as_soon_as_it_is_published(own_home: Home, made: Any) -> None:
    server = build_app(own_home, access=Access(per_minute=1e6)).server
    client = server.test_client()
    tag = client.get("/api/leagues").headers["ETag"]
    new = publish(own_home, ["cup"], made.NOW + timedelta(hours=1)).stem
    for address in ("/api/leagues", "/api/sql?sql=SELECT+league+FROM+league"):
        answer = client.get(address, headers={"If-None-Match": tag})
        assert (answer.status_code, answer.headers["X-Edition"]) == (200, new)
        assert [row["league"] for row in answer.get_json()["rows"]] == ["cup"]
    server.config["GUARD"].close()


def test_the_edition_can_be_downloaded_whole_and_in_ranges(client: FlaskClient, home: Home, tmp_path: Any) -> None:
    whole = client.get("/download/current.duckdb")
    assert whole.data == home.current.read_bytes()
    (tmp_path / "mine.duckdb").write_bytes(whole.data)
    with duckdb.connect(str(tmp_path / "mine.duckdb"), read_only=True) as con:
        assert con.execute("SELECT edition_id FROM edition").fetchone() == (EDITION,)
    part = client.get("/download/current.duckdb", headers={"Range": "bytes=8-11", "If-Range": whole.headers["ETag"]})
    assert (part.status_code, part.data) == (206, b"DUCK")
    moved = client.get("/download/current.duckdb", headers={"Range": "bytes=8-11", "If-Range": '"yesterday"'})
    assert (moved.status_code, len(moved.data)) == (200, len(whole.data))


def test_nothing_published_is_said_without_a_path(tmp_path: Any) -> None:
    client = build_app(Home(tmp_path)).server.test_client()
    for address in ("/api/leagues", "/api/sql?sql=SELECT+1", "/download/current.duckdb", "/api/queries"):
        answer = client.get(address)
        assert answer.status_code == 503 and "Nothing is published" in answer.get_json()["error"]
        assert str(tmp_path) not in answer.text


def test_people_can_read_it_without_scripts(client: FlaskClient) -> None:
    answer = client.get("/api")
    assert answer.status_code == 200 and "<script" not in answer.text
    for name, one in canned().items():
        assert f"GET /api/queries/{name}" in answer.text and one.title in answer.text
    assert "POST /api/sql" in answer.text and "apostrophe" in answer.text
    for link in ("/api/leagues/cup/leaderboard.csv", "/assets/pooltable.css"):
        assert client.get(link).status_code == 200


@guarded
def test_every_curl_that_is_shown_is_answered(client: FlaskClient) -> None:
    """As README and handbook have them, but of a league that is here."""
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    shown = re.findall(r"^curl .*$", readme + handbook.text("sql"), re.MULTILINE)
    assert len(shown) >= 7
    for line in shown:
        for there, here in (("international_football", "nations"), ("Spain", "Nations+1"), ("Italy", "Nations+2")):
            line = line.replace(there, here)
        words = shlex.split(line)
        address = next(word for word in words if word.startswith("http")).removeprefix("http://127.0.0.1:8050")
        if "Content-Type: application/json" in words:
            posted = client.post(address, data=words[-1], content_type="application/json")
            assert posted.status_code == 200 and len(posted.get_json()["rows"]) > 1, line
            continue
        flags = {"-d", "--data-urlencode"}
        data = dict(words[at + 1].split("=", 1) for at, word in enumerate(words) if word in flags)
        answer = client.get(address + (f"?{urlencode(data)}" if data else ""))
        assert answer.status_code == 200 and len(answer.data) > 100, line


def test_where_the_guard_is_off_prepared_questions_are_still_answered(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.guard.sys.platform", "darwin")
    client = build_app(home).server.test_client()
    off = sql(client, "SELECT 1")
    assert off.status_code == 503 and "Linux" in off.get_json()["error"]
    assert client.get("/api/queries/top_teams?league=cup").status_code == 200
    assert "Linux" in client.get("/api/queries").get_json()["sql"]


def test_whoever_asks_too_often_is_told_when_to_come_back(home: Home) -> None:
    now = [0.0]
    server = build_app(home, access=Access(per_minute=30, clock=lambda: now[0])).server
    client = server.test_client()
    answers = [client.get("/api/leagues") for _ in range(12)]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429] * 2
    assert answers[-1].headers["Retry-After"] == "2" and "too often" in answers[-1].get_json()["error"]
    assert client.get("/api/leagues", environ_base={"REMOTE_ADDR": "192.0.2.1"}).status_code == 200
    assert client.get("/api/openapi.json").status_code == client.get("/leaderboard").status_code == 200
    now[0] += 2
    assert client.get("/api/leagues").status_code == 200


def test_every_route_only_reads(home: Home) -> None:
    server = build_app(home).server
    methods = {rule.rule: rule.methods - {"HEAD", "OPTIONS"} for rule in server.url_map.iter_rules() if rule.methods}
    assert {path for path, found in methods.items() if found - {"GET"}} == {"/_dash-update-component", "/api/sql"}
    assert callable(api)
