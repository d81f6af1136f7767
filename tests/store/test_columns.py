"""The column mapping of a stanza: what is wrong with one is one clear sentence."""

import pytest

from store.errors import StanzaError, UsageError
from store.stanzas import append_stanza, read_stanzas, remove_stanza

PAIR = {"date": "Date", "home": "h", "away": "a", "home_score": "hs", "away_score": "as"}
ENTRANT = {"rows": "side", "date": "Date", "game": ["race"], "competitor": "driver", "finish": "place"}
BODY = {"title": "T", "feed": "csv", "source": "a.csv", "outcome": "score"}


def add(home, columns):
    return append_stanza(home, "mine", BODY | {"columns": columns})


def test_a_mapping_is_kept_in_the_file_and_read_again(home):
    stanza = add(home, PAIR | {"attributes": ["division"], "statuses": {"Walkover": "walkover"}})
    assert read_stanzas(home)["mine"] == stanza
    assert stanza.columns is not None
    assert stanza.columns.statuses == {"Walkover": "walkover"}
    assert "[mine.columns]" in home.leagues_toml.read_text()
    remove_stanza(home, "mine")
    assert "columns" not in home.leagues_toml.read_text()


def test_one_name_may_stand_for_a_list(home):
    stanza = add(home, ENTRANT | {"attributes": "circuit"})
    assert stanza.columns is not None
    assert stanza.columns.attributes == ("circuit",)


@pytest.mark.parametrize(
    ("columns", "complaint"),
    [
        (PAIR | {"hme_score": "x"}, 'unknown setting "columns.hme_score". Did you mean "home_score"?'),
        (
            PAIR | {"game": ["g"], "appearances": {"file": "p.csv", "game": ["g"], "side": "s", "playr": "p"}},
            'unknown setting "columns.appearances.playr". Did you mean "player"?',
        ),
        ({"home": "h"}, '"columns.date" is missing'),
        ({"date": "Date", "home": "h"}, 'needs "home" and "away", or "winner" and "loser"'),
        (PAIR | {"loser": "l", "winner": "w"}, 'either "home" and "away", or "winner" and "loser"'),
        ({"date": "Date", "home": "h", "away": "a"}, '"home" and "away" need "home_score"'),
        (PAIR | {"finish": "f"}, 'columns of entrants need rows = "side"'),
        (PAIR | {"kind": "player", "home_players": "p"}, "has its players in the competitor columns already"),
        (PAIR | {"home_players": ["p", "q"], "home_shares": ["s"]}, "as many columns of shares as of players"),
        (PAIR | {"delimiter": ";;"}, '"columns.delimiter"'),
        (PAIR | {"statuses": {"W.O.": "walk-over"}}, '"columns.statuses.W.O."'),
        (PAIR | {"appearances": {"file": "p.csv", "game": "g", "side": "s", "player": "p"}}, "must name the key's"),
        ({"rows": "side", "date": "Date", "competitor": "c", "finish": "f"}, 'needs "game" and "competitor"'),
        (ENTRANT | {"finish": None}, 'needs "finish", "score" or "won"'),
        (ENTRANT | {"home": "h"}, "has no home, away, winner or loser columns"),
        (ENTRANT | {"team": "t"}, 'say kind = "player"'),
    ],
)
def test_a_wrong_mapping_is_one_clear_error_and_nothing_is_written(home, columns, complaint):
    with pytest.raises(StanzaError) as error:
        add(home, {name: value for name, value in columns.items() if value is not None})
    assert complaint in error.value.message
    assert "found {" not in error.value.message
    assert not home.leagues_toml.exists()


def test_a_name_that_is_taken_here_or_in_the_catalogue_is_refused(home):
    add(home, PAIR)
    with pytest.raises(UsageError, match='a league "mine" already'):
        add(home, PAIR)
    with pytest.raises(UsageError, match='a league "international_football" already'):
        append_stanza(home, "international_football", BODY | {"columns": PAIR})
