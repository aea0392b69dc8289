"""A cache in the memory of one process, for a server of one worker."""

import secrets
import sys
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from graphrec.cache.base import ANSWER_SECONDS, Looked

#: Default cap on the bytes of all answers.
MAX_BYTES = 256 * 2**20

#: Cap on the answers of one user, so that requests with many different arguments do not displace other users.
MAX_FIELDS = 64

#: Estimated bytes that an entry and a user need besides the answers and the user's id.
_OVERHEAD = 300


@dataclass
class _User:
    """The state of a user: version, number of writers at work, and the answers by field with the time they expire."""

    version: str
    writers: int = 0
    answers: dict[str, tuple[float, bytes]] = field(default_factory=dict)
    size: int = _OVERHEAD


class MemoryCache:
    """Answers of the users asked for last, at most `max_bytes` of them. Used by one event loop, so it needs no lock."""

    name = "memory"

    def __init__(
        self,
        max_bytes: int = MAX_BYTES,
        seconds: float = ANSWER_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max_bytes, self._seconds, self._clock = max_bytes, seconds, clock
        self._users: OrderedDict[str, _User] = OrderedDict()
        self._bytes = 0

    @property
    def num_bytes(self) -> int:
        """The estimated bytes of all entries."""
        return self._bytes

    async def look_up(self, user: str, field: str) -> Looked:
        """The answer, if it has not expired, and the user's version."""
        state = self._get(user)
        found = state.answers.get(field)
        if found is not None and found[0] > self._clock() and not state.writers:
            return Looked(found[1], state.version)
        return Looked(None, None if state.writers else state.version)

    async def fill(self, user: str, field: str, version: str, answer: bytes) -> bool:
        """Store an answer. A user whose state was displaced has another version, so that the answer is refused."""
        state = self._users.get(user)
        if state is None or state.writers or state.version != version:
            return False
        if field in state.answers or len(state.answers) >= MAX_FIELDS:
            self._remove(state, field if field in state.answers else next(iter(state.answers)))
        state.answers[field] = (self._clock() + self._seconds, answer)
        self._grow(state, len(answer) + len(field) + _OVERHEAD)
        while self._bytes > self._max_bytes and self._displace():
            pass
        return True

    @asynccontextmanager
    async def writing(self, users: Sequence[str]) -> AsyncIterator[None]:
        """A context in which no answer of the users is read or stored; afterwards they have new versions."""
        states = []
        for user in dict.fromkeys(users):
            state = self._get(user)
            state.writers += 1  # before the next user, who may displace this one
            states.append(state)
            for name in list(state.answers):
                self._remove(state, name)
        try:
            yield
        finally:
            for state in states:
                state.writers -= 1
                state.version = secrets.token_hex(8)

    async def is_available(self) -> bool:
        """True."""
        return True

    async def close(self) -> None:
        """Forget all answers."""
        self._users.clear()
        self._bytes = 0

    def _get(self, user: str) -> _User:
        """The state of a user, now the one asked for last."""
        state = self._users.get(user)
        if state is None:
            while self._bytes > self._max_bytes and self._displace():
                pass
            state = self._users[user] = _User(secrets.token_hex(8), size=_OVERHEAD + sys.getsizeof(user))
            self._bytes += state.size
        self._users.move_to_end(user)
        return state

    def _displace(self) -> bool:
        """Forget the user asked for longest ago who is not being written; False if there is no such user."""
        for user, state in self._users.items():
            if not state.writers:
                del self._users[user]
                self._bytes -= state.size
                return True
        return False

    def _remove(self, state: _User, field: str) -> None:
        _, answer = state.answers.pop(field)
        self._grow(state, -(len(answer) + len(field) + _OVERHEAD))

    def _grow(self, state: _User, size: int) -> None:
        state.size += size
        self._bytes += size
