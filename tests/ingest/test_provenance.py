"""Each quirk that a PROVENANCE.md of the real data lists has a test by name; what is no matter of loading says why.

A quirk is a line of the page's last part, found here by how it begins.
"""

import os
import re
from pathlib import Path

import pytest

REAL = os.environ.get("POOLTABLE_REAL_DATA")
pytestmark = [pytest.mark.real, pytest.mark.skipif(not REAL, reason="POOLTABLE_REAL_DATA is not set")]
HERE = Path(__file__).parent

# Beginnings of quirks, by folder, with the tests that show what becomes of them.
TESTED: dict[str, dict[str, list[str]]] = {
    "american_football": {
        "14 ties; franchises moved and both codes occur": [
            "test_a_tie_has_no_winner",
            "test_a_club_that_moved_is_one_competitor_under_either_code",
            "test_week_18_of_a_season_is_of_that_season_though_played_in_the_next_year",
            "test_the_real_file_is_6_421_games_of_32_franchises",
        ],
        "Codes differ": ["test_two_sources_agree_on_the_super_bowls_and_the_patriots_won_six_of_them_since_1999"],
    },
    "baseball": {
        "No header": [
            "test_without_a_header_the_first_line_is_a_game",
            "test_players_are_told_by_id_and_named",
        ],
        "One tie": [
            "test_a_suspended_game_stands_under_its_first_day_and_a_level_one_has_no_winner",
            "test_a_forfeit_is_awarded_and_a_protest_is_noted",
            "test_a_no_decision_has_no_winner",
        ],
        "Double-headers": ["test_the_games_of_a_double_header_are_two_in_their_order"],
        "In the American League": ["test_the_line_up_plays_with_a_designated_hitter_or_with_its_pitcher"],
        "Team codes are": ["test_a_club_that_moved_is_one_competitor_and_leagues_are_groups"],
        "A nominal home team": ["test_a_home_team_that_batted_first_is_told"],
    },
    "basketball_lineups": {
        "883 of": ["test_the_real_file_is_23_190_stints_of_804_games"],
        "642 stints": [
            "test_exposure_is_each_sides_own_possessions_and_half_a_one_where_there_is_none",
            "test_a_stint_without_possessions_keeps_its_points",
        ],
        "Names are not unique": ["test_five_players_a_side_are_told_by_id_though_two_share_a_name"],
        "Overtime": ["test_stints_share_their_match_and_follow_the_clock_into_overtime"],
    },
    "club_football": {
        "The number of keys in `score` varies": [
            "test_an_empty_score_is_a_fixture_or_a_cancelled_match",
            "test_an_awarded_match_keeps_the_score_of_the_ruling_and_says_so",
            "test_a_half_time_score_and_a_time_may_be_missing",
            "test_the_score_is_after_extra_time_with_its_longer_exposure_and_never_of_the_shoot_out",
        ],
        "en.2 from 2021-22": ["test_a_play_off_has_its_stage_in_its_key_and_the_final_is_at_a_neutral_place"],
        "it.2 files": ["test_the_whole_folder_is_games_and_the_counts_are_those_of_its_provenance"],
        "Cup finals": ["test_a_cup_final_is_neutral_and_so_were_the_last_eight_of_2020"],
        "Team names follow": [
            "test_a_club_is_one_under_either_spelling",
            "test_no_two_clubs_of_one_season_have_become_one",
        ],
    },
    "england_history": {
        "No seasons": ["test_england_history_is_one_league_of_three_files_as_provenance_counts_them"],
        "2019/20": ["test_england_history_has_the_holes_of_its_provenance"],
        "`facup.csv`": ["test_england_history_is_one_league_of_three_files_as_provenance_counts_them"],
        "`englandplayoffs.csv`": [
            "test_dates_in_several_forms_and_as_day_numbers",
            "test_england_history_is_one_league_of_three_files_as_provenance_counts_them",
        ],
        "The names are": [
            "test_three_sources_agree_on_the_premier_league_and_leicester_won_it_with_81_points",
        ],
    },
    "f1": {
        "Missing is written": ["test_backslash_n_is_missing_and_no_number_is_one_car_a_driver"],
        "More than one row": [
            "test_drivers_who_shared_a_car_are_one_side_with_equal_shares",
            "test_a_driver_in_two_cars_of_one_race_is_on_two_sides",
        ],
        "Outcome is a ranking": ["test_one_has_won_and_nobody_is_at_home"],
        "A driver's retirement": ["test_the_unclassified_have_no_finish_and_say_why"],
        "Constructors change names": ["test_a_car_is_a_side_with_its_constructor_and_its_driver"],
    },
    "football_odds": {
        "Dates are": [
            "test_dates_of_two_and_of_four_digits_are_the_same_days",
            "test_latin_1_is_read_and_trailing_empty_rows_and_columns_are_nothing",
            "test_columns_that_come_and_go_make_no_difference_to_the_games",
        ],
        "`2013-2014/League1.csv`": [
            "test_the_english_files_are_23_520_rows_of_which_the_half_season_is_a_repeat"
        ],
        "5 rows have": ["test_odds_are_attributes_under_their_own_names_and_nought_is_missing"],
        "`2016-2017/Conference.csv`": [
            "test_latin_1_is_read_and_trailing_empty_rows_and_columns_are_nothing",
            "test_the_english_files_are_23_520_rows_of_which_the_half_season_is_a_repeat",
        ],
        "One club, several": ["test_three_sources_agree_on_the_premier_league_and_leicester_won_it_with_81_points"],
        "`open_close` dates": ["test_opening_and_closing_odds_come_with_a_kick_off"],
    },
    "forecasts_538": {
        "**No scores**": ["test_who_won_is_known_without_scores_and_a_tie_is_one_half_on_both_sides"],
        "Newest row first": [
            "test_lines_swapped_change_neither_ids_nor_sides",
            "test_who_won_is_known_without_scores_and_a_tie_is_one_half_on_both_sides",
        ],
        "`spi_matches.csv`": ["test_club_matches_without_a_score_were_unplayed_and_seasons_start_in_july"],
        "Women's World Cup": ["test_world_cups_are_three_way_and_keep_their_codes_for_names"],
    },
    "hockey": {
        "No dates": [
            "test_without_dates_the_day_is_the_seasons_last_with_its_precision_and_the_order_is_the_rows"
        ],
        "8 to 12 players": ["test_everyone_on_the_ice_appears_goalkeepers_too_and_a_penalty_leaves_one_fewer"],
        "Only goals": ["test_each_goal_is_a_game_won_by_the_side_that_scored_and_its_match_is_the_contest"],
        "Players are names": ["test_a_club_that_moved_is_one_competitor"],
        "Goalless games": ["test_the_real_files_are_64_569_goals_with_746_095_players_on_the_ice"],
    },
    "international_football": {
        "Teams carry": ["test_a_former_name_is_an_alias_with_its_days"],
        '"home" is only nominal': ["test_internationals_fixtures_and_neutral_ground"],
        "Not a unique key": [
            "test_a_repeated_key_with_another_result_is_a_second_game_of_the_day",
            "test_every_row_of_the_real_file_is_a_game",
        ],
        "Upstream is a live file": ["test_internationals_fixtures_and_neutral_ground"],
        "Very unequal teams": ["test_every_row_of_the_real_file_is_a_game"],
    },
    "tennis_atp": {
        "**Outcome sits": [
            "test_the_winner_is_told_by_won_and_not_by_the_order_of_sides",
            "test_the_key_and_the_sides_are_the_same_whoever_won",
            "test_nobody_is_at_home_and_players_enter_without_a_team",
        ],
        "`tourney_date`": [
            "test_the_day_is_the_monday_of_the_event_and_an_offset_of_the_round",
            "test_an_event_that_begins_in_the_last_days_of_a_year_is_of_the_next_season",
        ],
        "Scores as text": [
            "test_walkovers_retirements_and_defaults_are_told_by_the_score",
            "test_empty_scores_are_no_attribute",
            "test_the_whole_pyramid_is_loaded",
        ],
        "**Doubles files": ["test_ragged_doubles_rows_shift_no_column", "test_doubles_number_their_qualifying_anew"],
        "A placeholder player": ["test_a_player_against_himself_and_a_placeholder_are_rejected"],
        "8 names belong": ["test_ids_are_keys_and_the_last_spelling_is_shown"],
        "Ranks are missing": ["test_surface_level_and_best_of_are_attributes_and_may_be_missing"],
        "Best of 3": ["test_surface_level_and_best_of_are_attributes_and_may_be_missing"],
    },
    "tennis_odds": {
        "Winner and loser": ["test_a_match_with_odds_is_known_by_its_day_and_players_not_by_who_won"],
        "Date is the true day": ["test_tennis_odds_is_11_049_matches_of_four_tournaments"],
        "No Wimbledon": ["test_tennis_odds_is_11_049_matches_of_four_tournaments"],
        "Slams only": ["test_tennis_odds_is_11_049_matches_of_four_tournaments"],
    },
}  # fmt: skip
NO_QUIRK = ("Source:", "Licence", "One row", "Benchmark")  # of a page that tells of two files in turn
NO_MATTER_OF_LOADING = {
    "The gaps in en.2-en.4": "each source is a league of its own",
    "`teamnames.csv`": "is not read",
    "Indianapolis 500": "who met whom is the ratings' matter",
    "Season labels": "a season is called what the source calls it",
    "NBA forecasts overrate": "a forecast is kept as it was",
    "Nominal home teams": "a forecast says nothing of home",
    "Players who always play together": "is the ratings' matter",
    "`goalscorers.csv`": "is not read",
}


def quirks(folder: Path) -> list[str]:
    """The lines of the page's part about quirks."""
    text = (folder / "PROVENANCE.md").read_text(encoding="utf-8")
    return re.findall(r"^ *- (?:Quirks: )?(.+)$", text[text.index("Quirks") - 6 :], re.MULTILINE)


FOLDERS = sorted(path.name for path in Path(REAL).iterdir() if path.is_dir()) if REAL else []


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_quirk_has_a_test_by_name_or_a_reason(folder):
    found = [quirk for quirk in quirks(Path(REAL or "") / folder) if not quirk.startswith(NO_QUIRK)]
    known = [*TESTED[folder], *NO_MATTER_OF_LOADING]
    assert [quirk for quirk in found if not quirk.startswith(tuple(known))] == []
    assert [start for start in TESTED[folder] if not any(quirk.startswith(start) for quirk in found)] == []


def test_every_test_named_here_is_there():
    there = {name for path in HERE.rglob("test_*.py") for name in re.findall(r"def (test_\w+)", path.read_text())}
    named = {name for tests in TESTED.values() for names in tests.values() for name in names}
    assert named - there == set()
