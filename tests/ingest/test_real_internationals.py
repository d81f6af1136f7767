"""The real file of internationals, whole."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.checks import check
from store.warehouse import reading

REAL = os.environ.get("POOLTABLE_REAL_DATA")
pytestmark = [pytest.mark.real, pytest.mark.skipif(not REAL, reason="POOLTABLE_REAL_DATA is not set")]


@pytest.fixture
def source() -> Path:
    return Path(REAL or "") / "international_football"


def test_every_row_of_the_real_file_is_a_game(home, load, source):
    pulled = load(source)
    # The one rejected row is of shootouts.csv: Saare County v Åland Islands is no match of the results file.
    assert (pulled.rows_rejected, pulled.games_new) == (1, 46_864)
    assert load(source).summary == "international_football: nothing new (46,864 games)."
    with reading(home) as con:
        ask = lambda sql: con.execute(sql).fetchall()  # noqa: E731
        assert ask("SELECT file, line, rule FROM rejected_row") == [("shootouts.csv", 424, "no such match")]
        assert ask("SELECT count(attributes['shootout_winner']) FROM game") == [(623,)]
        assert ask("SELECT count(*), count(valid_from), count(valid_to) FROM alias") == [(36, 36, 36)]
        assert ask("SELECT count(*) FROM competitor") == [(335,)]
        assert ask("SELECT count(*) FROM game WHERE neutral") == [(12_172,)]
        assert ask("SELECT count(DISTINCT attributes['tournament']) FROM game") == [(186,)]
        assert ask("SELECT status, count(*) FROM game GROUP BY ALL") == [("played", 46_864)]
        assert ask("SELECT max(score) FROM side") == [(31,)]
        assert ask("SELECT count(*), min(played_on)::VARCHAR, max(played_on)::VARCHAR FROM game") == [
            (46_864, "1872-11-30", "2023-12-16")
        ]
        assert ask(
            "SELECT score FROM side WHERE game_id LIKE '1974-02-17|Tahiti|New Caledonia%' AND is_home ORDER BY game_id"
        ) == [
            (2.0,),
            (1.0,),
        ]
    found = check(home, "international_football", datetime(2024, 1, 1, tzinfo=UTC))
    assert [finding.check_name for finding in found] == [
        "competitor_with_one_game",
        "groups_that_never_meet",
        "missing_days_in_season",
    ]
    assert (found[2].subject, found[2].message[:50]) == (
        "season 2020",
        "No game on the 214 days from 2020-02-02 to 2020-09",
    )


def test_one_changed_and_one_deleted_match_are_found(load, source, tmp_path):
    load(source / "results.csv")
    lines = (source / "results.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    assert lines[-1].startswith("2023-12-16,Mexico,Colombia,2,3,")
    del lines[1000]
    lines[-1] = lines[-1].replace(",2,3,", ",2,4,")
    path = tmp_path / "results.csv"
    path.write_text("".join(lines), encoding="utf-8")
    pulled = load(path)
    assert (pulled.games_new, pulled.games_changed, pulled.games_gone) == (0, 1, 1)
