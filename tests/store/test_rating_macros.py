"""Ratings, ranks and their past in SQL, held to NumPy on the same draws, in two leagues that share their ids."""

import duckdb
import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import nbinom, poisson, skellam, t

CLUB = {"demo_football": "Halvermoor", "nfl": "KC"}
OTHERS = {"demo_football": ["Halvermoor", "Kestering", "Larkenshaw City"], "nfl": ["KC", "SF", "GB"]}
LEAGUES = list(CLUB)


@pytest.fixture(scope="module")
def ask(two):
    """Rows of a statement on the edition of two leagues, each a dict."""
    with duckdb.connect(str(two.path), read_only=True) as con:

        def rows(sql, **values):
            found = con.execute(sql, values)
            names = [column[0] for column in found.description]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

        yield rows


def totals(two, league):
    return {key[0]: values.astype(float) for key, values in two.draws[league].items() if "total" in key}


def ranks_of(two, league):
    found = totals(two, league)
    return {club: sum(other >= own for other in found.values()) for club, own in found.items()}


@pytest.mark.parametrize("league", LEAGUES)
def test_rank_probability_is_the_share_of_draws_by_name_or_id_and_column_by_column(two, ask, league):
    ranks = ranks_of(two, league)
    for k in (1, 2, 4):
        rows = ask(
            "SELECT name, rank_probability(league, name, $k) AS by_name, rank_probability($league, competitor_id, $k)"
            " AS by_id FROM leaderboard WHERE league = $league",
            league=league, k=k,
        )  # fmt: skip
        for row in rows:
            expected = np.mean(ranks[row["name"]] <= k)
            assert (row["by_name"], row["by_id"]) == pytest.approx((expected, expected), abs=1e-12)


@pytest.mark.parametrize("league", LEAGUES)
def test_top_is_the_head_of_the_leaderboard_with_its_probabilities(two, ask, league):
    ranks = ranks_of(two, league)
    rows = ask("FROM top($league, 3)", league=league)
    assert [row["rank"] for row in rows] == [1, 2, 3]
    for row in rows:
        assert row["p_top"] == pytest.approx(np.mean(ranks[row["name"]] <= 3), abs=1e-12)


@pytest.mark.parametrize("league", LEAGUES)
def test_compare_is_every_pair_either_way_round(two, ask, league):
    names, found = OTHERS[league], totals(two, league)
    rows = ask("FROM compare($league, $names)", league=league, names=names)
    assert [(row["a"], row["b"]) for row in rows] == [(a, b) for a in names for b in names if a != b]
    for row in rows:
        differences = found[row["a"]] - found[row["b"]]
        assert row["probability"] == pytest.approx(np.mean(differences > 0), abs=1e-12)
        assert row["difference"] == pytest.approx(differences.mean(), abs=1e-9)
        ends = np.quantile(differences, [0.05, 0.95])
        assert (row["difference_q5"], row["difference_q95"]) == pytest.approx(tuple(ends), abs=1e-9)


@pytest.mark.parametrize("league", LEAGUES)
def test_head_to_head_is_skill_beside_the_next_games_chances(two, ask, league):
    a, _, b = OTHERS[league]
    rows = ask("FROM head_to_head($league, $a, $b)", league=league, a=a, b=b)
    assert [row["venue"] for row in rows] == ["a at home", "neutral", "b at home"]
    found = totals(two, league)
    assert {row["skill"] for row in rows} == {np.mean(found[a] > found[b])}
    chances = ask("FROM win_probability($league, $a, $b)", league=league, a=a, b=b)
    assert [{key: row[key] for key in chances[0]} for row in rows] == [pytest.approx(row) for row in chances]
    back = ask("FROM head_to_head($league, $b, $a)", league=league, a=a, b=b)
    assert [(row["loss"], row["draw"]) for row in back[::-1]] == [
        pytest.approx((row["win"], row["draw"]), abs=1e-9) for row in rows
    ]


def test_expected_scores_come_with_what_the_ratings_leave_open(two, ask):
    draws = {key: values.astype(float) for key, values in two.draws["demo_football"].items()}
    row = ask("FROM expected_score('demo_football', 'Halvermoor', 'Kestering')")[0]
    a = np.exp(draws["intercept"] + draws["home"] + draws["Halvermoor", "attack"] - draws["Kestering", "defence"])
    b = np.exp(draws["intercept"] + draws["Kestering", "attack"] - draws["Halvermoor", "defence"])
    for name, values in {"a": a, "b": b, "margin": a - b}.items():
        mean = row["margin" if name == "margin" else f"{name}_expected"]
        expected = (values.mean(), *np.quantile(values, [0.05, 0.95]))
        assert (mean, row[f"{name}_q5"], row[f"{name}_q95"]) == pytest.approx(expected, abs=1e-9)
    points = ask("FROM expected_score('nfl', 'KC', 'SF')")[1]
    difference = totals(two, "nfl")["KC"] - totals(two, "nfl")["SF"]
    assert (points["venue"], points["a_expected"]) == ("neutral", None)
    assert points["margin"] == pytest.approx(difference.mean(), abs=1e-9)


def test_the_chances_of_scores_are_those_of_the_draws_and_add_up_to_the_games(two, ask):
    draws = {key: values.astype(float) for key, values in two.draws["demo_football"].items()}
    a = np.exp(draws["intercept"] + draws["Halvermoor", "attack"] - draws["Kestering", "defence"])
    b = np.exp(draws["intercept"] + draws["Kestering", "attack"] - draws["Halvermoor", "defence"])
    rows = ask("FROM score_probability('demo_football', 'Halvermoor', 'Kestering') WHERE venue = 'neutral'")
    assert [row["probability"] for row in rows] == sorted((row["probability"] for row in rows), reverse=True)
    for row in rows:
        expected = (poisson.pmf(row["a_score"], a) * poisson.pmf(row["b_score"], b)).mean()
        assert row["probability"] == pytest.approx(expected, abs=1e-9)
    neutral = ask("FROM win_probability('demo_football', 'Halvermoor', 'Kestering')")[1]
    won = sum(row["probability"] for row in rows if row["a_score"] > row["b_score"])
    assert won == pytest.approx(neutral["win"], abs=len(rows) * 1e-4)


def test_a_count_has_the_chances_of_its_distribution(ask):
    for mean, excess in ((1.4, 0.0), (1.4, 0.3), (40.0, 0.02)):
        start = np.log1p(mean * excess) / excess if excess else mean
        rows = ask(
            "SELECT g, count_chance(g, lgamma(g + 1), $slope, $start, $excess) AS chance FROM range(80) AS r(g)",
            slope=np.log(mean / (1 + mean * excess)), start=start, excess=excess,
        )  # fmt: skip
        counts = np.arange(80)
        law = nbinom.pmf(counts, 1 / excess, 1 / (1 + mean * excess)) if excess else poisson.pmf(counts, mean)
        assert [row["chance"] for row in rows] == pytest.approx(law, abs=1e-12)


@pytest.mark.parametrize("excess", [0.0, 0.4])
@pytest.mark.parametrize(("first", "second"), [(0.02, 0.01), (1.4, 1.1), (6.0, 0.3), (290.0, 240.0)])
def test_waves_give_the_chances_of_the_difference_of_two_counts(ask, first, second, excess):
    spread = np.sqrt(first + second + excess * (first**2 + second**2))
    wave = "binomial_wave($a, $b, $k, t.less, t.sine)" if excess else "poisson_wave($a, $b, t.less, t.sine)"
    (row,) = ask(
        f"""WITH angle AS (
            SELECT ceil(difference_reach($a, $b, $s, $k) / 2)::INTEGER AS many, unnest(difference_angles(many)) AS t
        )
        SELECT many, avg(w.size * cos(w.phase)) AS level, avg(w.size * sin(w.phase) / tan(t.angle / 2)) AS lead
        FROM (SELECT *, {wave} AS w, $k AS k FROM angle) GROUP BY many""",
        a=first, b=second, k=excess, s=spread,
    )  # fmt: skip
    counts = np.arange(2000 if not excess else 40_000)
    a, b = (
        nbinom.pmf(counts, 1 / excess, 1 / (1 + mean * excess)) if excess else poisson.pmf(counts, mean)
        for mean in (first, second)
    )
    won, lost = (x[1:] @ np.cumsum(y)[:-1] for x, y in ((a, b), (b, a)))
    assert (row["level"], row["lead"]) == pytest.approx((a @ b, won - lost), abs=1e-9)


def test_quantiles_of_the_margin_are_those_of_the_mixture(two, ask):
    draws = {key: values.astype(float) for key, values in two.draws["nfl"].items()}
    margins = draws["home"] + draws["KC", "total"] - draws["SF", "total"]

    def below(x, level):
        return t.cdf((x - margins) / draws["sigma"], 2 + draws["tails"]).mean() - level

    rows = [row for row in ask("FROM margin_quantile('nfl', 'KC', 'SF')") if row["venue"] == "a at home"]
    assert [row["level"] for row in rows] == [0.05, 0.25, 0.5, 0.75, 0.95]
    for row in rows:
        assert row["margin"] == pytest.approx(brentq(below, -200, 200, (row["level"],)), abs=0.02)


def test_quantiles_of_the_margin_of_counts_are_the_least_margins_reached(two, ask):
    draws = {key: values.astype(float) for key, values in two.draws["demo_football"].items()}
    base = draws["intercept"]
    first = np.exp(base + draws["home"] + draws["Halvermoor", "attack"] - draws["Kestering", "defence"])
    second = np.exp(base + draws["Kestering", "attack"] - draws["Halvermoor", "defence"])
    margins = np.arange(-40, 41)
    below = skellam.cdf(margins[:, None], first, second).mean(axis=1)
    rows = ask("FROM margin_quantile('demo_football', 'Halvermoor', 'Kestering') WHERE venue = 'a at home'")
    assert [row["margin"] for row in rows] == [margins[below >= row["level"]][0] for row in rows]
    assert [row["level"] for row in rows] == [0.05, 0.25, 0.5, 0.75, 0.95]


@pytest.mark.parametrize("league", LEAGUES)
def test_the_past_is_told_as_published_as_made_later_and_as_all_results_tell_it(two, ask, league):
    published = ask("FROM leaderboard_at($league, '2026-02-25', basis_name := 'as_published')", league=league)
    assert {(row["league"], row["fit_id"], str(row["as_of"])) for row in published} == {
        (league, f"{league}-before", "2026-02-21")
    }
    now = {row["name"]: row["rank"] for row in ask("FROM leaderboard WHERE league = $league", league=league)}
    assert {row["name"]: 5 - row["rank"] for row in published} == now
    club = CLUB[league]
    later = ask("FROM rating_at($league, $club, '2025-12-31', 'backfilled')", league=league, club=club)
    assert [(row["name"], row["fit_id"]) for row in later] == [(club, f"{league}-backfilled")]
    today = ask("FROM rating_at($league, $club, DATE '2026-03-01')", league=league, club=club)
    assert [(row["basis"], row["fit_id"], row["rank"]) for row in today] == [("smoothed", f"{league}-now", now[club])]


@pytest.mark.parametrize("league", LEAGUES)
@pytest.mark.parametrize(
    ("asked", "basis", "since", "note"),
    [
        ("", "as_published", "2026-02-21", None),
        (", since_date := '2026-02-25'", "as_published", "2026-02-21", None),
        (", since_date := '2025-08-01'", "backfilled", "2025-06-01", None),
        (", since_date := '2025-01-01'", "backfilled", "2025-06-01", "Nothing is kept from 2025-01-01 or before."),
        (", basis_name := 'backfilled'", "backfilled", "2025-06-01", None),
    ],
)
def test_movement_is_todays_draws_against_the_rank_of_then_by_what_is_kept(two, ask, league, asked, basis, since, note):
    ranks = ranks_of(two, league)
    rows = ask(f"FROM movement($league{asked})", league=league)
    assert len(rows) == 4
    for row in rows:
        assert (row["earlier_rank"], row["basis"], str(row["since"])) == (5 - row["rank"], basis, since)
        assert row["note"] is None if note is None else row["note"].startswith(note)
        drawn, earlier = ranks[row["name"]], row["earlier_rank"]
        expected = np.mean(drawn < earlier), np.mean(drawn > earlier)
        assert (row["p_up"], row["p_down"]) == pytest.approx(expected, abs=1e-12)


def test_who_left_the_ranking_or_came_to_it_moves_nobody(two, tmp_path):
    """The best of then is gone, so that the others stand a rank higher; one who was not ranked then is second now."""
    path = tmp_path / "left.duckdb"
    path.write_bytes(two.path.read_bytes())
    with duckdb.connect(str(path)) as con:
        con.execute(
            "UPDATE rating_history SET rank = 5 - rank WHERE league = 'nfl' AND basis = 'as_published'"
        )  # as now
        names = [
            name
            for (name,) in con.execute("SELECT name FROM leaderboard WHERE league = 'nfl' ORDER BY rank").fetchall()
        ]
        con.execute("UPDATE leaderboard SET rank = NULL WHERE league = 'nfl' AND name = ?", [names[0]])
        con.execute("UPDATE leaderboard SET rank = rank - 1 WHERE league = 'nfl'")
        ours = "league = 'nfl' AND competitor_id = competitor_of('nfl', ?)"
        con.execute(f"DELETE FROM rating_history WHERE {ours}", [names[2]])
        always = f"UPDATE rating_draw SET ranks = [?::INTEGER FOR _ IN ranks] WHERE {ours}"
        for rank, name in enumerate(names[1:], start=1):
            con.execute(f"{always} AND ranks IS NOT NULL", [rank, name])
        rows = con.execute(
            "SELECT name, earlier_rank, rank, p_up, p_down FROM movement('nfl', '2026-02-25')"
        ).fetchall()
    assert rows == [(names[1], 2, 1, 0.0, 0.0), (names[3], 4, 3, 0.0, 0.0)]


def test_movement_of_the_first_week_says_how_to_fill_it_in(edition):
    with duckdb.connect(str(edition), read_only=True) as con:
        rows = con.execute(
            "SELECT rank, earlier_rank, p_up, p_down, since, basis, note FROM movement('alps')"
        ).fetchall()
    note = (
        "Nothing was published or backfilled before 2026-02-04. To fill in what would have been: "
        "pooltable fit alps --as-of 2026-01-28; pooltable publish"
    )
    assert rows == [(rank, None, None, None, None, None, note) for rank in (1, 2, 3)]


def test_the_outlook_of_a_league_is_its_newest(ask):
    for league in LEAGUES:
        found = ask("FROM outlook($league)", league=league)
        table = ask(
            "SELECT name, expected_points FROM outlook WHERE league = $league ORDER BY expected_place", league=league
        )
        assert [(row["name"], row["expected_points"]) for row in found] == [tuple(row.values()) for row in table] != []


def test_where_ratings_stand_still_the_past_is_as_now_and_where_they_walk_it_is_not_made_up(ask):
    still = ask("FROM leaderboard_at('demo_football', '2025-01-01')")
    assert [row["fit_id"] for row in still] == ["demo_football-now"] * 4
    with pytest.raises(duckdb.Error, match='The first smoothed ratings kept of league "nfl" are of 2026-03-01'):
        ask("FROM leaderboard_at('nfl', '2025-01-01')")


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("FROM win_probability('nfl', 'KC', 'PIH')", 'No rated competitor "PIH" in league "nfl". Did you mean "PHI"?'),
        ("FROM win_probability('demo_fotball', 'Halvermoor', 'SF')", 'Did you mean "demo_football"?'),
        ("FROM head_to_head('nfl', NULL, 'KC')", "A league and a competitor are needed; one is NULL"),
        ("FROM win_probability(NULL, 'KC', 'SF')", "A league and a competitor are needed; one is NULL"),
        ("FROM expected_score('nfl', 'KC', 'KC')", '"KC" cannot play itself'),
        ("FROM score_probability('nfl', 'KC', 'SF')", 'Scores of league "nfl" are not small counts'),
        ("SELECT rank_probability('nfl', 'Halvermoor', 3)", 'No rated competitor "Halvermoor" in league "nfl"'),
        ("FROM top('nlf', 3)", 'There is no league "nlf" with ratings here. Did you mean "nfl"?'),
        ("FROM top(NULL, 3)", "is NULL"),
        ("FROM compare('nfl', ['KC', 'S'])", 'Did you mean "SF"?'),
        ("FROM rating_at('nfl', 'K', '2026-03-01')", 'Did you mean "KC"?'),
        ("FROM leaderboard_at('nfl', NULL)", "A date is needed"),
        ("SELECT rank_probability('a', 'Halvermoor', 3)", 'There is no league "a" with ratings here'),
        ("SELECT rank_probability('nfl', 'KC', NULL)", "A number of places is needed; it is NULL"),
        ("FROM top('nfl', NULL)", "A number of places is needed; it is NULL"),
        ("FROM margin_quantile('chess', 'KC', 'SF')", 'There is no league "chess"'),
        *(
            (f"FROM {at}, '2026-03-01', basis_name := '{name}')", f'There is no basis "{name}"')
            for at in ("leaderboard_at('nfl'", "rating_at('nfl', 'KC'")
            for name in ("weekly", "Smoothed", "", "a", "published")
        ),
        ("FROM leaderboard_at('nfl', '2026-03-01', basis_name := 'published')", "smoothed, as_published or backfilled"),
        ("FROM leaderboard_at('nfl', '2026-01-01', 'as_published')", "kept of league \"nfl\" are of 2026-02-21"),
        ("FROM movement('nlf')", 'Did you mean "nfl"?'),
        ("FROM movement('nfl', '2025-01-01', 'backfilled')", "are of 2025-06-01, later than 2025-01-01"),
    ],
)  # fmt: skip
def test_mistakes_are_told_in_words_with_the_nearest_name(ask, sql, message):
    with pytest.raises(duckdb.Error) as caught:
        ask(sql)
    assert message in str(caught.value)
