"""What the doors share: which home, which leagues, and going on with the next league after one has failed."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from jobs.console import counted, say, show_error, working
from jobs.messages import in_a_line
from store.errors import TEMPORARY, PooltableError, StanzaError

if TYPE_CHECKING:  # pydantic takes half a second to import; `pooltable --help` needs none of it
    from jobs.pool import Wanted
    from store.home import Home
    from store.stanzas import Stanza

Leagues = Annotated[list[str] | None, typer.Argument(metavar="[LEAGUE ...]", help="Which leagues; none: all of them.")]
HOST = "127.0.0.1"
PORT = 8050
Host = Annotated[str, typer.Option(help="Address to listen at.")]
Engine = Annotated[
    Literal["auto", "fast", "nuts"], typer.Option(help="How to compute the posterior: auto is fast where it can.")
]
Port = Annotated[int, typer.Option(help="Port to listen at.", min=1, max=65535)]


def home_of(ctx: Any) -> "Home":
    """The home that --home or POOLTABLE_HOME names, else data/home."""
    from store.home import open_home

    return open_home(ctx.find_root().obj)


def utc_now() -> datetime:
    """The time, UTC: the one place where commands look at the clock."""
    return datetime.now(UTC)


def day(text: str) -> date:
    """The day that an option says, such as 2023-12-31; what is none is wrong use."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError as error:
        raise typer.BadParameter(f"{text} is no day. Write year, month and day, as in 2023-12-31.") from error


def example(text: str) -> str:
    """The line below a command's help."""
    return f"Example: {text}"


def for_each(leagues: "Mapping[str, Stanza | StanzaError]", act: "Callable[[str, Stanza], None]") -> None:
    """Acts on one league after another; an error is shown and the next league goes on, and what is wrong with stanzas
    is shown at the end.

    Exits with the worst error's code where there was one: with "may pass" only where all of them may.
    """
    codes: set[int] = set()
    for name, stanza in leagues.items():
        try:
            if not isinstance(stanza, StanzaError):
                act(name, stanza)
        except PooltableError as error:
            show_error(error)
            codes.add(error.exit_code)
    exit_with(codes | shown(leagues))


def shown(leagues: "Mapping[str, Stanza | StanzaError]") -> set[int]:
    """The exit codes of the leagues whose stanzas are wrong, having shown what is."""
    wrong = [one for one in leagues.values() if isinstance(one, StanzaError)]
    for error in wrong:
        show_error(error)
    return {error.exit_code for error in wrong}


def exit_with(codes: set[int]) -> None:
    """Exits with the worst of the codes of errors, where there are any."""
    if codes:
        raise typer.Exit(max(codes - {TEMPORARY}, default=TEMPORARY))


def fit_each(
    home: "Home",
    title: str,
    wanted: "Sequence[Wanted]",
    leagues: "Mapping[str, Stanza | StanzaError] | None" = None,
) -> None:
    """Makes the fits, side by side where there is more than one, and says what came of each; an error or a rejection
    is shown and the others go on, and so is at the end what is wrong with stanzas of `leagues`. Exits as `for_each`
    does."""
    from jobs.pool import fit_all

    codes: set[int] = set()
    unforeseen = None
    with working(title) as report:
        for name, outcome in fit_all(home, wanted, report):
            if isinstance(outcome, Exception):
                error = outcome
            else:
                counted(f"fit {name}", outcome.games)
                if outcome.verdict == "accepted":
                    say(outcome.summary)
                    continue
                before = "" if outcome.is_new else ", of the same games as before"
                why = in_a_line(outcome.reasons)
                error = PooltableError(f"{name}: fit {outcome.fit_id} was rejected{before}: {why}.")
            if isinstance(error, PooltableError):
                show_error(error)
                codes.add(error.exit_code)
            else:
                unforeseen = unforeseen or error
    if unforeseen:
        raise unforeseen
    exit_with(codes | shown(leagues or {}))
