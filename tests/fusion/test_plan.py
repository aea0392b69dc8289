"""The plan of node writes: only differences, by the current ids."""

from typing import Any

import pandas as pd

from graphrec.fusion import GraphState, fuse, unlink
from graphrec.fusion.plan import NodePlan
from graphrec.fusion.provenance import SourceManifest
from graphrec.fusion.records import stored_names
from graphrec.schema import LinkRule, NodeType
from graphrec.tables import GraphTables, NodeTable, Source

ITEM = NodeType("Item", ("sku",))
SKU = LinkRule("Item", "exact", ("sku",))


def make_manifest(*names: str) -> tuple[SourceManifest, ...]:
    return tuple(SourceManifest(Source(name), (ITEM,), (), (SKU,)) for name in names)


def known(sources: tuple[SourceManifest, ...], *rows: dict[str, Any]) -> GraphState:
    names = ("id", *stored_names("Item", sources))
    frame = pd.DataFrame({name: pd.Series([row.get(name) for row in rows], dtype=object) for name in names})
    return GraphState(sources, {"Item": frame})


def load(graph: GraphState, source: str, *rows: tuple[str, str | None]) -> NodePlan:
    frame = pd.DataFrame(list(rows), columns=["id", "sku"]).astype("str")
    (plan,) = fuse(graph, GraphTables((NodeTable(ITEM, frame),), (), (Source(source),), (SKU,))).nodes
    return plan


def fused(first: str, second: str, sku: str) -> dict[str, Any]:
    """A stored node of two sources with the id of the first."""
    own = {f"{key.partition(':')[0]}:sku": sku for key in (first, second)}
    return {"id": first.partition(":")[2], "keys": [first, second], "sku": sku, **own}


def moved(plan: NodePlan) -> list[tuple[str, ...]]:
    return list(plan.moved.itertuples(index=False, name=None))


def test_unchanged_nodes_need_no_writes() -> None:
    graph = known(make_manifest("a", "b"), fused("a:1", "b:2", "x"), {"id": "h", "sku": "y"})
    plan = load(graph, "a", ("1", "x"))
    assert (len(plan.created), plan.changed, moved(plan), plan.deleted, plan.emptied) == (0, {}, [], [], {})


def test_a_new_node_is_created_and_a_record_joins_a_stored_one() -> None:
    graph = known(make_manifest("a"), {"id": "1", "keys": ["a:1"], "sku": "x"})
    plan = load(graph, "b", ("1", "x"), ("2", None))
    assert plan.created.dropna(axis="columns").to_dict("records") == [{"id": "2", "keys": ["b:2"]}]
    assert plan.changed == {"1": {"keys": ["a:1", "b:1"], "a:sku": "x", "b:sku": "x"}}


def test_a_stored_record_moves_to_the_node_made_by_hand_and_not_the_other_way() -> None:
    graph = known(make_manifest("a"), {"id": "1", "keys": ["a:1"]}, {"id": "h", "sku": "x"})
    plan = load(graph, "a", ("1", "x"))
    assert (moved(plan), plan.deleted) == ([("a", "1", "h")], ["1"])
    assert plan.changed == {"h": {"keys": [":h", "a:1"], ":sku": "x", "a:sku": "x"}}


def test_a_value_that_is_no_longer_there_is_removed() -> None:
    graph = known(make_manifest("a"), {"id": "1", "keys": ["a:1"], "sku": "x"})
    assert load(graph, "a", ("1", None)).changed == {"1": {"sku": None}}


def test_ids_that_clash_are_both_prefixed_and_later_restored() -> None:
    graph = known(make_manifest("a"), {"id": "1", "keys": ["a:1"], "sku": "x"})
    plan = load(graph, "b", ("1", "y"))
    assert plan.renamed == {"1": "a:1"}
    assert plan.created["id"].tolist() == ["b:1"]
    both = known(
        make_manifest("a", "b"), {"id": "a:1", "keys": ["a:1"], "sku": "x"}, {"id": "b:1", "keys": ["b:1"], "sku": "y"}
    )
    (plan,) = unlink(both, "b").nodes
    assert (plan.renamed, plan.deleted, plan.emptied) == ({"a:1": "1"}, ["b:1"], {})


def test_records_that_change_places_move_and_their_nodes_keep_the_first_record() -> None:
    graph = known(make_manifest("a", "b"), fused("a:1", "b:8", "x"), fused("a:2", "b:9", "y"))
    plan = load(graph, "a", ("1", "y"), ("2", "x"))
    assert sorted(moved(plan)) == [("b", "1", "2"), ("b", "2", "1")]
    assert {id_: new["keys"] for id_, new in plan.changed.items()} == {"1": ["a:1", "b:9"], "2": ["a:2", "b:8"]}
    assert (plan.created.empty, plan.deleted) == (True, [])


def test_a_record_that_leaves_a_node_gets_one_of_its_own() -> None:
    graph = known(make_manifest("a", "b"), fused("a:1", "b:9", "x"))
    plan = load(graph, "a", ("1", "y"))
    assert plan.created["id"].tolist() == ["9"]
    assert moved(plan) == [("b", "1", "9")]
    assert plan.changed == {"1": {"keys": ["a:1"], "sku": "y", "a:sku": None, "b:sku": None}}


def test_nodes_that_become_one_leave_one_empty() -> None:
    graph = known(
        make_manifest("a", "b"), {"id": "1", "keys": ["a:1"], "sku": "x"}, {"id": "9", "keys": ["b:9"], "sku": "y"}
    )
    plan = load(graph, "a", ("1", "y"))
    assert moved(plan) == [("b", "9", "1")]
    assert (plan.deleted, plan.emptied) == (["9"], {"9": []})


def test_former_keys_of_an_emptied_node_are_listed() -> None:
    graph = known(make_manifest("a", "b", "c"), {"id": "1", "keys": ["a:1"], "sku": "y"}, fused("b:9", "c:3", "x"))
    (plan,) = (load(graph, "b"),)
    assert (plan.deleted, moved(plan)) == ([], [])  # c keeps the node, under its name
    assert plan.renamed == {"9": "3"}
    joined = load(
        known(make_manifest("a", "b", "c"), {"id": "1", "keys": ["a:1"]}, fused("b:9", "c:3", "x")), "a", ("1", "x")
    )
    assert sorted(moved(joined)) == [("b", "9", "1"), ("c", "9", "1")]
    assert joined.emptied == {"9": []}


def test_a_moved_record_has_the_new_id_of_its_node() -> None:
    """Node 1 is renamed to a:1, and another node is created with another id than 1."""
    graph = known(
        make_manifest("a", "c"), {"id": "1", "keys": ["a:1"], "sku": "x"}, {"id": "5", "keys": ["c:5"], "sku": "x"}
    )
    plan = load(graph, "b", ("1", "z"))
    assert plan.renamed == {"1": "a:1"}
    assert moved(plan) == [("c", "5", "a:1")]


def test_a_property_that_no_source_of_the_node_declares_is_unchanged() -> None:
    sources = (
        SourceManifest(Source("a"), (NodeType("Item", ("sku",)),)),
        SourceManifest(Source("b"), (NodeType("Item", ("size",)),)),
    )
    graph = known(sources, {"id": "1", "keys": ["a:1"], "sku": "x", "size": "by hand"})
    (plan,) = unlink(graph, "b").nodes
    assert plan.changed == {}
