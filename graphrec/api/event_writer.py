"""Writes the events of all requests of a worker one batch after the other: what arrives meanwhile is the next batch."""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphrec.api.limits import MAX_EVENTS
from graphrec.api.problems import ApiError
from graphrec.errors import GraphrecError
from graphrec.events import Event, EventSink, Outcome

if TYPE_CHECKING:
    from graphrec.api.services import Services

#: Maximum number of events that wait to be written; further ones are refused.
MAX_QUEUED = 10_000


@dataclass(frozen=True, eq=False)
class _Submission:
    events: Sequence[Event]
    outcomes: "asyncio.Future[list[Outcome]]"


class EventWriter:
    """One writer a worker. Concurrent transactions on the same items would wait for each other or be repeated."""

    def __init__(self, sink: EventSink, services: "Services") -> None:
        self._sink, self._services = sink, services
        self._queue: asyncio.Queue[_Submission] = asyncio.Queue()
        self._num_queued = 0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start to write."""
        self._task = asyncio.create_task(self._write_all())

    async def close(self) -> None:
        """Write what is queued, and stop."""
        if self._task is not None:
            await self._queue.join()
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def write(self, events: Sequence[Event]) -> list[Outcome]:
        """The outcome of each event, after it was committed and the cached answers of its user are gone.

        Raises ApiError 429 if too many events wait, StoreError if the database refuses; then none of them is written.
        """
        if self._num_queued + len(events) > MAX_QUEUED:
            self._services.metrics.refused.labels("events").inc()
            raise ApiError(429, f"{self._num_queued:,} events wait to be written; try again", {"Retry-After": "1"})
        submission = _Submission(events, asyncio.get_running_loop().create_future())
        self._num_queued += len(events)
        self._queue.put_nowait(submission)
        return await asyncio.shield(submission.outcomes)

    async def _write_all(self) -> None:
        while True:
            batch = [await self._queue.get()]
            size = len(batch[0].events)
            while not self._queue.empty() and size < MAX_EVENTS:
                batch.append(self._queue.get_nowait())
                size += len(batch[-1].events)
            try:
                await self._write(batch)
            finally:
                self._num_queued -= size
                for _ in batch:
                    self._queue.task_done()

    async def _write(self, batch: Sequence[_Submission]) -> None:
        """Write a batch in one transaction; if it fails, each submission by itself."""
        events = [event for submission in batch for event in submission.events]
        try:
            async with self._services.cache.writing([event.user for event in events]):
                outcomes = await self._services.run(lambda store: self._sink.write(store, events))
        except (GraphrecError, ApiError) as error:
            if len(batch) > 1:
                for submission in batch:
                    await self._write([submission])
            elif not batch[0].outcomes.done():
                batch[0].outcomes.set_exception(error)
                batch[0].outcomes.exception()  # the client may have gone away
            return
        except Exception as error:
            for submission in batch:
                if not submission.outcomes.done():
                    submission.outcomes.set_exception(error)
            return
        for event, outcome in zip(events, outcomes, strict=True):
            behaviour = "" if outcome.status == "rejected" else event.behaviour  # any text may be rejected
            self._services.metrics.events.labels(behaviour, outcome.status).inc()
        start = 0
        for submission in batch:
            end = start + len(submission.events)
            if not submission.outcomes.done():
                submission.outcomes.set_result(outcomes[start:end])
            start = end
