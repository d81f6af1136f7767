"""Fits held against NUTS: when they are, what is recorded of it, and what is not published because of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import duckdb
import pytest

from modeling import audit, sampled
from modeling.earlier import Earlier
from modeling.engines.choice import Choice
from modeling.fit import fit_league, still_accepted
from store.edition import current, publish
from store.home import Home
from store.warehouse import reading, writing

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def rows(home: Home, sql: str) -> list[tuple]:
    with reading(home) as con:
        return con.execute(sql).fetchall()


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return Home(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def unlike_nuts():
    """An engine in the place of NUTS that is the fast one with one team's attack off by 0.6 sd."""

    def by_nuts(choice, *rest):
        found = sampled.once(Choice("joint", ""), *rest)
        (ratings,) = found.ratings
        attack = ratings.components["attack"].copy()
        attack[:, 3] += 0.6 * attack[:, 3].std()
        moved = replace(ratings, components=ratings.components | {"attack": attack})
        return replace(found, choice=choice, ratings=[moved])

    return by_nuts


def like_nuts(choice, *rest):
    return replace(sampled.once(Choice("joint", ""), *rest), choice=choice)


AUDITS = "SELECT league, fit_id, engine, verdict, audited_at_utc FROM audit"


def test_a_night_audits_what_is_due_and_the_next_does_not_again(home, league, stanza, monkeypatch, fill):
    """Also not a week later: the same inputs have the same answers."""
    monkeypatch.setattr(audit, "by_nuts", like_nuts)
    fill(home, "audited", league.games.sides)
    by_hand = fit_league(home, "audited", stanza, NOW)
    assert rows(home, f"{AUDITS} WHERE league = 'audited'") == []
    first = fit_league(home, "audited", stanza, NOW, due=True, audited=True)
    assert (first.fit_id, first.is_new, first.verdict) == (by_hand.fit_id, True, "accepted")
    assert "agrees with nuts: means within" in first.summary
    record = [("audited", first.fit_id, "joint", "agrees", NOW.replace(tzinfo=None))]
    assert rows(home, f"{AUDITS} WHERE league = 'audited'") == record
    for later in (1, 7, 8):
        again = fit_league(home, "audited", stanza, NOW + timedelta(days=later), due=True, audited=True)
        assert not again.is_new
    assert rows(home, f"{AUDITS} WHERE league = 'audited'") == record
    checks = (
        f"SELECT count(*) FROM fit_check WHERE fit_id = '{first.fit_id}' AND check_name = 'audit' AND status = 'pass'"
    )
    assert rows(home, checks) == [(6,)]
    fit_league(home, "audited", stanza, NOW, again=True)  # by hand: what the audit said stays known
    assert rows(home, f"{AUDITS} WHERE league = 'audited'") == record
    assert rows(home, checks) == [(1,)]


def test_new_results_are_audited_after_a_week_at_the_latest(home, league, stanza, monkeypatch, fill):
    monkeypatch.setattr(audit, "by_nuts", like_nuts)
    sides = league.games.sides
    fill(home, "weekly", sides.head(300))
    fit_league(home, "weekly", stanza, NOW, due=True, audited=True)
    with writing(home) as con:
        con.execute("UPDATE side SET score = score + 1 WHERE league = 'weekly' AND game_id = 'g00007'")
    later = next(
        NOW + timedelta(days=day) for day in range(1, 7) if not audit.is_due("weekly", NOW, NOW + timedelta(days=day))
    )
    between = fit_league(home, "weekly", stanza, later, due=True, audited=True)
    assert between.is_new and len(rows(home, f"{AUDITS} WHERE league = 'weekly'")) == 1
    fit_league(home, "weekly", stanza, NOW + timedelta(days=7), due=True, audited=True)
    assert len(rows(home, f"{AUDITS} WHERE league = 'weekly'")) == 2


def test_a_fit_that_nuts_contradicts_is_not_published(home, league, stanza, monkeypatch, unlike_nuts, fill):
    """With auto the fit by NUTS is; the fast one, asked for by name, is rejected, now and whenever it is made again."""
    monkeypatch.setattr(audit, "by_nuts", unlike_nuts)
    fill(home, "contradicted", league.games.sides)
    by_auto = fit_league(home, "contradicted", stanza, NOW, audited=True)
    assert by_auto.verdict == "accepted"
    ((engine, why),) = rows(home, f"SELECT engine, engine_reason FROM fit WHERE fit_id = '{by_auto.fit_id}'")
    assert engine == "nuts"
    assert why.startswith("audited by nuts, which disagrees with joint on means of ratings, most attack of Team t:03")
    assert rows(home, f"{AUDITS} WHERE league = 'contradicted'")[0][2:4] == ("joint", "disagrees")
    by_name = fit_league(home, "contradicted", stanza, NOW, engine="fast")
    assert (by_name.fit_id, by_name.verdict) == (by_auto.fit_id, "rejected")
    assert by_name.reasons[0].startswith("audit (means of ratings, most attack of Team t:03, sds): joint and")


def test_readers_see_the_audits(home, league, stanza, monkeypatch, fill):
    monkeypatch.setattr(audit, "by_nuts", like_nuts)
    fill(home, "seen", league.games.sides)
    fitted = fit_league(home, "seen", stanza, NOW, audited=True)
    publish(home, ["seen"], NOW)
    with duckdb.connect(str(current(home)), read_only=True) as con:
        found = con.execute("SELECT fit_id, verdict, is_whole, games, mean_difference FROM audit").fetchall()
    assert found == [(fitted.fit_id, "agrees", True, 180, 0.0)]


def test_an_acceptance_by_hand_is_of_the_reasons_that_were_seen():
    earlier = Earlier("accepted", ["share (draws): .39 …", "pit: …"], False, NOW, NOW, "I know")
    assert still_accepted(earlier, ["pit: other numbers"]) == "I know"
    assert still_accepted(earlier, ["pit: other numbers", "audit: nuts disagrees"]) is None
