"""Edges as positions: sorted, grouped by start node, and divided into blocks that share no node."""

from itertools import chain

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from graphrec.schema import EdgeType
from graphrec.store.edges import SortedEdges, split_into_blocks, to_python
from graphrec.tables import ENDS, EdgeTable

RATED = EdgeType("User", "RATED", "Item", ("rating", "timestamp"))


def edges(pairs: list[tuple[str, str]], target: str = "Item") -> SortedEdges:
    frame = pd.DataFrame(pairs, columns=ENDS, dtype="str")
    return SortedEdges.from_table(EdgeTable(EdgeType("User", "R", target, key=None), frame))


def table() -> EdgeTable:
    frame = pd.DataFrame(
        {
            "source_id": ["v", "u", "v", "u"],
            "target_id": ["2", "1", "1", "2"],
            "rating": [1.0, 2.0, np.nan, 4.0],
            "timestamp": pd.array([5, None, 7, 8], dtype="Int64"),
        }
    )
    return EdgeTable(RATED, frame)


def test_rows_are_grouped_by_start_node_in_columns() -> None:
    made = SortedEdges.from_table(table())
    assert len(made) == 4
    assert made.rows(np.arange(4), RATED.properties) == [
        {"s": "v", "t": ["2", "1"], "c0": [1.0, None], "c1": [5, 7]},
        {"s": "u", "t": ["2", "1"], "c0": [4.0, 2.0], "c1": [8, None]},
    ]
    assert made.rows(np.array([1, 2]), ["timestamp"], np.array([40, 50])) == [
        {"s": "v", "t": [40], "c0": [7]},
        {"s": "u", "t": [50], "c0": [8]},
    ]
    assert made.column("rating", np.array([2])).tolist() == [4.0]
    assert made.rows(np.array([], dtype=int), RATED.properties) == []


def test_no_edges() -> None:
    made = edges([])
    assert len(made) == 0
    assert [block.tolist() for round_ in split_into_blocks(made, np.arange(0), 3) for block in round_] == [[]] * 9


def test_values_are_plain() -> None:
    found = to_python(pd.Series(pd.array([1, None], dtype="Int64")))
    assert found == [1, None]
    assert type(found[0]) is int
    assert to_python(pd.Series([1.5, np.nan])) == [1.5, None]
    assert to_python(pd.Series(["a", None], dtype="str")) == ["a", None]
    assert to_python(pd.Series([True, False])) == [True, False]


IDS = st.sampled_from([str(k) for k in range(12)])


@settings(deadline=None)
@given(st.lists(st.tuples(IDS, IDS), max_size=40), st.sampled_from(["Item", "User"]), st.integers(1, 4), st.data())
def test_blocks_of_a_round_share_no_node_and_all_edges_are_in_one(
    pairs: list[tuple[str, str]], target: str, parts: int, data: st.DataObject
) -> None:
    made = edges(pairs, target)
    chosen = (
        np.array(sorted(data.draw(st.sets(st.sampled_from(range(len(pairs)))))), dtype=np.int64)
        if pairs
        else np.arange(0)
    )
    rounds = list(split_into_blocks(made, chosen, parts))
    assert sorted(chain.from_iterable(block.tolist() for round_ in rounds for block in round_)) == chosen.tolist()
    for round_ in rounds:
        assert len(round_) <= parts
        nodes = [_nodes(made, block, target) for block in round_]
        assert sum(map(len, nodes)) == len(set().union(*nodes))
        assert all((np.diff(block) > 0).all() for block in round_)  # still sorted by start node


def _nodes(
    made: SortedEdges, block: "np.typing.NDArray[np.integer[np.typing.NBitBase]]", target: str
) -> set[tuple[str, str]]:
    starts = {("User", id_) for id_ in made.starts[made.start[block]]}
    return starts | {(target, id_) for id_ in made.ends[made.end[block]]}
