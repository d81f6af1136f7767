"""The demo: the bundled simulated leagues, added to the home; the night's own chain does the rest."""

import errno
import os
import shutil
import socket
import sys
from pathlib import Path

from store.errors import PooltableError
from store.home import Home
from store.stanzas import add_stanza, read_stanzas

LEAGUES = ("demo_football", "demo_stints")
TRY_NEXT = """Try next, in another terminal:
  {command} sql "FROM leaderboard WHERE league = 'demo_football' ORDER BY rank LIMIT 10"
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


def need_port(host: str, port: int) -> None:
    """Returns where the port is free. Raises PooltableError where it is taken or the address is not this machine's."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as door:
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            door.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRNOTAVAIL or isinstance(error, socket.gaierror):
            raise PooltableError(
                f"{host} is no address of this machine.", "Give --host one that it has, or 0.0.0.0 for all."
            ) from error
        reason = error.strerror or str(error)
        raise PooltableError(
            f"Port {port} of {host} cannot be used: {reason}.", "Choose another one: --port NUMBER"
        ) from error
