"""The app over HTTP without a browser: health, headers, states, escaping, and addresses nobody meant."""

import json
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dash import Dash
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dashboard.app import PAGES, build_app
from dashboard.grid import SCRIPT
from dashboard.interactions import ASSETS, SCRIPTS
from store.edition import publish
from store.home import Home

FAILED = "Something went wrong"


@pytest.fixture(scope="module")
def app(home: Home, made: Any) -> Dash:
    return build_app(home, clock=lambda: made.NOW + timedelta(hours=3))


def visit(app: Dash, path: str, search: str = "", *, status: int = 200) -> str:
    """What the browser gets for an address: the JSON of the page's components."""
    client = app.server.test_client()
    routing, outputs = routed(app)
    values = {"pathname": path, "search": search}
    inputs = [item | {"value": values[item["property"]]} for item in routing["inputs"]]
    answer = client.post(
        "/_dash-update-component",
        json={"output": routing["output"], "outputs": outputs, "inputs": inputs, "changedPropIds": [], "state": []},
    )
    assert answer.status_code == status, answer.text[:500]
    return json.dumps(answer.get_json(), ensure_ascii=False)


def routed(app: Dash) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """The callback that answers with pages, and its outputs as the browser names them."""
    found = app.server.test_client().get("/_dash-dependencies").get_json()
    routing = next(callback for callback in found if "_pages_content.children" in callback["output"])
    parts = [part.split(".") for part in routing["output"].strip(".").split("...")]
    return routing, [{"id": part[0], "property": part[1]} for part in parts]


def test_health_names_the_edition_and_its_age(app: Dash) -> None:
    answer = app.server.test_client().get("/health")
    assert answer.status_code == 200
    body = answer.get_json()
    assert (
        body["status"] == "ok" and body["edition"] == "ratings-20240110-050000-000" and body["age_seconds"] == 3 * 3600
    )


def test_an_edition_of_another_version_is_told_and_what_to_do(own_home: Home) -> None:
    edition = own_home.current.resolve()
    edition.chmod(0o644)
    with duckdb.connect(str(edition)) as con:
        con.execute("DROP TABLE schedule")
    page = visit(build_app(own_home), "/leaderboard")
    assert "published by another version of Pooltable" in page and "pooltable publish" in page and FAILED not in page


def test_health_says_why_nothing_is_up_and_comes_up_with_the_first_edition(tmp_path: Path, made: Any) -> None:
    app = build_app(Home(tmp_path))
    answer = app.server.test_client().get("/health")
    assert answer.status_code == 503
    assert "published" in answer.get_json()["reason"] and str(tmp_path) not in answer.text
    assert "Nothing is published yet" in visit(app, "/") and FAILED not in visit(app, "/leaderboard")
    made.made_home(tmp_path, teams=12)
    assert app.server.test_client().get("/health").status_code == 200
    assert "Nations 1" in visit(app, "/leaderboard", "?league=nations")


def test_every_answer_carries_the_headers(app: Dash) -> None:
    client = app.server.test_client()
    for path in ("/", "/leaderboard", "/health", "/nothing/here", "/_dash-layout"):
        headers = client.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy
        scripts = next(part for part in policy.split("; ") if part.startswith("script-src"))
        assert "unsafe" not in scripts and "'sha256-" in scripts
        assert headers["X-Content-Type-Options"] == "nosniff" and headers["Cache-Control"] == "no-cache"


def test_the_policy_names_every_inline_script(app: Dash) -> None:
    policy = app.server.config["CONTENT_POLICY"]
    assert all(f"'{item.strip(chr(39))}'" in policy for item in app.csp_hashes())


def test_assets_are_kept_for_ever_by_address_and_everything_large_is_compressed(app: Dash) -> None:
    client = app.server.test_client()
    page = client.get("/").text
    script = next(part for part in page.split('"') if part.startswith(SCRIPTS))
    answer = client.get(script, headers={"Accept-Encoding": "gzip"})
    assert "immutable" in answer.headers["Cache-Control"] and answer.headers["Content-Encoding"] == "gzip"
    assert "no-cache" in client.get("/assets/cells.js").headers["Cache-Control"]
    grid = next(part for part in page.split('"') if "dash_ag_grid" in part and part.endswith(".js"))
    answer = client.get(grid, headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip" and "immutable" in answer.headers["Cache-Control"]


def test_a_page_asks_once_for_all_scripts_of_ours_the_theme_first(app: Dash) -> None:
    client = app.server.test_client()
    asked = re.findall(r'src="(/assets/[^"]+)"', client.get("/").text)
    assert len(asked) == 1
    served = client.get(asked[0]).text
    for path in ASSETS.glob("*.js"):
        assert served.count(path.read_text()) == 1
    assert served.startswith((ASSETS / "theme.js").read_text())


def test_the_code_that_draws_tables_comes_with_the_page_before_the_renderer(app: Dash) -> None:
    client = app.server.test_client()
    scripts = re.findall(r'<script src="([^"]+)"', client.get("/").text)
    drawn, renders = (next(n for n, one in enumerate(scripts) if name in one) for name in (SCRIPT, "dash-renderer"))
    assert drawn < renders
    assert "immutable" in client.get(SCRIPT).headers["Cache-Control"]


def test_the_leaderboard_states_what_it_shows(app: Dash) -> None:
    page = visit(app, "/leaderboard", "?league=nations")
    for words in ("1 Jan 2024", "log goals", "average ranked competitor", "3 hours ago", "The newest fit was rejected",
                  "R-hat of the scale of attack is 1.04", "How to read this", "40 teams rated"):  # fmt: skip
        assert words in page, words
    assert '"truth"' not in page


def test_a_simulated_league_says_so_and_shows_the_truth(app: Dash) -> None:
    page = visit(app, "/leaderboard", "?league=cup")
    assert "nobody played them" in page and '"truth"' in page and "The newest fit was rejected" not in page
    shrinkage = visit(app, "/shrinkage", "?league=cup")
    assert "truth-figure" in shrinkage and "root mean square" in shrinkage
    assert "truth-figure" not in visit(app, "/shrinkage", "?league=nations")


def test_a_league_without_a_fit_has_a_state_of_its_own(app: Dash) -> None:
    for path in ("/leaderboard", "/shrinkage"):
        assert "Not rated yet" in visit(app, path, "?league=waiting")
    assert "No fit of this league yet" in visit(app, "/checks", "?league=waiting")


def test_the_windows_title_names_what_is_shown(app: Dash) -> None:
    for path, search, title in (
        ("/competitor", "?league=nations&competitor=t:0", "Nations 1 · Competitor · Nations · Pooltable"),
        ("/compare", "?league=nations&a=t:0&b=t:1", "Nations 1 and Nations 2 · Compare · Nations · Pooltable"),
        ("/leaderboard", "?league=nations&view=reshuffle", "Reshuffle · Leaderboard · Nations · Pooltable"),
        ("/changes", "?league=nations", "What changed · Nations · Pooltable"),
        ("/changes", "?league=atlantis", "What changed · Pooltable"),
        ("/leagues", "", "Leagues · Pooltable"),
    ):
        assert f'"title": "{title}"' in visit(app, path, search), path


def test_what_stands_behind_the_checks_is_shown_with_how_to_read_it(app: Dash) -> None:
    checks = visit(app, "/checks", "?league=nations")
    assert "What converged least" in checks and "dcc.Graph" not in checks and '"Graph"' not in checks
    forecasts = visit(app, "/checks", "?league=nations&show=forecasts")
    for one in ("ranks-figure", "calibration-figure", "counts-figure", "27 of 30 dots lie"):
        assert one in forecasts
    left = visit(app, "/checks", "?league=nations&show=remains")
    assert "drift-figure" in left and "Home sides" in left
    assert "What converged least" in visit(app, "/checks", "?league=nations&show=nothing")


def test_fits_can_be_chosen_and_rejected_ones_browsed(app: Dash) -> None:
    assert "Accepted: converged" in visit(app, "/checks", "?league=nations")
    rejected = visit(app, "/checks", "?league=nations&fit=nations-bad")
    assert "Rejected: not shown" in rejected and "fit=nations-good" in rejected
    assert "Accepted: converged" in visit(app, "/checks", "?league=nations&fit=cup-good")


def test_home_is_the_choice_of_leagues_or_the_only_rated_one(app: Dash, own_home: Home, made: Any) -> None:
    assert "Newest fit rejected" in visit(app, "/") and "leaderboard-grid" not in visit(app, "/")
    publish(own_home, ["cup", "waiting"], made.NOW + timedelta(hours=1))
    assert "leaderboard-grid" in visit(build_app(own_home), "/")
    publish(own_home, [], made.NOW + timedelta(hours=2))
    assert "holds no leagues" in visit(build_app(own_home), "/")


def test_an_unknown_league_is_named_and_the_others_offered(app: Dash) -> None:
    page = visit(app, "/leaderboard", "?league=atlantis")
    assert "atlantis" in page and "/leaderboard?league=nations" in page


def test_the_address_restores_search_filter_and_order(app: Dash) -> None:
    page = visit(app, "/leaderboard", "?league=nations&q=cura&show=all&sort=games-desc")
    assert '"value": "cura"' in page and '"value": ["all"]' in page and '"sort": "desc"' in page
    assert '"filter": "ranked"' in visit(app, "/leaderboard", "?league=nations")


def test_every_page_says_of_when_it_is_how_to_read_it_and_by_which_sql(app: Dash) -> None:
    asked = "?league=nations&competitor=t:0&a=t:0&b=t:1"
    ways = ["&view=caterpillar", "&view=ranks", "&view=reshuffle", "&show=forecasts", "&show=remains"]
    pages = [(page.path, asked) for page in PAGES] + [("/leaderboard", asked + way) for way in ways[:3]]
    for path, search in [*pages, *(("/checks", asked + way) for way in ways[3:]), ("/compare", "?league=nations")]:
        page = visit(app, path, search)
        for words in ("as of ", "1 Jan 2024", "published 3 hours ago", "How to "):
            assert words in page, (path, search, words)
        assert ("The SQL of this view, CSV and JSON" in page) == (path != "/sql"), (path, search)  # that is SQL itself
    leagues = visit(app, "/leagues")
    assert all(words in leagues for words in ("as of 1 Jan", "published 3 hours ago", "How to ", "The SQL of"))


def test_an_edition_that_is_old_looks_old(home: Home, app: Dash, made: Any) -> None:
    later = build_app(home, clock=lambda: made.NOW + timedelta(days=9))
    assert "no night was run" in visit(later, "/about", "?league=cup")
    assert "no night was run" in visit(later, "/leagues") and "no night was run" not in visit(app, "/leagues")
    assert "no night was run" not in visit(app, "/about", "?league=cup")


def test_other_ways_of_looking_keep_what_the_leaderboard_is_narrowed_to(app: Dash) -> None:
    page = visit(app, "/leaderboard", "?league=nations&group=side%3A+North&games=5&sort=games-desc&q=na&k=4")
    for view in ("caterpillar", "ranks", "reshuffle"):
        kept = f"q=na&k=4&games=5&group=side%3A+North&sort=games-desc&view={view}"
        assert f'"/leaderboard?league=nations&{kept}"' in page
        narrowed = visit(app, "/leaderboard", f"?league=nations&{kept}")
        assert "Nations 1" in narrowed and 'Nations 2"' not in narrowed  # the others are of the South
    nobody = visit(app, "/leaderboard", "?league=nations&view=ranks&games=999")
    assert "Nobody ranked is left" in nobody


def test_two_apps_in_one_process_do_not_share_pages(home: Home, own_home: Home) -> None:
    first, second = build_app(home), build_app(own_home)
    assert "40 teams rated" in visit(first, "/leaderboard", "?league=nations")
    assert "12 teams rated" in visit(second, "/leaderboard", "?league=nations")


HOSTILE = st.text(max_size=40) | st.sampled_from(
    ["<script>alert(1)</script>", "' OR 1=1 --", "nations", "cup", "waiting", "team", "player", "-desc", "rating-asc",
     "../../etc/passwd", "%00", "\x00", "nations-bad"]
)  # fmt: skip
KEYS = st.sampled_from(
    [
        "league",
        "kind",
        "competitor",
        "a",
        "venue",
        "fit",
        "q",
        "show",
        "sort",
        "group",
        "games",
        "on",
        "page",
        "reader",
        "self",
        "query",
        "now",
        "",
        "a b",
    ]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from(
        [
            "/",
            "/leagues",
            "/leaderboard",
            "/competitor",
            "/compare",
            "/sql",
            "/changes",
            "/data-health",
            "/runs",
            "/checks",
            "/about",
            "/shrinkage",
            "/forecasts",
            "/track-record",
            "/nowhere",
        ]
    ),
    query=st.lists(st.tuples(KEYS, HOSTILE), max_size=5),
    raw=st.none() | st.text(max_size=30),
)
def test_no_address_breaks_a_page(app: Dash, path: str, query: list[tuple[str, str]], raw: str | None) -> None:
    search = "?" + (raw if raw is not None else "&".join(f"{key}={value}" for key, value in query))
    assert FAILED not in visit(app, path, search)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.sampled_from(["_pages_content.children"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["output", "outputs", "inputs", "state", "id", "property", "value"]), inner)
    ),
    max_leaves=8,
)


# The callback that answers with a page, as the browser asks it, but for what stands in it.
ROUTED = st.fixed_dictionaries(
    {
        "output": st.sampled_from(["_pages_content.children", "_pages_store.data", "leaderboard-grid.id", "", "x.y"]),
        "outputs": JSON,
        "inputs": st.lists(
            st.fixed_dictionaries({
                "id": st.sampled_from(["_pages_location", "leaderboard-k", "x"]),
                "property": st.sampled_from(["pathname", "search", "value"]),
                "value": JSON | st.sampled_from(["/leaderboard", "/compare", "?league=nations", "?on=2024-13-41"]),
            }),
            max_size=3,
        ),
        "changedPropIds": JSON,
        "state": JSON,
    }
)  # fmt: skip


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(payload=JSON | ROUTED)
def test_no_payload_is_a_server_error_or_tells_anything(app: Dash, payload: Any) -> None:
    if isinstance(payload, dict) and payload.get("output") == "_pages_content.children":
        routing, outputs = routed(app)
        payload = payload | {"output": routing["output"], "outputs": outputs}
    answer = app.server.test_client().post("/_dash-update-component", json=payload)
    assert answer.status_code < 500 and "Traceback" not in answer.text and "dashboard/" not in answer.text


def test_files_that_are_not_there_are_not_found(app: Dash) -> None:
    client = app.server.test_client()
    for path in ("dash/dcc/nope.js", "nope/nope.js"):
        assert client.get(f"/_dash-component-suites/{path}").status_code == 404
    assert (
        client.post("/_dash-update-component", data=b"x" * 300_000, content_type="application/json").status_code == 413
    )


def test_a_page_that_fails_is_a_page_not_a_traceback(
    app: Dash, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("secret path /srv/x")

    monkeypatch.setattr("dashboard.frame.league_body", fail)
    monkeypatch.setattr("dashboard.app.league_body", fail)
    page = visit(app, "/leaderboard", "?league=nations")
    assert FAILED in page and "secret" not in page and "secret" in caplog.text


def test_the_web_process_never_imports_the_models(home: Home) -> None:
    script = (
        "import sys; from pathlib import Path; from store.home import Home; import dashboard.server as s;"
        f"c = s.build_app(Home(Path({str(home.root)!r}))).server.test_client();"
        "assert c.get('/health').status_code == 200;"
        "heavy = {'pymc', 'pytensor', 'arviz', 'nutpie', 'modeling', 'ingest'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=Path(__file__).parents[2])


@pytest.fixture
def races(own_home: Home, made: Any) -> Dash:
    made.add_races(own_home)
    return build_app(own_home, clock=lambda: made.NOW + timedelta(hours=3))


def test_two_kinds_have_an_address_each_and_are_ranked_apart(races):
    for path in ("/leaderboard", "/shrinkage"):
        drivers, cars = (visit(races, path, f"?league=races&kind={kind}") for kind in ("player", "team"))
        for page in (drivers, cars):
            assert "kind=player" in page
            assert "kind=team" in page
        assert "Races 1" in drivers
        assert "Constructors 1" not in drivers
        assert "Constructors 1" in cars
        assert "Races 1" not in cars
    assert "in logits" in visit(races, "/leaderboard", "?league=races")


def test_a_race_has_a_chance_to_be_ahead_in_the_place_of_a_margin_and_of_attack(races):
    race, score = (visit(races, "/leaderboard", f"?league={league}") for league in ("races", "cup"))
    assert '"Chance vs average"' in race
    assert not {'"Margin"', '"Attack"', '"Defence"'} & set(words(race))
    assert {'"Margin"', '"Attack"', '"Defence"'} <= set(words(score))
    assert '"Chance vs average"' not in score


def words(page: str) -> list[str]:
    return [word for word in ('"Margin"', '"Attack"', '"Defence"') if f'"headerName": {word}' in page]
