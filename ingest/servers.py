"""Servers: URLs asked for over HTTP, patiently but not for ever, and their faults told in one clause each.

A server that does not answer is not asked for its other files, one that refuses is asked only once more for each,
and all of a pull's asking has one budget of time.
"""

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import exceptions as faults
from urllib3.response import BaseHTTPResponse
from urllib3.util import Retry

from ingest.fetch import MAX_BYTES
from store.errors import FeedError, UnreachableError

MAX_RETRY_AFTER_SECONDS = 60
RETRY_STATUSES = (429, 500, 502, 503, 504)
WEB_PAGES = ("text/html", "application/xhtml+xml")
HINT = "Is the network up, the address right?"


@dataclass(frozen=True)
class Limits:
    """How long and how much to ask of servers: seconds to connect and to wait for bytes, bytes a file, retries a file.

    `total_seconds` is for all files of a pull together.
    """

    timeout_seconds: tuple[float, float] = (10.0, 60.0)
    max_bytes: int = MAX_BYTES
    retries: int = 4
    backoff_seconds: float = 1.0
    total_seconds: float = 900.0


@dataclass(frozen=True)
class Answer:
    """What a server sent: the body, with the packing it says it used for the way, and its ETag and Last-Modified.

    `has_end`: whether it said where the body ends, so that one that breaks off is told from a whole one.
    """

    body: bytes
    packing: str
    headers: tuple[str | None, str | None]
    has_end: bool


class NotAsked(UnreachableError):
    """A URL was not asked for, because of what was met before; `note` says so of all such files together."""

    def __init__(self, url: str, note: str) -> None:
        super().__init__(f"{url} was not asked for. {note}", HINT)
        self.note = note


class Asker:
    """A session with the servers of one pull; it remembers which of them to leave alone. `clock` counts seconds."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._deadline = clock() + limits.total_seconds
        self._silent: dict[str, str] = {}
        self._session = requests.Session()
        self._session.headers["User-Agent"] = "pooltable"
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=_patience(limits)))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.close()

    def ask(self, url: str, known: tuple[str | None, str | None] = (None, None)) -> Answer | None:
        """The server's answer; None where nothing has changed since the one with the `known` ETag, Last-Modified.

        Raises FeedError where it cannot be had or is no data, UnreachableError where that may pass, NotAsked where
        there is no sense in asking.
        """
        host = urlsplit(url).netloc.rsplit("@", 1)[-1]
        self._insist_on_hope(url, host)
        asked = {"If-None-Match": known[0], "If-Modified-Since": known[1]}
        headers = {name: value for name, value in asked.items() if value} | {"Accept-Encoding": "gzip"}
        try:
            with self._session.get(url, headers=headers, timeout=self._limits.timeout_seconds, stream=True) as answer:
                return self._read(url, answer, is_conditional=any(known))
        except (requests.RequestException, faults.HTTPError, ValueError) as error:
            causes = list(_causes(error))
            reason = _reason(causes, self._limits)
            if any(isinstance(cause, _SILENCE) for cause in causes):
                self._silent[host] = reason
            kind = FeedError if any(isinstance(cause, _LASTING) for cause in causes) else UnreachableError
            raise kind(f"{url} cannot be fetched: {reason}.", HINT) from error

    def _insist_on_hope(self, url: str, host: str) -> None:
        if host in self._silent:
            why = self._silent[host]
            raise NotAsked(url, f"{host} was asked for no further files after it failed: {why}.")
        if self._clock() > self._deadline:
            raise NotAsked(url, f"The {self._limits.total_seconds:g} s a pull may spend on fetching were over.")

    def _read(self, url: str, answer: requests.Response, *, is_conditional: bool) -> Answer | None:
        if answer.status_code == requests.codes.not_modified and is_conditional:
            return None
        if answer.status_code in RETRY_STATUSES:  # after all retries: its other files are asked for once each
            parts = urlsplit(url)
            self._session.mount(f"{parts.scheme}://{parts.netloc}/".lower(), HTTPAdapter())
        if answer.status_code != requests.codes.ok:
            said = f"{answer.status_code} {answer.reason}".rstrip()
            fault = UnreachableError if answer.status_code in RETRY_STATUSES else FeedError
            raise fault(f"{url} answered {said}.", "Check the address, or wait.")
        kind = answer.headers.get("Content-Type", "").split(";")[0].strip().lower()
        if kind in WEB_PAGES:
            raise FeedError(
                f"{url} is a web page, not data: the server says it is {kind}.",
                "Check the address: servers send a page for an error.",
            )
        headers = answer.headers.get("ETag"), answer.headers.get("Last-Modified")
        has_end = "Content-Length" in answer.headers or "chunked" in answer.headers.get("Transfer-Encoding", "").lower()
        return Answer(self._body(url, answer), answer.headers.get("Content-Encoding", ""), headers, has_end)

    def _body(self, url: str, answer: requests.Response) -> bytes:
        """The whole body as it came over the wire; urllib3 checks it against Content-Length.

        Raises FeedError where it is too large or too slow.
        """
        pieces, size, limits = [], 0, self._limits
        for piece in answer.raw.stream(1 << 20, decode_content=False):
            size += len(piece)
            if size > limits.max_bytes:
                raise FeedError(f"{url} sends more than {limits.max_bytes:,} bytes.", "Is it the right address?")
            if self._clock() > self._deadline:
                total = f"the {limits.total_seconds:g} s a pull may spend on fetching"
                raise UnreachableError(f"{url} sends too slowly: not done after {total}.", "Try again later.")
            pieces.append(piece)
        return b"".join(pieces)


class _Patience(Retry):
    """Retries that take a Retry-After nobody can read for none, where urllib3 would hide the answer behind it."""

    def get_retry_after(self, response: BaseHTTPResponse) -> float | None:
        try:
            return super().get_retry_after(response)
        except faults.InvalidHeader:
            return None


def _patience(limits: Limits) -> Retry:
    return _Patience(
        total=limits.retries,
        backoff_factor=limits.backoff_seconds,
        status_forcelist=RETRY_STATUSES,
        respect_retry_after_header=True,
        retry_after_max=MAX_RETRY_AFTER_SECONDS,
        raise_on_status=False,
    )


_SILENCE = (requests.ConnectionError, requests.Timeout, faults.TimeoutError)
_LASTING = (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, ssl.SSLCertVerificationError)
_REASONS: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], str], ...] = (
    ((faults.NameResolutionError, socket.gaierror), "the name of its server is not found"),
    (ConnectionRefusedError, "its server refuses the connection"),
    (ssl.SSLCertVerificationError, "the certificate of its server is not accepted"),
    ((faults.SSLError, requests.exceptions.SSLError, ssl.SSLError), "no secure connection to its server can be made"),
    (faults.NewConnectionError, "no connection to its server can be made"),
    ((faults.ConnectTimeoutError, requests.ConnectTimeout), "its server timed out: no connection after {0:g} s"),
    ((faults.TimeoutError, requests.Timeout, TimeoutError), "its server timed out: nothing came for {1:g} s"),
    (requests.TooManyRedirects, "it redirects too many times"),
    ((faults.IncompleteRead, requests.exceptions.ChunkedEncodingError), "its answer breaks off before its end"),
    ((ConnectionError, faults.ProtocolError), "its server closed the connection"),
    ((requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema), "it is no address for http or https"),
)


def _reason(causes: list[BaseException], limits: Limits) -> str:
    """One clause: what went wrong, in our words, from the errors around and inside one another."""
    for kinds, words in _REASONS:
        if any(isinstance(cause, kinds) for cause in causes):
            return words.format(*limits.timeout_seconds)
    system = next((cause.strerror for cause in causes if isinstance(cause, OSError) and cause.strerror), None)
    return system.lower() if system else type(causes[-1]).__name__


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and, outermost first, those it wraps: requests wraps urllib3 wraps the socket's own."""
    yield error
    wrapped = [*error.args, getattr(error, "reason", None), error.__cause__]
    inner = next((found for found in wrapped if isinstance(found, BaseException)), None)
    if inner is not None:
        yield from _causes(inner)
