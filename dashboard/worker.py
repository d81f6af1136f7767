"""gunicorn's threaded worker, made to outlive slow and greedy clients.

gunicorn gives every connection a thread for as long as its client takes, and waits for clients to close on the thread
that all others wait for. Here a client has a few threads at once while his other requests wait; a request must come and
an answer must be taken within a time, and a client who does not close costs nobody but himself.
"""

import io
import json
import logging
import socket
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import suppress
from itertools import chain
from typing import Any

from gunicorn import util
from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine, ParseException
from gunicorn.workers.gthread import TConn, ThreadWorker

from dashboard.access import network
from dashboard.headers import LARGEST_REQUEST

THREADS_OF_ONE = 8  # client, at once
WAITING_OF_ONE = 64  # requests, beyond which a client is refused
OPEN_OF_ONE = 128  # connections that wait for their next request
READ_SECONDS = 15.0  # a request may take to come, to its last byte
SEND_SECONDS = 60.0  # a piece of an answer (all of one, or 8 kB of a file) may take to go
LINGER_SECONDS = 2.0  # a client may take to close when he has his answer
TOO_LONG = "Send the query by POST to /api/sql."
BUSY = "Your address has too many requests open.", "Ask again in a few seconds."

type Application = Callable[..., Iterable[bytes]]


class Worker(ThreadWorker):
    """The worker. What begins with _ is touched by its main thread alone, but for `_reading`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._reading: dict[socket.socket, float] = {}  # until when, on our clock
        self._busy: Counter[str] = Counter()
        self._waiting: defaultdict[str, deque[TConn]] = defaultdict(deque)
        self._is_direct = True  # behind a proxy all connections are one client's
        self.log.error_log.addFilter(is_news)

    def load_wsgi(self) -> None:
        """Wraps the application, so that it is asked when the whole request has come."""
        super().load_wsgi()
        application: Any = self.wsgi
        self._is_direct = not application.config["PROXIES"]

        def asked(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read(LARGEST_REQUEST + 1))
            self._reading.pop(environ["gunicorn.socket"], None)
            return application(environ, start_response)

        self.wsgi: Any = asked

    def enqueue_req(self, conn: TConn) -> None:
        """Gives the connection a thread, or lets it wait for one where its client has his share."""
        client = self._client(conn)
        if (not conn.initialized and self._open(client) >= OPEN_OF_ONE) or len(self._waiting[client]) >= WAITING_OF_ONE:
            self._refuse(conn)
        elif self._is_direct and self._busy[client] >= THREADS_OF_ONE:
            self._waiting[client].append(conn)
        else:
            self._busy[client] += 1
            super().enqueue_req(conn)

    def finish_request(self, conn: TConn, fs: Future[Any]) -> None:
        """Takes the connection back from its thread, which the client's next request gets."""
        super().finish_request(conn, fs)
        client = self._client(conn)
        self._busy[client] -= 1
        if self._waiting[client]:
            self.enqueue_req(self._waiting[client].popleft())
        elif not self._busy[client]:
            del self._busy[client], self._waiting[client]

    def murder_pending(self) -> None:
        """Ends what waits for too long; called about once a second. The thread that reads finds its connection shut."""
        super().murder_pending()
        now = time.monotonic()
        for late in [sock for sock, until in self._reading.copy().items() if until < now]:
            shut(late)

    def handle(self, conn: TConn) -> Any:
        """What became of a request, on a thread of its own."""
        self._reading[conn.sock] = time.monotonic() + READ_SECONDS
        try:
            kept = super().handle(conn)
        finally:
            self._reading.pop(conn.sock, None)
        if kept is False:
            linger(conn.sock)
        return kept

    def handle_request(self, req: Any, conn: TConn) -> Any:
        """Answers a request whose headers have come."""
        conn.sock.settimeout(SEND_SECONDS)
        return super().handle_request(req, conn)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Any) -> None:
        """Says in JSON what is wrong with what was to be a request."""
        match exc:
            case LimitRequestLine():
                told = 414, "The address is too long.", TOO_LONG
            case LimitRequestHeaders():
                told = 431, "The headers are too long.", TOO_LONG
            case ParseException():
                told = 400, "This is no request that HTTP knows.", "See: /api"
            case _:
                super().handle_error(req, client, addr, exc)
                return
        with suppress(OSError):
            util.write_nonblock(client, response(*told))

    def _client(self, conn: TConn) -> str:
        address: Any = conn.client
        return network(address[0])

    def _open(self, client: str) -> int:
        """How many of a client's connections wait for their next request; all of them are one proxy's behind one."""
        idle = chain(self.keepalived_conns, self.pending_conns) if self._is_direct else ()
        return sum(self._client(conn) == client for conn in idle)

    def _refuse(self, conn: TConn) -> None:
        self.nr_conns -= 1
        with suppress(OSError):
            conn.sock.setblocking(False)
            conn.sock.send(response(429, *BUSY))
        conn.close()


def is_news(record: logging.LogRecord) -> bool:
    """False of gunicorn's records about a client who did not take his answer: he could fill the disk with them."""
    return not (record.exc_info and isinstance(record.exc_info[1], TimeoutError))


def response(status: int, error: str, hint: str) -> bytes:
    """A whole answer of a status with an error in JSON, after which the connection is closed."""
    body = json.dumps({"error": error, "hint": hint}).encode()
    more = "Retry-After: 3\r\n" if status == 429 else ""
    head = f"HTTP/1.1 {status} -\r\nConnection: close\r\nContent-Type: application/json\r\n{more}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def linger(sock: socket.socket) -> None:
    """Waits until the client has closed, so that he gets the end of his answer, and shuts the connection.

    gunicorn would do it on its main thread, where it is nothing any more after this.
    """
    with suppress(OSError):
        util.close_graceful(sock.dup(), LINGER_SECONDS)
    shut(sock)


def shut(sock: socket.socket) -> None:
    """Shuts the connection both ways."""
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
