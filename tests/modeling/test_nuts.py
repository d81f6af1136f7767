"""What the reference engine leaves behind besides its draws: nothing on the screen, nothing on the disk."""

import logging
import tempfile

import numpy as np
import pytest

from modeling.build import build_design
from modeling.engines import nuts
from modeling.outcomes.symbols import pt
from store.stanzas import Stanza


@pytest.fixture
def uneven(game, games):
    """A league whose sides have one to four players, with the link whose logarithms PyTensor rewrites most."""
    rng = np.random.default_rng(1)
    some = []
    for day in range(40):
        players = [f"p{n}" for n in rng.permutation(12)]
        first, second = rng.integers(1, 5, 2)
        won = (True, False) if rng.random() < 0.5 else (False, True)
        some.append(game("ab", won=won, day=day, players=(players[:first], players[8 : 8 + second])))
    settings = {"title": "x", "feed": "none", "source": ("none",), "outcome": "win", "link": "probit"}
    return build_design(Stanza.model_validate(settings | {"rate": "player"}), games(*some))


def test_it_is_quiet_and_leaves_no_files(uneven, tmp_path, monkeypatch, caplog, capfd, recwarn):
    """Once a traceback of PyTensor's for every logarithm, and a file of source for every function that it compiled."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with caplog.at_level(logging.WARNING):
        compiled = nuts.compile_design(uneven)
        tree = nuts.sample(compiled, np.ones(uneven.games, dtype=bool), seed=1, draws=50)
    assert tree["posterior"].sizes["draw"] == 50
    assert [record.getMessage() for record in caplog.records] == []
    assert [str(warning.message) for warning in recwarn] == []
    assert capfd.readouterr() == ("", "")
    assert list(tmp_path.iterdir()) == []


def test_a_product_with_uneven_rows_is_the_sparse_one(uneven):
    block = uneven.blocks[0]
    assert len(set(np.diff(block.weights.indptr))) > 1
    effect = np.random.default_rng(2).normal(size=len(block.levels))
    symbol = pt.vector("effect")
    product = nuts._times(block.weights, symbol)
    assert np.allclose(product.eval({symbol: effect}, mode="FAST_COMPILE"), block.weights @ effect)
