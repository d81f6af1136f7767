"""Who is who: former names, declared aliases that are undone, newcomers with their nearest known names."""

from datetime import UTC, datetime, timedelta

import pytest

from ingest import identity
from ingest.aliasing import alias
from ingest.checks import check
from ingest.pull import pull
from store.errors import FeedError, StoreError, UsageError
from store.warehouse import reading, writing

LEAGUE = "international_football"
NOW = datetime(2025, 12, 1, tzinfo=UTC)
FORMER = """current,former,start_date,end_date
Aland,Old Aland,1950-01-01,1960-12-31
Aland,Aaland,,
Nowhere,Somewhere,1950-01-01,1960-12-31
Brava,Bravo,once,1960-12-31
,Corso,1950-01-01,
"""


def ask(home, sql):
    with reading(home) as con:
        return con.execute(sql).fetchall()


@pytest.fixture
def spelt(results, rows):
    """A file in which Hiva is spelt Hiwa in five of its games."""
    count = iter(range(100))
    path = results([row.replace("Hiva", "Hiwa") if "Hiva" in row and next(count) < 5 else row for row in rows(20)])
    return path


@pytest.fixture
def say(home, stanza, spelt, load):
    """say("Hiwa", "Hiva"): declares them one."""
    load(spelt)
    clock = iter(NOW + timedelta(hours=hour) for hour in range(100))
    return lambda one, other, undo=False: alias(home, LEAGUE, stanza(spelt), one, other, next(clock), undo=undo)


def names(home):
    return [name for (name,) in ask(home, "SELECT name FROM competitor WHERE name LIKE 'Hi%' ORDER BY name")]


def test_former_names_become_aliases_with_their_days(home, load, results, rows, tmp_path):
    (tmp_path / "former_names.csv").write_text(FORMER)
    pulled = load(results(rows(20)), tmp_path / "former_names.csv")
    assert ask(home, "SELECT alias, competitor_id, valid_from::VARCHAR, valid_to::VARCHAR FROM alias ORDER BY ALL") == [
        ("Aaland", "fifa:Aland", None, None),
        ("Bravo", "fifa:Brava", None, "1960-12-31"),
        ("Old Aland", "fifa:Aland", "1950-01-01", "1960-12-31"),
    ]
    assert pulled.rows_rejected == 1
    assert ask(home, "SELECT file, line FROM rejected_row") == [("former_names.csv", 6)]


def test_the_winner_of_a_shoot_out_is_kept_beside_the_level_score(home, load, results, rows, tmp_path):
    games = [*rows(20), "2025-01-01,Aland,Brava,1,1,Cup,Port,Isle,TRUE"]
    lines = ["date,home_team,away_team,winner,first_shooter", "2025-01-01,Aland,Brava,Brava,",
             "2025-01-02,Aland,Elba,Elba,", "2025-01-01,Aland,Brava,Corse,"]  # fmt: skip
    (tmp_path / "shootouts.csv").write_text("\n".join(lines))
    assert load(results(games), tmp_path / "shootouts.csv", accept=True).rows_rejected == 2
    found = "SELECT attributes['shootout_winner'], any_value(score), count(won) FROM game JOIN side USING (game_id)"
    assert ask(home, f"{found} WHERE played_on = '2025-01-01' GROUP BY 1") == [("Brava", 1.0, 0)]
    assert ask(home, "SELECT line, rule FROM rejected_row ORDER BY line") == [
        (3, "no such match"), (4, "winner is neither side"),
    ]  # fmt: skip
    (tmp_path / "shootouts.csv").write_text("\n".join(lines[:2]).replace("Brava,Brava", "Brava,Aland"))
    assert load(results(games), tmp_path / "shootouts.csv").games_changed == 1


def test_an_alias_merges_at_once_and_a_further_call_undoes_it(home, say):
    before = ask(home, "SELECT * FROM side ORDER BY ALL")
    assert names(home) == ["Hiva", "Hiwa"]
    assert say("Hiwa", "Hiva") == 'international_football: "Hiwa" and "Hiva" are one now: 5 games changed.'
    assert names(home) == ["Hiva"]
    assert ask(home, "SELECT count(*) FROM side WHERE team = 'fifa:Hiva'") == [(20,)]
    assert ask(home, "SELECT alias, competitor_id FROM alias") == [("Hiwa", "fifa:Hiva")]
    assert say("Hiwa", "Hiva", True) == 'international_football: "Hiwa" and "Hiva" are two again: 5 games changed.'
    assert names(home) == ["Hiva", "Hiwa"]
    assert ask(home, "SELECT * FROM side ORDER BY ALL") == before
    assert ask(home, "SELECT * FROM alias") == []


def test_an_alias_stays_through_later_loads_and_changes_nothing_twice(home, say, load, spelt, results, rows):
    say("Hiwa", "Hiva")
    assert load(spelt).slices_loaded == 0
    known = spelt.read_text().splitlines()[1:]
    assert load(results(known + [row.replace("Hiva", "Hiwa") for row in rows(21)[80:]])).games_new == 4
    assert names(home) == ["Hiva"]


def test_chains_of_aliases_are_followed_to_their_end_and_circles_are_said(home, say, load, spelt):
    say("Hiwa", "Hiva")
    path = identity.aliases_file(home, LEAGUE)
    with path.open("a") as file:
        file.write("fifa:Hiva,Hiva,fifa:Ys,Ys\n")
    load(spelt)
    assert names(home) == []
    assert ask(home, "SELECT count(*) FROM side WHERE team = 'fifa:Ys'") == [(20,)]
    assert ask(home, "SELECT name FROM competitor WHERE competitor_id = 'fifa:Ys'") == [("Ys",)]
    with path.open("a") as file:
        file.write("fifa:Ys,Ys,fifa:Hiwa,Hiwa\n")
    with pytest.raises(FeedError, match="go in a circle"):
        load(spelt)


def test_two_who_meet_cannot_be_one_and_nothing_is_declared(home, say):
    with pytest.raises(FeedError, match=r'"Aland" and "Brava" are both in the game 2024-') as error:
        say("Aland", "Brava")
    assert "Nothing was changed. Leave them two" in error.value.hint
    assert identity.read_merges(home, LEAGUE) == []
    assert names(home) == ["Hiva", "Hiwa"]


@pytest.mark.parametrize(
    ("one", "other", "undo", "complaint", "hint"),
    [
        ("Hiwaa", "Hiva", False, 'there is no competitor "Hiwaa"', "Did you mean Hiwa"),
        ("Hiwa", "Hiwa", False, "are the same competitor already", ""),
        ("Hiwa", "Hiva", True, 'nobody said that "Hiwa" is "Hiva"', "nothing"),
    ],
)
def test_wrong_aliases_are_one_clear_error(say, one, other, undo, complaint, hint):
    with pytest.raises(UsageError, match=complaint) as error:
        say(one, other, undo)
    assert hint in error.value.hint


def test_a_name_of_two_needs_an_id(home, say):
    with pytest.raises(UsageError, match="are the same competitor already"):
        say("fifa:Hiva", "Hiva")
    say("fifa:Hiwa", "fifa:Hiva")
    assert names(home) == ["Hiva"]
    with pytest.raises(UsageError, match="are the same competitor already"):
        say("Hiwa", "Hiva")


def test_a_broken_file_of_aliases_is_one_clear_line(home, load, spelt):
    path = identity.aliases_file(home, LEAGUE)
    path.parent.mkdir(parents=True)
    path.write_text("competitor_id,name,same_as,same_as_name\nfifa:Hiwa,Hiwa,fifa:Hiva\n")
    with pytest.raises(StoreError, match="line 2: it has 3 fields, not 4"):
        load(spelt)
    path.write_text("competitor_id,name,same_as,same_as_name\nfifa:Hiwa,Hiwa,,Hiva\n")
    with pytest.raises(StoreError, match="line 2: none of its 4 fields may be empty"):
        load(spelt)
    path.write_text("something else\n")
    with pytest.raises(StoreError, match="must begin with the line competitor_id"):
        load(spelt)


def test_newcomers_are_listed_with_their_nearest_names_and_nothing_is_merged(home, load, results, rows):
    load(results(rows(20)))
    assert check(home, LEAGUE, NOW) == []
    load(
        results(
            [
                *rows(20),
                "2024-07-01,Hivaa,Brava,1,0,Cup,Port,Isle,TRUE",
                "2024-07-02,Hivaa,Zzyzx,1,0,Cup,Port,Isle,TRUE",
            ]
        )
    )
    found = [(finding.severity, finding.subject, finding.message) for finding in check(home, LEAGUE, NOW)]
    new = [finding for finding in found if "is new" in finding[2]]
    assert new[0][:2] == ("warn", "fifa:Hivaa")
    assert new[0][2].startswith("Hivaa is new. The nearest known: Hiva")
    assert new[1:] == [("warn", "fifa:Zzyzx", "Zzyzx is new. No known name is like it.")]
    assert ask(home, "SELECT count(*) FROM competitor") == [(10,)]
    assert [finding.check_name for finding in check(home, LEAGUE, NOW)].count("new_name") == 2


def test_a_newcomer_is_shown_for_a_month_or_until_he_is_another(home, load, stanza, results, rows):
    load(results(rows(20)))
    path = results([*rows(20), "2024-07-01,Hivaa,Brava,1,0,Cup,Port,Isle,TRUE"])
    load(path)
    new = "SELECT count(*) FROM finding WHERE check_name = 'new_name'"
    alias(home, LEAGUE, stanza(path), "Hivaa", "Hiva", NOW)
    assert ask(home, new) == [(0,)]
    path = results([*rows(20), "2024-07-01,Elbe,Brava,1,0,Cup,Port,Isle,TRUE"])
    pull(home, LEAGUE, stanza(path), NOW)
    assert ask(home, new) == [(1,)]
    path = results([*rows(21), "2024-07-01,Elbe,Brava,1,0,Cup,Port,Isle,TRUE"])
    pull(home, LEAGUE, stanza(path), NOW + timedelta(days=40))
    assert ask(home, new) == [(0,)]


def test_one_renamed_through_the_whole_file_is_aliased_back_by_its_id(home, stanza, load, results, rows):
    load(results(rows(20)))
    path = results([row.replace("Hiva", "Zyx") for row in rows(20)])
    load(path, accept=True)
    ((message,),) = ask(home, "SELECT message FROM finding WHERE check_name = 'new_name'")
    assert message == "Zyx is new. No known name is like it. Gone in the same load: fifa:Hiva."
    with pytest.raises(UsageError, match='no competitor "Hiva"') as error:
        alias(home, LEAGUE, stanza(path), "Zyx", "Hiva", NOW)
    assert 'told by the id, perhaps "fifa:Hiva"' in error.value.hint
    said = alias(home, LEAGUE, stanza(path), "Zyx", "fifa:Hiva", NOW)
    assert said.startswith('international_football: "Zyx" and "Hiva" are one now: 20 games changed.')
    assert "did not name fifa:Hiva any more" in said
    assert ask(home, "SELECT name FROM competitor WHERE competitor_id = 'fifa:Hiva'") == [("Hiva",)]
    assert ask(home, "SELECT count(*) FROM side WHERE team = 'fifa:Zyx'") == [(0,)]
    undone = alias(home, LEAGUE, stanza(path), "Zyx", "Hiva", NOW + timedelta(hours=1), undo=True)
    assert "are two again" in undone


def test_one_who_was_rated_is_known_by_name_even_where_no_result_names_it_any_more(home, stanza, load, results, rows):
    load(results(rows(20)))
    with writing(home) as con:
        columns = "league, fit_id, kind, competitor_id, component, mean, sd, q5, q25, q50, q75, q95"
        con.execute(
            f"INSERT INTO rating ({columns}) SELECT ?, 'f', 'team', 'fifa:Hiva', 'goals', 0, 1, 0, 0, 0, 0, 0", [LEAGUE]
        )
    path = results([row.replace("Hiva", "Zyx") for row in rows(20)])
    load(path, accept=True)
    assert "are one now" in alias(home, LEAGUE, stanza(path), "Zyx", "Hiva", NOW)
