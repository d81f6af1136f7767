"""leagues.toml: what is right is read with its defaults, what is wrong is named."""

from datetime import time

import pytest

from store.errors import StanzaError, UsageError
from store.home import Home, open_home
from store.stanzas import (
    add_stanza,
    choose,
    choose_each,
    parse_stanzas,
    read_catalogue,
    read_each,
    read_stanzas,
    read_withheld,
    remove_stanza,
)

GOOD = '[alps]\ntitle = "Alps"\nfeed = "csv"\nsource = "a.csv"\noutcome = "score"\n'


def write(home: Home, text: str) -> None:
    home.root.mkdir(parents=True, exist_ok=True)
    home.leagues_toml.write_text(text)


def test_defaults_are_filled_in(home):
    write(home, GOOD)
    stanza = read_stanzas(home)["alps"]
    assert (stanza.source, stanza.rate, stanza.refit) == (("a.csv",), ("team",), time(4, 0))


PLAY_OFF = """
[alps.season.tables.east.places]
up = [1, 2]
[[alps.season.play_offs]]
bracket = ["east 2", "east 3"]
rounds = ["neutral"]
won = { east = "up" }
"""


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (GOOD + "min_gmes = 4\n", 'unknown setting "min_gmes". Did you mean "min_games"?'),
        (GOOD + 'priors = {team = -1.0}\n', "a prior's scale must be a positive number, and team is -1"),
        (GOOD + 'thresholds = {r_hat = "low"}\n', "a threshold must be a number, 0 or more, and r_hat is 'low'."),
        (GOOD + "thresholds = {rhat = 1.0}\n", 'there is no threshold called "rhat"; did you mean "r_hat"?'),
        (GOOD + "thresholds = {r_hat = 1.1}\n", "this loosens r_hat = 1.1 (usually 1.01); take it back, or say why"),
        (GOOD + 'thresholds = {r_hat = 2, reason = " "}\n', "reason must say in words why"),
        (GOOD + "min_games = 0\n", '"min_games"'),
        (GOOD + "persistence = 60\n", '"persistence": it is the share of a competitor\'s distance'),
        (GOOD + "persistence = nan\n", "from 0.01 to 1: 1 forgets nothing (found nan)"),
        (GOOD + 'refit = "late"\n', '"refit"'),
        (GOOD + PLAY_OFF, '"east 2" has "up" by `places` (up = [1, 2]) and plays for it in the play-off'),
        (GOOD.replace('outcome = "score"', 'outcome = 3'), '"outcome"'),
        (GOOD + "active_days = 10000000\n", '"active_days": Input should be less than or equal to 100000'),
        (GOOD + "active_days = 0\n", '"active_days"'),
        (GOOD.replace('feed = "csv"\n', ""), 'the setting "feed" is missing'),
        (GOOD.replace("[alps]", "[Alps]"), "cannot be a league's name"),
        ("alps = 3\n", "must be a stanza"),
        ("[alps\n", "is not TOML"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_file(home, text, says):
    write(home, text)
    with pytest.raises(StanzaError) as caught:
        read_stanzas(home)
    assert says in caught.value.message
    assert str(home.leagues_toml) in caught.value.message
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("more", "name"), [("", None), ('link = "probit"', "probit"), ('likelihood = "student"', "student")]
)
def test_which_outcomes_and_likelihoods_there_are_is_not_for_the_stanza_to_know(home, more, name):
    write(home, GOOD.replace('"score"', '"goals"') + more)
    assert (read_stanzas(home)["alps"].outcome, read_stanzas(home)["alps"].likelihood_name) == ("goals", name)


def test_bytes_that_are_no_text_are_a_mistake_too(home):
    home.root.mkdir()
    home.leagues_toml.write_bytes(b"[alps]\ntitle = '\xff'\n")
    with pytest.raises(StanzaError, match="is not TOML"):
        read_stanzas(home)


def test_choosing_leagues(home):
    with pytest.raises(UsageError, match="No leagues"):
        choose(home, [])
    write(home, GOOD + GOOD.replace("alps", "andes"))
    assert list(choose(home, [])) == ["alps", "andes"]
    assert list(choose(home, ["andes"])) == ["andes"]
    with pytest.raises(UsageError, match='no league "alp"') as caught:
        choose(home, ["alp"])
    assert "alps" in caught.value.hint


def test_the_catalogue_itself_is_right():
    assert "international_football" in read_catalogue()


def test_adding_keeps_what_was_written_by_hand(home, tmp_path, monkeypatch):
    write(home, "# mine\n" + GOOD)
    monkeypatch.chdir(tmp_path)
    add_stanza(home, "international_football", ("results.csv",))
    text = home.leagues_toml.read_text()
    assert text.startswith("# mine\n")
    assert read_stanzas(home)["international_football"].source == (str(tmp_path / "results.csv"),)
    with pytest.raises(UsageError, match="already"):
        add_stanza(home, "international_football")


def test_several_sources_and_another_feed(home):
    stanza = add_stanza(home, "international_football", ("https://example.org/a.csv", "/b.csv"), "csv")
    assert (stanza.source, stanza.feed) == (("https://example.org/a.csv", "/b.csv"), "csv")


def test_adding_what_the_catalogue_has_not_names_the_nearest(home):
    with pytest.raises(UsageError, match="catalogue has no league") as caught:
        add_stanza(home, "internatonal_football")
    assert "international_football" in caught.value.hint
    assert not home.leagues_toml.exists()


def test_removing_takes_one_stanza_out(home):
    write(home, GOOD + GOOD.replace("alps", "andes"))
    remove_stanza(home, "alps")
    assert list(read_stanzas(home)) == ["andes"]
    with pytest.raises(UsageError):
        remove_stanza(home, "alps")


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(StanzaError, match="cannot be read"):
        parse_stanzas(tmp_path / "none.toml")


def test_the_home_comes_from_the_option_then_the_environment_then_the_default(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("POOLTABLE_HOME", raising=False)
    assert open_home().root == tmp_path / "data" / "home"
    monkeypatch.setenv("POOLTABLE_HOME", str(tmp_path / "there"))
    assert open_home().root == tmp_path / "there"
    assert open_home(tmp_path / "here").root == tmp_path / "here"


def test_one_stanza_that_is_wrong_stops_no_other(home):
    write(home, GOOD + GOOD.replace("[alps]", "[andes]") + 'refitt = "04:00"\n')
    found = read_each(home)
    assert isinstance(found["andes"], StanzaError) and "refitt" in found["andes"].message
    assert list(choose(home, ["alps"])) == ["alps"]
    each = choose_each(home, [])
    assert [isinstance(each[name], StanzaError) for name in ("alps", "andes")] == [False, True]
    for names in ([], ["andes"]):
        with pytest.raises(StanzaError, match="league andes"):
            choose(home, names)
    remove_stanza(home, "andes")
    assert list(read_stanzas(home)) == ["alps"]


@pytest.mark.parametrize(("line", "withheld"), [
    ("", []), ("share = true", []), ("share = false", ["alps"]), ('refitt = "04:00"', []),
    ('refitt = "04:00"\nshare = false', ["alps"]), ('share = "no"', ["alps"]), ("shaer = false", ["alps"]),
])  # fmt: skip
def test_results_that_are_not_for_readers_stay_so_in_a_stanza_that_is_wrong(home, line, withheld):
    write(home, GOOD + line + "\n")
    assert read_withheld(home) == withheld


@pytest.mark.parametrize(("text", "line"), [
    (GOOD + "min_gmes = 4\n", 6), ("\n" + GOOD.replace('feed = "csv"\n', ""), 2),
    (GOOD + "[alps.columns]\nda = 1\n", 6), (GOOD.replace("alps", "andes") + "\n" + GOOD + "columns.da = 1\n", 12),
])  # fmt: skip
def test_a_mistake_is_named_with_its_line(home, text, line):
    write(home, text)
    with pytest.raises(StanzaError, match=f"leagues.toml, line {line}, league alps: "):
        read_stanzas(home)
