"""Which fits of the past a league's history is made of: one after each season, or one every so many days."""

from datetime import date, timedelta

from modeling.games import read_days, read_season_ends
from modeling.outcomes import outcome_for
from store.errors import UsageError
from store.home import Home
from store.stanzas import Stanza
from store.warehouse import reading

DAY = timedelta(days=1)


def as_of_dates(
    home: Home, league: str, stanza: Stanza, first: date, last: date, every: timedelta | None
) -> list[date]:
    """The as-of dates from `first` to `last`: the day after each season's last game, or `first` and every so many days
    after it.

    A date before which nothing was played is left out; so is the day after the last game of all and what follows, whose
    ratings are the league's own. Raises FitError where no games are loaded, UsageError where no date is left.
    """
    statuses = outcome_for(league, stanza).statuses
    with reading(home) as con:
        earliest, latest = read_days(con, league, statuses)
        ends = read_season_ends(con, league, stanza.since, statuses)
    earliest = max(earliest, stanza.since or earliest)
    if every is None:
        dates = [end + DAY for end in ends]
    else:
        dates = [first + number * every for number in range(max((last - first) // every + 1, 0))]
    found = [day for day in dates if first <= day <= last and earliest < day <= latest]
    if not found:
        what = "no season ended" if every is None else "there is no date"
        raise UsageError(
            f"{league}: {what} from {first} to {last} with games both before and after.",
            f"It played from {earliest} to {latest}; ratings after the last game come from: pooltable nightly {league}",
        )
    return found
