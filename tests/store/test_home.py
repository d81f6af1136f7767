"""Settings of a home: the environment before the file, the file before what is usual, and mistakes by name."""

from pathlib import Path

import pytest

from store.errors import FitError, UsageError
from store.home import open_home


@pytest.fixture
def root(tmp_path, monkeypatch):
    for name in ("HOME", "JOBS", "CLUSTER__ADDRESS", "LOCK_WAIT_SECONDS"):
        monkeypatch.delenv(f"POOLTABLE_{name}", raising=False)
    return tmp_path


def test_the_file_of_a_home_says_how_it_works(root):
    (root / "pooltable.toml").write_text('jobs = 3\n[cluster]\naddress = "tcp://10.0.0.5:8786"\n')
    home = open_home(root)
    assert (home.root, home.jobs, home.cluster, home.lock_wait_seconds) == (root, 3, "tcp://10.0.0.5:8786", 30)


def test_without_a_file_everything_is_as_usual(root):
    home = open_home(root)
    assert (home.jobs, home.cluster, home.lock_wait_seconds) == (None, None, 30)


def test_the_environment_goes_before_the_file_also_in_saying_where_that_is(root, monkeypatch):
    (root / "pooltable.toml").write_text('jobs = 3\n[cluster]\naddress = "tcp://10.0.0.5:8786"\n')
    monkeypatch.setenv("POOLTABLE_HOME", str(root))
    monkeypatch.setenv("POOLTABLE_CLUSTER__ADDRESS", "tls://other:1")
    home = open_home()
    assert (home.root, home.jobs, home.cluster) == (root, 3, "tls://other:1")


def test_the_home_asked_for_goes_before_the_one_of_the_environment(root, monkeypatch, tmp_path_factory):
    monkeypatch.setenv("POOLTABLE_HOME", str(tmp_path_factory.mktemp("other")))
    (root / "pooltable.toml").write_text("jobs = 3")
    assert open_home(Path(root)).jobs == 3


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("jbos = 3", "jbos"),
        ("jobs = 0", "jobs"),
        ('[cluster]\naddress = "10.0.0.5"', r"cluster\.address"),
        ('[cluster]\nadress = "tcp://10.0.0.5:1"', r"cluster\.adress"),
        ("jobs = ", "Invalid value"),
        ("jobs = 3 \xff", "jobs"),
    ],
)
def test_a_mistake_in_the_file_is_named(root, text, named):
    (root / "pooltable.toml").write_bytes(text.encode("latin-1"))
    with pytest.raises(UsageError, match=rf"pooltable\.toml.*({named}|decode)"):
        open_home(root)


def test_an_error_travels_between_processes_as_it_was_made():
    import pickle

    error = pickle.loads(pickle.dumps(FitError("what happened", "what to do")))
    assert (type(error), error.message, error.hint, str(error)) == (
        FitError,
        "what happened",
        "what to do",
        "what happened\nwhat to do",
    )
