"""The description of the API: every address, method, parameter and status there is, and none that is not."""

import json
import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from dashboard.access import Access
from dashboard.app import build_app
from dashboard.canned import canned
from store.guard import unavailable
from store.home import Home

TOKEN = "a-token-of-this-test"
SEEN = [
    ("GET", "/api/leagues", {}, 200),
    ("GET", "/api/leagues/nations/leaderboard.csv?_limit=2", {}, 200),
    ("HEAD", "/api/queries/top_teams?league=nations", {}, 200),
    ("GET", "/api/queries/top_teams?league=nations&n=x", {}, 400),
    ("GET", "/api/queries/top_teams?league=atlantis", {}, 404),
    ("GET", "/api/queries/leagues?_edition=older", {}, 409),
    ("GET", "/api/queries/schema", {"If-None-Match": "*"}, 304),
    ("GET", "/api/queries", {"Authorization": "Bearer wrong"}, 401),
    ("GET", "/api/leagues", {"Host": "elsewhere.example"}, 421),
    ("GET", "/api/sql", {}, 400),
    ("POST", "/api/sql", {"Content-Type": "text/plain"}, 415),
    ("POST", "/api/sql", {"Content-Type": "application/sql"}, 413),
    ("GET", "/api/sql?sql=SELECT+1&_edition=older", {}, 409),
    ("GET", "/download/current.duckdb", {"Range": "bytes=0-9"}, 206),
    ("HEAD", "/download/current.duckdb", {}, 200),
    ("GET", "/download/current.duckdb", {"Range": "bytes=999999999999-"}, 416),
    ("GET", "/download/current.duckdb", {"If-None-Match": "*"}, 304),
    ("GET", "/download/current.duckdb", {"If-Match": '"older"'}, 412),
    ("GET", "/api", {}, 200),
    ("GET", "/api/openapi.json", {}, 200),
    ("GET", "/health", {}, 200),
]  # fmt: skip


@pytest.fixture(scope="module")
def client(home: Home) -> Any:
    """A client of a server that asks for a token and goes by the names of this machine alone."""
    access = Access(token=TOKEN, per_minute=1e6, names=frozenset())
    server = build_app(home, access=access).server
    yield server.test_client()
    server.config["GUARD"].close()


@pytest.fixture(scope="module")
def described(client: FlaskClient) -> dict[str, Any]:
    return client.get("/api/openapi.json", headers={"Authorization": f"Bearer {TOKEN}"}).get_json()


def operation(described: dict[str, Any], method: str, path: str) -> dict[str, Any]:
    """What is described of a method at an address."""
    for template, ways in described["paths"].items():
        if re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template)), path):
            return ways[method.lower()]
    raise AssertionError(f"{path} is not described")


def test_the_document_describes_every_address_there_is(client: FlaskClient, described: dict[str, Any]) -> None:
    assert described["openapi"].startswith("3.1") and described["info"]["description"]
    paths = set(described["paths"])
    rules = [rule.rule for rule in client.application.url_map.iter_rules() if rule.endpoint != "api.nothing"]
    there = {rule for rule in rules if re.match("/(api|download|health)", rule)} - {"/api/queries/<name>"}
    named = {path: re.sub("{question}", "<name>", path).replace("{", "<").replace("}", ">") for path in paths}
    assert set(named.values()) == there | {f"/api/queries/{name}" for name in canned()}
    methods = {rule.rule: rule.methods or set() for rule in client.application.url_map.iter_rules()}
    for path, shown in named.items():
        there = methods.get(shown) or methods["/api/queries/<name>"]
        assert {way.upper() for way in described["paths"][path]} == there - {"OPTIONS"}, path
    for path, methods in described["paths"].items():
        for about in methods.values():
            stated = {part["name"] for part in about.get("parameters", []) if part.get("in") == "path"}
            assert stated == {part[1:-1] for part in path.split("/") if part.startswith("{")}, path
    for kind, name in re.findall(r'"#/components/(\w+)/(\w+)"', json.dumps(described)):
        assert name in described["components"][kind]


@pytest.mark.parametrize(("method", "address", "headers", "status"), SEEN)
@pytest.mark.skipif(unavailable() is not None, reason="the guard is off here")
def test_what_is_answered_is_described(
    client: FlaskClient, described: dict[str, Any], method: str, address: str, headers: dict[str, str], status: int
) -> None:
    sent = {"Authorization": f"Bearer {TOKEN}", **headers}
    body = b"x" * 300_000 if status == 413 else None
    answer = client.open(address, method=method, headers=sent, data=body)
    assert answer.status_code == status, answer.text
    about = operation(described, method, address.partition("?")[0])["responses"][str(status)]
    if method != "HEAD" and status not in (304, 412):
        assert answer.headers["Content-Type"].partition(";")[0] in about["content"]


def test_every_parameter_of_a_question_is_described(described: dict[str, Any]) -> None:
    of_leagues = {part.get("name") for part in operation(described, "GET", "/api/leagues/x/games")["parameters"]}
    for name, one in canned().items():
        shown = {part.get("name"): part for part in operation(described, "GET", f"/api/queries/{name}")["parameters"]}
        for part in one.parameters:
            assert shown[part.name]["required"] == (part.usual is None)
            assert (shown[part.name]["schema"]["type"] == "integer") == (part.kind == "count")
            assert not one.is_of_a_league or part.name in of_leagues


def test_limits_that_the_server_sets_before_the_application_are_described(described: dict[str, Any]) -> None:
    for ways in described["paths"].values():
        for about in ways.values():
            assert {"401", "405", "414", "421", "429", "431"} <= set(about["responses"])
