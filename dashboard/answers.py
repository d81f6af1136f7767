"""What is wanted, from an address; and a reply or an error as a response."""

import json
import logging
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import IO
from urllib.parse import unquote_to_bytes, urlencode

import flask

from store.answer import FORMS, Question
from store.errors import BusyError, PooltableError, QueryError, UsageError
from store.guard import Reply
from store.home import Home
from store.query import Value

log = logging.getLogger(__name__)

MOST_ROWS = 5_000  # of a page of JSON
MOST_BYTES = {"json": 5_000_000, "csv": 100_000_000, "parquet": 100_000_000, "arrow": 100_000_000}
MEDIA = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.stream",
}
IN_MEMORY = 5_000_000  # bytes: a larger answer lies in an unnamed file and is sent from there
RESERVED = ("_format", "_limit", "_offset", "_edition")
BODY = '{"sql": "SELECT $n + 1", "params": {"n": 3}}'
SEND = f"For example: curl /api/sql -H 'Content-Type: application/json' -d '{BODY}'"
SCALAR = str | int | float | None


class AddressError(UsageError):
    """An address, or what was sent to it, is not answered."""

    status = 400


class MovedOnError(AddressError):
    """The edition that was asked for is not the current one."""

    status = 409


class UnknownError(AddressError):
    """There is nothing at this address."""

    status = 404


class MediaError(AddressError):
    """What was sent is of a kind that is not read."""

    status = 415


@dataclass(frozen=True)
class Asked:
    """What an address wants: the form, a stretch of the rows, values by name, an edition if it must be that one."""

    form: str
    offset: int
    limit: int | None
    edition: str | None
    values: dict[str, str]

    def question(self, sql: str, values: Mapping[str, Value]) -> Question:
        """The query with this form and stretch."""
        return Question(sql, values, self.form, self.offset, self.limit, MOST_BYTES[self.form])


class Answered:
    """The addresses that had an answer, by edition: only of one that had is it known, unasked, to be the same still."""

    def __init__(self, most: int = 10_000) -> None:
        self._most = most
        self._known: set[int] = set()
        self._lock = threading.Lock()

    def add(self, edition: str) -> None:
        """Remembers that this edition has an answer to the current request."""
        with self._lock:
            if len(self._known) >= self._most:
                self._known.clear()
            self._known.add(self._key(edition))

    def has(self, edition: str) -> bool:
        """True where this edition had an answer to the address of the current request."""
        return self._key(edition) in self._known

    def _key(self, edition: str) -> int:
        return hash((edition, flask.request.full_path))


def asked(form: str) -> Asked:
    """What the current request wants. Raises UsageError for what it cannot have, and for a value given twice."""
    args = flask.request.args
    _text(unquote_to_bytes(flask.request.query_string), "address")
    if form not in FORMS:
        raise UsageError(f'There is no format "{form}".', f"There are: {', '.join(FORMS)}.")
    if twice := [name for name, values in args.lists() if len(values) > 1]:
        raise UsageError(f'"{twice[0]}" is given twice.')
    if unknown := [name for name in args if name.startswith("_") and name not in RESERVED]:
        raise UsageError(f'There is no "{unknown[0]}".', f"There are: {', '.join(RESERVED)}.")
    values = {name: value for name, value in args.items() if name not in RESERVED and name != "token"}
    most = MOST_ROWS if form == "json" else None
    return Asked(form, _count("_offset", 0) or 0, _count("_limit", most), args.get("_edition"), values)


def posted(values: dict[str, str]) -> tuple[str, dict[str, Value]]:
    """The query in the body of the current request, and its values: those in the address and those in the body.

    Raises UsageError for a body that is wrong, MediaError for one of another kind: a form on somebody else's page can
    send plain text and what forms send, but neither of ours.
    """
    body, kind = flask.request.get_data(), flask.request.mimetype
    if kind == "application/sql":
        return _text(body), dict(values)
    if kind != "application/json":
        raise MediaError("A query is sent as application/sql or application/json.", SEND)
    sql, given = _from_json(body)
    return sql, {**values, **given}


def _from_json(body: bytes) -> tuple[str, dict[str, Value]]:
    try:
        sent = json.loads(body)
        json.dumps(sent, ensure_ascii=False).encode()  # half of a letter is no text
    except (ValueError, RecursionError) as error:
        raise UsageError("The body is not JSON.", SEND) from error
    match sent:
        case {"sql": str(sql), **others} if set(others) <= {"params"}:
            given = others.get("params", {})
            if isinstance(given, dict) and all(isinstance(value, SCALAR) for value in given.values()):
                return sql, given
    raise UsageError("The body is an object with sql and, where there are values, params.", SEND)


def _text(body: bytes, what: str = "query") -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"The {what} is no UTF-8 text.", "Encode it as UTF-8.") from error


def _count(name: str, usual: int | None) -> int | None:
    """The count of that name; never more than the usual one, where there is one that limits."""
    text, least = flask.request.args.get(name), 1 if name == "_limit" else 0
    if text is None:
        return usual
    if not (text.isascii() and text.isdigit() and len(text) < 16 and int(text) >= least):
        raise UsageError(f"{name} is a whole number, from {least} on.")
    return min(int(text), usual) if usual and name == "_limit" else int(text)


def not_modified(edition: str, wanted: Asked, answered: Answered) -> flask.Response | None:
    """304 where the asker has this edition's answer and there is known to be one; else `respond` says it.

    Raises MovedOnError where he wants a page of another edition.
    """
    if wanted.edition not in (None, edition):
        raise MovedOnError(f"Readers see {edition} now.", "Start again from the first page.")
    return _unchanged(edition) if _has(edition) and answered.has(edition) else None


def _has(edition: str) -> bool:
    """True where the asker of the current request says that he has this edition's answer, or any."""
    tags = flask.request.if_none_match
    # Compression adds its name behind a colon.
    known = {tag.partition(":")[0] for tag in tags.as_set(include_weak=True)}
    return flask.request.method != "POST" and (tags.star_tag or edition in known)


def respond(reply: Reply, edition: str, wanted: Asked, name: str, answered: Answered) -> flask.Response:
    """The reply as a response, with the address of the next page where there is one."""
    answered.add(edition)
    if _has(edition):
        reply.body.close()
        return _unchanged(edition)
    following = _next(reply, edition, wanted)
    if wanted.form == "json":
        with reply.body:
            rows = reply.body.read()
        body = b'{"edition": %s, "columns": %s, "rows": %s, "next": %s}\n' % (
            *(json.dumps(part, ensure_ascii=False).encode() for part in (edition, reply.told.columns)),
            rows,
            json.dumps(following).encode(),
        )
        response = flask.Response(body)
    elif reply.size <= IN_MEMORY:
        with reply.body:
            response = flask.Response(reply.body.read())
    else:
        response = flask.Response(_parts(reply.body), headers={"Content-Length": str(reply.size)})
    response.headers["Content-Type"] = MEDIA[wanted.form]
    if wanted.form != "json":
        response.headers.set("Content-Disposition", "attachment", filename=f"{name}.{wanted.form}")
    if following:
        response.headers["Link"] = f'<{following}>; rel="next"'
    return _labelled(response, edition)


def told(error: PooltableError, home: Home) -> flask.Response:
    """An error as JSON: error, hint and, of a mistake in SQL, its position and the line with a caret below it."""
    hidden = error.message.replace(str(home.root), "the home")
    body: dict[str, object] = {"error": hidden, "hint": error.hint}
    if isinstance(error, QueryError):
        body["error"] = error.what
        if error.place is not None:
            body |= {"position": {"line": error.place.line, "column": error.place.column}, "caret": error.place.caret}
    response = flask.jsonify(body)
    response.status_code = _status(error)
    if isinstance(error, BusyError):
        response.headers["Retry-After"] = str(max(1, round(error.seconds)))
    if response.status_code >= 500:
        log.warning("%s", error.message)
    return response


def _status(error: PooltableError) -> int:
    match error:
        case BusyError():
            return 429
        case AddressError():
            return error.status
        case UsageError():
            return 400
        case _:
            return 503


def _next(reply: Reply, edition: str, wanted: Asked) -> str | None:
    """The address of the page after this one, in the same edition."""
    if not (reply.told.has_more and reply.told.rows):
        return None
    kept = {name: value for name, value in flask.request.args.items() if name != "token"}
    more = {"_offset": str(wanted.offset + reply.told.rows), "_edition": edition}
    return f"{flask.request.path}?{urlencode({**kept, **more})}"


def _unchanged(edition: str) -> flask.Response:
    return _labelled(flask.Response(status=304), edition)


def _labelled(response: flask.Response, edition: str) -> flask.Response:
    response.set_etag(edition)
    response.headers["X-Edition"] = edition
    return response


def _parts(body: IO[bytes]) -> Iterator[bytes]:
    with body:
        while part := body.read(1 << 16):
            yield part
