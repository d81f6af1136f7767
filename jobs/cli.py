"""The `pooltable` command: the front door. Each command is a thin door of its own that opens its room when called.

Exit codes: 0 done, 1 failed (a rejected fit and a partly failed night too), 2 wrong use, 75 it may pass (a lock, a
server that does not answer): try again later, 130 stopped by Ctrl-C.
"""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from jobs import (
    doors_editions,
    doors_forecasts,
    doors_home,
    doors_leagues,
    doors_models,
    doors_nights,
    doors_proof,
    doors_sql,
)
from jobs.console import set_up_logging, show_crash, show_error
from jobs.doors import home_of
from jobs.supervise import follow_parent
from store.errors import PooltableError


class Doors(TyperGroup):
    """The group of all commands, which shows their errors as people should see them: never as a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """The command's result, or an exit with the error's code."""
        try:
            return super().invoke(ctx)
        except (typer.TyperException, typer.Exit, typer.Abort, BrokenPipeError, EOFError):
            raise
        except PooltableError as error:
            show_error(error)
            raise typer.Exit(error.exit_code) from error
        except (OSError, sqlite3.Error) as error:
            show_error(_unusable(error, home_of(ctx).root))
            raise typer.Exit(1) from error
        except Exception as error:
            show_crash(error, home_of(ctx).logs, datetime.now(UTC))
            raise typer.Exit(1) from error


def _unusable(error: OSError | sqlite3.Error, home: Path) -> PooltableError:
    """What a disk that is full, read-only or failing means to a person."""
    named = isinstance(error, OSError) and error.filename
    what = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return PooltableError(f"{named or home} cannot be used: {what}.", "Is the disk full, read-only or gone?")


app = typer.Typer(
    cls=Doors,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def pooltable(
    ctx: typer.Context,
    home: Annotated[
        Path | None,
        typer.Option(help="Folder of this Pooltable, default $POOLTABLE_HOME or data/home.", file_okay=False),
    ] = None,
) -> None:
    """Results in, checked Bayesian ratings out: as a leaderboard, as SQL, every night.

    Start with: pooltable demo
    """
    ctx.obj = home
    set_up_logging()


doors_leagues.register(app)
doors_models.register(app)
doors_proof.register(app)
doors_forecasts.register(app)
doors_nights.register(app)
doors_editions.register(app)
doors_sql.register(app)
doors_home.register(app)


def main() -> None:
    """Runs the command line and exits with its code."""
    follow_parent()
    app()


if __name__ == "__main__":
    main()
