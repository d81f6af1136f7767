"""The handbook: Markdown files of `handbook/`, read here for the pages that show them; its README.md is the first page.

Links in the files are to other files of the folder, so that they work where the repository is read; `in_app` turns them
into addresses. The glossary is one of the files, and what pages say of a word they take from it.
"""

import re
from functools import cache
from pathlib import Path
from urllib.parse import urlencode

FOLDER = Path(__file__).parent / "handbook"
PATH = "/handbook"
FIRST = "README"
GLOSSARY = "glossary"
LINK = re.compile(r"\]\((\w+)\.md(#[\w-]+)?\)")
TERM = re.compile(r"^\*\*(.+?)\*\*: (.+?)(?=\n\n|\Z)", re.MULTILINE | re.DOTALL)


@cache
def names() -> tuple[str, ...]:
    """Names of the pages after the first, in the order in which that one lists them."""
    return tuple(dict.fromkeys(name for name, _ in LINK.findall(text(FIRST))))


@cache
def text(name: str) -> str:
    """The Markdown of a page, as it is in the file."""
    return (FOLDER / f"{name}.md").read_text(encoding="utf-8")


def title(name: str) -> str:
    """The page's first heading."""
    return text(name).partition("\n")[0].removeprefix("# ")


def address(name: str, anchor: str = "", league: str | None = None) -> str:
    """Where the app shows a page, with the league that its header stays with."""
    path = PATH if name == FIRST else f"{PATH}/{name}"
    return path + (f"?{urlencode({'league': league})}" if league else "") + anchor


def in_app(name: str, league: str | None = None) -> str:
    """The Markdown of a page without its title, its links addresses of the app."""
    body = text(name).partition("\n")[2]
    return LINK.sub(lambda found: f"]({address(found[1], found[2] or '', league)})", body)


@cache
def glossary() -> dict[str, str]:
    """What each word means, as plain text, in the order of the alphabet as the file has it."""
    return {word: plain(meaning) for word, meaning in TERM.findall(text(GLOSSARY))}


def meaning(word: str) -> str:
    """What a word means, with the word before it, as a sentence for a page. Raises KeyError where it is not there."""
    return f"{word}: {glossary()[word]}"


def plain(markdown: str) -> str:
    """Text without the marks of emphasis, code and links, on one line."""
    unlinked = re.sub(r"\[([^]]+)\]\([^)]+\)", r"\1", markdown)
    return " ".join(re.sub(r"[`*]", "", unlinked).split())
