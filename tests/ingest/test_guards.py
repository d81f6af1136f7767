"""What a load is refused for when the games are still there: results turned round or wiped out, also of a peer."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingest.pull import pull
from store.errors import FeedError
from store.stanzas import Stanza
from store.warehouse import reading

FIXTURES = Path(__file__).parent / "fixtures"
NOW = datetime(2025, 11, 1, tzinfo=UTC)
EVENT = {"tourney_id": "2031-7", "tourney_name": "Isle", "tourney_date": "20310106", "draw_size": "32", "round": "RR"}
LOADS = "SELECT rows_read, games_new, games_changed, games_gone, games_unchanged, rows_rejected FROM load"


def ask(home, sql):
    with reading(home) as con:
        return con.execute(sql).fetchall()


def season(name, corrected=0):
    """A season of 20 matches in the format of the fixture `name`, the first `corrected` of them won by the others."""
    header = (FIXTURES / "tennis_sackmann" / name).read_text().splitlines()[0]
    lines = [header]
    for number in range(20):
        ids = [f"9{number:02}{place}" for place in ("1234" if number >= corrected else "3412")]
        people = {"winner_id": ids[0], "loser_id": ids[2], "winner1_id": ids[0], "winner2_id": ids[1]}
        people |= {"loser1_id": ids[2], "loser2_id": ids[3]}
        row = EVENT | people | {"match_num": str(number), "score": "6-1 6-2"}
        lines.append(",".join(row.get(column, "") for column in header.split(",")))
    return "\n".join(lines) + "\n"


def swapped(text):
    """The text with winners and losers exchanged in its header."""
    header, rest = text.split("\n", 1)
    return header.replace("winner", "?").replace("loser", "winner").replace("?", "loser") + "\n" + rest


@pytest.mark.parametrize("name", ["atp_matches_2031.csv", "atp_matches_doubles_2031.csv"])
def test_a_season_of_players_with_winners_and_losers_exchanged_is_refused(load, tmp_path, name):
    path = tmp_path / name
    path.write_text(season(name))
    assert load(path, league="atp").games_new == 20
    path.write_text(season(name, corrected=3))
    assert load(path, league="atp").games_changed == 3
    path.write_text(swapped(season(name)))
    with pytest.raises(FeedError, match=rf"17 of the 20 games of {name} have another result"):
        load(path, league="atp")
    assert load(path, league="atp", accept=True).games_changed == 17


def test_a_mapped_file_of_players_with_winners_and_losers_exchanged_is_refused(home, tmp_path):
    path = tmp_path / "duels.csv"
    columns = {"date": "day", "winner": "winner", "loser": "loser", "kind": "player"}
    body = {"title": "Duels", "feed": "csv", "source": str(path), "outcome": "win", "columns": columns}
    text = "day,winner,loser\n" + "".join(f"2024-05-{day:02},A{day},B{day}\n" for day in range(1, 21))
    path.write_text(text)
    pull(home, "duels", Stanza.model_validate(body), NOW)
    path.write_text(swapped(text))
    with pytest.raises(FeedError, match=r"20 of the 20 games of duels\.csv have another result"):
        pull(home, "duels", Stanza.model_validate(body), NOW + timedelta(hours=1))


def test_cars_of_one_constructor_that_change_places_have_other_results(home, tmp_path):
    """Both sides have the team: who drove tells them apart."""
    path = tmp_path / "races.csv"
    columns = {"rows": "side", "date": "day", "game": ["race"], "competitor": "driver", "kind": "player"}
    columns |= {"team": "team", "finish": "place"}
    body = {"title": "Races", "feed": "csv", "source": str(path), "outcome": "order", "columns": columns}
    places = [f"2024-05-{day:02},{day},{{}},Reds,{{}}\n" for day in range(1, 21)]
    for first, second in (("Ada", "Bo"), ("Bo", "Ada")):
        rows = [row.format(driver, place) for row in places for driver, place in ((first, 1), (second, 2))]
        path.write_text("day,race,driver,team,place\n" + "".join(rows))
        if first == "Ada":
            pull(home, "races", Stanza.model_validate(body), NOW)
    with pytest.raises(FeedError, match=r"20 of the 20 games of races\.csv have another result"):
        pull(home, "races", Stanza.model_validate(body), NOW + timedelta(hours=1))


def wiped(row):
    """The row of internationals without its score."""
    return ",".join([*row.split(",")[:3], "NA", "NA", *row.split(",")[5:]])


def test_results_that_are_missing_from_games_that_are_there_are_refused(home, load, results, rows):
    games = rows(20)
    load(results(games))
    assert load(results([*map(wiped, games[:5]), *games[5:]])).games_changed == 5
    load(results(games))
    with pytest.raises(
        FeedError, match=r"36 of the 80 games of results\.csv that had a result have no result any more"
    ) as error:
        load(results([*map(wiped, games[:36]), *games[36:]]))
    assert "another result" not in error.value.message
    assert ask(home, "SELECT DISTINCT status FROM game") == [("played",)]
    assert load(results([*map(wiped, games[:36]), *games[36:]]), accept=True).games_changed == 36


def forecasts(missing=0):
    """A file of 20 forecasts of a peer, the first `missing` of them without what came of it."""
    rows = [
        f"2031,2031-09-{day:02},Gulls,Terns,0,0.55,{'' if day <= missing else 1},0.45,{'' if day <= missing else 0}"
        for day in range(1, 21)
    ]
    return "\n".join(["season,date,team1,team2,dh,prob1,prob1_outcome,prob2,prob2_outcome", *rows]) + "\n"


def test_forecasts_of_a_peer_whose_outcome_columns_are_gone_are_refused(home, load, tmp_path):
    path = tmp_path / "mlb_games.csv"
    path.write_text(forecasts())
    load(path, league="fivethirtyeight")
    path.write_text(forecasts().replace("_outcome", "_gone"))
    with pytest.raises(FeedError, match=r"20 of the 20 forecasts of mlb_games\.csv that had a result have no result"):
        load(path, league="fivethirtyeight")
    assert ask(home, "SELECT count(result) FROM peer_forecast") == [(20,)]


def test_forecasts_of_a_peer_are_counted_in_the_row_of_their_load(home, load, tmp_path):
    path = tmp_path / "mlb_games.csv"
    path.write_text(forecasts(missing=3))
    load(path, league="fivethirtyeight")
    head, gone, *rest = forecasts().splitlines()
    new = gone.replace("2031-09-01", "2031-10-01")
    path.write_text("\n".join([head, *rest, new, new.replace("0.55", "0.95")]) + "\n")
    pulled = load(path, league="fivethirtyeight")
    assert (pulled.games_new, pulled.games_unchanged, pulled.forecasts) == (0, 0, 20)
    assert ask(home, f"{LOADS} ORDER BY loaded_at_utc") == [(20, 20, 0, 0, 0, 0), (21, 1, 2, 1, 17, 1)]


def test_a_players_chances_are_one_forecast_for_all_rounds(home, load):
    load(FIXTURES / "fivethirtyeight" / "tennis_men.csv", league="fivethirtyeight")
    ((read, new, *others),) = ask(home, LOADS)
    assert (new + others[-1], others[:-1]) == (read, [0, 0, 0])


def test_the_hint_names_the_file_that_lost_the_games_and_not_what_is_read_along(load, results, rows, tmp_path):
    games = rows(20)
    shootouts = tmp_path / "shootouts.csv"
    level = [row.split(",") for row in games if row.split(",")[3] == row.split(",")[4]]
    shootouts.write_text("\n".join(["date,home_team,away_team,winner", *(",".join([*r[:3], r[1]]) for r in level)]))
    load(results(games), shootouts)
    with pytest.raises(FeedError, match=r"results\.csv lost 40 of its 80 games; .* rows of shootouts\.csv") as error:
        load(results(games[:40]), shootouts)
    assert "Look at results.csv;" in error.value.hint
