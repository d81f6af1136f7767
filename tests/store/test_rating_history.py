"""How ratings went: what readers were shown, what would have been, and how much of it is kept."""

from datetime import date, timedelta

import duckdb

from store import warehouse
from store.edition import publish, rollback
from store.warehouse import names, reading, writing

PLACES = ((1, "B"), (2, "A"))


def read(path, sql):
    with duckdb.connect(str(path), read_only=True) as con:
        return con.execute(sql).fetchall()


def as_of(home, fit_id, day):
    with writing(home) as con:
        con.execute("UPDATE fit SET as_of = ? WHERE fit_id = ?", [day, fit_id])


def publications(home):
    with reading(home) as con:
        return con.execute("SELECT fit_id, edition_id FROM publication ORDER BY published_at_utc, fit_id").fetchall()


def test_what_was_published_stays_history_when_it_is_no_longer_the_leaderboard(rated, refit, now):
    first = publish(rated, ["alps"], now)
    refit(rated, "never_shown", minutes=1, best="fifa:C")
    refit(rated, "rejected", verdict="rejected", minutes=2)
    refit(rated, "f2", minutes=3, best="fifa:B")
    as_of(rated, "f2", date(2026, 2, 5))
    rated.draws_of("f1").unlink()
    second = publish(rated, ["alps"], now + timedelta(days=1))
    assert publications(rated) == [("f1", first.stem), ("f2", second.stem)]
    found = (
        "SELECT name, as_of, fit_id, published_at_utc FROM rating_history"
        " WHERE rank = 1 AND basis = 'as_published' ORDER BY as_of"
    )
    when = now.replace(tzinfo=None)
    assert read(first, found) == [("A", date(2026, 2, 4), "f1", when)]
    assert read(second, found) == [
        ("A", date(2026, 2, 4), "f1", when),
        ("B", date(2026, 2, 5), "f2", when + timedelta(days=1)),
    ]


def test_a_fit_shown_again_keeps_its_first_edition(rated, now):
    first = publish(rated, ["alps"], now)
    publish(rated, ["alps"], now + timedelta(hours=1))
    rollback(rated, first.stem)
    publish(rated, ["alps"], now + timedelta(hours=2))
    assert publications(rated) == [("f1", first.stem)]


def test_a_fit_of_a_chosen_date_is_backfilled_and_only_where_it_was_accepted(rated, refit, now):
    refit(rated, "old", minutes=1, is_dated=True, best="fifa:C")
    refit(rated, "older", minutes=2, is_dated=True, verdict="rejected")
    as_of(rated, "old", date(2026, 2, 2))
    as_of(rated, "older", date(2026, 2, 1))
    path = publish(rated, ["alps"], now)
    found = (
        "SELECT basis, name, as_of, published_at_utc IS NULL FROM rating_history"
        " WHERE rank = 1 AND basis <> 'smoothed' ORDER BY ALL"
    )
    assert read(path, found) == [
        ("as_published", "A", date(2026, 2, 4), False),
        ("backfilled", "C", date(2026, 2, 2), True),
    ]


def test_of_several_fits_as_of_a_day_the_last_counts(rated, refit, now):
    publish(rated, ["alps"], now)
    refit(rated, "f2", minutes=5, best="fifa:B")
    path = publish(rated, ["alps"], now + timedelta(days=1))
    assert read(path, "SELECT DISTINCT fit_id FROM rating_history") == [("f2",)]


def test_who_was_not_ranked_is_told_of_now_and_not_of_then(rated, now):
    with writing(rated) as con:
        con.execute("UPDATE standing SET status = 'inactive', rank = NULL WHERE competitor_id = 'fifa:A'")
    path = publish(rated, ["alps"], now)
    found = "SELECT name, status FROM rating_history WHERE basis = '{}' ORDER BY ALL"
    ranked = [("B", "ranked"), ("C", "ranked")]
    assert read(path, found.format("as_published")) == ranked
    assert read(path, found.format("smoothed")) == [("A", "inactive"), *ranked]


def test_old_nights_are_kept_by_the_week_and_old_backfills_all(rated, now):
    """A hundred nights: the last 29 days one by one, the last of each week before; backfills as they were asked for."""
    each = "range(1, 101) AS r(i), (VALUES ('n'), ('b')) AS v(basis) WHERE fit_id = 'f1'"
    with writing(rated) as con:
        for table in ("rating", "standing"):
            con.execute(
                f"INSERT INTO {table} BY NAME SELECT t.* REPLACE (basis || i AS fit_id) FROM {table} AS t, {each}"
            )
        con.execute(
            "INSERT INTO fit BY NAME SELECT t.* REPLACE (basis || i AS fit_id, basis = 'b' AS is_dated,"
            f" (as_of - i::INTEGER)::DATE AS as_of) FROM fit AS t, {each}"
        )
        con.execute("INSERT INTO publication SELECT fit_id, league, 'e', fitted_at_utc FROM fit WHERE fit_id[1] = 'n'")
    path = publish(rated, ["alps"], now)
    asked = "SELECT DISTINCT as_of FROM rating_history WHERE basis = '{}' ORDER BY 1"
    days = {basis: [d for (d,) in read(path, asked.format(basis))] for basis in ("as_published", "backfilled")}
    newest = date(2026, 2, 4)
    assert days["backfilled"] == [newest - timedelta(days=i) for i in range(100, 0, -1)]
    recent = [newest - timedelta(days=i) for i in range(28, -1, -1)]
    assert days["as_published"][-29:] == recent
    weeks = [day.isocalendar()[:2] for day in days["as_published"][:-29]]
    assert len(weeks) == len(set(weeks)) == 11
    sundays = [day for day in days["as_published"][:-29] if day.isoweekday() == 7]
    assert len(sundays) == 10, "the last of each week but the one that the four weeks begin in"


def test_an_older_home_keeps_what_it_had_shown(home, tmp_path, monkeypatch, refit):
    """A warehouse from before publications were written down: its accepted fits count as shown when they were made."""
    copy = tmp_path / "migrations"
    copy.mkdir()
    for name in names()[: names().index("010_publications")]:
        (copy / f"{name}.sql").write_text((warehouse.MIGRATIONS / f"{name}.sql").read_text())
    with monkeypatch.context() as patched:
        patched.setattr(warehouse, "MIGRATIONS", copy)
        refit(home, "shown")
        refit(home, "dated", minutes=1, is_dated=True)
        refit(home, "rejected", minutes=2, verdict="rejected")
    assert publications(home) == [("shown", None)]


def test_of_days_before_the_last_the_path_of_the_published_fit_is_what_all_results_tell(rated, refit, now):
    refit(rated, "f0", minutes=-1, best="fifa:C")
    day = [(fit, f"fifa:{name}", place, mean) for fit, mean in (("f0", 9.0), ("f1", 0.5)) for place, name in PLACES]
    with writing(rated) as con:
        con.execute("""UPDATE fit SET design = '{"likelihood_name": "poisson", "blocks": [{"role": "walk"}]}'""")
        con.executemany(
            "INSERT INTO rating_path SELECT 'alps', ?, 'team', ?, DATE '2026-02-03', ?, 1, 2, 2, m, .1, m, m, m, m, m"
            " FROM (SELECT ? AS m)",
            day,
        )
    path = publish(rated, ["alps"], now)
    asked = (
        "SELECT as_of, rank, rank_high, rating, status, games, fit_id, published_at_utc"
        " FROM rating_at('alps', '{}', DATE '2026-02-{}')"
    )
    assert read(path, asked.format("B", "03")) == [(date(2026, 2, 3), 1, 2, 0.5, "ranked", 2, "f1", None)]
    assert read(path, asked.format("C", "03")) == [], "not ranked then"
    assert read(path, asked.format("C", "05"))[0][:2] == (date(2026, 2, 4), 3)
    days = "SELECT count(DISTINCT as_of) FROM rating_history WHERE basis = '{}'"
    assert [read(path, days.format(basis)) for basis in ("smoothed", "as_published")] == [[(2,)], [(1,)]]
