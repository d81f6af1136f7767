"""Doors to what readers see: publish, rollback, serve, sql."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from jobs.console import say, working
from jobs.doors import HOST, PORT, Host, Port, example, home_of, utc_now
from store.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

    from store.home import Home


def register(app: typer.Typer) -> None:
    """Hangs these doors into the command."""
    app.command(epilog=example("pooltable publish"))(publish)
    app.command(epilog=example("pooltable rollback"))(rollback)
    app.command(epilog=example("pooltable serve --port 8051"))(serve)
    app.command(epilog=example('pooltable sql "FROM leaderboard WHERE rank <= \\$n ORDER BY rank" -p n=10'))(sql)


def publish(
    ctx: typer.Context,
    unpin: Annotated[bool, typer.Option("--unpin", help="Let readers see the newest edition again.")] = False,
    due: Annotated[bool, typer.Option("--due", help="Only where something changed since the newest edition.")] = False,
) -> None:
    """Write an edition with every league's last accepted fit and point readers at it."""
    from store.edition import current, is_up_to_date, pinned
    from store.edition import publish as publish_edition
    from store.edition import unpin as unpin_edition
    from store.stanzas import choose

    home = home_of(ctx)
    leagues = list(choose(home, []))
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
    public: Annotated[bool, typer.Option("--public", help="Let it be reached from beyond this machine.")] = False,
) -> None:
    """Serve the dashboard until Ctrl-C."""
    from dashboard.server import serve as serve_dashboard
    from jobs.demo import need_port

    need_port(host, port)
    typer.echo(f"Dashboard at http://{host}:{port} (Ctrl-C to stop)", err=True)
    serve_dashboard(home_of(ctx), host, port, public=public)


def sql(
    ctx: typer.Context,
    query: Annotated[str | None, typer.Argument(metavar="QUERY", help='One SELECT; "-" reads it from stdin.')] = None,
    form: Annotated[Literal["table", "csv", "json", "parquet"], typer.Option("--format", help="Output.")] = "table",
    edition: Annotated[str | None, typer.Option(metavar="EDITION", help="An older edition.")] = None,
    parameter: Annotated[list[str] | None, typer.Option("-p", metavar="K=V", help="A value for $K.")] = None,
    schema: Annotated[bool, typer.Option("--schema", help="Tables, columns and macros instead of a query.")] = False,
) -> None:
    """Ask the current edition in SQL."""
    from store.query import query as run_query
    from store.query import schema as read_schema

    if (query is None) != schema:
        raise UsageError("Give one query, or --schema.", 'For example: pooltable sql "FROM leaderboard LIMIT 5"')
    if form == "parquet" and sys.stdout.isatty():
        raise UsageError("Parquet is not for a terminal.", "Send it to a file: … --format parquet > file.parquet")
    parameters = _parameters(parameter or [])
    path = _edition(home_of(ctx), edition)
    if query is None:
        found = read_schema(path)
        _write_schema(found) if form == "table" else _write(found, form)
        return
    text = sys.stdin.read() if query == "-" else query
    _write(run_query(path, text, parameters), form)


def _edition(home: "Home", name: str | None) -> Path:
    from store.edition import current, editions

    if name is None:
        return current(home)
    kept = {path.stem: path for path in editions(home)}
    if name not in kept:
        raise UsageError(f'There is no edition "{name}".', f"Kept editions: {', '.join(kept) or 'none'}.")
    return kept[name]


def _parameters(pairs: list[str]) -> dict[str, str]:
    wrong = [pair for pair in pairs if "=" not in pair]
    if wrong:
        raise UsageError(f'"{wrong[0]}" is not name=value.', "For example: -p league_name=demo_football")
    return {name: value for name, _, value in (pair.partition("=") for pair in pairs)}


def _write(frame: "pl.DataFrame", form: str) -> None:
    from jobs.formats import as_csv, as_json, as_parquet, as_table

    match form:
        case "csv":
            typer.echo(as_csv(frame), nl=False)
        case "json":
            say(as_json(frame))
        case "parquet":
            typer.echo(as_parquet(frame), nl=False)
        case _:
            say(as_table(frame, _terminal_width()))


def _write_schema(found: "pl.DataFrame") -> None:
    """Writes each table with its sentence, its columns indented below."""
    for row in found.iter_rows(named=True):
        comment = row["comment"] or ""
        if row["column_name"]:
            say(f"    {row['column_name']:<24} {row['type']:<14} {comment}")
        else:
            say(f"\n{row['object']} {row['name']}{row['type'] or ''}: {comment}")


def _terminal_width() -> int | None:
    import shutil

    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
