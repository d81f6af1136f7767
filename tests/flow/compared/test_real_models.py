"""Models of real leagues compared by the command, as a person would ask: what must come out of it."""

import pytest

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(3600)]

LEAGUES = """
[internationals]
title = "Men's international football since 2000"
feed = "international_football"
source = "{data}/international_football/results.csv"
outcome = "score"
since = 2000-01-01
effects = ["home"]

[english]
title = "English football, four divisions, 2013-24"
feed = "openfootball"
source = "{data}/club_football/*/en.*.json"
outcome = "score"
effects = ["home"]
group = "division"

[atp_tour]
title = "ATP tour 2019-22"
feed = "tennis_sackmann"
source = "{data}/tennis_atp/atp_matches_20*"
outcome = "win"
rate = ["player"]
since = 2019-01-01
effects = ["player:surface"]

[nfl]
title = "NFL since 2010"
feed = "nflverse_games"
source = "{data}/american_football/games.csv"
outcome = "margin"
effects = ["home"]
period = "season"
walk = ["team"]
since = 2010-01-01
"""
NEGATIVE = 'likelihood = "negative_binomial"'


@pytest.fixture(scope="module")
def rows(home, pooltable, real_data, edition):
    """Compares a league's models and asks the edition for the rows of one method, by variant."""
    home.root.mkdir(exist_ok=True)
    home.leagues_toml.write_text(LEAGUES.format(data=real_data))

    def compare(league: str, method: str, *texts: str) -> dict[str, dict]:
        pulled = pooltable("pull", league)
        assert pulled.returncode == 0, pulled.stderr
        done = pooltable("compare", league, *(word for text in texts for word in ("--with", text)))
        assert done.returncode == 0, done.stderr
        assert pooltable("publish").returncode == 0
        print(done.stdout)
        found = edition(home, f"FROM comparison WHERE league = '{league}' AND method = '{method}'")
        return {row["variant"]: row for row in found.iter_rows(named=True)}

    return compare


def test_scores_of_internationals_since_2000_are_overdispersed(rows, home, edition):
    """What weighs most are the few games of sides outside FIFA. The 31-0 of 2001 does not: that Australia would score
    about as many the other games of both tell, so that its k-hat is 0.24."""
    found = rows("internationals", "loo", NEGATIVE, 'likelihood = "dixon_coles"')
    assert found["negative binomial"]["verdict"] == "better"
    assert found["negative binomial"]["difference"] > found["dixon coles"]["difference"]
    assert all(row["doubtful"] == 0 and row["refitted"] == row["high_k"] for row in found.values())
    high = edition(home, "FROM influential_game WHERE league = 'internationals' AND is_high AND is_refitted")
    worst = high.filter(variant="poisson").sort("k_hat", descending=True).head(5)
    assert "Western Sahara – Tibet" in worst["sides"].to_list() and worst["k_hat"].max() > 1.0
    assert not high["result"].is_in(["31–0", "0–31"]).any()


def test_english_teams_differ_and_pooling_costs_nothing(rows):
    found = rows("english", "loo")
    assert found["complete pooling"]["verdict"] == "worse"
    assert found["no pooling"]["verdict"] in ("alike", "probably worse", "worse")
    assert max(row["worst_k"] for row in found.values()) < 0.7


def test_surfaces_matter_to_tennis_players(rows):
    found = rows("atp_tour", "loo", "effects = []")
    assert found["without player:surface"]["verdict"] == "worse"


def test_home_advantage_and_movement_matter_in_the_nfl(rows):
    found = rows("nfl", "lfo", "effects = []", 'period = "static"; walk = []')
    assert found["without home"]["verdict"] in ("probably worse", "worse")
    assert found["static"]["verdict"] in ("probably worse", "worse")
