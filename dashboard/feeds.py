"""What changed in a league as a feed: Atom (RFC 4287) and JSON Feed 1.1. An entry a fit: its verdict, and who moved."""

import logging
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import duckdb
import flask
from flask import Blueprint

from dashboard.movement import MOVERS, earlier_day, movers, summary
from dashboard.reader import Answer, Reader, Row
from dashboard.wording import day
from store.errors import PooltableError

log = logging.getLogger(__name__)

ATOM = "http://www.w3.org/2005/Atom"

type Entry = dict[str, Any]


def feeds(reader: Reader) -> Blueprint:
    """The routes of the feeds around one reader of editions."""
    routes = Blueprint("feeds", __name__)
    routes.add_url_rule(
        "/feeds/<league>.<any(atom, json):ending>", "feed", lambda league, ending: feed(reader, league, ending)
    )
    return routes


def feed(reader: Reader, league: str, ending: str) -> flask.Response:
    """The feed of one league; 404 where there is no such league, 503 where nothing is published or can be read."""
    try:
        with reader.answer() as answer:
            found = next((row for row in answer.rows("leagues") if row["league"] == league), None)
            if found is None:
                return flask.Response("There is no such league.\n", status=404, mimetype="text/plain")
            entries, edition = made(answer, found), answer.edition_id
    except (PooltableError, duckdb.Error) as error:
        log.warning("The feed of %s has no answer: %s", league, error)
        why = "The ratings cannot be read just now." if reader.home.current.exists() else "Nothing is published yet."
        return flask.Response(f"{why}\n", status=503, mimetype="text/plain")
    page = f"{flask.request.host_url}changes?league={quote(league)}"
    written = atom(found["title"], page, entries) if ending == "atom" else as_json(found["title"], page, entries)
    written.set_etag(f"{edition}-{ending}")
    written.make_conditional(flask.request)
    return written


def made(answer: Answer, league: Row) -> list[Entry]:
    """The entries of a league's feed, the newest first: id, title, text and time (UTC)."""
    fits = answer.rows("change_fits", league=league["league"])
    return [
        {"id": f"urn:pooltable:fit:{row['fit_id']}", "title": _title(league, row), "text": _text(answer, league, row),
         "at": row["fitted_at_utc"].replace(microsecond=0).isoformat() + "Z"}
        for row in fits
    ]  # fmt: skip


def _title(league: Row, fit: Row) -> str:
    said = "New ratings" if fit["verdict"] == "accepted" else "A fit was rejected"
    return f"{league['title']}: {said} as of {day(fit['as_of'])}"


def _text(answer: Answer, league: Row, fit: Row) -> str:
    """Why it was rejected; of the fit that is shown, who moved."""
    if fit["verdict"] != "accepted":
        return " ".join(fit["reasons"])
    if not fit["is_published"]:
        return f"By {fit['games']:,} games."
    days = answer.rows("change_days", league=league["league"])
    chosen = earlier_day(days, league["as_of"], None)
    if chosen is None:
        return f"The first, by {fit['games']:,} games."
    values = {"league": league["league"], "since": chosen["as_of"].isoformat(), "basis": chosen["basis"]}
    rows = answer.rows("changes", **values)
    return f"Since {day(chosen['as_of'])}: {summary(rows)} {named(movers(rows), len(league['kinds']) > 1)}".strip()


def named(moved: list[Row], has_kinds: bool) -> str:
    """Who moved from which rank to which, with his kind where there are several; of many, how many more there are."""
    said = [
        f"{row['name']}{' (' + row['kind'] + ')' if has_kinds else ''} {row['earlier_rank']} → {row['rank']}"
        for row in moved[:MOVERS]
    ]
    return "; ".join([*said, *([f"and {len(moved) - MOVERS:,} more"] if len(moved) > MOVERS else [])])


def atom(title: str, page: str, entries: list[Entry]) -> flask.Response:
    """The entries as Atom."""
    ElementTree.register_namespace("", ATOM)
    root = ElementTree.Element(f"{{{ATOM}}}feed")
    _add(root, "id", page)
    _add(root, "title", f"{title}: what changed")
    _add(root, "updated", entries[0]["at"] if entries else "1970-01-01T00:00:00Z")
    _add(_add(root, "author"), "name", "Pooltable")
    _add(root, "link", href=page)
    _add(root, "link", href=flask.request.base_url, rel="self")
    for entry in entries:
        one = _add(root, "entry")
        _add(one, "id", entry["id"])
        _add(one, "title", entry["title"])
        _add(one, "updated", entry["at"])
        _add(one, "link", href=page)
        _add(one, "summary", entry["text"])
    body = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return flask.Response(body, mimetype="application/atom+xml")


def _add(parent: ElementTree.Element, name: str, text: str | None = None, **attributes: str) -> ElementTree.Element:
    child = ElementTree.SubElement(parent, f"{{{ATOM}}}{name}", attributes)
    child.text = text
    return child


def as_json(title: str, page: str, entries: list[Entry]) -> flask.Response:
    """The entries as a JSON Feed."""
    items = [
        {
            "id": entry["id"],
            "url": page,
            "title": entry["title"],
            "content_text": entry["text"],
            "date_published": entry["at"],
        }
        for entry in entries
    ]
    body = flask.json.dumps(
        {"version": "https://jsonfeed.org/version/1.1", "title": f"{title}: what changed", "home_page_url": page,
         "feed_url": flask.request.base_url, "items": items}, ensure_ascii=False,
    )  # fmt: skip
    return flask.Response(body, mimetype="application/feed+json")
