"""Robots and k-cores: the rejected users, items and edges, and the report."""

import time
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphrec.cleaning import CleaningRules, clean, k_core, require_nothing_rejected, without_robots
from graphrec.errors import DataError
from graphrec.schema import EdgeType, NodeType
from graphrec.tables import GraphTables, Source
from tests.sizes import num_examples

VIEWED = EdgeType("User", "VIEWED", "Item", ("timestamp",), None)
PURCHASED = EdgeType("User", "PURCHASED", "Item")
FRIEND = EdgeType("User", "FRIEND", "User")
IN_GENRE = EdgeType("Item", "IN_GENRE", "Genre")
DAY = 86_400 * 19_000  # 2022-01-08


def made(*tables: tuple[EdgeType, list[tuple[object, ...]]]) -> GraphTables:
    frames = [(kind, pd.DataFrame(rows, columns=["source_id", "target_id", *kind.properties])) for kind, rows in tables]
    rules = {kind.relation: CleaningRules(repeated="first") for kind, _ in tables}
    return clean([], frames, [Source("test")], rules)


def ends(tables: GraphTables, relation: str) -> list[tuple[str, str]]:
    frame = tables.edge(relation).frame
    return list(zip(frame["source_id"], frame["target_id"], strict=True))


def ids(tables: GraphTables, label: str) -> list[str]:
    return sorted(tables.node(label).frame["id"])


def test_robots_are_rejected_with_all_their_behaviour() -> None:
    views: list[tuple[object, ...]] = [("robot", "i", DAY + second) for second in range(4)]
    views += [("busy", "i", DAY - 1), ("busy", "i", DAY), ("busy", "i", DAY + 1), ("busy", "i", DAY + 86_400)]
    views += [("known", "i", DAY)] * 4
    tables = made((VIEWED, views), (PURCHASED, [("robot", "j"), ("busy", "j")]), (FRIEND, [("busy", "known")]))
    left = without_robots(tables, 3)
    assert set(ends(left, "VIEWED")) == {("busy", "i")}
    assert ends(left, "PURCHASED") == [("busy", "j")]
    assert ids(left, "User") == ["busy", "known"]  # a friendship refers to the other robot
    counts = {table.name: table for table in left.cleaning.tables}
    (rule,) = counts["VIEWED"].rules
    assert (rule.rule, rule.action, rule.rows) == ("robot", "dropped", 8)
    assert sorted(rule.examples) == ["known: 4 events on 2022-01-08", "robot: 4 events on 2022-01-08"]
    assert counts["User"].rules[0].examples == ("robot: 4 events on 2022-01-08",)
    assert (counts["PURCHASED"].rows, counts["PURCHASED"].kept) == (2, 1)
    assert left.cleaning.rejected is not None
    assert len(left.cleaning.rejected) == 8 + 1 + 1
    assert len(tables.edge("VIEWED").frame) == 12  # what was given stays
    with pytest.raises(DataError, match="VIEWED lost 8 of 12 rows by rule 'robot'"):
        require_nothing_rejected(left.cleaning)


def test_events_of_all_behaviours_count_together() -> None:
    clicked = EdgeType("User", "CLICKED", "Item", ("timestamp",), None)
    tables = made((VIEWED, [("u", "i", DAY)] * 2), (clicked, [("u", "i", DAY), ("v", "i", None)]))
    assert ids(without_robots(tables, 2), "User") == ["v"]
    assert without_robots(tables, 3) is tables


def test_without_times_there_are_no_robots() -> None:
    tables = made((PURCHASED, [("u", str(i)) for i in range(9)]))
    assert without_robots(tables, 1) is tables


CORE: list[tuple[object, ...]] = [
    ("u", "i"),
    ("u", "j"),
    ("v", "i"),
    ("v", "j"),
    ("w", "i"),  # w has one item
    ("x", "j"),  # x has j and k, but k has nobody else: without k, x has one
    ("x", "k"),
]


def test_the_core_is_computed_repeatedly() -> None:
    friends: list[tuple[object, ...]] = [("u", "v"), ("u", "x")]
    tables = made((PURCHASED, CORE), (FRIEND, friends), (IN_GENRE, [("i", "g"), ("k", "g"), ("k", "h")]))
    core = k_core(tables, 2)
    assert ends(core, "PURCHASED") == [("u", "i"), ("u", "j"), ("v", "i"), ("v", "j")]
    assert ids(core, "User") == ["u", "v"]
    assert ids(core, "Item") == ["i", "j"]
    assert ends(core, "FRIEND") == [("u", "v")]
    assert ends(core, "IN_GENRE") == [("i", "g")]
    assert ids(core, "Genre") == ["g", "h"]
    counts = {table.name: table for table in core.cleaning.tables}
    assert (counts["PURCHASED"].rows, counts["PURCHASED"].dropped) == (7, 3)
    assert counts["PURCHASED"].rules[0].examples == ("w → i", "x → j", "x → k")


def test_two_behaviours_with_one_item_count_once() -> None:
    tables = made((PURCHASED, [("u", "i")]), (VIEWED, [("u", "i", DAY), ("u", "i", DAY + 1)]))
    assert ids(k_core(tables, 1), "User") == ["u"]
    assert ids(k_core(tables, 2), "User") == []


def test_a_graph_without_users_has_no_core() -> None:
    item = (NodeType("Item"), pd.DataFrame({"id": ["i"]}))
    tables = clean([item], [], [Source("test")])
    assert k_core(tables, 2) is tables


@pytest.mark.parametrize("wrong", [0, -1])
def test_limits_are_positive(wrong: int) -> None:
    tables = made((PURCHASED, [("u", "i")]))
    with pytest.raises(DataError, match=f"k is {wrong}"):
        k_core(tables, wrong)
    with pytest.raises(DataError, match=f"per_day is {wrong}"):
        without_robots(tables, wrong)


@settings(max_examples=num_examples(50))
@given(pairs=st.sets(st.tuples(st.integers(0, 8), st.integers(0, 8)), min_size=1), k=st.integers(1, 4))
def test_the_core_equals_a_simple_computation(pairs: set[tuple[int, int]], k: int) -> None:
    expected = set(pairs)
    while True:
        users, items = Counter(u for u, _ in expected), Counter(i for _, i in expected)
        smaller = {(u, i) for u, i in expected if users[u] >= k and items[i] >= k}
        if smaller == expected:
            break
        expected = smaller
    core = k_core(made((PURCHASED, [(f"u{u}", f"i{i}") for u, i in sorted(pairs)])), k)
    assert set(ends(core, "PURCHASED")) == {(f"u{u}", f"i{i}") for u, i in expected}


def test_200_000_edges_take_seconds() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "source_id": pd.Series(rng.integers(0, 12_000, 200_000)).astype("str"),
            "target_id": pd.Series(rng.integers(0, 6_000, 200_000)).astype("str"),
        }
    )
    tables = clean([], [(PURCHASED, frame)], [Source("test")], {"PURCHASED": CleaningRules(repeated="first")})
    before = time.process_time()
    core = k_core(tables, 15)
    assert time.process_time() - before < 4  # 0.4 s on a quiet machine
    assert core.edge("PURCHASED").frame["source_id"].value_counts().min() >= 15
