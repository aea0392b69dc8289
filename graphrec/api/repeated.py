"""Cached answers to requests that were made before, without parsing and validating them again."""

from collections import OrderedDict
from collections.abc import Mapping

from starlette.types import Scope

from graphrec.api.auth import authorize
from graphrec.api.services import Services

#: Cap on the remembered requests; each needs about 500 bytes.
MAX_REMEMBERED = 50_000

#: Maximum bytes of a path and a query that are remembered.
_LONGEST = 500


class RepeatedRequests:
    """Requests for recommendations that were valid, by path and query, with their user and their name in the cache.

    A hit needs a quarter of the processor time of a request that is validated. Keys, scopes and rates are checked.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._known: OrderedDict[tuple[bytes, bytes], tuple[str, str]] = OrderedDict()

    def remember(self, scope: Scope, user: str, name: str) -> None:
        """Remember a valid request."""
        address = (scope["raw_path"], scope["query_string"])
        if len(address[0]) + len(address[1]) <= _LONGEST:
            self._known[address] = (user, name)
            if len(self._known) > MAX_REMEMBERED:
                self._known.popitem(last=False)

    async def find(self, scope: Scope, headers: Mapping[bytes, bytes]) -> bytes | None:
        """The cached answer to a request; None if it is unknown or missing in the cache. Raises as `authorize`."""
        found = self._known.get((scope["raw_path"], scope["query_string"])) if scope["method"] == "GET" else None
        snapshot = self._services.live.snapshot
        if found is None or snapshot is None:
            return None
        authorize(self._services, scope, headers.get(b"authorization", b"").decode("latin-1"), "read")
        user, name = found
        looked = await self._services.cache.look_up(user, f"{snapshot.epoch}:{name}")
        return looked.answer
