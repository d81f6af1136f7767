"""What the doors share: which home, which leagues, and going on with the next league after one has failed."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobs.console import show_error
from store.errors import TEMPORARY, PooltableError

if TYPE_CHECKING:  # pydantic takes half a second to import; `pooltable --help` needs none of it
    from store.home import Home
    from store.stanzas import Stanza

Leagues = Annotated[list[str] | None, typer.Argument(metavar="[LEAGUE ...]", help="Which leagues; none: all of them.")]
HOST = "127.0.0.1"
PORT = 8050
Host = Annotated[str, typer.Option(help="Address to listen at.")]
Port = Annotated[int, typer.Option(help="Port to listen at.", min=1, max=65535)]


def home_of(ctx: Any) -> "Home":
    """The home that --home or POOLTABLE_HOME names, else data/home."""
    from store.home import open_home

    return open_home(ctx.find_root().obj)


def utc_now() -> datetime:
    """The time, UTC: the one place where commands look at the clock."""
    return datetime.now(UTC)


def example(text: str) -> str:
    """The line below a command's help."""
    return f"Example: {text}"


def for_each(leagues: "Mapping[str, Stanza]", act: "Callable[[str, Stanza], None]") -> None:
    """Acts on one league after another; an error is shown and the next league goes on.

    Exits with the worst error's code where there was one: with "may pass" only where all of them may.
    """
    codes: set[int] = set()
    for name, stanza in leagues.items():
        try:
            act(name, stanza)
        except PooltableError as error:
            show_error(error)
            codes.add(error.exit_code)
    if codes:
        raise typer.Exit(max(codes - {TEMPORARY}, default=TEMPORARY))
