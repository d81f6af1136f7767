"""From a stanza and games to the Design, and the errors of what cannot be modelled."""

from datetime import date

import numpy as np
import polars as pl
import pytest

from modeling.build import build_design
from modeling.games import ATTRIBUTE, Games
from store.errors import FitError


def test_rows_are_attack_of_one_side_less_defence_of_the_other(stanza, side_row):
    day = date(2024, 1, 1)
    rows = [side_row("g", day, 1, "t:a", False, 1.0), side_row("g", day, 2, "t:b", True, 2.0)]
    design = build_design(stanza, Games("x", day, pl.DataFrame(rows)))
    attack, defence = design.blocks
    assert attack.levels == defence.levels == ("t:a", "t:b")
    assert attack.weights.todense().tolist() == [[1, 0], [0, 1]]
    assert defence.weights.todense().tolist() == [[0, -1], [-1, 0]]
    assert design.fixed[0].values.tolist() == [0, 1]
    assert (attack.row_sum, defence.row_sum) == (1, -1)


def test_collapsing_keeps_the_likelihood(league, stanza):
    """Rows of the same teams and ground are one cell; the summed log likelihood differs by a constant only."""
    design = build_design(stanza, league.games)
    rng = np.random.default_rng(1)
    everything = np.ones(design.games, dtype=bool)
    tally = design.collapsed(everything)
    assert len(tally) == len(design.y) / 2  # every pairing at each ground was played twice
    differences = []
    for _ in range(3):
        by_cell = rng.normal(size=len(tally))
        aux = design.likelihood_arguments({})
        rows = design.outcome.log_density(design.tallies, by_cell[design.cells], aux).sum()
        assert design.outcome.log_density(tally, by_cell, aux).sum() == pytest.approx(rows)
        y, exposure = np.bincount(design.cells, design.y), np.bincount(design.cells, design.exposure)
        differences.append(rows - (y * by_cell - exposure * np.exp(by_cell)).sum())
    assert np.ptp(differences) < 1e-8


def test_collapsing_counts_the_chosen_games_only(league, stanza):
    design = build_design(stanza, league.games)
    chosen = np.arange(design.games) < 7
    y, exposure, _ = design.collapsed(chosen).T
    assert y.sum() == design.y[:14].sum()
    assert exposure.sum() == 14


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"rate": ("player",)}, "asks for players"),
        ({"effects": ("home", "surface")}, "surface"),
        ({"priors": {"atack": 0.5}}, 'Did you mean "attack"'),
    ],
)
def test_what_cannot_be_modelled_is_one_clear_error(league, stanza, change, word):
    unknown = league.games.sides.with_columns(pl.lit(None, pl.String).alias(ATTRIBUTE + "surface"))
    with pytest.raises(FitError) as caught:
        build_design(stanza.model_copy(update=change), Games("simulated", league.games.as_of, unknown))
    assert word in f"{caught.value} {caught.value.hint}"
    assert str(caught.value).startswith("simulated: ")


def test_a_prior_of_the_stanza_is_used(league, stanza):
    design = build_design(stanza.model_copy(update={"priors": {"attack": 0.1}}), league.games)
    assert [block.prior_scale for block in design.blocks] == [0.1, 0.5]


def test_a_missing_score_names_the_game(stanza, side_row):
    day = date(2024, 1, 1)
    rows = [side_row("g9", day, 1, "t:a", False, None), side_row("g9", day, 2, "t:b", True, 2.0)]
    with pytest.raises(FitError, match="g9"):
        build_design(stanza, Games("x", day, pl.DataFrame(rows)))


def test_a_lone_side_names_the_game(stanza, side_row):
    day = date(2024, 1, 1)
    with pytest.raises(FitError, match="g9 has 1 side"):
        build_design(stanza, Games("x", day, pl.DataFrame([side_row("g9", day, 1, "t:a", False, 1.0)])))
