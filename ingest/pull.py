"""`pull`: a league's sources fetched, read and loaded, so that doing it twice changes nothing.

Everything slow (network, parsing) happens outside the warehouse; then one short transaction replaces whole slices
and records what that changed. Bad news is told before good data are replaced.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from ingest import snapshots
from ingest.declared import declared
from ingest.feed import Feed, find, plain
from ingest.fetch import Fetched, fetch, stands_for
from ingest.loading import Result, State, Work, load, state_of, write_league
from ingest.slices import Read, Slice, loader_hash, read_slice, slices_of
from store.errors import FeedError, StoreError
from store.home import Home
from store.stanzas import Stanza
from store.warehouse import writing

READERS = 2  # files read at once: what one does in Python the other uses to parse


@dataclass(frozen=True)
class Pulled:
    """What a pull did: files read anew and files unchanged, rows read and rejected, and games by what became of them.

    `notes` says where a source could not be had and its last snapshot was used, and what was accepted that looked
    wrong. `shown` are the first games that changed or went, in words.
    """

    league: str
    slices_loaded: int
    slices_unchanged: int
    slices_gone: int = 0
    rows_read: int = 0
    rows_rejected: int = 0
    games_new: int = 0
    games_changed: int = 0
    games_gone: int = 0
    games_unchanged: int = 0
    forecasts: int = 0
    notes: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """One line for people."""
        games = f"{self.games_new:,} games new, {self.games_changed:,} changed, {self.games_gone:,} gone"
        if not self.slices_loaded and not self.slices_gone:
            text = f"{self.league}: nothing new ({self.games_unchanged:,} games)."
        else:
            text = f"{self.league}: {games}, {self.games_unchanged:,} unchanged; {self.rows_rejected:,} rows rejected."
        if self.forecasts:
            text += f" {self.forecasts:,} forecasts of a peer read."
        if self.shown:
            others = self.games_changed + self.games_gone - len(self.shown)
            text += f" Changed or gone: {'; '.join(self.shown)}{f'; and {others:,} more' if others else ''}."
        return " ".join([text, *self.notes])


def pull(
    home: Home, league: str, stanza: Stanza, now: datetime, *, accept: bool = False, offline: bool = False
) -> Pulled:
    """What changed by fetching the league's sources and loading what is new in them; `now` is in UTC.

    With `offline`, sources that were fetched once are not asked again: what was loaded of them is read.

    Raises FeedError where a source cannot be had or read, and, unless `accept`, where a load looks wrong (see
    `ingest.judging`); then nothing is changed. Raises StanzaError, LockedError.
    """
    feed = find(stanza.feed).of(stanza)
    state = state_of(home, league)
    fetched = fetch(home.raw / league, stanza.source, now, feed.is_known, offline=offline, loaded=state.files)
    snapshots.flush(home.raw / league)
    notes = tuple(dict.fromkeys(file.note for file in fetched if file.note))
    with _with_notes(notes):
        pulled = _load_new(home, league, stanza, feed, fetched, state, now, accept)
    return replace(pulled, notes=pulled.notes + notes)


def _load_new(
    home: Home,
    league: str,
    stanza: Stanza,
    feed: Feed,
    fetched: list[Fetched],
    state: State,
    now: datetime,
    accept: bool,
) -> Pulled:
    said = declared(home, league)
    mapping = stanza.columns.model_dump_json() if stanza.columns else ""
    loader = loader_hash(feed.name, mapping + said.fingerprint)
    slices = slices_of(feed, fetched)
    row = _league_row(league, stanza, feed)
    stale, gone = _to_do(slices, state, loader)

    def reading(slice_: Slice) -> Read:
        read = _read(home.raw / league, feed, slice_, league, stanza, state, len(slices) == 1)
        return replace(read, parsed=said.applied_to(read.parsed, slice_.name))

    with ThreadPoolExecutor(READERS) as pool:
        reads = list(pool.map(reading, stale))
    whence = {name: _whence(stanza, state.slices[name].source) for name in gone}
    there = {plain(file.name) for file in fetched}
    missing = {name: _whence(stanza, place) for name, place in state.companions.items() if name not in there}
    result = Result({}, [], [])
    if reads or gone or row != state.row:
        with _told_plainly(home, league), writing(home) as con:
            write_league(con, row, now)
            if reads or gone:
                result = load(con, Work(league, feed.name, loader, now, reads, whence, missing, state), accept=accept)
    unchanged = [slice_.name for slice_ in slices if slice_ not in stale]
    counts = dict(result.counts)
    counts["games_unchanged"] = counts.get("games_unchanged", 0) + sum(state.slices[name].games for name in unchanged)
    notes = tuple(f"Accepted: {text}." for text in result.accepted)
    return Pulled(league, len(reads), len(unchanged), len(gone), notes=notes, shown=tuple(result.shown), **counts)


def _whence(stanza: Stanza, place: str) -> str:
    """Which of the league's sources a file was of."""
    return next((source for source in stanza.source if stands_for(source, place)), "the league's sources")


@contextmanager
def _with_notes(notes: tuple[str, ...]) -> Iterator[None]:
    """Adds to what is wrong with files that some of them are not fresh, as that may be why."""
    try:
        yield
    except FeedError as error:
        if not notes:
            raise
        raise FeedError(" ".join([error.message, *notes]), error.hint) from error


def _read(folder: Path, feed: Feed, slice_: Slice, league: str, stanza: Stanza, state: State, is_alone: bool) -> Read:
    """The slice read by its feed. Raises FeedError that says which file is at fault and when it was fetched."""
    try:
        return read_slice(folder, feed, slice_, league, stanza, is_alone=is_alone)
    except FeedError as error:
        named = [name for name in slice_.files if name in error.message] or [slice_.name]
        origins = [f"{name} was {slice_.files[name].origin}." for name in named]
        stays = "Nothing was changed; the next pull asks for it again."
        if slice_.name in state.slices:
            stays = (
                f"What was fetched {state.slices[slice_.name].fetched_at} UTC stays loaded; the next pull asks again."
            )
        raise FeedError(" ".join([f"{league}: {error.message}", *origins]), f"{error.hint} {stays}".strip()) from error


def _to_do(slices: list[Slice], state: State, loader: str) -> tuple[list[Slice], list[str]]:
    """The slices to read again, and the names of those whose file is no more.

    A file whose games another file held already is read again with any other: that one may have lost them.
    """
    names = {slice_.name for slice_ in slices}
    gone = [name for name, loaded in state.slices.items() if loaded.sha256 and name not in names]
    known = {name: (loaded.sha256, loaded.loader) for name, loaded in state.slices.items()}
    stale = {slice_.name for slice_ in slices if known.get(slice_.name) != (slice_.sha256, loader)}
    if stale or gone:
        stale |= {name for name in names if name in state.slices and state.slices[name].has_copies}
    return [slice_ for slice_ in slices if slice_.name in stale], gone


@contextmanager
def _told_plainly(home: Home, league: str) -> Iterator[None]:
    """Turns what DuckDB says of a disk that is full or failing into a StoreError; the transaction is undone by then."""
    try:
        yield
    except duckdb.Error as error:
        raise StoreError(
            f"{league}: {home.warehouse} cannot be written: {str(error).splitlines()[0]}",
            "Nothing was changed. Is there room on the disk? Otherwise try again.",
        ) from error


def _league_row(league: str, stanza: Stanza, feed: Feed) -> tuple[Any, ...]:
    stanza_json = stanza.model_dump_json()
    source = list(stanza.source)
    return (league, stanza.title, stanza.feed, stanza.outcome, source, feed.licence, feed.is_simulated, stanza_json)
