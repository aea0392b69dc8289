"""Fusion of several sources: remapped edges, records that the source no longer has, and the report."""

import json
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from graphrec.errors import DataError
from graphrec.fusion import Fused, GraphState, fuse, unlink
from graphrec.fusion.provenance import SourceManifest
from graphrec.schema import EdgeType, LinkRule, NodeType
from graphrec.tables import ENDS, EdgeTable, GraphTables, NodeTable, Source

USER = NodeType("User")
ITEM = NodeType("Item", ("title", "year", "length"))
GENRE = NodeType("Genre", shared=True)
RATED = EdgeType("User", "RATED", "Item", ("rating", "timestamp"))
FRIEND = EdgeType("User", "FRIEND", "User")
TYPES = {"id": "str", "title": "str", "year": "Int64", "length": "Int64"}


def tables(source: str, *films: tuple[Any, ...], **more: list[tuple[Any, ...]]) -> GraphTables:
    """Films (id, title, year, length), `rated` (user, film, rating, time), `friends`, `genres` (their ids)."""
    rated = pd.DataFrame(more.get("rated", []), columns=[*ENDS, "rating", "timestamp"])
    friends = pd.DataFrame(more.get("friends", []), columns=ENDS)
    users = dict.fromkeys([*rated["source_id"], *friends["source_id"], *friends["target_id"]])
    return GraphTables(
        (
            NodeTable(USER, pd.DataFrame({"id": pd.Series([*users], dtype="str")})),
            NodeTable(ITEM, pd.DataFrame(films, columns=list(TYPES)).astype(TYPES)),
            NodeTable(GENRE, pd.DataFrame({"id": pd.Series([id_ for (id_,) in more.get("genres", [])], dtype="str")})),
        ),
        (
            EdgeTable(RATED, rated.astype({**dict.fromkeys(ENDS, "str"), "timestamp": "Int64"})),
            EdgeTable(FRIEND, friends.astype("str")),
        ),
        (Source(source),),
    )


def stored(tables: GraphTables, fused: Fused) -> GraphState:
    """The graph after the first load."""
    return GraphState((SourceManifest.of(tables),), {plan.label: plan.created for plan in fused.nodes})


def plans(fused: Fused) -> dict[str, Any]:
    return {plan.label: plan for plan in fused.nodes}


def rows(fused: Fused, relation: str = "RATED") -> list[list[Any]]:
    (table,) = (each for each in fused.edges if each.type.relation == relation)
    found: list[list[Any]] = table.frame[ENDS].to_numpy().tolist()
    return found


ONE = tables(
    "one",
    ("1", "Godfather, The", 1972, None),
    ("2", "Heat", 1995, 170),
    rated=[("u", "1", 3.5, 1), ("u", "2", 2.0, 2)],
    genres=[("Crime",)],
)
GRAPH = stored(ONE, fuse(GraphState(), ONE))


def test_into_an_empty_graph_everything_is_new() -> None:
    fused = fuse(GraphState(), ONE)
    assert plans(fused)["Item"].created.to_dict("records") == [
        {"id": "1", "keys": ["one:1"], "length": None, "title": "Godfather, The", "year": 1972},
        {"id": "2", "keys": ["one:2"], "length": 170, "title": "Heat", "year": 1995},
    ]
    assert all((plan.changed, plan.deleted, len(plan.moved)) == ({}, [], 0) for plan in fused.nodes)
    assert fused.edges[0] is ONE.edges[0]  # no id changed: nothing is copied
    assert fused.report.label("Item").new == fused.report.label("Item").unmatched == 2
    assert fused.source == "one"


def test_the_same_film_of_two_sources_is_one_node_and_edges_are_remapped() -> None:
    other = tables(
        "two",
        ("g", "The Godfather", 1972, 175),
        ("h", "Alien", 1979, 117),
        rated=[("v", "g", 1.0, 1)],
        genres=[("Crime",), ("War",)],
    )
    fused = fuse(GRAPH, other)
    assert plans(fused)["Item"].created["id"].tolist() == ["h"]
    assert plans(fused)["Item"].changed["1"]["length"] == 175  # what is missing is filled
    assert "title" not in plans(fused)["Item"].changed["1"]  # the first by name wins
    assert plans(fused)["Genre"].created["id"].tolist() == ["War"]
    assert rows(fused) == [["v", "1"]]
    report = fused.report.label("Item")
    assert (report.matched, report.ambiguous, report.unmatched, report.new) == (1, 0, 1, 1)
    assert report.matched_examples == ("two:g → 1",)
    assert report.unmatched_examples == ("two:h",)
    assert report.disagreements == 1
    assert report.disagreement_examples == ("1: title 'Godfather, The' kept over 'The Godfather' of two",)
    genres = fused.report.label("Genre")
    assert (genres.matched, genres.unmatched, genres.new) == (1, 1, 1)


def test_ids_of_other_sources_get_the_source_as_prefix_and_edges_are_remapped() -> None:
    fused = fuse(GRAPH, tables("two", ("1", "Alien", 1979, None), rated=[("u", "1", 1.0, 1)]))
    assert plans(fused)["Item"].created["id"].tolist() == ["two:1"]
    assert plans(fused)["Item"].renamed == {"1": "one:1"}
    assert plans(fused)["User"].renamed == {"u": "one:u"}
    assert rows(fused) == [["two:u", "two:1"]]


def test_several_candidates_are_reported_and_not_linked() -> None:
    two = tables("one", ("a", "Hamlet", 2000, None), ("b", "Hamlet", 2000, None))
    report = fuse(stored(two, fuse(GraphState(), two)), tables("two", ("x", "Hamlet", 2000, None))).report.label("Item")
    assert (report.matched, report.ambiguous, report.unmatched, report.new) == (0, 1, 0, 1)
    assert set(report.ambiguous_examples) == {"two:x ? one:a", "two:x ? one:b"}


def test_a_source_is_not_linked_to_a_node_of_its_own() -> None:
    twice = tables("one", ("9", "Heat", 1995, None), ("8", "Heat", 1995, None))
    assert len(plans(fuse(GraphState(), twice))["Item"].created) == 2


def test_records_that_a_source_no_longer_has_are_removed() -> None:
    less = tables("one", ("1", "Godfather, The", 1972, None))
    fused = fuse(GRAPH, GraphTables(less.nodes[:2], (), less.sources))
    found = plans(fused)
    assert [found[label].deleted for label in ("User", "Item", "Genre")] == [["u"], ["2"], ["Crime"]]
    assert [report.label for report in fused.report.labels] == ["User", "Item"]
    kept = fuse(GRAPH, GraphTables(less.nodes[:2], (), less.sources), append=True)
    assert all(plan.deleted == [] for plan in kept.nodes)


def test_unlinking_a_source_removes_its_rules() -> None:
    """The rule of b links items with equal year and length; without it the items of a and c are two."""
    rule = LinkRule("Item", "exact", ("year", "length"))
    b = replace(tables("b"), links=(rule,))
    a, c = tables("a", ("1", None, 1995, 170)), tables("c", ("2", None, 1995, 170))
    both = pd.DataFrame({"id": ["1"], "keys": [["a:1", "c:2"]], "year": [1995], "length": [170]}, dtype=object)
    both = both.assign(**{f"{name}:{key}": both[key] for name in "ac" for key in ("year", "length")})
    known = GraphState(tuple(SourceManifest.of(each) for each in (a, b, c)), {"Item": both})
    assert plans(fuse(known, b))["Item"].changed == {}
    plan = plans(unlink(known, "b"))["Item"]
    assert plan.created["id"].tolist() == ["2"]
    assert plan.moved.to_dict("records") == [{"source": "c", "from_id": "1", "to_id": "2"}]


def several(*rated: tuple[Any, ...], friends: tuple[tuple[str, str], ...] = ()) -> Fused:
    """Two records of a source that a rule merges into one film, and users x and y that are merged as well."""
    rules = (
        LinkRule("Item", "exact", ("length",), one_to_one=False),
        LinkRule("User", "exact", ("email",), one_to_one=False),
    )
    one = replace(ONE, links=rules)
    other = tables("two", ("p", None, None, 170), ("q", None, None, 170), rated=[*rated], friends=[*friends])
    users = NodeTable(NodeType("User", ("email",)), other.nodes[0].frame.assign(email="e"))
    people = plans(fuse(GraphState(), one))["User"].created.assign(email="e")
    manifest = replace(SourceManifest.of(one), nodes=(NodeType("User", ("email",)), ITEM, GENRE))
    known = GraphState((manifest,), {**GRAPH.nodes, "User": people})
    return fuse(known, replace(other, nodes=(users, *other.nodes[1:])))


def test_the_newest_of_merged_edges_is_kept() -> None:
    fused = several(("x", "p", 1.0, 5), ("y", "q", 2.0, 7), ("x", "q", 3.0, None))
    assert fused.edges[0].frame.to_dict("records") == [
        {"source_id": "u", "target_id": "2", "rating": 2.0, "timestamp": 7}
    ]


def test_an_undirected_edge_between_merged_nodes_is_dropped() -> None:
    assert rows(several(friends=(("x", "y"), ("x", "z"))), "FRIEND") == []


def test_the_arguments_are_not_changed() -> None:
    frames = [*GRAPH.nodes.values(), *(each.frame for each in ONE.nodes), *(each.frame for each in ONE.edges)]
    before = [frame.copy(deep=True) for frame in frames]
    fuse(GRAPH, ONE)
    fuse(GRAPH, ONE, append=True)
    unlink(GRAPH, "one")
    for old, new in zip(before, frames, strict=True):
        pd.testing.assert_frame_equal(old, new)


def test_the_report_is_json() -> None:
    report = json.loads(json.dumps(fuse(GraphState(), ONE).report.to_dict()))
    assert report["source"] == "one"
    assert report["labels"]["Item"]["unmatched_examples"] == ["one:1", "one:2"]


def test_one_source_at_a_time() -> None:
    with pytest.raises(DataError, match="fusion takes the tables of one source, but these have 0"):
        fuse(GraphState(), GraphTables(ONE.nodes, ONE.edges))
