"""The handbook's walk from a club's file to a link to share: every command, link and claim as it is written there."""

import re
import shlex
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from store.home import Home

pytestmark = pytest.mark.timeout(600)

ROOT = Path(__file__).parents[2]
WALK = (ROOT / "dashboard" / "handbook" / "club.md").read_text()
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", WALK, re.DOTALL) for line in block.splitlines()]
LINKS = re.findall(r"^(http://127\.0\.0\.1:8050)(/.+)$", WALK, re.MULTILINE)


@pytest.fixture(scope="module")
def walked(pooltable) -> dict[str, str]:
    """What every command of the walk said, by command."""
    said = {}
    for line in COMMANDS:
        done = pooltable(*shlex.split(line)[1:])
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
        said[line] = done.stdout
    return said


@pytest.fixture(scope="module")
def address(walked, home: Home, served) -> Iterator[str]:
    with served(home) as address:
        yield address


def test_the_file_has_who_it_says(walked):
    lines = [line.split(",") for line in (ROOT / "data/demo/club/results.csv").read_text().splitlines()[1:]]
    games, won = Counter(name for line in lines for name in line[1:3]), Counter(line[1] for line in lines)
    assert (len(lines), len(games), len({line[0] for line in lines})) == (150, 20, 25)
    assert {name: games[name] for name in games if won[name] == games[name]} == {"Olga": 5, "Jonas": 3}
    assert (won["Greta"], games["Greta"]) == (13, 16)


def test_the_leaderboard_is_as_it_says(walked, home, edition):
    board = edition(home, "FROM leaderboard WHERE league = 'club' ORDER BY rank").rows(named=True)
    assert [row["name"] for row in board[:2]] == ["Greta", "Olga"]
    olga = board[1]
    assert (olga["rank_low"], olga["rank_high"], olga["unpooled"]) == (1, 10, None)
    assert olga["shrinkage"] == pytest.approx(0.7, abs=0.03)
    skill = edition(home, "SELECT skill FROM head_to_head('club', 'Greta', 'Olga')").item()
    assert skill == pytest.approx(0.5, abs=0.1)


def test_every_link_of_it_answers(address):
    assert len(LINKS) == 2
    page, table = (requests.get(address + path, timeout=60) for _, path in LINKS)
    assert page.ok
    assert table.text.splitlines()[1].startswith("1,1,7,Greta,")
    assert requests.get(f"{address}/leaderboard?league=club", timeout=60).ok
