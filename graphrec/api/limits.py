"""Limits of requests, and the rate limit of a key."""

import time
from collections.abc import Callable

#: Maximum numbers of items of an answer, of users or items of a request, of events of a batch, and bytes of a body.
MAX_K, MAX_USERS, MAX_ITEMS, MAX_EVENTS, MAX_BODY = 100, 100, 500, 1_000, 2**20

#: Maximum number of characters of an id.
MAX_ID = 1_000

#: Paths of the page's forms, which have a session or a login instead of the header Authorization; and the maximum bytes
#: of a form.
FORM_PATHS, MAX_FORM = frozenset({"/login", "/logout", "/runs/activate"}), 8_192

#: Seconds of requests that a key may save up.
_BURST_SECONDS = 2.0


class RateLimiter:
    """A token bucket for each key: `rate` requests a second, and up to _BURST_SECONDS of them at once."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}  # by key: tokens, and when they were counted

    def take(self, key: str, rate: float) -> float:
        """Count a request; return 0 if it is allowed, else the seconds to wait."""
        if rate <= 0:
            return 0.0
        now, capacity = self._clock(), max(1.0, rate * _BURST_SECONDS)
        tokens, counted_at = self._buckets.get(key, (capacity, now))
        tokens = min(capacity, tokens + (now - counted_at) * rate)
        allowed = tokens >= 1
        self._buckets[key] = (tokens - 1 if allowed else tokens, now)
        return 0.0 if allowed else (1 - tokens) / rate
