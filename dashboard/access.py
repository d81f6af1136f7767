"""Who may ask, and how often: one token for everything where one is set, a cookie for browsers, a bucket a client.

A token bucket is a dozen lines; a library for it would bring a store, four more packages and settings of its own. It
counts in each worker by itself.
"""

import hashlib
import hmac
import ipaddress
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import flask
from flask import Flask
from flask.typing import ResponseReturnValue
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response
from werkzeug.wsgi import ClosingIterator

from store.errors import BusyError, UsageError
from store.home import Settings

COOKIE = "pooltable"
COOKIE_SECONDS = 30 * 24 * 3600
LOGIN = (Path(__file__).parent / "templates" / "login.html").read_text(encoding="utf-8")
LEAST_TOKEN = 12  # characters; a shorter one can be guessed
BURST_SECONDS = 20.0  # of a client's rate may be used at once
ATTEMPTS_PER_MINUTE = 10.0
MOST_CLIENTS = 10_000
AT_ONCE = 8  # answers and files of one client behind a proxy
SHARED = ("/api", "/download")
MISDIRECTED = "Ask for http://localhost; for any name set POOLTABLE_TOKEN, or say --public."
TOO_MANY = Response(
    json.dumps({"error": "Your address has too many requests open.", "hint": "Ask again in a few seconds."}),
    429,
    {"Retry-After": "3"},
    mimetype="application/json",
)
CROSS_ORIGIN = {
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-None-Match, Range",
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS, POST",
    "Access-Control-Expose-Headers": "ETag, Link, Retry-After, X-Edition",
    "Access-Control-Max-Age": "600",
}


@dataclass(frozen=True)
class Access:
    """The rules: a token ("": nobody is asked), other origins that may read, questions a minute, proxies before us, and
    the names by which this server may be addressed besides this machine's own (None: any).
    """

    token: str = ""
    origins: tuple[str, ...] = ()
    per_minute: float = 120.0
    proxies: int = 0
    names: frozenset[str] | None = None
    clock: Callable[[], float] = field(default=time.monotonic, repr=False)

    @property
    def cookie(self) -> str:
        """What a browser that knows the token carries; it does not tell the token."""
        return hmac.new(self.token.encode(), b"pooltable visitor", hashlib.sha256).hexdigest()


def access_from(settings: Settings) -> Access:
    """The rules that the environment states. Raises UsageError for a token that can be guessed."""
    token = settings.token.get_secret_value()
    if token and (len(token) < LEAST_TOKEN or not token.isascii() or not token.isprintable()):
        raise UsageError(
            f"POOLTABLE_TOKEN must be at least {LEAST_TOKEN} plain characters: a shorter one can be guessed.",
            "Make one: python3 -c 'import secrets; print(secrets.token_urlsafe())'",
        )
    return Access(token, tuple(settings.cors.split()), settings.queries_per_minute, settings.proxies)


class Bucket:
    """So many takes a minute for each client, and a burst of twenty seconds' worth."""

    def __init__(self, per_minute: float, clock: Callable[[], float]) -> None:
        self._per_second = per_minute / 60
        self._most = max(1.0, self._per_second * BURST_SECONDS)
        self._clock = clock
        self._levels: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def take(self, client: str) -> float:
        """0 where the client may go on, else after how many seconds it may."""
        now = self._clock()
        with self._lock:
            level, at = self._levels.get(client, (self._most, now))
            level = min(self._most, level + (now - at) * self._per_second)
            if level < 1:
                return (1 - level) / self._per_second
            if len(self._levels) >= MOST_CLIENTS:
                self._levels.clear()
            self._levels[client] = (level - 1, now)
            return 0.0


def client() -> str:
    """Who asks: the address of the current request, as `network` has it."""
    return network(flask.request.remote_addr or "")


def network(address: str) -> str:
    """The address; of IPv6 the network of 64 bits, of which one customer has all addresses."""
    with suppress(ValueError):
        known = ipaddress.ip_address(address.partition("%")[0])
        if isinstance(known, ipaddress.IPv6Address):
            return str(known.ipv4_mapped or ipaddress.IPv6Network((known, 64), strict=False))
    return address


def need_turn(bucket: Bucket) -> None:
    """Raises BusyError where the client of this request has asked too often."""
    wait = bucket.take(client())
    if wait:
        raise BusyError("Your address asks too often.", "Ask for more at once: _format=parquet.", wait)


def protect_by_token(server: Flask, access: Access) -> None:
    """Lets nobody in who does not know the token, where there is one; adds the headers for foreign origins."""
    server.config["PROXIES"] = access.proxies
    if access.proxies:
        server.wsgi_app = ProxyFix(shared(server.wsgi_app), x_for=access.proxies, x_proto=access.proxies)  # type: ignore[method-assign]
    attempts = Bucket(ATTEMPTS_PER_MINUTE, access.clock)

    @server.before_request
    def _ask() -> ResponseReturnValue | None:
        if access.names is not None and not is_addressed(flask.request.host, access.names):
            return _refused("This server does not go by that name.", MISDIRECTED, 421)
        if not access.token or flask.request.method == "OPTIONS" or flask.request.endpoint == "health":
            return None
        return admit(access, attempts)

    @server.after_request
    def _share(response: flask.Response) -> flask.Response:
        origin = flask.request.headers.get("Origin", "")
        if flask.request.path.startswith(("/api", "/download")) and {origin, "*"} & set(access.origins):
            response.headers.update({**CROSS_ORIGIN, "Access-Control-Allow-Origin": origin or "*"})
            response.vary.add("Origin")
        return response

    if access.token:
        server.add_url_rule("/login", "login", lambda: flask.render_template_string(LOGIN), methods=["GET", "POST"])


def shared(application: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """The application, of whose answers and files one client gets a few at once.

    Without a proxy the worker sees to that. One that passes bytes on as fast as its own client takes them lets him hold
    our threads.
    """
    counts: Counter[str] = Counter()
    lock = threading.Lock()

    def asked(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        who = network(environ.get("REMOTE_ADDR", ""))
        if not environ["PATH_INFO"].startswith(SHARED):
            return application(environ, start_response)
        with lock:
            counts[who] += 1
            is_busy = counts[who] > AT_ONCE

        def done() -> None:
            with lock:
                counts[who] -= 1

        try:
            answered = (TOO_MANY if is_busy else application)(environ, start_response)
        except BaseException:
            done()
            raise
        return ClosingIterator(answered, done)

    return asked


def is_loopback(host: str) -> bool:
    """True where only this machine can reach the host."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_addressed(host: str, names: frozenset[str]) -> bool:
    """True where a Host header names this machine, or is one of the names.

    A page of somebody else's can have its own name lead to 127.0.0.1 and is then, to a browser, of one origin with us:
    only the name, which it cannot choose, tells it apart.
    """
    with suppress(ValueError):
        name = urlsplit(f"//{host}").hostname or ""
        return is_loopback(name) or name in names
    return False


def knows(access: Access) -> bool:
    """True where the current request has the token, or there is none to have."""
    given = _given()
    has_cookie = _same(flask.request.cookies.get(COOKIE, ""), access.cookie)
    return not access.token or has_cookie or (given is not None and _same(given, access.token))


def admit(access: Access, attempts: Bucket) -> ResponseReturnValue | None:
    """None where the request may go on; else the way in, or why not.

    A header `Authorization: Bearer TOKEN` serves programs. A browser is given a cookie for the token in the login
    form or in `?token=`, which is taken out of the address again. Feed readers and scripts keep no cookie: at the
    addresses of the API, of downloads and of feeds the one in the address is enough.
    """
    request = flask.request
    if _same(request.cookies.get(COOKIE, ""), access.cookie):
        return None if request.endpoint != "login" else flask.redirect(_target(), 303)
    given = _given()
    if given is None:
        return _asked()
    if not _same(given, access.token):
        if attempts.take(client()):
            return _refused("Too many attempts from your address.", "Wait a minute.", 429)
        return _asked("That is not the token.")
    for_programs = request.path.startswith(("/api/", "/download/")) or request.endpoint == "feeds.feed"
    keeps_no_cookie = "Authorization" in request.headers or for_programs
    return None if keeps_no_cookie else _entered(access)


def _given() -> str | None:
    """The token that the request names, in whichever way."""
    request = flask.request
    kind, _, bearer = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return bearer.strip()
    if request.endpoint == "login" and request.method == "POST":
        return request.form.get("token", "")
    return request.args.get("token")


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())


def _asked(why: str = "") -> ResponseReturnValue:
    """The login form for browsers, 401 for programs."""
    request = flask.request
    if request.endpoint == "login":
        return flask.make_response(flask.render_template_string(LOGIN, why=why), 401 if why else 200)
    if request.method == "GET" and "text/html" in request.headers.get("Accept", ""):
        return flask.redirect(flask.url_for("login", next=_here()), 303)
    return _refused(why or "This server asks for a token.", "Send it: Authorization: Bearer TOKEN", 401)


def _refused(error: str, hint: str, status: int) -> flask.Response:
    response = flask.jsonify(error=error, hint=hint)
    response.status_code = status
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="pooltable"'
    return response


def _entered(access: Access) -> Response:
    response = flask.redirect(_target(), 303)
    response.set_cookie(
        COOKIE, access.cookie, COOKIE_SECONDS, httponly=True, samesite="Lax", secure=flask.request.is_secure
    )
    return response


def _here() -> str:
    """This address within the server, without a token."""
    args = [(name, value) for name, value in flask.request.args.items(multi=True) if name != "token"]
    return quote(flask.request.path) + (f"?{urlencode(args)}" if args else "")


def _target() -> str:
    """Where to go after the token was given: a page of this server, whatever the address says."""
    if flask.request.endpoint != "login":
        return _here()
    target = flask.request.args.get("next", "/")
    is_ours = target.startswith("/") and not target.startswith(("//", "/\\"))
    return target if is_ours and target.isprintable() else "/"
