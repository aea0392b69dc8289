"""Batches: they grow while the server is quick, shrink while it is slow, and split where it has not the memory."""

import numpy as np
import pandas as pd
import pytest

from graphrec.schema import EdgeType
from graphrec.store.batches import (
    FIRST,
    LARGEST,
    QUICK,
    SLOW,
    SMALLEST,
    AdaptiveBatchSize,
    send_batches,
    split_into_batches,
)
from graphrec.store.connection import TooLargeError
from graphrec.store.edges import Integers, SortedEdges
from graphrec.tables import ENDS, EdgeTable


def edges(*degrees: int) -> SortedEdges:
    """Edges of start nodes with the given degrees."""
    pairs = [(f"u{k}", str(item)) for k, degree in enumerate(degrees) for item in range(degree)]
    return SortedEdges.from_table(
        EdgeTable(EdgeType("User", "R", "Item"), pd.DataFrame(pairs, columns=ENDS, dtype="str"))
    )


def paced(size: int) -> AdaptiveBatchSize:
    batch_size = AdaptiveBatchSize()
    batch_size.size = size
    return batch_size


def test_a_quick_server_gets_more_up_to_a_limit() -> None:
    batch_size = AdaptiveBatchSize()
    batch_size.record(FIRST, QUICK / 2)
    assert batch_size.size == FIRST * 3 // 2
    for _ in range(10):
        batch_size.record(batch_size.size, QUICK / 2)
    assert batch_size.size == LARGEST


def test_a_small_rest_that_is_quick_says_nothing() -> None:
    batch_size = AdaptiveBatchSize()
    batch_size.record(FIRST // 2 - 1, 0.0)
    batch_size.record(FIRST, (QUICK + SLOW) / 2)
    assert batch_size.size == FIRST


def test_a_slow_server_gets_less_down_to_a_limit() -> None:
    batch_size = AdaptiveBatchSize()
    batch_size.record(FIRST, SLOW * 2)
    assert batch_size.size == FIRST // 2
    for _ in range(10):
        batch_size.record(batch_size.size, SLOW * 2)
    assert batch_size.size == SMALLEST


def test_too_large_is_halved_at_once() -> None:
    batch_size = paced(100)
    batch_size.shrink(60)
    assert batch_size.size == 30
    batch_size.shrink(1)
    assert batch_size.size == 1


def test_pieces_end_where_a_start_node_ends() -> None:
    made = edges(3, 3, 3, 10, 1)
    assert [len(piece) for piece in split_into_batches(made, np.arange(20), paced(7))] == [6, 3, 7, 4]
    assert [len(piece) for piece in split_into_batches(made, np.arange(20), paced(20))] == [20]
    assert list(split_into_batches(made, np.arange(0), paced(7))) == []
    some = np.array([0, 2, 3, 9])
    assert [piece.tolist() for piece in split_into_batches(made, some, paced(3))] == [[0, 2, 3], [9]]


def test_pieces_follow_the_pace() -> None:
    batch_size, made, sizes = paced(2), edges(*[1] * 12), []
    for piece in split_into_batches(made, np.arange(12), batch_size):
        sizes.append(len(piece))
        batch_size.size *= 2
    assert sizes == [2, 4, 6]


class Server:
    """A send function that takes at most `limit` edges at once, and remembers what it took."""

    def __init__(self, limit: int) -> None:
        self.limit, self.took, self.refused = limit, [], 0

    took: list[list[int]]

    def send(self, payload: list[int]) -> None:
        if len(payload) > self.limit:
            self.refused += 1
            raise TooLargeError("too large")
        self.took.append(payload)


def prepared(piece: Integers) -> list[int]:
    chosen: list[int] = piece.tolist()
    return chosen


def test_what_is_too_large_is_sent_in_halves_and_in_order() -> None:
    server, batch_size = Server(3), paced(8)
    send_batches(split_into_batches(edges(*[1] * 20), np.arange(20), batch_size), prepared, server.send, batch_size)
    assert [edge for payload in server.took for edge in payload] == list(range(20))
    assert max(map(len, server.took)) <= 3
    assert batch_size.size <= 4  # and the pieces that follow are smaller from the start
    assert server.refused <= 6


def test_a_single_edge_that_is_too_large_is_an_error() -> None:
    server, batch_size = Server(0), paced(4)
    with pytest.raises(TooLargeError, match="too large"):
        send_batches(split_into_batches(edges(1, 1, 1), np.arange(3), batch_size), prepared, server.send, batch_size)


def test_an_error_stops_what_follows() -> None:
    took: list[list[int]] = []

    def send(payload: list[int]) -> None:
        took.append(payload)
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        send_batches(split_into_batches(edges(*[1] * 9), np.arange(9), paced(3)), prepared, send, paced(3))
    assert took == [[0, 1, 2]]
