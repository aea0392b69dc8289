"""The contract of all caches: look an answer up, compute it, and store it only if the user's version is unchanged.

Deleting entries when a user's data change is not enough: a reader that began before the write stores the old answer
after it. So each user has a version, a random text. A reader gets the version with its miss, and `fill` stores an
answer only if the version is still the same. A writer marks its users before it commits, which refuses all fills, and
gives them a new version afterwards. If the writer is killed in between, the mark expires.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

#: Seconds for which an answer is kept. It bounds how long an answer misses changes that no version counts, such as
#: what friends of the user did, and writes of other programs.
ANSWER_SECONDS = 60

#: Seconds after which the mark of a writer that was killed expires.
MARK_SECONDS = 30


@dataclass(frozen=True)
class Looked:
    """The result of a look-up: the answer or None, and the user's version, which is None if the answer must not be
    stored."""

    answer: bytes | None
    version: str | None


class Cache(Protocol):
    """A cache of answers. No method raises because the cache is gone: look-ups then miss, and fills are refused."""

    name: str

    async def look_up(self, user: str, field: str) -> Looked:
        """The answer for a user under `field`, a text that names epoch and request."""

    async def fill(self, user: str, field: str, version: str, answer: bytes) -> bool:
        """Store an answer if the user's version is still `version`; return whether it was stored."""

    def writing(self, users: Sequence[str]) -> AbstractAsyncContextManager[None]:
        """A context in which data of users are written: their answers are gone before it and after it."""

    async def is_available(self) -> bool:
        """Whether the cache answers."""

    async def close(self) -> None:
        """Close all connections."""


class NoCache:
    """A cache that keeps no answers."""

    name = "none"

    async def look_up(self, user: str, field: str) -> Looked:  # noqa: ARG002  # a Cache's signature
        """A miss that must not be stored."""
        return Looked(None, None)

    async def fill(self, user: str, field: str, version: str, answer: bytes) -> bool:  # noqa: ARG002
        """False: nothing is stored."""
        return False

    @asynccontextmanager
    async def writing(self, users: Sequence[str]) -> AsyncIterator[None]:  # noqa: ARG002
        """A context without effect."""
        yield

    async def is_available(self) -> bool:
        """True."""
        return True

    async def close(self) -> None:
        """There is nothing to close."""
