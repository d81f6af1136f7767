"""Doors to what readers see: publish, rollback, serve."""

from typing import Annotated

import typer

from jobs.console import say, working
from jobs.doors import HOST, PORT, Host, Port, example, home_of, utc_now


def register(app: typer.Typer) -> None:
    """Hangs these doors into the command."""
    app.command(epilog=example("pooltable publish"))(publish)
    app.command(epilog=example("pooltable rollback"))(rollback)
    app.command(epilog=example("pooltable serve --port 8051"))(serve)


def publish(
    ctx: typer.Context,
    unpin: Annotated[bool, typer.Option("--unpin", help="Let readers see the newest edition again.")] = False,
    due: Annotated[bool, typer.Option("--due", help="Only where something changed since the newest edition.")] = False,
) -> None:
    """Write an edition with every league's last accepted fit and point readers at it."""
    from store.edition import current, is_up_to_date, pinned
    from store.edition import publish as publish_edition
    from store.edition import unpin as unpin_edition
    from store.stanzas import choose_each

    home = home_of(ctx)
    leagues = list(choose_each(home, []))
    if due and not unpin and is_up_to_date(home, leagues):
        say(f"Nothing changed: readers see {current(home).stem}")
        return
    try:
        with working("publish"):
            path = publish_edition(home, leagues, utc_now())
    finally:
        if unpin:
            unpin_edition(home)  # after publishing, so that readers do not see the edition that was rolled back again
    held = pinned(home)
    say(f"Published {path.stem}" + (f"; readers still see {held}, which is pinned" if held else ""))


def rollback(
    ctx: typer.Context,
    edition: Annotated[str | None, typer.Argument(help="Edition to go back to; none: the one before.")] = None,
) -> None:
    """Point readers at an older edition and keep them there until `publish --unpin`."""
    from store.edition import rollback as roll_back

    path = roll_back(home_of(ctx), edition)
    say(f"Readers see {path.stem} until: pooltable publish --unpin")


def serve(
    ctx: typer.Context,
    host: Host = HOST,
    port: Port = PORT,
    public: Annotated[bool, typer.Option("--public", help="Let others reach it without a token.")] = False,
) -> None:
    """Serve the dashboard and its API until Ctrl-C; $POOLTABLE_TOKEN, where set, is asked of everybody."""
    from dashboard.server import serve as serve_dashboard
    from jobs.demo import need_port

    need_port(host, port)
    serve_dashboard(home_of(ctx), host, port, public=public)
