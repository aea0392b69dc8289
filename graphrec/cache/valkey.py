"""A cache in Valkey or Redis, which all workers and machines share."""

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import redis.asyncio
from redis.exceptions import RedisError

from graphrec.cache.base import ANSWER_SECONDS, MARK_SECONDS, Looked

logger = logging.getLogger(__name__)

T = TypeVar("T")

#: Timeout in seconds of a command; a slower cache counts as gone.
SECONDS_TO_ANSWER = 0.25

#: Seconds for which a cache that failed is not asked again.
SECONDS_OPEN = 1.0

#: Seconds for which a version is kept; longer than any answer is computed or kept.
VERSION_SECONDS = 3600

#: A version that begins with this is the mark of a writer: nothing is read or stored.
_MARK = "!"

#: The version of a user, made if there is no version, and the answer. A new version is random: after an expiry or an
#: eviction a reader that began earlier has another one.
_LOOK_UP = """
local version = redis.call('GET', KEYS[1])
if not version then
  version = ARGV[1]
  redis.call('SET', KEYS[1], version, 'EX', ARGV[3])
end
if string.sub(version, 1, 1) == '!' then return {version, false} end
return {version, redis.call('HGET', KEYS[2], ARGV[2])}
"""

_FILL = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
if redis.call('TTL', KEYS[2]) < 0 then redis.call('EXPIRE', KEYS[2], ARGV[4]) end
return 1
"""

#: Gives a user a new version, unless a later writer has set its own mark.
_RELEASE = """
redis.call('DEL', KEYS[2])
local version = redis.call('GET', KEYS[1])
if not version or version == ARGV[1] or string.sub(version, 1, 1) ~= '!' then
  redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
end
return 1
"""


class ValkeyCache:
    """Answers in a Valkey or Redis; the server's `maxmemory` and eviction policy bound its memory.

    The version and the answers of a user have keys with the same {hash tag}, so they are in one slot of a cluster. If
    the server does not answer, look-ups miss for SECONDS_OPEN without asking it. Users who could not get a new version
    are remembered, and this process reads no answer before they have one.
    """

    name = "valkey"

    def __init__(self, url: str, prefix: str = "graphrec") -> None:
        self._client: Any = redis.asyncio.from_url(  # redis-py has no precise types for its asyncio clients
            url, socket_timeout=SECONDS_TO_ANSWER, socket_connect_timeout=SECONDS_TO_ANSWER, max_connections=64
        )
        self._prefix = prefix
        self._look_up: Any = self._client.register_script(_LOOK_UP)
        self._fill: Any = self._client.register_script(_FILL)
        self._release: Any = self._client.register_script(_RELEASE)
        self._closed_until = 0.0
        self._owed: dict[str, str] = {}  # users who were written and have no new version yet, with the writer's mark

    async def look_up(self, user: str, field: str) -> Looked:
        """The answer and the user's version, in one round trip."""
        arguments = [secrets.token_hex(8), field, VERSION_SECONDS]
        found = await self._ask(lambda: self._look_up(keys=self._keys(user), args=arguments))
        if found is None:
            return Looked(None, None)
        version = found[0].decode()
        return Looked(found[1], None if version.startswith(_MARK) else version)

    async def fill(self, user: str, field: str, version: str, answer: bytes) -> bool:
        """Store an answer if the user's version is still `version`, in one atomic script."""
        arguments = [version, field, answer, ANSWER_SECONDS]
        return bool(await self._ask(lambda: self._fill(keys=self._keys(user), args=arguments)))

    @asynccontextmanager
    async def writing(self, users: Sequence[str]) -> AsyncIterator[None]:
        """A context in which no worker reads or stores answers of the users; afterwards they have new versions."""
        mark, names = _MARK + secrets.token_hex(8), list(dict.fromkeys(users))
        await self._ask(lambda: self._mark(names, mark))
        try:
            yield
        finally:
            self._owed |= dict.fromkeys(names, mark)
            await self._ask(self._settle, settle=False)

    async def is_available(self) -> bool:
        """Whether the server answers a PING."""
        return bool(await self._ask(self._client.ping))

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    def _keys(self, user: str) -> list[str]:
        return [f"{self._prefix}:version:{{{user}}}", f"{self._prefix}:answers:{{{user}}}"]

    async def _mark(self, users: Sequence[str], mark: str) -> bool:
        async with self._client.pipeline(transaction=False) as pipeline:
            for user in users:
                version, answers = self._keys(user)
                pipeline.set(version, mark, ex=MARK_SECONDS)
                pipeline.delete(answers)
            await pipeline.execute()
        return True

    async def _settle(self) -> bool:
        """Give new versions to the users that are owed one."""
        owed = dict(self._owed)
        async with self._client.pipeline(transaction=False) as pipeline:
            for user, mark in owed.items():
                arguments = [mark, secrets.token_hex(8), VERSION_SECONDS]
                await self._release(keys=self._keys(user), args=arguments, client=pipeline)
            await pipeline.execute()
        for user, mark in owed.items():
            if self._owed.get(user) == mark:
                del self._owed[user]
        return True

    async def _ask(self, call: Callable[[], Coroutine[Any, Any, T]], settle: bool = True) -> T | None:
        """The result of a call; None if the server does not answer, or did not a moment ago."""
        if time.monotonic() < self._closed_until:
            return None
        try:
            async with asyncio.timeout(2 * SECONDS_TO_ANSWER):
                if settle and self._owed:
                    await self._settle()
                return await call()
        except (RedisError, OSError, TimeoutError) as error:
            if time.monotonic() >= self._closed_until:
                logger.warning("the cache does not answer (%s); answers come from the graph", type(error).__name__)
            self._closed_until = time.monotonic() + SECONDS_OPEN
            return None
