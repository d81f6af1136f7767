"""Doors to the leagues: leagues, add, alias, remove, pull, check, fit."""

import sys
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jobs.console import counted, say, working
from jobs.doors import Engine, Leagues, day, example, exit_with, fit_each, for_each, home_of, shown, utc_now
from store.errors import FeedError, PooltableError, UsageError

if TYPE_CHECKING:
    from store.home import Home
    from store.stanzas import Stanza

LeagueName = Annotated[str, typer.Argument(metavar="LEAGUE", help="The league's name.")]


def register(app: typer.Typer) -> None:
    """Hangs these doors into the command."""
    app.command(epilog=example("pooltable leagues"))(leagues)
    app.command(epilog=example("pooltable add international_football --source results.csv"))(add)
    app.command(epilog=example('pooltable alias my_league "Man United" "Manchester United"'))(alias)
    app.command(epilog=example("pooltable remove demo_football"))(remove)
    app.command(epilog=example("pooltable pull international_football"))(pull)
    app.command(epilog=example("pooltable check international_football"))(check)
    app.command(epilog=example("pooltable fit international_football --as-of 2023-12-31"))(fit)


def leagues(ctx: typer.Context) -> None:
    """List the leagues that are rated here, and those the catalogue offers."""
    from jobs.formats import aligned
    from store.stanzas import Stanza, read_catalogue, read_each

    here = read_each(home_of(ctx))
    offered = {name: stanza for name, stanza in read_catalogue().items() if name not in here}
    rows = [[name, one.title, one.outcome, "yes"] for name, one in here.items() if isinstance(one, Stanza)]
    rows += [[name, stanza.title, stanza.outcome, "add it"] for name, stanza in offered.items()]
    say(aligned(["league", "title", "outcome", "rated here"], rows))
    exit_with(shown(here))


def add(
    ctx: typer.Context,
    league: LeagueName,
    feed: Annotated[str | None, typer.Option(help="Another source format than the catalogue's.")] = None,
    source: Annotated[list[str] | None, typer.Option(metavar="PATH_OR_URL", help="Another source.")] = None,
    from_csv: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="Propose a stanza for a league of your own from its results.",
        ),
    ] = None,
) -> None:
    """Copy a league's stanza from the catalogue into this home, or propose one for a file of your own."""
    from store.stanzas import add_stanza

    home = home_of(ctx)
    if from_csv:
        if feed or source:
            raise UsageError("--from-csv finds feed and source by itself.", "Leave out --feed and --source.")
        _add_from_csv(home, league, from_csv)
        return
    if feed:
        _insist_on_feed(feed)
    stanza = add_stanza(home, league, tuple(source or ()), feed)
    say(f"Added {league} ({stanza.title}) to {home.leagues_toml}. Next: pooltable nightly {league}")


def _insist_on_feed(name: str) -> None:
    from ingest.feed import find

    try:
        find(name)
    except FeedError as error:
        raise UsageError(error.message, error.hint) from error


def _add_from_csv(home: "Home", league: str, path: Path) -> None:
    """Adds the proposed stanza; on a terminal only after a yes."""
    import tomlkit

    from ingest.propose import propose
    from store.stanzas import append_stanza

    proposal = propose(path, league)
    say(tomlkit.dumps({league: proposal.body}))
    say(proposal.verdict)
    if sys.stdin.isatty() and sys.stdout.isatty() and not typer.confirm("Add it?", default=True):
        say("Nothing was added.")
        return
    append_stanza(home, league, proposal.body)
    say(f"Added {league} to {home.leagues_toml}: mend it there where it is wrong. Next: pooltable nightly {league}")


def alias(
    ctx: typer.Context,
    league: LeagueName,
    one: Annotated[str, typer.Argument(metavar="ALIAS", help="A name, or an id, that the results use.")],
    other: Annotated[
        str, typer.Argument(metavar="COMPETITOR", help="Whose name it is: a name, or an id as in fifa:Spain.")
    ],
    undo: Annotated[bool, typer.Option("--undo", help="Take that back: they are two again.")] = False,
) -> None:
    """Say that two names are one competitor, and read the results again so; --undo takes it back."""
    from ingest.aliasing import alias as alias_league
    from store.stanzas import choose

    home = home_of(ctx)
    stanza = choose(home, [league])[league]
    with working(f"alias {league}"):
        done = alias_league(home, league, stanza, one, other, utc_now(), undo=undo)
    say(done)


def remove(ctx: typer.Context, league: LeagueName) -> None:
    """Take a league's stanza out of this home; its results and fits stay in the warehouse."""
    from store.stanzas import remove_stanza

    home = home_of(ctx)
    remove_stanza(home, league)
    say(f"Removed {league} from {home.leagues_toml}. The next edition will not show it.")


def pull(
    ctx: typer.Context,
    names: Leagues = None,
    accept: Annotated[bool, typer.Option("--accept", help="Load a change that looks wrong, having looked.")] = False,
) -> None:
    """Fetch results and load them into the warehouse."""
    from ingest.pull import pull as pull_league
    from store.stanzas import choose_each

    home = home_of(ctx)

    def act(name: str, stanza: "Stanza") -> None:
        with working(f"pull {name}"):
            pulled = pull_league(home, name, stanza, utc_now(), accept=accept)
        counted(f"pull {name}", pulled.rows_read)
        say(pulled.summary)

    for_each(choose_each(home, names or []), act)


def check(ctx: typer.Context, names: Leagues = None) -> None:
    """Check loaded results; a finding of severity stop keeps a league from being fitted."""
    from ingest.checks import check as check_league
    from store.stanzas import choose_each

    home = home_of(ctx)

    def act(name: str, _stanza: "Stanza") -> None:
        with working(f"check {name}"):
            findings = check_league(home, name, utc_now())
        counted(f"check {name}", len(findings))
        for found in findings:
            say(f"{name}: {found.severity}: {found.check_name}: {found.subject}: {found.message}")
        stops = [found for found in findings if found.severity == "stop"]
        if stops:
            raise PooltableError(
                f"{name}: {len(stops)} finding(s) that stop it, the first: {stops[0].subject}: {stops[0].message}",
                f"Mend the source, or correct the results in {home.root / 'corrections' / name}.csv; then pull again.",
            )
        warnings = {0: "no warnings", 1: "one warning"}.get(len(findings), f"{len(findings)} warnings")
        say(f"{name}: nothing stops it; {warnings}")

    for_each(choose_each(home, names or []), act)


def fit(
    ctx: typer.Context,
    names: Leagues = None,
    due: Annotated[bool, typer.Option("--due", help="As every night: with --audit, only where one is due.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Fit also where nothing changed since the last fit.")] = False,
    as_of: Annotated[
        date | None, typer.Option(parser=day, metavar="DATE", help="Use games before this day only.")
    ] = None,
    engine: Engine = "auto",
    override: Annotated[
        str | None, typer.Option(metavar="REASON", help="Accept what the rules would reject, and say why.")
    ] = None,
    audit: Annotated[
        bool, typer.Option("--audit", help="Hold a fast fit against nuts too; with --due, where an audit is due.")
    ] = False,
) -> None:
    """Fit ratings where games, stanza or code changed, and judge the fit; exit code 1 where one is rejected."""
    from store.stanzas import Stanza, choose_each

    home = home_of(ctx)
    if override is not None and not override.strip():
        raise UsageError("--override needs a reason.", 'For example: --override "new rules this season"')

    chosen = choose_each(home, names or [])
    sound = {name: stanza for name, stanza in chosen.items() if isinstance(stanza, Stanza)}
    for name in [name for name, stanza in sound.items() if not stanza.rate]:
        say(f"{name}: loaded but not rated (rate = [] in its stanza)")
    rated = {name: stanza for name, stanza in sound.items() if stanza.rate}
    if not rated:
        exit_with(shown(chosen))
        return
    from jobs.pool import Wanted
    from modeling.fit import prepare_fit  # only now: a league that is not rated needs no PyMC

    now = utc_now()
    options = {"as_of": as_of, "engine": engine, "due": due, "again": again, "override": override, "audited": audit}
    wanted = [Wanted(name, partial(prepare_fit, home, name, stanza, now, **options)) for name, stanza in rated.items()]
    try:
        fit_each(home, f"fit {wanted[0].title}" if len(wanted) == 1 else f"fit {len(wanted)} leagues", wanted, chosen)
    finally:
        from jobs.alerts import look_if_heard

        look_if_heard(home, utc_now())
