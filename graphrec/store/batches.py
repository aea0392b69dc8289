"""Send edges in batches whose size adapts to the speed and the memory of the server."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import numpy as np

from graphrec.store.connection import TooLargeError
from graphrec.store.edges import Integers, SortedEdges

#: Batch sizes: the minimum after slow batches, the first, and the maximum.
SMALLEST, FIRST, LARGEST = 1_000, 20_000, 50_000
#: Thresholds in seconds: a batch faster than QUICK makes the next ones larger, one slower than SLOW smaller.
QUICK, SLOW = 1.0, 4.0

Payload = TypeVar("Payload")


class AdaptiveBatchSize:
    """The number of edges in one transaction: begins with `first`, grows up to `largest` while batches are quick, and
    shrinks when they are slow or too large for the server's memory."""

    def __init__(self, first: int | None = None, largest: int | None = None) -> None:
        self.size = first or FIRST
        self._largest = largest or LARGEST
        self._lock = threading.Lock()

    def record(self, number: int, seconds: float) -> None:
        """Adapt the size to a batch of `number` edges that took `seconds`."""
        with self._lock:
            if seconds < QUICK and number >= self.size // 2:
                self.size = min(self._largest, self.size * 3 // 2)
            elif seconds > SLOW:
                self.size = max(SMALLEST, self.size // 2)

    def shrink(self, number: int) -> None:
        """Reduce the size after a batch of `number` edges that was too large for the server's memory."""
        with self._lock:
            self.size = max(1, min(self.size, number // 2))


def split_into_batches(edges: SortedEdges, chosen: Integers, batch_size: AdaptiveBatchSize) -> Iterator[Integers]:
    """Split the chosen edges into batches; a start node is divided only if its edges alone exceed the batch size."""
    begin = 0
    while begin < len(chosen):
        stop = min(begin + batch_size.size, len(chosen))
        if stop < len(chosen):
            border = np.searchsorted(edges.start[chosen[begin:stop]], edges.start[chosen[stop]])
            stop = begin + int(border) if border else stop
        yield chosen[begin:stop]
        begin = stop


def send_batches(
    batches: Iterator[Integers],
    prepare: Callable[[Integers], Payload],
    send: Callable[[Payload], None],
    batch_size: AdaptiveBatchSize,
) -> None:
    """Send the batches one after the other; the next one is prepared while the server works on the last.

    A batch that is too large for the server is sent in two halves.
    """

    def deliver(batch: Integers, payload: Payload) -> None:
        start = time.perf_counter()
        try:
            send(payload)
        except TooLargeError:
            if len(batch) == 1:
                raise
            batch_size.shrink(len(batch))
            for half in np.array_split(batch, 2):
                deliver(half, prepare(half))
        else:
            batch_size.record(len(batch), time.perf_counter() - start)

    with ThreadPoolExecutor(1) as pool:
        pending: Future[None] | None = None
        for batch in batches:
            payload = prepare(batch)
            if pending:
                pending.result()
            pending = pool.submit(deliver, batch, payload)
        if pending:
            pending.result()
