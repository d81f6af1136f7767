"""`alias`: two names declared one competitor, or that taken back, and at once applied to what is loaded."""

from datetime import datetime

from ingest import identity
from ingest.pull import pull
from store.errors import PooltableError
from store.home import Home
from store.stanzas import Stanza


def alias(home: Home, league: str, stanza: Stanza, one: str, other: str, now: datetime, *, undo: bool = False) -> str:
    """One line about what was done: `one` (name or id) is `other` from now on, or with `undo` no more.

    The last snapshots are read again, without asking the sources. Raises PooltableError, and then nothing is declared.
    """
    before = identity.read_merges(home, league)
    said = (identity.unmerge if undo else identity.merge)(home, league, one, other)
    try:
        pulled = pull(home, league, stanza, now, offline=True)
    except PooltableError:
        identity.restore(home, league, before)
        raise
    what = "are two again" if undo else "are one now"
    text = f'{league}: "{said.name}" and "{said.same_as_name}" {what}: {pulled.games_changed:,} games changed.'
    if said.is_former:
        text += f" The results did not name {said.same_as} any more: if that id is mistaken, take it back with --undo."
    return text
