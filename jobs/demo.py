"""The demo: the bundled simulated leagues through the whole chain, done again only where something has changed."""

import os
import shutil
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

from store.edition import current
from store.errors import PooltableError, StoreError
from store.home import CHECKOUT, Home
from store.query import query
from store.stanzas import add_stanza, read_stanzas

LEAGUES = ("demo_football", "demo_stints")
MADE_FROM = ("store", "ingest", "modeling", "data/demo", "data/leagues.toml")
SHOWN = "SELECT league, fit_id IS NOT NULL FROM league"
TRY_NEXT = """Try next, in another terminal:
  {command} sql "FROM leaderboard ORDER BY rank LIMIT 10"
  {command} status
  {command} add international_football
  {command} nightly"""


def try_next(root: Path | None) -> str:
    """Commands to try after the demo, as they can be typed here: with --home where one was given."""
    installed = Path(sys.executable).with_name("pooltable")
    command = "pooltable" if shutil.which("pooltable") else os.path.relpath(installed)
    return TRY_NEXT.format(command=f"{command} --home {root}" if root else command)


def add_leagues(home: Home) -> list[str]:
    """Adds the demo leagues that the home has not; returns their names."""
    new = [name for name in LEAGUES if name not in read_stanzas(home)]
    for name in new:
        add_stanza(home, name)
    return new


def is_up_to_date(home: Home) -> bool:
    """True where the current edition holds every demo league, rated where asked, and is newer than all it is made from.

    As with make, "newer" goes by the files' times: results, stanzas and the code that reads and rates them.
    """
    try:
        edition = current(home)
        shown = dict(query(edition, SHOWN, {}).rows())
    except StoreError:
        return False
    stanzas = read_stanzas(home)
    if any(name not in shown or (stanzas[name].rate and not shown[name]) for name in LEAGUES):
        return False
    return all(path.stat().st_mtime <= edition.stat().st_mtime for path in _made_from(home, CHECKOUT))


def need_port(host: str, port: int) -> None:
    """Returns where the port is free. Raises PooltableError where it is taken or the address is not this machine's."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as door:
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            door.bind(address)
    except OSError as error:
        reason = error.strerror or str(error)
        raise PooltableError(
            f"Port {port} of {host} cannot be used: {reason}.", "Choose another one: --port NUMBER"
        ) from error


def _made_from(home: Home, checkout: Path) -> Iterator[Path]:
    yield home.leagues_toml
    for name in MADE_FROM:
        place = checkout / name
        if place.is_file():
            yield place
        yield from (path for path in place.rglob("*") if path.suffix != ".pyc" and path.is_file())
