"""The handbook can fail too: its links, its commands, and that no check, threshold, setting or outcome is missing."""

import ast
import re
import shlex
from pathlib import Path

import tomlkit

from dashboard import handbook
from dashboard.pages.checks import CHECKS, WORDS
from modeling.outcomes import outcomes
from store.stanzas import Stanza
from store.thresholds import NAMES, USUAL

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
HANDBOOK = {name: handbook.text(name) for name in handbook.names()}
PAGES = [README, handbook.text(handbook.FIRST), *HANDBOOK.values()]


def commands_named() -> list[str]:
    """Every command of ours in code on any page: lines of blocks, and code within sentences."""
    text = "\n".join(PAGES)
    lines = re.findall(
        r"^ *(?:\$ )?(pooltable [a-z].*)$", "\n".join(re.findall(r"```\w*\n(.*?)```", text, re.DOTALL)), re.M
    )
    return [line.split("    #")[0] for line in lines] + re.findall(r"`(pooltable [^`]+)`", text)


def test_every_command_and_option_that_is_named_exists():
    from typer.main import get_command

    from jobs.cli import app

    there = get_command(app).commands  # type: ignore[attr-defined]
    found = commands_named()
    assert len(found) > 50
    for line in found:
        words = shlex.split(line)[1:]
        while words[0].startswith("--"):  # options of all commands: --home DIR
            words = words[2:]
        assert words[0] in there, line
        options = {
            name for parameter in there[words[0]].params for name in (*parameter.opts, *parameter.secondary_opts)
        }
        assert {word for word in words if word.startswith("--")} <= options, line


def test_links_lead_to_files_and_headings_that_exist():
    folder = handbook.FOLDER
    files = [ROOT / "README.md", *folder.glob("*.md")]
    for file in files:
        for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", file.read_text(), flags=re.DOTALL)):
            if target.startswith("http"):
                continue
            path, _, anchor = target.partition("#")
            there = (file.parent / path) if path else file
            assert there.is_file(), f"{file.name}: {target}"
            assert not anchor or anchor in slugs(there.read_text()), f"{file.name}: {target}"
    assert {file.stem for file in folder.glob("*.md")} == {handbook.FIRST, *handbook.names()}


def slugs(page: str) -> set[str]:
    """The ids of a page's headings where the repository is read, and in the app by `assets/handbook.js`."""
    headings = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_why_a_fit_is_rejected_tells_of_every_check_and_threshold():
    page = HANDBOOK["rejected"]
    named = set(re.findall(r"`(\w+)`", page))
    hard = {
        one.name for family in outcomes().values() for outcome in family for one in outcome.statistics if one.is_hard
    }
    assert checks_made() <= set(CHECKS) <= named
    assert hard <= named, hard - named
    told = {name: float(value) for name, value in re.findall(r"`(\w+) = ([\d.]+)`", page)}
    assert told == {name: getattr(USUAL, name) for name in NAMES}


def checks_made() -> set[str]:
    """Names of checks as the code of the judge writes them: the first words of calls that make a Check."""
    found = set()
    for path in (ROOT / "modeling").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(func=ast.Name(id="Check" | "_check"), args=[ast.Constant(value=str(name)), *_]):
                    found.add(name)
    assert len(found) > 15
    return found


def test_the_glossary_is_in_order_and_has_the_words_of_the_pages():
    words = list(handbook.glossary())
    assert words == sorted(words, key=str.lower) and len(words) > 50
    assert {*WORDS} <= {*words}
    assert handbook.meaning("R-hat") == "R-hat: compares independent chains: 1.00 means they agree."


def test_every_setting_of_a_model_is_in_the_handbook():
    named = set(re.findall(r"`(\w+)`", HANDBOOK["outcomes"]))
    assert set(outcomes()) <= named
    assert {one.likelihood for family in outcomes().values() for one in family} <= named
    of_nights = {"title", "feed", "source", "columns", "since", "active_days", "min_games", "refit", "pull",
                 "fresh_hours", "share", "cups"}  # fmt: skip
    assert set(Stanza.model_fields) - of_nights <= named, set(Stanza.model_fields) - of_nights - named
    leagues = set(re.findall(r"^\| `(\w+)` \|", HANDBOOK["outcomes"].partition("Leagues as examples")[2]
                             .partition("## ")[0], re.MULTILINE))  # fmt: skip
    assert len(leagues) > 5 and leagues <= set(tomlkit.parse((ROOT / "data" / "leagues.toml").read_text()))
