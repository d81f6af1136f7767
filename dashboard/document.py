"""The API described: as an OpenAPI document for programs, and the same document as a page for people."""

import json
from pathlib import Path
from typing import Any

import flask

from dashboard.access import Access
from dashboard.answers import MOST_ROWS
from dashboard.canned import MOST_DIGITS, Canned, Parameter, canned, find
from store.answer import FORMS
from store.line import WAIT_SECONDS

PAGE = (Path(__file__).parent / "templates" / "api.html").read_text(encoding="utf-8")
ABOUT = (
    "Ratings with their uncertainty, as SQL and as files. Every answer comes from one edition: ETag and X-Edition name "
    "it, and asking again with If-None-Match costs nothing until the next is published. Times are UTC."
)
NOTES = (
    "JSON has whole numbers and decimals with all of their digits: some parsers keep only 53 bits of them. What "
    "is not finite is null; dates, times, intervals, bits and whole numbers beyond HUGEINT are texts, as are keys of "
    "maps; bytes are hexadecimal digits. Parquet and Arrow keep DuckDB's types, with texts for those that they lack; a "
    "HUGEINT of more than 38 digits needs ::VARCHAR there.",
    "In CSV a text or a name of a column that begins with =, +, -, @, a tab or a carriage return stands behind an "
    "apostrophe, so that no spreadsheet runs it. Numbers never do.",
    "A value in an address takes the type that its place in the query wants, and is a number where only a number fits. "
    "1.5 is a number where one fits, else a text. $x::VARCHAR or $x::DOUBLE says which; so does the JSON of a POST.",
    f"One address may ask {Access.per_minute:g} times a minute in each worker process, of which there are two "
    "(POOLTABLE_QUERIES_PER_MINUTE), has 8 requests worked on at once in each, of which 1 is SQL; 64 more may "
    f"wait, of which 6 are SQL, for {WAIT_SECONDS:g} seconds. Beyond that 429 tells when to come back.",
)
ERROR = {
    "type": "object",
    "required": ["error", "hint"],
    "properties": {
        "error": {"type": "string", "description": "What is the matter."},
        "hint": {"type": "string", "description": "What to do."},
        "position": {
            "type": "object",
            "description": "Where in the SQL the mistake is, from 1.",
            "properties": {"line": {"type": "integer"}, "column": {"type": "integer"}},
        },
        "caret": {"type": "string", "description": "The line of SQL with carets below the mistake."},
    },
}
ROWS = {
    "type": "object",
    "properties": {
        "edition": {"type": "string", "description": "The edition the rows come from."},
        "columns": {"type": "array", "items": {"type": "string"}},
        "rows": {"type": "array", "items": {"type": "object"}},
        "next": {
            "type": ["string", "null"],
            "description": "Address of the next page, null on the last; a POST's is asked by POST with the same body.",
        },
    },
}
MEDIA: dict[str, Any] = {
    "application/json": {"schema": {"$ref": "#/components/schemas/Rows"}},
    "text/csv": {},
    "application/vnd.apache.parquet": {},
    "application/vnd.apache.arrow.stream": {},
}


MEANS = {
    400: "The question is wrong", 401: "A token is needed", 404: "There is no such question or league",
    405: "This address has no such method; Allow names those it has",
    409: "That edition is no longer the current one", 413: "The body is too large",
    414: "The address is too long; POST /api/sql takes queries of any length",
    415: "The body is neither application/sql nor application/json", 416: "The edition has no such range",
    421: "This server does not go by the name it was asked by", 429: "Too many questions; see Retry-After",
    431: "The headers are too long", 500: "This server failed; its log says why",
    503: "Nothing is published, or SQL from others cannot be answered here",
}  # fmt: skip
ANYWHERE = (400, 401, 405, 414, 421, 429, 431, 500)  # whatever is asked: by the way in, before the question is read
TYPES: dict[str | None, dict[str, Any]] = {
    None: {"type": "string"},
    "count": {"type": "integer", "minimum": 0, "maximum": 10**MOST_DIGITS - 1},
    "day": {"type": "string", "examples": ["2026-01-31"]},
}


def _parameter(name: str, meaning: str, *, is_needed: bool = False, **schema: Any) -> dict[str, Any]:
    kind = {"type": "string", **schema}
    return {"name": name, "in": "query", "required": is_needed, "description": meaning, "schema": kind}


SHARED = {
    "format": _parameter("_format", "format of the answer", enum=list(FORMS), default="json"),
    "limit": _parameter("_limit", f"rows of a page; JSON has at most {MOST_ROWS:,}", type="integer", minimum=1),
    "offset": _parameter("_offset", "rows to leave out before it", type="integer", minimum=0, default=0),
    "edition": _parameter("_edition", "the edition that it must be; 409 where readers see another by now"),
}
EXAMPLE = {"sql": "FROM leaderboard WHERE rank <= $n", "params": {"n": 3}}
FOR_ROWS = [{"$ref": f"#/components/parameters/{name}"} for name in SHARED]


def document() -> dict[str, Any]:
    """The OpenAPI 3.1 document of this server."""
    asked = {
        "/api/sql": _sql(),
        **{f"/api/queries/{one.name}": _query(one) for one in canned().values()},
        "/api/leagues/{league}/{question}": _league(),
        "/api/queries": _plain("The prepared questions with their parameters", "application/json", 503),
        "/api/leagues": _query(find("leagues")),
        "/download/current.duckdb": _download(),
        "/api": _plain("This page", "text/html"),
        "/api/openapi.json": _plain("This page, for programs", "application/json"),
        "/health": _plain("Whether there is an edition, and its age; needs no token", "application/json", 503),
    }
    paths = {path: {"get": about, "head": _head(about)} for path, about in asked.items()}
    paths["/api/sql"]["post"] = _posted()
    return {
        "openapi": "3.1.0",
        "info": {"title": "Pooltable", "version": "1", "description": "\n\n".join((ABOUT, *NOTES))},
        "paths": paths,
        "components": {
            "schemas": {"Error": ERROR, "Rows": ROWS},
            "parameters": SHARED,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "Where one is set."}},
        },
        "security": [{}, {"token": []}],
    }


def page(described: dict[str, Any]) -> str:
    """The document as HTML, without scripts and without the questions for headers alone."""
    paths = {
        path: {way: about for way, about in ways.items() if way != "head"} for path, ways in described["paths"].items()
    }
    return flask.render_template_string(PAGE, api={**described, "paths": paths})


def _sql() -> dict[str, Any]:
    return {
        "summary": "Any SELECT",
        "description": (
            "One reading statement of DuckDB's SQL on the current edition, in at most three seconds. Other parameters "
            "of the address are bound by name: &league=demo_football for $league."
        ),
        "parameters": [_parameter("sql", "the query", is_needed=True), *FOR_ROWS],
        "responses": _responses(409, 503),
        "x-example": "/api/sql?sql=FROM+leaderboard+WHERE+rank<=$n+ORDER+BY+rank&n=3&_format=csv",
    }


def _posted() -> dict[str, Any]:
    about = {
        "type": "object",
        "required": ["sql"],
        "properties": {"sql": {"type": "string"}, "params": {"type": "object", "description": "names to values"}},
    }
    as_json = {"schema": about, "example": EXAMPLE}
    return {
        **_sql(),
        "summary": "Any SELECT, of any length",
        "description": "The same with the query in the body. Values in JSON keep their types.",
        "parameters": FOR_ROWS,
        "requestBody": {"required": True, "content": {"application/json": as_json, "application/sql": {}}},
        "responses": _responses(409, 413, 415, 503, is_posted=True),
        "x-example": f"curl -H 'Content-Type: application/json' -d '{json.dumps(EXAMPLE)}'",
    }


def _query(one: Canned) -> dict[str, Any]:
    return {
        "summary": one.title,
        "description": one.description,
        "parameters": [*(_own(part) for part in one.parameters), *FOR_ROWS],
        "responses": _responses(404, 409, 503),
    }


def _own(part: Parameter) -> dict[str, Any]:
    """A parameter of a prepared question."""
    choices = {"enum": list(part.choices)} if part.choices else {}
    usual = {} if part.usual is None else {"default": int(part.usual) if part.kind == "count" else part.usual}
    return _parameter(part.name, part.meaning, is_needed=part.usual is None, **TYPES[part.kind], **choices, **usual)


def _of_leagues(questions: list[Canned]) -> list[dict[str, Any]]:
    """Every parameter that one of the questions has besides the league, with what it means to whom."""
    found: dict[str, list[str]] = {}
    for one in questions:
        for part in one.parameters:
            choices = f" ({', '.join(part.choices)})" if part.choices else ""
            needed = ", must be given" if part.usual is None else f', "{part.usual}" if left out'
            found.setdefault(part.name, []).append(f"{one.name}: {part.meaning}{choices}{needed}")
    return [_parameter(name, "; ".join(parts)) for name, parts in found.items() if name != "league"]


def _league() -> dict[str, Any]:
    questions = [one for one in canned().values() if one.is_of_a_league]
    names = ", ".join(one.name for one in questions)
    of_path = {"in": "path", "required": True, "schema": {"type": "string"}}
    return {
        "summary": "A prepared question about one league, as a file",
        "description": f"The questions: {names}. The ending is the format: leaderboard.csv, games.parquet.",
        "parameters": [
            {"name": "league", **of_path, "description": "key of a league, see /api/leagues"},
            {"name": "question", **of_path, "description": "name of a prepared question with an ending"},
            *_of_leagues(questions),
            *FOR_ROWS,
        ],
        "responses": _responses(404, 409, 503),
        "x-example": "/api/leagues/demo_football/leaderboard.csv",
    }


def _download() -> dict[str, Any]:
    """The edition's file, which alone is sent in ranges."""
    about = _plain("The whole edition, a DuckDB file", "application/vnd.duckdb", 416, 503)
    content = about["responses"]["200"]["content"]
    about["responses"] |= {
        "206": {"description": "The range that was asked for", "content": content},
        "304": {"description": "The asker has this edition"},
        "412": {"description": "If-Match names another edition"},
    }
    return about


def _head(about: dict[str, Any]) -> dict[str, Any]:
    """The same question, of whose answer only the headers are wanted."""
    told = {status: {"description": said["description"]} for status, said in about["responses"].items()}
    kept = {name: value for name, value in about.items() if name == "parameters"}
    return {"summary": f"{about['summary']}: the headers alone", **kept, "responses": told}


def _plain(summary: str, media: str, *wrong: int) -> dict[str, Any]:
    good = {"200": {"description": summary, "content": {media: {}}}}
    return {"summary": summary, "responses": good | _wrong(*wrong)}


def _responses(*wrong: int, is_posted: bool = False) -> dict[str, Any]:
    good: dict[str, Any] = {"200": {"description": "The rows", "content": MEDIA}}
    if not is_posted:
        good["304"] = {"description": "The asker has this edition's answer"}
    return good | _wrong(*wrong)


def _wrong(*more: int) -> dict[str, Any]:
    """What may be wrong: anywhere, and besides; every error is in JSON."""
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {str(status): {"description": MEANS[status], "content": error} for status in sorted({*ANYWHERE, *more})}
