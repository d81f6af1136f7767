"""The audit: when it is due, its bounds, and what becomes of a fit on which the engines disagree."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from modeling import audit as auditing
from modeling.agreement import Agreement, Apart, Differences
from modeling.audit import Scope, audit, checks_of, is_due, is_wanted, sub_league_checks
from modeling.build import build_design
from modeling.earlier import Audited
from modeling.engines.choice import Choice
from modeling.field import make_field
from modeling.judge import Check
from modeling.sampled import Sampled, once
from store.errors import FitError

NIGHT = datetime(2026, 3, 2, 4, 10, tzinfo=UTC)
LEAGUES = [f"league_{number}" for number in range(700)]


def untold(_stage: str, _share: float) -> None:
    """A report that nobody reads."""


def test_a_league_never_audited_or_not_for_a_week_is_due():
    for league in LEAGUES[:20]:
        assert is_due(league, None, NIGHT)
        assert is_due(league, NIGHT - timedelta(days=7) + timedelta(minutes=5), NIGHT)
        assert is_due(league, NIGHT - timedelta(days=30), NIGHT)


def test_of_the_others_about_one_in_seven_is_due_each_night_and_not_always_the_same():
    """Binomial(700, 1/7) has sd 9.3."""
    yesterday = NIGHT - timedelta(days=1)
    tonight, next_night = (
        {one for one in LEAGUES if is_due(one, yesterday, NIGHT + timedelta(days=day))} for day in (0, 1)
    )
    assert 70 < len(tonight) < 130 and 70 < len(next_night) < 130
    assert len(tonight & next_night) < 40
    assert tonight == {one for one in LEAGUES if is_due(one, yesterday, NIGHT + timedelta(hours=3))}


@pytest.mark.parametrize(("audited", "only_due", "wanted"), [
    (Audited(None), True, True),  # a first night
    (Audited(None, "joint"), True, True),  # made by hand, not audited yet
    (Audited(NIGHT, "joint", verdict="agrees"), False, True),  # asked for by name
    (Audited(NIGHT - timedelta(days=30), "joint", verdict="agrees"), True, False),  # the same inputs were audited
    (Audited(NIGHT - timedelta(days=30), "joint", verdict="unsettled"), True, False),
    (Audited(None, "nuts"), True, False),  # a fast engine failed its own checks
    (Audited(None, "joint", is_overridden=True), True, False),
])  # fmt: skip
def test_what_was_audited_or_accepted_by_hand_is_left_alone(audited, only_due, wanted):
    assert is_wanted(audited, "x", NIGHT, only_due=only_due) is wanted


FINE = Differences(Apart(0.05, 0.04, 0.95, 1.05), Apart(0.05, 0.05, 0.95, 1.05), 0.01, 0.999)


def found(**changes) -> Agreement:
    effects = replace(FINE.effects, **{k: v for k, v in changes.items() if k in ("means", "sd_low", "sd_high")})
    rest = {k: v for k, v in changes.items() if k in ("parameters", "chances", "rank_correlation")}
    return Agreement(replace(FINE, effects=effects, **rest), FINE, FINE, "total of t:01", "scale_attack")


@pytest.fixture(scope="module")
def scope(league, stanza) -> Scope:
    design = build_design(stanza, league.games)
    return Scope(league.games, design, [make_field(design, kind, stanza, league.games.as_of) for kind in design.kinds])


@pytest.fixture(scope="module")
def fast(scope) -> Sampled:
    return once(Choice("joint", "small"), scope.design, scope.games, scope.fields, None, untold)


def failed(checks: list[Check]) -> list[str]:
    return [one.subject for one in checks if one.status == "fail"]


@pytest.mark.parametrize(("inside", "outside", "subject"), [
    ({"means": 0.24}, {"means": 0.26}, "means of ratings, most total of t:01, sds"),
    ({"sd_low": 0.81}, {"sd_low": 0.79}, "sds of ratings, ratio"),
    ({"sd_high": 1.24}, {"sd_high": 1.26}, "sds of ratings, ratio"),
    ({"chances": 0.059}, {"chances": 0.061}, "P(a > b)"),
    ({"rank_correlation": 0.991}, {"rank_correlation": 0.989}, "order of the ranked, 1 - correlation"),
    ({"parameters": Apart(0.24, 0.1, 0.9, 1.1)}, {"parameters": Apart(0.26, 0.1, 0.9, 1.1)},
     "means of parameters, most spread of the attack of a team, sds"),
    ({"parameters": Apart(0.1, 0.1, 0.9, 1.44)}, {"parameters": Apart(0.1, 0.1, 0.9, 1.46)},
     "sds of parameters, ratio"),
])  # fmt: skip
def test_each_number_has_its_bound(scope, inside, outside, subject):
    names = ("joint", "nuts")
    assert failed(checks_of("audit", found(**inside), names, scope.design)) == []
    assert failed(checks_of("audit", found(**outside), names, scope.design)) == [subject]


def test_parameters_of_a_sub_league_only_warn(scope):
    apart = found(parameters=Apart(0.5, 0.1, 0.5, 1.1), chances=0.2)
    checks = checks_of("sub_league", apart, ("chain", "joint"), scope.design, is_whole=False)
    assert failed(checks) == ["P(a > b)"]
    assert [one.subject.split(",")[0] for one in checks if one.status == "warn"] == [
        "means of parameters",
        "sds of parameters",
    ]


def test_a_bound_is_never_tighter_than_chance(scope):
    """Where halves of the reference differ more than the bound, that and the draws' error are the bound."""
    noisy = Differences(Apart(0.3, 0.2, 0.75, 1.3), Apart(0.4, 0.4, 0.6, 1.5), 0.08, 0.97)
    apart = Differences(Apart(0.34, 0.2, 0.75, 1.3), Apart(0.44, 0.4, 0.7, 1.5), 0.085, 0.975)
    seen = replace(found(), found=apart, floor=noisy)
    checks = checks_of("audit", seen, ("joint", "nuts"), scope.design)
    assert failed(checks) == []
    assert [round(one.bound or 0, 3) for one in checks] == [0.35, 1.404, 0.09, 0.031, 0.45, 1.754]


def as_nuts(one: Sampled, shift: float = 0.0, checks: tuple[Check, ...] = ()) -> Sampled:
    """The same answer as NUTS would have given it, or one with a team's attack off by so many sds."""
    (ratings,) = one.ratings
    attack = ratings.components["attack"].copy()
    attack[:, 3] += shift * attack[:, 3].std()
    moved = replace(ratings, components=ratings.components | {"attack": attack})
    return replace(one, choice=Choice("nuts", "audit"), ratings=[moved], checks=list(checks))


def audited(monkeypatch, fast, scope, stanza, reference, **options):
    def by_nuts(*_):
        if isinstance(reference, Exception):
            raise reference
        return reference

    monkeypatch.setattr(auditing, "by_nuts", by_nuts)
    return audit(fast, scope, stanza, None, untold, **{"may_replace": True, **options})


def test_engines_that_agree_are_on_record_and_the_fast_fit_stands(monkeypatch, fast, scope, stanza):
    kept, record = audited(monkeypatch, fast, scope, stanza, as_nuts(fast))
    assert (kept.choice, record.verdict, record.is_whole, record.games) == (fast.choice, "agrees", True, 180)
    assert [one.status for one in kept.checks[len(fast.checks) :]] == ["pass"] * 6
    assert record.row["mean_difference"] == 0 and record.row["floor_mean_difference"] > 0


def test_where_nuts_disagrees_auto_takes_what_nuts_found(monkeypatch, fast, scope, stanza):
    other = as_nuts(fast, shift=0.6)
    kept, record = audited(monkeypatch, fast, scope, stanza, other)
    assert record.verdict == "disagrees"
    assert kept.ratings is other.ratings and kept.choice == Choice("nuts", record.message)
    assert "disagrees with joint on means of ratings, most attack of t:03" in record.message
    assert {one.status for one in kept.checks} == {"pass", "warn"}


def test_a_fast_fit_asked_for_by_name_is_rejected_instead(monkeypatch, fast, scope, stanza):
    kept, record = audited(monkeypatch, fast, scope, stanza, as_nuts(fast, shift=0.6), may_replace=False)
    assert kept.ratings is fast.ratings and record.verdict == "disagrees"
    assert any(one.check_name == "audit" and one.status == "fail" for one in kept.checks)


@pytest.mark.parametrize("is_raised", [True, False])
def test_without_an_answer_from_nuts_nothing_is_said_of_the_fit(monkeypatch, fast, scope, stanza, is_raised):
    late = Check("r_hat", "worst rating", 1.2, 1.01, "fail", "")
    reference = FitError("NUTS could not sample: x") if is_raised else as_nuts(fast, checks=(late,))
    kept, record = audited(monkeypatch, fast, scope, stanza, reference)
    assert (kept.choice, record.verdict, record.agreement) == (fast.choice, "unsettled", None)
    assert (kept.checks[-1].status, kept.checks[-1].message) == ("warn", record.message)
    assert ("could not sample" if is_raised else "r_hat of worst rating") in record.message
    assert "mean_difference" not in record.row


def fits_of_a_part(monkeypatch, shift: float) -> list[Scope]:
    """Lets sub-leagues have 18 effects, and NUTS be the fast engine moved by `shift`; the designs it is asked for."""
    asked, whole_sub_scope = [], auditing.sub_scope

    def by_nuts(choice, design, games, fields, start, tell):
        asked.append(Scope(games, design, fields))
        return as_nuts(once(Choice("joint", ""), design, games, fields, start, tell), shift)

    monkeypatch.setattr(auditing, "by_nuts", by_nuts)
    monkeypatch.setattr(
        auditing, "sub_scope", lambda games, stanza, most=18: whole_sub_scope(games, stanza, min(most, 18))
    )
    return asked


@pytest.mark.parametrize(("shift", "verdict"), [(0.0, "agrees"), (0.6, "disagrees")])
def test_a_league_too_large_for_nuts_is_audited_by_a_smaller_one(monkeypatch, fast, scope, stanza, shift, verdict):
    """Disagreement there rejects the whole: nothing else is at hand to take its place."""
    monkeypatch.setattr(auditing, "WHOLE", 20)
    asked = fits_of_a_part(monkeypatch, shift)
    kept, record = audit(fast, scope, stanza, None, untold, may_replace=True)
    assert len(asked[0].fields[0].competitors) == 8
    assert (record.verdict, record.is_whole, record.effects, record.games) == (
        verdict,
        False,
        18,
        asked[0].design.games,
    )
    assert kept.ratings is fast.ratings
    assert bool(failed(kept.checks)) is (verdict == "disagrees")


def test_one_engine_is_held_against_another_on_a_sub_league(monkeypatch, scope, stanza):
    fits_of_a_part(monkeypatch, 0.6)
    same = sub_league_checks(scope.games, stanza, ("joint", "joint"), None, untold)
    assert {(one.check_name, one.status) for one in same} == {("sub_league", "pass")}
    other = sub_league_checks(scope.games, stanza, ("joint", "nuts"), None, untold)
    assert failed(other)[0] == "means of ratings, most attack of t:03, sds"


def test_a_sub_league_that_does_not_settle_stands_for_nothing(monkeypatch, scope, stanza):
    def once_lost(*_):
        raise FitError("no top")

    monkeypatch.setattr(auditing, "once", once_lost)
    (only,) = sub_league_checks(scope.games, stanza, ("joint", "joint"), None, untold)
    assert (only.status, only.message) == ("fail", "no top")
