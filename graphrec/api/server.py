"""Start the server: one process, or several workers that share a cache and their metrics."""

import os
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import uvicorn

from graphrec.api.logs import configure_logs
from graphrec.api.metrics import FOLDER
from graphrec.api.options import VARIABLE, ServeOptions
from graphrec.api.sessions import SECRET, new_secret
from graphrec.cache.opening import URL, embedded_valkey
from graphrec.config import Settings, open_store
from graphrec.errors import GraphrecError

#: Seconds for requests in progress to finish after SIGTERM.
SECONDS_TO_DRAIN = 10

#: Seconds after which a worker that does not answer its parent is replaced; while it loads a model on a busy machine it
#: may be silent for more than the 5 s of uvicorn.
SECONDS_TO_ANSWER = 60


def run_server(settings: Settings, options: ServeOptions, note: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; then no connection is accepted, and the requests in progress are finished.

    Raises:
        GraphrecError: the address of the cache is invalid, or the port is in use.
        StoreError: no database answers.
    """
    if options.open:
        note(
            "WARNING: this server is OPEN. Every program and every user of this machine can read, write and delete "
            "without a key; leave --open out, and create keys with `graphrec key create NAME`"
        )
    _require_free(options.host, options.port)
    open_store(settings, note).close()  # an error of the database comes before the workers start
    configure_logs()
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # uvicorn raises the signal again when it has ended
    with ExitStack() as stack:
        if options.workers == 1:
            from graphrec.api.application import create_app  # workers import it themselves

            target: Any = create_app(settings, options)  # an ASGI application, or the name of its factory
        else:
            stack.enter_context(_environment(settings, options))
            target = "graphrec.api.application:create_worker"
        uvicorn.run(target, factory=options.workers > 1, workers=options.workers, **uvicorn_options(options))


def _require_free(host: str, port: int) -> None:
    """Raise GraphrecError if no server can listen at an address."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise GraphrecError(
            f"the server cannot listen at {host}:{port} ({error.strerror}); choose another address with --host or "
            "--port, or end the program that uses it"
        ) from error


def uvicorn_options(options: ServeOptions) -> dict[str, Any]:
    """The arguments of uvicorn.Config: quiet about itself, with the logs of `configure_logs`."""
    return {
        "host": options.host,
        "port": options.port,
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "proxy_headers": False,
        "timeout_keep_alive": 30,
        "timeout_graceful_shutdown": SECONDS_TO_DRAIN,
        "timeout_worker_healthcheck": SECONDS_TO_ANSWER,
        "backlog": 512,
    }


@contextmanager
def _environment(settings: Settings, options: ServeOptions) -> Iterator[None]:
    """What worker processes read from the environment: options, settings, the secret of sessions, a common cache and a
    folder for metrics."""
    with ExitStack() as stack:
        values = {VARIABLE: options.to_json(), SECRET: new_secret(), **_list_settings(settings)}
        if settings.graphrec_cache_url is None:
            values[URL] = stack.enter_context(embedded_valkey())
        values[FOLDER] = stack.enter_context(tempfile.TemporaryDirectory(prefix="graphrec-metrics-"))
        before = {name: os.environ.get(name) for name in values}
        os.environ.update(values)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


def _list_settings(settings: Settings) -> dict[str, str]:
    """The settings as environment variables, since callers may have given them as arguments."""
    values = {"GRAPHREC_HOME": str(settings.home), "NEO4J_URI": settings.neo4j_uri or ""}
    if settings.graphrec_cache_url is not None:
        values[URL] = settings.graphrec_cache_url.get_secret_value()
    if settings.neo4j_uri is not None:
        values |= {
            "NEO4J_USERNAME": settings.neo4j_username,
            "NEO4J_PASSWORD": settings.neo4j_password.get_secret_value(),
            "NEO4J_DATABASE": settings.neo4j_database,
        }
    return values
