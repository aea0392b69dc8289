"""Batches of edges: how many go into one transaction, and how several writers share them."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import numpy as np

from graphrec.store.connection import TooLargeError
from graphrec.store.edges import Integers, SortedEdges

SMALLEST, FIRST, LARGEST = 1_000, 20_000, 50_000
#: A batch that takes less may grow, one that takes more shrinks: in seconds.
QUICK, SLOW = 1.0, 4.0

Payload = TypeVar("Payload")


class AdaptiveBatchSize:
    """The number of edges that the server takes well in one transaction, found while writing: `first`, then at most
    `largest`."""

    def __init__(self, first: int | None = None, largest: int | None = None) -> None:
        self.size = first or FIRST
        self._largest = largest or LARGEST
        self._lock = threading.Lock()

    def record(self, number: int, seconds: float) -> None:
        """A batch of so many edges took so long."""
        with self._lock:
            if seconds < QUICK and number >= self.size // 2:
                self.size = min(self._largest, self.size * 3 // 2)
            elif seconds > SLOW:
                self.size = max(SMALLEST, self.size // 2)

    def shrink(self, number: int) -> None:
        """A batch of so many edges was more than the server's memory holds."""
        with self._lock:
            self.size = max(1, min(self.size, number // 2))


def split_into_batches(edges: SortedEdges, chosen: Integers, batch_size: AdaptiveBatchSize) -> Iterator[Integers]:
    """The chosen edges in batches of about the batch_size's size; a start node is cut only where it alone is more."""
    begin = 0
    while begin < len(chosen):
        stop = min(begin + batch_size.size, len(chosen))
        if stop < len(chosen):
            border = np.searchsorted(edges.start[chosen[begin:stop]], edges.start[chosen[stop]])
            stop = begin + int(border) if border else stop
        yield chosen[begin:stop]
        begin = stop


def send_batches(
    pieces: Iterator[Integers],
    prepare: Callable[[Integers], Payload],
    send: Callable[[Payload], None],
    batch_size: AdaptiveBatchSize,
) -> None:
    """Send each piece, one after the other; the next one is prepared while the server is busy with the last.

    A piece that is too large for the server is sent in two halves.
    """

    def deliver(piece: Integers, payload: Payload) -> None:
        start = time.perf_counter()
        try:
            send(payload)
        except TooLargeError:
            if len(piece) == 1:
                raise
            batch_size.shrink(len(piece))
            for half in np.array_split(piece, 2):
                deliver(half, prepare(half))
        else:
            batch_size.record(len(piece), time.perf_counter() - start)

    with ThreadPoolExecutor(1) as pool:
        under_way: Future[None] | None = None
        for piece in pieces:
            payload = prepare(piece)
            if under_way:
                under_way.result()
            under_way = pool.submit(deliver, piece, payload)
        if under_way:
            under_way.result()
