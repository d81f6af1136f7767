"""The HTTP API: SQL, prepared questions, leagues as files, the edition itself.

Answers carry the edition they come from as ETag and X-Edition, so that asking again costs nothing until the next is
published. SQL of others goes to the guard; prepared questions are ours and are answered in this process.
"""

import logging
import tempfile
from collections.abc import Callable
from contextlib import suppress
from difflib import get_close_matches
from typing import Any

import flask
from flask import Blueprint

from dashboard.access import Access, Bucket, client, need_turn
from dashboard.answers import IN_MEMORY, Answered, UnknownError, asked, not_modified, posted, respond, told
from dashboard.canned import Canned, canned, find
from dashboard.document import document, page
from dashboard.reader import Answer, Reader
from store.answer import FORMS, Question, answer
from store.errors import PooltableError, QueryError, UsageError
from store.guard import EditionGoneError, Guard, Reply, unavailable

log = logging.getLogger(__name__)

ATTEMPTS = 5  # an edition may be pruned before the guard opens it; then there is a newer one
FOR_EXAMPLE = "/api/sql?sql=FROM+leaderboard+LIMIT+5"
DUCKDB = "application/vnd.duckdb"
GONE = EditionGoneError("Editions are published faster than they can be opened.", "Ask again.")
OPEN = {"api.openapi", "api.readable"}  # cost nothing
NOWHERE = (
    "/api/",
    "/api/<path:rest>",
    "/download",
    "/download/",
    "/download/<path:rest>",
)  # or Dash takes them for pages


def api(reader: Reader, guard: Guard, access: Access) -> Blueprint:
    """The routes of the API around one reader of editions and one guard."""
    routes = Blueprint("api", __name__)
    bucket, answered = Bucket(access.per_minute, access.clock), Answered()

    @routes.before_request
    def _need_turn() -> None:
        if flask.request.endpoint not in OPEN:
            need_turn(bucket)

    routes.register_error_handler(PooltableError, lambda error: told(error, reader.home))
    add(routes, "/api/sql", "sql", lambda: by_guard(reader, guard, answered), methods=["GET", "POST"])
    add(routes, "/api/queries", "queries", lambda: prepared(reader))
    add(routes, "/api/queries/<name>", "query", lambda name: by_name(reader, answered, name))
    add(routes, "/api/leagues", "leagues", lambda: by_name(reader, answered, "leagues"))
    add(routes, "/api/leagues/<league>/<name>", "league", lambda league, name: by_name(reader, answered, name, league))
    add(routes, "/download/current.duckdb", "download", lambda: download(reader))
    add(routes, "/api/openapi.json", "openapi", lambda: flask.jsonify(document()))
    add(routes, "/api", "readable", lambda: page(document()))
    for path in NOWHERE:
        add(routes, path, "nothing", nothing)
    return routes


def add(routes: Blueprint, path: str, name: str, view: Callable[..., Any], **more: Any) -> None:
    """Hangs a view at a path."""
    routes.add_url_rule(path, name, view, **more)


def by_guard(reader: Reader, guard: Guard, answered: Answered) -> flask.Response:
    """The answer to the asker's own SQL, from the address or, of any length, from the body of a POST."""
    wanted = asked(flask.request.args.get("_format", "json"))
    values = {name: value for name, value in wanted.values.items() if name != "sql"}
    if flask.request.method == "POST":
        question = wanted.question(*posted(values))
    elif "sql" in wanted.values:
        question = wanted.question(wanted.values["sql"], values)
    else:
        hint = "Send the POST's body again: so goes the next page." if wanted.edition else f"Send one: {FOR_EXAMPLE}"
        raise UsageError("No query was sent.", hint)
    for attempt in range(ATTEMPTS):
        copy = reader.copy(is_fresh=attempt > 0)
        if same := not_modified(copy.stem, wanted, answered):
            return same
        try:
            return respond(guard.ask(copy, question, client()), copy.stem, wanted, "answer", answered)
        except EditionGoneError as error:
            log.info("%s: %s", copy.stem, error.message)
    raise GONE


def by_name(reader: Reader, answered: Answered, name: str, league: str | None = None) -> flask.Response:
    """The answer to a prepared question, whose form may be the ending of its name: `leaderboard.csv`."""
    stem, _, ending = name.partition(".")
    question = _prepared(stem, league)
    stated = flask.request.args.get("_format")
    if ending and stated not in (None, ending):
        raise UsageError(f'The name ends in .{ending}, but _format is "{stated}".', "Say one of them.")
    wanted = asked(ending or stated or "json")
    if league is not None and "league" in wanted.values:
        raise UsageError(f'The address names the league "{league}" already.', "Leave out league=.")
    given = {**wanted.values, **({"league": league} if league is not None else {})}
    values = question.values(given)
    with reader.answer() as found:
        if same := not_modified(found.edition_id, wanted, answered):
            return same
        if question.is_of_a_league:
            _need_league(found, values["league"])
        reply = here(found, wanted.question(question.sql, values))
    parts = [values["league"]] if question.is_of_a_league else []
    return respond(reply, found.edition_id, wanted, "-".join([*parts, stem]), answered)


def here(found: Answer, question: Question) -> Reply:
    """The reply to a question of ours, worked on in this process."""
    body = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - the response closes it
    try:
        summary = answer(found.con, question, body.write)
    except BaseException as error:
        body.close()
        if isinstance(error, QueryError):  # its place is in SQL that the asker has not written
            raise QueryError(error.what, error.hint) from error
        raise
    size = body.tell()
    body.seek(0)
    return Reply(body, size, summary)


def prepared(reader: Reader) -> flask.Response:
    """The prepared questions with their parameters."""
    with reader.answer() as found:
        edition = found.edition_id
    listed = [
        {
            "name": one.name, "title": one.title, "description": one.description, "url": f"/api/queries/{one.name}",
            "parameters": [
                {
                    "name": part.name, "default": part.usual, "choices": part.choices, "kind": part.kind or "text",
                    "meaning": part.meaning,
                }
                for part in one.parameters
            ],
        }
        for one in canned().values()
    ]  # fmt: skip
    response = flask.jsonify(edition=edition, queries=listed, formats=FORMS, sql=unavailable() or "available")
    response.headers["X-Edition"] = edition
    return response


def download(reader: Reader) -> flask.Response:
    """The edition as a file, whole or in ranges."""
    for attempt in range(ATTEMPTS):
        copy = reader.copy(is_fresh=attempt > 0)
        with suppress(FileNotFoundError):
            response = flask.send_file(
                copy, mimetype=DUCKDB, as_attachment=True, download_name=copy.name, conditional=True, etag=copy.stem
            )
            response.headers["X-Edition"] = copy.stem
            return response
    raise GONE


def nothing(rest: str = "") -> flask.Response:
    """Never: there is nothing at this address."""
    raise UnknownError(f"There is nothing at {flask.request.path}.", "See: /api")


def _prepared(name: str, league: str | None) -> Canned:
    """The prepared question of that name, about one league where one is given. Raises UnknownError."""
    try:
        question = find(name)
    except UsageError as error:
        raise UnknownError(error.message, error.hint) from error
    if league is not None and not question.is_of_a_league:
        raise UnknownError(f'"{name}" is not about one league.', f"See: /api/queries/{name}")
    return question


def _need_league(found: Answer, league: str) -> None:
    known = [row["league"] for row in found.rows("league_names")]
    if league not in known:
        near = get_close_matches(league, known, n=1)
        hint = f'Did you mean "{near[0]}"?' if near else f"There are: {', '.join(known) or 'none'}."
        raise UnknownError(f'There is no league "{league}" in this edition.', hint)
