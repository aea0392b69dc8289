"""What all routes of one worker share: the live graph, the cache, keys, limits, and threads that do the work."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from graphrec.api.event_writer import EventWriter
from graphrec.api.keys import KeyFile, KeyRing
from graphrec.api.limits import RateLimiter
from graphrec.api.metrics import Metrics
from graphrec.api.options import ServeOptions
from graphrec.api.problems import ApiError, unavailable
from graphrec.api.revoked_sessions import RevokedSessions
from graphrec.api.sessions import Sessions
from graphrec.cache import Cache, open_cache
from graphrec.cache.opening import URL as CACHE_URL
from graphrec.config import Settings, open_store
from graphrec.errors import UnknownNameError, first_few
from graphrec.events import EventPolicy, EventSink
from graphrec.reranking import RerankingRules
from graphrec.serving.live_recommender import LiveRecommender
from graphrec.serving.snapshot import Snapshot
from graphrec.store import Store, connect
from graphrec.store.connection import UnreachableError

logger = logging.getLogger(__name__)

T = TypeVar("T")

#: Number of threads that wait for the database or compute scores.
THREADS = 8

#: Maximum number of requests that wait for a thread; further ones are refused at once.
MAX_WAITING = 200

#: Explanations at one time: each needs about 100 ms of processor time.
EXPLANATIONS = 2

#: Seconds for which a result that all requests share is kept.
SECONDS_TO_SHARE = 60.0

#: Seconds for which transactions are retried; clients retry after a 503.
_SECONDS_TO_RETRY = 1.0


class Services:
    """The state of one worker, from `start` to `close`."""

    def __init__(self, settings: Settings, options: ServeOptions) -> None:
        self.settings, self.options = settings, options
        self.metrics, self.limiter = Metrics(), RateLimiter()
        self.rules: dict[str, RerankingRules] = options.read_rules()
        self.keys = KeyRing(KeyFile(settings.home))
        self.sessions = Sessions(self.keys, RevokedSessions(settings.home))
        url = settings.graphrec_cache_url
        self.cache: Cache = open_cache(None if url is None else url.get_secret_value())
        self.live = LiveRecommender(self._open_store, settings.runs)
        sink = EventSink(EventPolicy(options.create_users, options.create_items))
        self.events = EventWriter(sink, self)
        self.explanations = asyncio.Semaphore(EXPLANATIONS)
        self.is_stopping = False
        self._threads = ThreadPoolExecutor(THREADS, "request")
        self._waiting = 0
        self._shared: dict[str, tuple[float, asyncio.Task[bytes] | None]] = {}
        self._flights: dict[tuple[str, str, str], asyncio.Task[bytes]] = {}

    async def start(self) -> None:
        """Open the database, which is started if it is the embedded one, and begin to read the graph."""
        await asyncio.to_thread(lambda: open_store(self.settings).close())
        await asyncio.to_thread(self.live.start)
        self.events.start()
        if not await self.cache.is_available():
            logger.warning("%s does not answer at the start; without a cache answers come from the graph", CACHE_URL)

    async def close(self) -> None:
        """Write the events that were accepted, and close everything."""
        self.is_stopping = True
        await self.events.close()
        await self.cache.close()
        await asyncio.to_thread(self.live.close)
        self._threads.shutdown(wait=False)

    def find_rules(self, name: str | None) -> RerankingRules | None:
        """The reranking rules with a name; None without a name. Raises UnknownNameError if there are no such rules."""
        if name is None:
            return None
        if name not in self.rules:
            raise UnknownNameError("rules", name, self.rules, hint="the server is started with --rules NAME=FILE")
        return self.rules[name]

    def snapshot(self) -> Snapshot:
        """The current state of the graph. Raises ApiError 503 if it is not read yet."""
        snapshot = self.live.snapshot
        if snapshot is None:
            raise unavailable(self.live.problem or "the server is starting and reads the graph; try again in a second")
        return snapshot

    async def run(self, work: Callable[[Store], T]) -> T:
        """The result of work with the database, done in a thread.

        Raises ApiError 503 if too many requests wait, and what `work` raises.
        """
        if self._waiting >= MAX_WAITING:
            self.metrics.refused.labels("load").inc()
            raise unavailable(f"{MAX_WAITING} requests are waiting already; try again in a second")
        store = self.live.store
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, store)
        finally:
            self._waiting -= 1

    async def run_shared(self, name: str, work: Callable[[Store], bytes]) -> bytes:
        """The result of work that is the same for all requests, kept for SECONDS_TO_SHARE.

        If the request ends before the work, by its time limit, the next one gets the result.
        """
        now = asyncio.get_running_loop().time()
        begun, task = self._shared.get(name, (now, None))
        if task is None or now - begun > SECONDS_TO_SHARE or (task.done() and (task.cancelled() or task.exception())):
            task = asyncio.create_task(self.run(work))
            self._shared[name] = (now, task)
        return await asyncio.shield(task)

    async def write(self, user: str, work: Callable[[Store], T]) -> T:
        """The result of work that writes data of a user.

        If the request ends before, by its time limit, the work still ends, and only then may answers be cached again:
        else one from before its commit would be.
        """

        async def finish() -> T:
            async with self.cache.writing([user]):
                return await self.run(work)

        task = asyncio.create_task(finish())
        task.add_done_callback(lambda done: done.cancelled() or done.exception())  # the client may have gone away
        return await asyncio.shield(task)

    async def cached(
        self, user: str, snapshot: Snapshot, name: str, work: Callable[[Store], bytes]
    ) -> tuple[bytes, str]:
        """The answer of a user from the cache, else from `work`, and the outcome: `hit`, `miss`, `shared` or `bypass`.

        Equal requests that miss at the same version of the user wait for one computation.
        """
        field = f"{snapshot.epoch}:{name}"
        looked = await self.cache.look_up(user, field)
        if looked.answer is not None:
            return looked.answer, "hit"
        if looked.version is None:
            return await self.run(work), "bypass"
        place = (user, field, looked.version)
        flight, outcome = self._flights.get(place), "shared"
        if flight is None:
            flight, outcome = asyncio.create_task(self._fill(place, work)), "miss"
            self._flights[place] = flight
            flight.add_done_callback(lambda done: self._land(place, done))
        return await asyncio.shield(flight), outcome

    async def _fill(self, place: tuple[str, str, str], work: Callable[[Store], bytes]) -> bytes:
        user, field, version = place
        body = await self.run(work)
        await self.cache.fill(user, field, version, body)
        return body

    def _land(self, place: tuple[str, str, str], flight: "asyncio.Task[bytes]") -> None:
        del self._flights[place]
        if not flight.cancelled():
            flight.exception()  # all who wait may have gone away

    def _open_store(self) -> Store:
        """The configured database, if it runs. Raises StoreError."""
        address = self.settings.neo4j_address() or self.settings.embedded.address()
        if address is None:
            raise UnreachableError(
                f"the embedded store of {self.settings.home} does not run; `graphrec store start` starts it"
            )
        return connect(address, _SECONDS_TO_RETRY)


def require_at_most(values: list[str], most: int, what: str) -> None:
    """Raise ApiError 422 if there are more values than allowed."""
    if len(values) > most:
        raise ApiError(422, f"{len(values):,} {what} ({first_few(values)}) are more than {most}; send several requests")
