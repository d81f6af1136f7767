"""Who gets in: with a token nobody without it, by header, form or address; and nothing here can write the warehouse."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dashboard import server as serving
from dashboard.access import Access, access_from, network, shared
from dashboard.app import build_app
from dashboard.reader import Reader
from dashboard.server import serve
from store.errors import UsageError
from store.guard import unavailable
from store.home import Home, read_settings

TOKEN = "a-token-of-some-length"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
EVERYWHERE = ["/", "/leaderboard", "/api", "/api/openapi.json", "/api/leagues", "/api/sql?sql=FROM+edition",
              "/api/nowhere", "/download/current.duckdb", "/_dash-layout", "/_dash-dependencies", "/assets/cells.js",
              "/nothing/here"]  # fmt: skip


@pytest.fixture(scope="module")
def server(home: Home) -> Any:
    server = build_app(home, access=Access(token=TOKEN, clock=lambda: 0.0, per_minute=1e6)).server
    yield server
    server.config["GUARD"].close()


@pytest.fixture
def client(server: Any) -> FlaskClient:
    return server.test_client()


def enter(client: FlaskClient, token: str, address: str = "/login", **more: Any) -> TestResponse:
    return client.post(address, data={"token": token}, **more)


@pytest.mark.parametrize("path", EVERYWHERE)
def test_nobody_gets_anything_without_the_token(client: FlaskClient, path: str) -> None:
    for headers in (
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Cookie": f"pooltable={TOKEN}"},
    ):
        answer = client.get(path, headers=headers, environ_base={"REMOTE_ADDR": str(len(headers)) + path})
        assert answer.status_code == 401 and answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert set(answer.get_json()) == {"error", "hint"} and TOKEN not in answer.text
    assert client.post("/_dash-update-component", json={}).status_code == 401


@pytest.mark.parametrize("path", EVERYWHERE)
def test_a_program_gets_in_with_a_header(client: FlaskClient, path: str) -> None:
    status = client.get(path, headers=BEARER).status_code
    assert status == (404 if path == "/api/nowhere" else 200)
    assert client.get_cookie("pooltable") is None, "a program gets no cookie"


def test_a_person_is_asked_and_comes_back_to_where_he_wanted(client: FlaskClient) -> None:
    asked = client.get("/leaderboard?league=cup&sort=rank", headers=BROWSER)
    assert asked.status_code == 303 and asked.headers["Location"].startswith("/login?next=")
    form = client.get(asked.headers["Location"], headers=BROWSER)
    assert form.status_code == 200 and 'type="password"' in form.text and "<script" not in form.text
    entered = enter(client, TOKEN, asked.headers["Location"])
    assert (entered.status_code, entered.headers["Location"]) == (303, "/leaderboard?league=cup&sort=rank")
    cookie = entered.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and TOKEN not in cookie and "Secure" not in cookie
    assert client.get("/leaderboard?league=cup", headers=BROWSER).status_code == 200
    assert client.get("/login").headers["Location"] == "/"


def test_a_token_in_the_address_is_taken_out_of_it(client: FlaskClient) -> None:
    entered = client.get(f"/leaderboard?league=cup&token={TOKEN}&sort=rank")
    assert (entered.status_code, entered.headers["Location"]) == (303, "/leaderboard?league=cup&sort=rank")
    assert client.get("/leaderboard?league=cup").status_code == 200


@pytest.mark.parametrize("ending", ["atom", "json"])
def test_a_feed_reader_which_keeps_no_cookie_has_the_token_in_the_address(client: FlaskClient, ending: str) -> None:
    for _ in range(2):
        told = client.get(f"/feeds/cup.{ending}?token={TOKEN}")
        assert told.status_code == 200 and TOKEN not in told.text and "Set-Cookie" not in told.headers
    assert client.get(f"/feeds/cup.{ending}?token=wrong").status_code == 401


@pytest.mark.parametrize(
    "path", ["/api/leagues/cup/leaderboard.csv", "/download/current.duckdb", "/api/queries", "/api/queries/leagues"]
)
def test_a_script_may_have_the_token_in_the_address_of_data(client: FlaskClient, path: str) -> None:
    told = client.get(f"{path}?token={TOKEN}")
    assert told.status_code == 200
    assert "Set-Cookie" not in told.headers


def test_an_address_with_line_breaks_is_no_error(client: FlaskClient) -> None:
    told = client.get(f"/%0d%0aX-Own:1?token={TOKEN}")
    assert (told.status_code, told.headers["Location"]) == (303, "/%0D%0AX-Own%3A1")
    assert "X-Own" not in told.headers


@pytest.mark.parametrize("wrong", ["", "wrong", TOKEN[:-1], TOKEN + "x", "ü" * 20, "\x00"])
def test_a_wrong_token_is_said_and_sets_nothing(client: FlaskClient, wrong: str) -> None:
    answer = enter(client, wrong, environ_base={"REMOTE_ADDR": repr(wrong)})
    assert answer.status_code == 401 and "That is not the token." in answer.text
    assert "Set-Cookie" not in answer.headers


def test_guessing_is_slowed_down(client: FlaskClient) -> None:
    answers = [enter(client, f"guess {n}", environ_base={"REMOTE_ADDR": "192.0.2.9"}).status_code for n in range(9)]
    assert set(answers[:3]) == {401} and set(answers[4:]) == {429}
    assert enter(client, "guess", environ_base={"REMOTE_ADDR": "192.0.2.10"}).status_code == 401
    for number in range(9):
        assert client.get("/api", headers=BEARER, environ_base={"REMOTE_ADDR": "192.0.2.9"}).status_code == 200, number
    assert enter(client, TOKEN, environ_base={"REMOTE_ADDR": "192.0.2.9"}).status_code == 303


def test_a_probe_needs_no_token_and_learns_no_names(client: FlaskClient) -> None:
    answer = client.get("/health")
    assert answer.status_code == 200 and set(answer.get_json()) == {"status", "age_seconds"}
    wrong = client.get("/health", headers={"Authorization": "Bearer wrong"}).get_json()
    assert wrong.keys() == answer.get_json().keys() and wrong["status"] == answer.get_json()["status"]
    assert "edition" in client.get("/health", headers=BEARER).get_json()


def test_an_address_is_a_client_and_so_is_a_network() -> None:
    assert network("192.0.2.7") == network("::ffff:192.0.2.7") == "192.0.2.7"
    assert network("2001:db8::1") == network("2001:db8::2:3") != network("2001:db8:0:1::1")
    assert network("fe80::1%eth0") == "fe80::/64" and network("") == "" and network("unix") == "unix"


def test_behind_a_proxy_a_client_has_a_few_answers_at_once() -> None:
    def application(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        return [b"x"]

    def ask(who: str, path: str = "/download/current.duckdb") -> Any:
        status: list[str] = []
        body = asked(
            {"REMOTE_ADDR": who, "PATH_INFO": path, "REQUEST_METHOD": "GET"}, lambda said, _: status.append(said)
        )
        return status[0][:3], body

    asked = shared(application)
    held = [ask("a") for _ in range(8)]
    assert {status for status, _ in held} == {"200"}
    late, body = ask("a")
    assert late == "429" and b"too many" in b"".join(body)
    body.close()
    assert (ask("b")[0], ask("a", "/leaderboard")[0]) == ("200", "200")
    held[0][1].close()
    assert ask("a")[0] == "200"


@pytest.mark.parametrize(
    "target", ["https://evil.example", "//evil.example", "/\\evil.example", "evil", "javascript:1", "/a\r\nX: 1"]
)
def test_the_way_in_leads_nowhere_else(server: Any, target: str) -> None:
    answer = server.test_client().post("/login", query_string={"next": target}, data={"token": TOKEN},
                                       environ_base={"REMOTE_ADDR": target})  # fmt: skip
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")


@pytest.mark.parametrize(
    ("host", "status"),
    [("localhost:8050", 200), ("LOCALHOST", 200), ("127.0.0.1:1", 200), ("[::1]:8050", 200), ("box.internal", 200),
     ("evil.example:8050", 421), ("localhost.evil.example", 421), ("127.0.0.1.evil.example", 421), ("[::1", 421),
     ("192.0.2.7:8050", 421)],
)  # fmt: skip
def test_this_machine_is_asked_by_its_own_names(home: Home, host: str, status: int) -> None:
    client = build_app(home, access=Access(names=frozenset({"box.internal"}))).server.test_client()
    for path in ("/", "/health", "/api/leagues", "/download/current.duckdb"):
        answer = client.get(path, headers={"Host": host})
        assert answer.status_code == status and (status == 200 or "--public" in answer.get_json()["hint"]), answer.text
    assert build_app(home).server.test_client().get("/health", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    ("token", "public", "names"), [("", False, {"localhost"}), ("", True, None), (TOKEN, False, None)]
)
def test_with_a_token_or_in_public_any_name_will_do(
    home: Home, monkeypatch: pytest.MonkeyPatch, token: str, public: bool, names: set[str] | None
) -> None:
    built: list[Access] = []
    monkeypatch.setenv("POOLTABLE_TOKEN", token)
    monkeypatch.setattr(serving, "build_app", lambda _, access: built.append(access))
    monkeypatch.setattr(serving, "Server", lambda app, listening, workers: listening)
    monkeypatch.setattr(serving.socket.socket, "run", lambda listening: listening.close(), raising=False)
    serve(home, "localhost", 0, public=public)
    assert built[0].names == names


def test_a_cookie_is_secure_behind_a_proxy_that_is(home: Home) -> None:
    server = build_app(home, access=Access(token=TOKEN, proxies=1)).server
    answer = server.test_client().post("/login", data={"token": TOKEN}, headers={"X-Forwarded-Proto": "https"})
    assert "Secure" in answer.headers["Set-Cookie"]


def test_other_sites_may_read_only_where_the_settings_say_so(home: Home) -> None:
    foreign = {"Origin": "https://notebook.example"}
    off = build_app(home).server.test_client().get("/api/leagues", headers=foreign)
    assert "Access-Control-Allow-Origin" not in off.headers
    client = build_app(home, access=Access(token=TOKEN, origins=("https://notebook.example",))).server.test_client()
    preflight = client.options("/api/leagues", headers=foreign)
    assert "Authorization" in preflight.headers["Access-Control-Allow-Headers"]
    answer = client.get("/api/leagues", headers={**foreign, **BEARER})
    assert answer.headers["Access-Control-Allow-Origin"] == "https://notebook.example"
    assert "X-Edition" in answer.headers["Access-Control-Expose-Headers"] and "Origin" in answer.headers["Vary"]
    for headers, path in (({"Origin": "https://evil.example"}, "/api/leagues"), (foreign, "/leaderboard")):
        assert "Access-Control-Allow-Origin" not in client.get(path, headers={**headers, **BEARER}).headers


def test_settings_come_from_the_environment_and_wrong_ones_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POOLTABLE_TOKEN", TOKEN)
    monkeypatch.setenv("POOLTABLE_CORS", "https://a.example https://b.example")
    access = access_from(read_settings())
    assert (access.token, access.origins) == (TOKEN, ("https://a.example", "https://b.example"))
    assert TOKEN not in repr(read_settings())
    monkeypatch.setenv("POOLTABLE_TOKEN", "short")
    with pytest.raises(UsageError, match="at least 12"):
        access_from(read_settings())
    monkeypatch.setenv("POOLTABLE_PROXIES", "two")
    with pytest.raises(UsageError, match="POOLTABLE_PROXIES"):
        read_settings()


def test_beyond_this_machine_a_token_or_a_word_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("POOLTABLE_TOKEN", raising=False)
    with pytest.raises(UsageError, match="other machines") as caught:
        serve(Home(tmp_path), host="192.0.2.7")
    assert "POOLTABLE_TOKEN" in caught.value.hint and "--public" in caught.value.hint
    monkeypatch.setenv("POOLTABLE_TOKEN", TOKEN)
    with pytest.raises(Exception, match="Cannot listen"):  # it got past the question, to an address not of this machine
        serve(Home(tmp_path), host="192.0.2.7")


WRITER = """
import duckdb, sys
con = duckdb.connect(sys.argv[1])
print("holding", flush=True)
sys.stdin.read()
"""
WRITES = [
    "ATTACH '{warehouse}' AS w",
    "ATTACH '{warehouse}' AS w (READ_ONLY)",
    "COPY (SELECT 1) TO '{warehouse}'",
    "FROM read_blob('{warehouse}')",
    "WITH x AS (DELETE FROM game RETURNING *) FROM x",
    "CREATE TABLE game2 AS FROM game",
]


def test_nothing_in_the_web_process_can_write_the_warehouse(own_home: Home) -> None:
    """A writer holds the warehouse, so that whoever opened it would fail; every address is asked, and writing tried."""
    before = own_home.warehouse.read_bytes()
    command = [sys.executable, "-c", WRITER, str(own_home.warehouse)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None and writer.stdout.readline() == "holding\n"
        server = build_app(own_home, access=Access(per_minute=1e6)).server
        client = server.test_client()
        for path in [*EVERYWHERE, "/api/queries", "/api/queries/top_teams?league=cup", "/shrinkage", "/checks"]:
            wanted = {200, 404} if unavailable() is None else {200, 404, 503}
            assert client.get(path).status_code in wanted, path
        for statement in WRITES:
            sql = statement.format(warehouse=own_home.warehouse)
            assert client.get("/api/sql", query_string={"sql": sql}).status_code in {400, 503}, sql
            with Reader(own_home).answer() as answer, pytest.raises(duckdb.Error):
                answer.con.execute(sql)
        server.config["GUARD"].close()
        writer.communicate("")
    assert own_home.warehouse.read_bytes() == before
    own_home.warehouse.unlink()
    assert build_app(own_home).server.test_client().get("/api/leagues").status_code == 200
    assert not own_home.warehouse.exists()
