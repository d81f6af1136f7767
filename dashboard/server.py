"""Serving the dashboard: gunicorn in this process, workers that each open the edition for themselves."""

import errno
import logging
import os
import socket
from dataclasses import replace
from typing import Any

from dash import Dash
from flask import Flask
from gunicorn.app.base import BaseApplication

from dashboard.access import access_from, is_loopback
from dashboard.app import build_app
from dashboard.worker import Worker
from store.errors import PooltableError, UsageError
from store.guard import unavailable
from store.home import Home, read_settings

log = logging.getLogger(__name__)

THREADS = 64  # a worker: as many questions may wait for the guard as it lets in, and pages go past them
NOT_OURS = {errno.EADDRNOTAVAIL, socket.EAI_NONAME, socket.EAI_AGAIN}  # how an address that is not ours fails
LONGEST_ADDRESS = 8190  # bytes, the most that gunicorn takes


def serve(home: Home, host: str = "127.0.0.1", port: int = 8050, workers: int = 2, *, public: bool = False) -> None:
    """Serves the dashboard until the process is told to stop; ends with SystemExit, as gunicorn does.

    Raises UsageError for an address others can reach unless POOLTABLE_TOKEN is set or `public` is given,
    PooltableError where the port is taken.
    """
    access = access_from(read_settings(home.root))
    if not public and not access.token and not is_loopback(host):
        raise UsageError(
            f"{host} can be reached from other machines, and the dashboard asks nobody who they are.",
            "Set POOLTABLE_TOKEN, or put it behind something that asks and say --public; or leave --host out.",
        )
    if not public and not access.token:
        access = replace(access, names=frozenset({host.lower()}))
    listening = listen(host, port)
    log.info("Dashboard of %s at %s (Ctrl-C to stop)", home.root, url(host, listening.getsockname()[1]))
    Server(build_app(home, access=access), listening, workers).run()


def url(host: str, port: int) -> str:
    """The address to open in a browser."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises PooltableError where it cannot be had, UsageError where there is no such port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OverflowError as error:
        raise UsageError(f"There is no port {port}.", "Ports go from 1 to 65535.") from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PooltableError(
                f"Port {port} on {host} is in use by another program.",
                f"Stop that program, or choose another port: pooltable serve --port {port + 1}",
            ) from error
        if error.errno in NOT_OURS:
            raise PooltableError(
                f"Cannot listen on {host}: it is no address of this machine.",
                "Give --host one that it has, or 0.0.0.0 for all.",
            ) from error
        raise PooltableError(f"Cannot listen on {host}, port {port}: {error.strerror}.") from error


class Server(BaseApplication):
    """gunicorn with our settings, on a socket that is already listening."""

    def __init__(self, app: Dash, listening: socket.socket, workers: int) -> None:
        self.flask: Flask = app.server
        self.options: dict[str, Any] = {
            "bind": [f"fd://{listening.detach()}"],
            "workers": workers,
            "worker_class": Worker,
            "threads": THREADS,
            "limit_request_line": LONGEST_ADDRESS,
            "graceful_timeout": 5,
            "keepalive": 30,
            "loglevel": "warning",
            "control_socket_disable": True,
            "post_worker_init": start_guard,
            "worker_exit": leave,
        }
        super().__init__()

    def load_config(self) -> None:
        """Hands gunicorn our settings; it reads no file and no command line."""
        assert self.cfg is not None
        for name, value in self.options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """The WSGI application, built before the fork; it opens nothing until its first request."""
        return self.flask


def start_guard(worker: Any) -> None:
    """Starts the processes that answer questions in SQL: in each worker, after the fork."""
    if unavailable() is None:
        worker.app.wsgi().config["GUARD"].start()


def leave(_server: object, _worker: object) -> None:
    """Ends a worker at once: unwinding would run the clean-up of whoever called `serve` in every worker as well."""
    logging.shutdown()
    os._exit(0)
