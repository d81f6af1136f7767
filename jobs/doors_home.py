"""Doors to the home as a whole: backup, restore."""

from pathlib import Path
from typing import Annotated

import typer

from jobs.console import say, working
from jobs.doors import example, home_of, utc_now


def register(app: typer.Typer) -> None:
    """Hangs these doors into the command."""
    app.command(epilog=example("pooltable backup backups/"))(backup)
    app.command(epilog=example("pooltable restore pooltable-20260301-040000.tar.zst"))(restore)


def backup(
    ctx: typer.Context,
    target: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write, or a folder to put it in.")],
) -> None:
    """Write this home into one file, as it is at this moment, while it goes on running."""
    from store.backup import backup as back_up

    with working("backup") as report:
        path, kept = back_up(home_of(ctx), target.expanduser().absolute(), utc_now(), report)
    say(f"Wrote {path} ({path.stat().st_size / 1e6:,.1f} MB): {kept.files:,} files of {kept.bytes / 1e6:,.1f} MB")


def restore(
    ctx: typer.Context,
    source: Annotated[Path, typer.Argument(metavar="FILE", help="A file that `backup` wrote.")],
    force: Annotated[bool, typer.Option("--force", help="Set aside what is in the home now.")] = False,
) -> None:
    """Make this home from a backup, once everything in it was found whole."""
    from jobs.locks import alone
    from store.backup import restore as make_again

    home = home_of(ctx)
    with alone(home, "scheduler"), alone(home, "night"), working("restore") as report:
        kept, old = make_again(home, source.expanduser().absolute(), utc_now(), report, force=force)
    say(f"Restored {home.root} as of {kept.made_at_utc} ({kept.files:,} files, by Pooltable {kept.pooltable})")
    if old:
        say(f"What was there before is in {old}; delete it when you need it no more.")
