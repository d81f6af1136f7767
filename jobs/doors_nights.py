"""Doors to the night and to what became of it: demo, nightly, schedule, status, doctor, runs."""

import signal
from contextlib import suppress
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from jobs.console import StepLines, say
from jobs.doors import HOST, PORT, Host, Leagues, Port, day, example, home_of, utc_now
from store.errors import PooltableError, StanzaError, StoreError, UsageError

if TYPE_CHECKING:
    from jobs.night import Step
    from store.history import History, Incident
    from store.home import Home

SCHEDULED_WAIT_SECONDS = 6 * 3600.0  # a scheduled night waits for one started by hand rather than being lost
RUNS_SHOWN = 20


def register(app: typer.Typer) -> None:
    """Hangs these doors into the command."""
    app.command(epilog=example("pooltable demo"))(demo)
    app.command(epilog=example("pooltable nightly international_football"))(nightly)
    app.command(epilog=example("pooltable schedule"))(schedule)
    app.command(epilog=example("pooltable status"))(status)
    app.command(epilog=example("pooltable doctor"))(doctor)
    app.command(epilog=example("pooltable runs --follow"))(runs)


def demo(
    ctx: typer.Context,
    serve: Annotated[bool, typer.Option("--serve/--no-serve", help="Serve the dashboard at the end.")] = True,
    host: Host = HOST,
    port: Port = PORT,
    regenerate: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Only write the simulated leagues' files into FOLDER.")
    ] = None,
) -> None:
    """Load, fit, judge, publish and serve the two simulated leagues that come with Pooltable."""
    from jobs.demo import LEAGUES, add_leagues, need_port, try_next
    from jobs.night import UNAUDITED

    if regenerate is not None:
        from ingest.simulator import write_demo

        write_demo(regenerate)
        say(f"Wrote the simulated leagues into {regenerate}")
        return
    home = home_of(ctx)
    if serve:
        need_port(host, port)
    for name in add_leagues(home):
        say(f"Added {name} to {home.leagues_toml}")
    _run(home, list(LEAGUES), "manual", 0, UNAUDITED)
    if serve:
        from dashboard.server import serve as serve_dashboard

        say(f"\nDashboard at http://{host}:{port} (Ctrl-C to stop)\n{try_next(ctx.find_root().obj)}")
        serve_dashboard(home, host, port)


def nightly(
    ctx: typer.Context,
    names: Leagues = None,
    kind: Annotated[Literal["manual", "schedule", "pull"], typer.Option(hidden=True)] = "manual",
) -> None:
    """Pull, check, fit and audit what is due, publish: what the scheduler runs. Exit code 1 where anything failed."""
    from jobs.alerts import Channels, Watchman, beat_if_well, look_quietly
    from jobs.night import CHAIN, PULLS

    home = home_of(ctx)
    wait_seconds = 0 if kind == "manual" else SCHEDULED_WAIT_SECONDS
    try:
        _run(home, _chosen(home, names or [], kind), kind, wait_seconds, PULLS if kind == "pull" else CHAIN)
    finally:
        if kind == "manual":
            Watchman(home)(utc_now())
        else:  # the scheduler watches over the home itself
            look_quietly(home, utc_now())
    if kind != "pull":
        beat_if_well(home, Channels(), utc_now())


def _chosen(home: "Home", names: list[str], kind: str) -> list[str]:
    """The leagues of a night, those too whose stanzas are wrong: it fails for them. Where leagues.toml cannot be read
    at all, it is the night that failed."""
    from jobs.alerts import UNUSABLE
    from jobs.night import refused
    from store.stanzas import choose_each

    try:
        return list(choose_each(home, names))
    except StanzaError as error:
        with suppress(StoreError, *UNUSABLE):
            refused(home, kind, error.message, utc_now())
        raise


def schedule(ctx: typer.Context) -> None:
    """Run each league's night at its refit time (UTC), until stopped."""
    from jobs.scheduler import run_scheduler

    run_scheduler(home_of(ctx), utc_now)


def status(ctx: typer.Context) -> None:
    """Say when each league was last loaded, fitted and published, and when it is next refitted."""
    from jobs import status as stand
    from jobs.formats import aligned
    from jobs.incidents import sentence

    now = utc_now()
    found = stand.status(home_of(ctx), now)
    if found.leagues:
        say(aligned(stand.COLUMNS, [stand.row(league, now) for league in found.leagues]))
    else:
        say("No leagues here yet: pooltable add LEAGUE (see: pooltable leagues)")
    say(stand.headline(found, now))
    for league in found.leagues:
        for remark in stand.remarks(league):
            say(remark)
    for note in found.notes:
        say(note)
    told = {league.league for league in found.leagues if league.fit and league.fit.verdict == "rejected"}
    for incident in found.incidents:
        if incident.kind != "rejected" or incident.league not in told:
            say(f"Since {incident.began_at[:16]} UTC: {sentence(incident)}")


def doctor(ctx: typer.Context) -> None:
    """Look for what is wrong: settings, disk, locks, leagues, processes, versions, clock. Exit code 1 where it is."""
    from jobs.doctor import examine

    found = examine(home_of(ctx), utc_now())
    for one in found:
        say(one.line)
    if any(one.state == "FAIL" for one in found):
        raise typer.Exit(1)


def runs(
    ctx: typer.Context,
    run: Annotated[str | None, typer.Argument(metavar="[RUN]", help="Show the steps of this run.")] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Go on saying what happens, until Ctrl-C.")] = False,
    incidents: Annotated[bool, typer.Option("--incidents", help="Show what stood wrong, from when to when.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="Show so many, the last first.")] = RUNS_SHOWN,
    league: Annotated[str | None, typer.Option(metavar="LEAGUE", help="Show those of one league.")] = None,
    since: Annotated[date | None, typer.Option(parser=day, metavar="DATE", help="Show those from this day on.")] = None,
) -> None:
    """List the last nights, the steps of one of them, or what stood wrong."""
    from jobs.following import follow as follow_runs
    from store.history import History

    history = History(home_of(ctx).runs)
    from_then_on = datetime.combine(since, time(), UTC) if since else None
    if run is not None and not history.runs(1, run_id=run):
        raise UsageError(f'There is no run "{run}".', "See: pooltable runs --limit 1000")
    if incidents:
        _show_incidents(history.incidents(league=league, since=from_then_on)[-limit:])
    elif follow:
        follow_runs(history, run, say)
    elif run is None:
        found = history.runs(limit, league, from_then_on)
        _show_rows(found, ["run_id", "kind", "started_at_utc", "ended_at_utc", "state"])
    else:
        _show_steps(history, run)


def _show_steps(history: "History", run: str) -> None:
    """The steps of a run; where it ended before its first, what became of it."""
    steps = history.steps_of(run)
    if not steps:
        _show_rows(history.runs(1, run_id=run), ["run_id", "kind", "started_at_utc", "ended_at_utc", "state"])
        return
    for step in steps:
        step["peak MB"] = round(peak / (1 << 20)) if isinstance(peak := step["peak_bytes"], int) else None
    columns = ["number", "league", "command", "started_at_utc", "ended_at_utc", "state", "attempts", "rows", "peak MB"]
    _show_rows(steps, columns)


def _show_incidents(found: "list[Incident]") -> None:
    from jobs.formats import aligned
    from jobs.incidents import sentence

    rows = [[one.began_at[:16], (one.ended_at or "")[:16], sentence(one)] for one in found]
    say(aligned(["began (UTC)", "over (UTC)", "what stood wrong"], rows) if rows else "Nothing has stood wrong here.")


def _show_rows(rows: list[dict[str, object]], columns: list[str]) -> None:
    from jobs.formats import aligned, cell

    shown = [*columns, "message"]
    say(aligned(shown, [[cell(row[name]) for name in shown] for row in rows]) if rows else "Nothing ran here yet.")


def _run(home: "Home", leagues: list[str], kind: str, wait_seconds: float, chain: "tuple[Step, ...]") -> None:
    """Runs a night, writes a line a league, and exits with 1 where anything failed."""
    from jobs.night import PUBLISH, Night, new_run, run_night

    run = new_run(kind, leagues, utc_now())
    night = Night(home, run, utc_now, StepLines(), chain, None if kind == "pull" else PUBLISH)
    if home.jobs:
        night.jobs = home.jobs
    before = signal.signal(signal.SIGTERM, _stop)
    try:
        outcomes = run_night(night, wait_seconds)
    finally:
        signal.signal(signal.SIGTERM, before)
    for outcome in outcomes:
        say(f"{outcome.league or 'publish'}: {'done' if outcome.is_done else 'FAILED'}: {outcome.message}")
    failed = [outcome.league or "publish" for outcome in outcomes if not outcome.is_done]
    if failed:
        raise PooltableError(f"The night failed for {', '.join(failed)}.", f"Its logs are in {home.logs / run.run_id}")


def _stop(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)
