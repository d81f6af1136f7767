"""Words, digits, scales and figures: values in, values out."""

import json
import math
import subprocess
from datetime import UTC, datetime, timedelta
from typing import Any

import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright._impl._driver import compute_driver_executable

from dashboard import figures, order_figures
from dashboard.grid import difference_scale
from dashboard.interactions import ASSETS
from dashboard.pages.checks import chosen
from dashboard.pages.leaderboard import cells, scale, search_key, ticks
from dashboard.pages.shrinkage import pulled_most, typical_error
from dashboard.wording import ago, counted, decimals, listed, percent, plain, short, signed

NOW = datetime(2024, 1, 10, 5, tzinfo=UTC)


def traces(figure: go.Figure) -> Any:
    return figure.data


def row(**more: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "name": "A", "rating": 0.5, "unpooled": 1.0, "games": 6, "shrinkage": 0.4, "truth": None, "q5": 0.1, "q95": 0.9,
        "status": "ranked",
    }  # fmt: skip
    return base | more


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(5, "just now"), (-60, "just now"), (130, "2 minutes ago"), (7300, "2 hours ago"), (86400 * 3, "3 days ago")],
)
def test_ages(seconds: int, words: str) -> None:
    assert ago(NOW - timedelta(seconds=seconds), NOW) == words


def test_numbers_are_written_with_sensible_digits() -> None:
    assert [signed(1.234, 2), signed(-1.234, 2), signed(-0.001, 2)] == ["+1.23", "−1.23", "0.00"]
    assert [plain(0), plain(None), plain(float("nan")), plain(0.02), plain(12345.6)] == [
        "0",
        "–",
        "–",
        "0.0200",
        "12,346",
    ]
    assert [short(1.002), short(400.0), short(0.871), short(1e-7)] == ["1.002", "400", "0.871", "1.000e−07"]
    assert [decimals([0.2, 0.3]), decimals([2.5]), decimals([40.0]), decimals([])] == [2, 1, 0, 2]
    assert [counted(1, "game"), counted(2400, "game")] == ["1 game", "2,400 games"]
    assert [listed([]), listed(["a"]), listed(["a", "b", "c"])] == ["", "a", "a, b and c"]


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
def test_ticks_are_few_round_and_inside(low: float, width: float) -> None:
    high = low + width
    if not high > low:
        return
    found = ticks(low, high)
    room = 1e-9 * max(1.0, abs(low), abs(high))
    assert len(found) <= 8 and all(low - room <= tick <= high + room for tick in found)


def test_the_scale_holds_every_bar_every_truth_and_zero() -> None:
    low, high = scale([row(q5=0.2, q95=2.0), row(q5=0.4, q95=0.5, truth=3.0)])
    assert low < 0 and high > 3.0
    assert scale([]) == (-1.0, 1.0)


def test_cells_leave_out_columns_nobody_has_and_numbers_that_are_not() -> None:
    shown = cells([row(attack=None, rating=float("nan"), sd=1 / 3), row(attack=None, sd=2.0)])
    assert "attack" not in shown[0] and "truth" not in shown[0]
    assert shown[0]["rating"] is None and shown[0]["sd"] == 0.3333


def test_search_ignores_accents_and_case() -> None:
    assert search_key("Curaçao") == "curacao" and search_key("ÅLAND") == "aland"


def test_the_example_is_the_one_pulled_most_inwards() -> None:
    rows = [row(name="mild", unpooled=0.6), row(name="wild", unpooled=3.0), row(name="out", unpooled=0.1, rating=2.9)]
    found = pulled_most(rows)
    assert found is not None and found["name"] == "wild"
    assert pulled_most([row(unpooled=None)]) is None


EDGES = {
    0.0: "0 %",
    1e-9: "<1 %", 0.004999: "<1 %", 0.005: "<1 %", 0.00501: "1 %", 0.125: "13 %", 0.135: "14 %", 0.5: "50 %",
    0.985: "99 %", 0.99499: "99 %", 0.995: ">99 %", 0.9999999: ">99 %", 1.0: "100 %",
}  # fmt: skip


def test_a_chance_is_certain_only_where_it_is_just_that() -> None:
    assert {value: percent(value) for value in EDGES} == EDGES


def test_the_browser_writes_chances_as_the_server_does() -> None:
    values = [*EDGES, *(step / 1000 for step in range(1001))]
    script = (
        "globalThis.window = {}; require(process.argv[1]);"
        "const said = JSON.parse(process.argv[2]).map(window.dashAgGridFunctions.pooltable.chance);"
        "console.log(JSON.stringify(said));"
    )
    node, _ = compute_driver_executable()
    done = subprocess.run(
        [node, "-e", script, ASSETS / "cells.js", json.dumps(values)], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == [percent(value) for value in values]


def test_errors_are_compared_over_the_same_competitors() -> None:
    rows = [row(truth=0.5, rating=0.6, unpooled=0.9), row(truth=1.0, rating=5.0, unpooled=None)]
    assert typical_error(rows, "rating") == pytest.approx(0.1)
    assert typical_error(rows, "unpooled") == pytest.approx(0.4)
    assert typical_error([row()], "rating") is None


def test_the_fit_asked_for_is_shown_if_it_is_one_of_these() -> None:
    fits = [{"fit_id": "new", "is_published": False}, {"fit_id": "up", "is_published": True}]
    assert [chosen(fits, asked)["fit_id"] for asked in ("new", None, "other league's")] == ["new", "up", "up"]
    assert chosen(fits[:1], None)["fit_id"] == "new"


def test_the_differences_fit_their_scale() -> None:
    assert difference_scale([{"difference": -0.2, "difference_se": 0.1}]) >= 0.2 + 1.645 * 0.1
    assert difference_scale([]) == 1.0


def test_figures_hold_the_rows_they_are_given() -> None:
    rows = [row(name=f"T{i}", unpooled=None if i == 0 else i / 2, games=i + 1, truth=i / 3) for i in range(8)]
    pooled = figures.pooled_against_unpooled(rows, "log goals", 2)
    assert list(traces(pooled)[1].x) == [i / 2 for i in range(1, 8)]
    assert list(traces(pooled)[0].x) == list(traces(pooled)[0].y) == [0.5, 3.5]
    games = figures.shrinkage_by_games(rows, 2)
    assert list(traces(games)[0].x) == list(range(1, 9)) and games.layout["xaxis"]["type"] == "log"
    truth = figures.estimates_against_truth(rows, "log goals", 2)
    assert [len(trace.x) for trace in traces(truth)] == [2, 7, 8]
    assert list(traces(truth)[2].y) == [0.5] * 8


def test_figures_of_nobody_are_empty_not_errors() -> None:
    for figure in (
        figures.pooled_against_unpooled([], "points", 1),
        figures.shrinkage_by_games([], 1),
        figures.estimates_against_truth([], "points", 1),
    ):
        assert all(not list(trace.x) for trace in traces(figure))


def test_names_are_escaped_in_hover_boxes() -> None:
    figure = figures.shrinkage_by_games([row(name="<img src=x onerror=alert(1)>")], 2)
    assert traces(figure)[0].customdata[0][0] == "&lt;img src=x onerror=alert(1)&gt;"
    assert math.isclose(traces(figure)[0].y[0], 0.4)


def test_a_name_stands_in_a_figure_as_it_is_written() -> None:
    named = 'Curaçao "A" & l\'Aquila <b>'
    caterpillar = order_figures.caterpillar(
        [row(name=named, rank=1, q5=0, q25=0, q75=1, q95=1, rating=0.5)], "log goals"
    )
    said = traces(caterpillar)[2].customdata[0]
    assert said == 'Curaçao "A" &amp; l\'Aquila &lt;b&gt;'  # plotly turns these three back, and no quotation marks


def test_no_figure_of_names_waits_for_plotly_to_find_its_margins() -> None:
    """Margins that Plotly finds by itself make it draw everything twice."""
    rows = [row(name="A" * n, rank=n, q5=0, q25=0, q75=1, q95=1, rating=0.5, at_rank=[n], chance=[1.0])
            for n in (1, 30)]  # fmt: skip
    lefts = []
    for drawn in (order_figures.caterpillar(rows, "points"), order_figures.rank_chances(rows)):
        assert not drawn.layout["yaxis"]["automargin"] and not drawn.layout["xaxis"]["automargin"]
        lefts.append(drawn.layout["margin"]["l"])
    assert lefts[0] == lefts[1] > 7 * order_figures.LONGEST
    assert order_figures.caterpillar(rows[:1], "points").layout["margin"]["l"] < lefts[0]
