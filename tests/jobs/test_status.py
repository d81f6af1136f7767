"""What status says of verdicts: why a fit was rejected, and why a person accepted one against the rules."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from jobs.status import COLUMNS, Fit, LeagueStatus, Shown, ago, remarks, row

NOW = datetime(2026, 3, 1, tzinfo=UTC)
WHY = ("held out: worse.", "identified: not.")


def status_of(fit: Fit | None, shown: Shown | None = None) -> LeagueStatus:
    return LeagueStatus("alps", True, None, NOW, None, fit, shown, NOW, 36.0)


def fit(verdict: str, *reasons: str, override: str | None = None) -> Fit:
    return Fit(NOW, verdict, date(2026, 2, 28), reasons, override)


@pytest.mark.parametrize(("league", "says"), [
    (status_of(None), []),
    (status_of(fit("accepted")), []),
    (status_of(fit("rejected", *WHY)), ["alps: the newest fit was rejected: held out: worse; identified: not"]),
    (status_of(fit("accepted", *WHY, override="I know"), Shown(NOW.date(), "I know")),
     ["alps: the newest fit was accepted by hand: I know. The rules say: held out: worse; identified: not"]),
    (status_of(fit("rejected", WHY[0]), Shown(NOW.date(), "I know")),
     ["alps: the newest fit was rejected: held out: worse",
      "alps: the fit that readers see was accepted by hand: I know"]),
])  # fmt: skip
def test_what_is_to_be_known_of_verdicts(league, says):
    assert remarks(league) == says


def test_a_fit_accepted_by_hand_is_not_called_accepted():
    cells = dict(zip(COLUMNS, row(status_of(fit("accepted", *WHY, override="I know")), NOW), strict=True))
    assert cells["verdict"] == "by hand"


@pytest.mark.parametrize(("loaded", "pulled", "is_fresh"), [
    (None, None, None), (-1, None, True), (-48, None, False), (-48, -1, True), (4800, None, False), (4800, -1, True),
    (4800, -48, False), (0.05, None, True),
])  # fmt: skip
def test_what_a_clock_that_was_ahead_wrote_makes_no_league_fresh(loaded, pulled, is_fresh):
    at = {None: None} | {hours: NOW + timedelta(hours=hours) for hours in (loaded, pulled) if hours is not None}
    one = replace(status_of(None), loaded_at=at[loaded], pulled_at=at[pulled])
    assert one.is_fresh(NOW) is is_fresh


@pytest.mark.parametrize(("minutes", "told"), [
    (0, "just now"), (2, "just now"), (6, "6 minutes ahead of the clock"), (1440 * 200, "200 days ahead of the clock"),
    (-1, "1 minute ago"), (-60, "1 hour ago"), (-3000, "50 hours ago"), (-4319, "71 hours ago"), (-4320, "3 days ago"),
])  # fmt: skip
def test_how_long_ago(minutes, told):
    assert ago(NOW + timedelta(minutes=minutes), NOW) == told
