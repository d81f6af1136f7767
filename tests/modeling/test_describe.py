"""What `describe` says of effects, noise and scales that a league may have in part."""

import pytest

from modeling.build import build_design
from modeling.describe import Section, describe
from store.stanzas import Stanza


@pytest.fixture
def told(games, game):
    """(keywords of the stanza) -> sections by title, of games with a surface, a walkable year and two lengths."""

    def tell(**settings) -> dict[str, Section]:
        body = {"title": "x", "feed": "none", "source": "none", "outcome": "score", "min_games": 1} | settings
        stanza = Stanza.model_validate(body)
        some = games(
            game("ab", (2, 1), home=0, surface="clay", best_of="3", season="2023"),
            game("ba", (1, 3), home=0, surface="grass", best_of="3", season="2024", day=366),
            game("ab", (0, 1), home=0, surface="clay", best_of="5", season="2024", day=370),
        )
        return {section.title: section for section in describe(some, build_design(stanza, some), stanza)}

    return tell


def math(sections: dict[str, Section]) -> tuple[str, ...]:
    return sections["In mathematics"].formulas


def words(sections: dict[str, Section]) -> str:
    return "\n".join(sections["In words"].paragraphs)


def test_attack_and_defence_by_an_attribute_are_told_together(told):
    said = words(told(effects=("team:surface", "home:surface")))
    assert "Attack and defence of a team by surface (clay, grass): deviations, pooled to zero." in said
    assert "Home advantage by surface (clay, grass): deviations, pooled to zero." in said
    assert said.count("deviations, pooled to zero") == 2


def test_one_component_by_an_attribute_is_named_once(told):
    said = words(told(outcome="margin", effects="team:surface"))
    assert "trength of a team by surface (clay, grass): deviations, pooled to zero." in said
    assert said.count("deviations, pooled to zero") == 1


def test_one_factor_of_noise_is_told_as_one(told):
    assert "The noise differs by best_of: 5 has a factor." in words(told(outcome="margin", noise="best_of"))


def test_a_walk_is_not_called_what_its_entry_is(told):
    sections = told(outcome="margin", walk="team", period="season")
    table = next(section.table for title, section in sections.items() if title.startswith("Effects that are pooled"))
    assert table is not None
    titles = {name: title for name, *_, title in table.rows}
    assert titles == {"team": "strength of a team", "team_walk": "strength of a team: what a year adds"}


def test_what_a_year_leaves_of_a_walk_is_told_in_words_and_in_mathematics(told):
    forgets = told(outcome="margin", walk="team", period="season", persistence=0.65)
    assert "Each year keeps 65 % of how far they are from the mean of all. Who does not play goes" in words(forgets)
    assert any("0.65^years u(before), scale sqrt((1 - 0.65^(2 years)) / 0.86" in one for one in math(forgets))
    whole = told(outcome="margin", walk="team", period="season")
    assert "keeps the last state" in words(whole) and not any("^years" in one for one in math(whole))


def test_each_outcome_says_its_own_words(told):
    assert words(told(outcome="margin")).startswith("A game has a margin, one side's score less the other's.")
    assert words(told()).startswith("Each side of a game has a score of its own")


def priors(sections: dict[str, Section], title: str) -> dict[str, str]:
    """Each parameter's prior, by name."""
    table = sections[title].table
    assert table is not None
    return {row[0]: row[-2] for row in table.rows}


def test_points_are_told_with_the_mean_their_intercept_is_expected_at(told):
    found = priors(told(likelihood="normal"), "Other parameters")
    assert found["intercept"] == "Normal(1.33, 3.77)"  # mean and four times the sd of 2, 1, 1, 3, 0, 1
    assert priors(told(), "Other parameters")["intercept"] == "Normal(0, 2)"


def test_a_prior_of_ones_own_is_printed(told):
    found = priors(told(likelihood="normal", priors={"intercept": 7, "sigma": 3}), "Other parameters")
    assert found == {"intercept": "Normal(1.33, 7)", "sigma": "HalfNormal(3)"}


def test_other_pooling_is_told_in_words_and_with_its_scales(told):
    none, complete = told(pooling="none"), told(pooling="complete")
    assert "an attack and a defence of its own, told by its results alone" in words(none)
    assert "pooling is complete" in words(complete)
    title = next(title for title in none if title.startswith("Effects that are not pooled"))
    assert priors(none, title) == {"attack": "5, given", "defence": "5, given"}
    title = next(title for title in complete if title.startswith("Effects that are pooled completely"))
    assert priors(complete, title) == {"attack": "0.0005, given", "defence": "0.0005, given"}
