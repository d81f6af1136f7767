"""The handbook in the app: every page is shown, its links are addresses there are, and it needs nothing published."""

import re
from pathlib import Path
from typing import Any

import flask
import pytest
from dash import Dash

from dashboard import handbook
from dashboard.app import build_app, render
from dashboard.pages import handbook as pages
from store.home import Home

EVERY = (handbook.FIRST, *handbook.names(), pages.DICTIONARY)


def page(app: Dash, made: Any, **query: str) -> str:
    with app.server.app_context():
        shown = str(render(flask.current_app.config["READER"], made.NOW, pages.PAGE, query))
        assert query.get("name") not in EVERY or pages.heading(query["name"]) in flask.g.title
        return shown


@pytest.fixture(scope="module")
def app(small: Home, made: Any) -> Dash:
    return build_app(small, clock=lambda: made.NOW)


@pytest.mark.parametrize("name", EVERY)
def test_a_page_has_its_title_and_links_that_lead_somewhere(app: Dash, made: Any, name: str) -> None:
    shown = page(app, made, name=name)
    assert f"H1(children='{pages.heading(name)}'" in shown and "No such page" not in shown
    links = set(re.findall(r"(?:\]\(|href='/)(?:/?)(handbook[\w/]*)", shown))
    assert {f"handbook/{one}" for one in EVERY[1:]} | {"handbook"} == links
    assert ".md" not in "".join(re.findall(r"\]\([^)]+\)", shown))


def test_a_page_stays_with_its_league(app: Dash, made: Any) -> None:
    shown = page(app, made, name="methodology", league="nations")
    assert "(/handbook/outcomes?league=nations)" in shown and "/leaderboard?league=nations" in shown


def test_the_dictionary_is_the_editions_own(app: Dash, made: Any) -> None:
    shown = page(app, made, name=pages.DICTIONARY)
    assert "'heading': 'leaderboard.rank " in shown and "(league_name, competitor_names)" in shown


def test_it_is_there_before_anything_is_published(made: Any, tmp_path: Path) -> None:
    empty = build_app(Home(tmp_path))
    assert "Three ways of pooling" in page(empty, made, name="methodology")
    assert "Nothing is published yet" in page(empty, made, name=pages.DICTIONARY)


@pytest.mark.parametrize("name", ["nothing", "../README", "", "glossary.md"])
def test_another_name_is_no_page(app: Dash, made: Any, name: str) -> None:
    assert "No such page" in page(app, made, name=name)


def test_plain_words_of_a_markdown_sentence() -> None:
    assert handbook.plain("a [link](x.md#y), `code`\nand **more**") == "a link, code and more"
