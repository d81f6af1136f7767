"""What is done where a fit fails its own checks, does not settle or diverged."""

from typing import Any

import numpy as np
import pytest
import xarray as xr

from modeling import judge, sampled
from modeling.build import build_design
from modeling.engines.choice import Choice, Prepared
from store.errors import FitError


def test_a_fast_fit_that_fails_its_own_checks_is_done_again_by_nuts(monkeypatch, league, stanza):
    """Only where auto may choose; asked for by name it stands, with its failed check."""
    design = build_design(stanza, league.games)
    nothing: Any = None
    failed = judge.Check("k_hat", "joint draws", 0.9, 0.7, "fail", "")

    def fitted(choice, *_):
        checks = [failed] if choice.engine == "joint" else []
        return sampled.Sampled(choice, nothing, nothing, nothing, [], {}, checks)

    monkeypatch.setattr(sampled, "once", fitted)
    monkeypatch.setattr(sampled, "by_nuts", fitted)
    joint = Choice("joint", "its effects fit into one dense factor")
    chosen = [
        sampled.sample(joint, design, league.games, [], None, lambda *_: None, may_fall_back=auto).choice
        for auto in (True, False)
    ]
    assert chosen == [Choice("nuts", "the joint engine's own checks failed: k_hat of joint draws"), joint]


def test_what_is_too_large_for_nuts_is_left_as_it_is(monkeypatch, league, stanza):
    design = build_design(stanza, league.games)
    failed = judge.Check("residual", "means", 1.0, 0.01, "fail", "")
    nothing: Any = None
    found = sampled.Sampled(Choice("chain", ""), nothing, nothing, nothing, [], {}, [failed])
    monkeypatch.setattr(sampled, "once", lambda *_: found)
    monkeypatch.setattr(sampled, "MOST_LATENT", 10)
    kept = sampled.sample(found.choice, design, league.games, [], None, lambda *_: None, may_fall_back=True)
    assert kept is found


def test_a_held_out_fit_that_does_not_settle_is_done_by_nuts(monkeypatch, league, stanza):
    design = build_design(stanza, league.games)
    nothing: Any = None

    def unsettled(*_):
        raise FitError("moments were not matched")

    found = sampled.Sampled(Choice("joint", ""), Prepared(unsettled, nothing), nothing, nothing, [], {}, [])
    monkeypatch.setattr(sampled, "once", lambda *_: found)
    monkeypatch.setattr(sampled, "prepare", lambda engine, *_: Prepared(lambda *_: xr.DataTree(name=engine), nothing))
    for auto in (True, False):
        one = sampled.sample(found.choice, design, league.games, [], None, lambda *_: None, may_fall_back=auto)
        if auto:
            assert one.engine.sample(nothing, 1, 10, nothing, 0.8).name == "nuts"
        else:
            with pytest.raises(FitError):
                one.engine.sample(nothing, 1, 10, nothing, 0.8)


def test_a_fit_that_diverged_is_sampled_again_with_smaller_steps(monkeypatch, league, stanza):
    """And one that only lacks draws is sampled with the same."""
    lost = iter([3, 0, 0])
    asked: list[float] = []
    design = build_design(stanza, league.games)

    def sample(_chosen, _seed, _draws, _progress, target_accept):
        asked.append(target_accept)
        diverging = xr.Dataset({"diverging": ("draw", np.arange(10) < next(lost))})
        return xr.DataTree.from_dict({"sample_stats": diverging})

    failed = judge.Check("ess_bulk", "home advantage", 1.0, 400.0, "fail", "")
    nothing: Any = None
    monkeypatch.setattr(sampled, "prepare", lambda *_: Prepared(sample, nothing))
    monkeypatch.setattr(
        sampled, "_diagnosed", lambda *_: sampled.Sampled(nothing, nothing, nothing, nothing, [], {}, [failed])
    )
    asked_for = Choice("nuts", "asked for")
    sampled.sample(asked_for, design, league.games, [], None, lambda *_: None, may_fall_back=True)
    assert asked == [0.8, 0.95, 0.95]
