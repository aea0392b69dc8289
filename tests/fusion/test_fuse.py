"""Several sources become one graph: identities, ids, keys, properties, edges and the report."""

import json
from collections.abc import Sequence
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphrec.errors import DataError
from graphrec.fusion import Fused, fuse
from graphrec.schema import EdgeType, NodeType
from graphrec.tables import EdgeTable, GraphTables, NodeTable, Source

USER = NodeType("User")
ITEM = NodeType("Item", ("title", "year", "length"))
GENRE = NodeType("Genre", shared=True)
RATED = EdgeType("User", "RATED", "Item", ("rating",))
IN_GENRE = EdgeType("Item", "IN_GENRE", "Genre")

Film = tuple[str, str | None, int | None, int | None]
TYPES = {"id": "str", "title": "str", "year": "Int64", "length": "Int64"}


def tables(
    source: str,
    films: Sequence[Film],
    ratings: list[tuple[str, str]] | None = None,
    genres: list[tuple[str, str]] | None = None,
) -> GraphTables:
    """What a loader returns: films, and ratings and genres as pairs of ids."""
    items = pd.DataFrame(films, columns=list(TYPES)).astype(TYPES)
    ends = ["source_id", "target_id"]
    rated = pd.DataFrame(ratings or [], columns=ends, dtype="str").assign(rating=3.5)
    in_genre = pd.DataFrame(genres or [], columns=ends, dtype="str")
    nodes = (
        NodeTable(USER, pd.DataFrame({"id": rated["source_id"].unique()}, dtype="str")),
        NodeTable(ITEM, items),
        NodeTable(GENRE, pd.DataFrame({"id": in_genre["target_id"].unique()}, dtype="str")),
    )
    return GraphTables(nodes, (EdgeTable(RATED, rated), EdgeTable(IN_GENRE, in_genre)), (Source(source),))


def united(before: GraphTables | None, fused: Fused) -> GraphTables:
    """The graph after the store has written: rows of the incoming tables replace those with the same id."""
    nodes = []
    for table in fused.tables.nodes:
        old = before.node(table.type.label).frame if before else table.frame.iloc[:0]
        rest = old[~old["id"].isin(table.frame["id"])]
        nodes.append(NodeTable(table.type, pd.concat([rest, table.frame], ignore_index=True)))
    return GraphTables(tuple(nodes), ())


def by_id(graph: GraphTables, label: str = "Item") -> dict[str, dict[str, Any]]:  # Any: a property's value
    return {row["id"]: row for row in graph.node(label).frame.to_dict("records")}  # type: ignore[misc] # names are str


def frames(graph: GraphTables) -> list[pd.DataFrame]:
    return [*(table.frame for table in graph.nodes), *(table.frame for table in graph.edges)]


def ids(graph: GraphTables, label: str = "Item") -> list[str]:
    return graph.node(label).frame["id"].tolist()


ONE = tables(
    "one", [("1", "Godfather, The", 1972, None), ("2", "Heat", 1995, 170)], [("u", "1"), ("u", "2")], [("1", "Crime")]
)


def test_into_an_empty_graph_everything_is_new() -> None:
    fused = fuse(None, ONE)
    assert by_id(fused.tables)["1"]["keys"] == ["one:1"]
    assert by_id(fused.tables, "User")["u"]["keys"] == ["one:u"]
    assert fused.tables.edge("RATED").frame.to_dict("list") == {
        "source_id": ["u", "u"],
        "target_id": ["1", "2"],
        "rating": [3.5, 3.5],
        "source": ["one", "one"],
    }
    assert fused.report.label("Item").new == fused.report.label("Item").unmatched == 2
    assert fused.tables.sources == ONE.sources


def test_a_source_corrects_its_own_nodes_and_no_others() -> None:
    before = fuse(None, tables("one", [("1", "Hamster", 1990, 80)])).tables
    corrected = fuse(before, tables("one", [("1", "Hamlet", 1990, None)]))
    assert by_id(corrected.tables)["1"]["title"] == "Hamlet"
    assert by_id(corrected.tables)["1"]["length"] == 80  # what the newer release leaves out stays
    shared = united(before, fuse(before, tables("two", [("h", "Hamster", 1990, 80)])))
    after = fuse(shared, tables("one", [("1", "Hamlet", 1990, 80)]))
    assert by_id(after.tables)["1"]["title"] == "Hamster"


def test_the_same_film_of_two_sources_is_one_node() -> None:
    other = tables(
        "two", [("g", "The Godfather", 1972, 175), ("h", "Alien", 1979, 117)], [("v", "g")], [("g", "Drama")]
    )
    fused = fuse(fuse(None, ONE).tables, other)
    item = by_id(fused.tables)["1"]
    assert item["keys"] == ["one:1", "two:g"]
    assert item["title"] == "Godfather, The"  # what is there wins
    assert item["length"] == 175  # and what is missing is filled
    assert ids(fused.tables) == ["1", "h"]
    assert fused.tables.edge("RATED").frame["target_id"].tolist() == ["1"]
    assert fused.tables.edge("IN_GENRE").frame["source_id"].tolist() == ["1"]
    report = fused.report.label("Item")
    assert (report.matched, report.ambiguous, report.unmatched, report.new) == (1, 0, 1, 1)
    assert report.matched_examples == ("two:g → 1",)
    assert report.unmatched_examples == ("two:h",)


def test_a_taken_id_gets_the_source_before_it_and_edges_follow() -> None:
    other = tables("two", [("1", "Alien", 1979, None)], [("u", "1")])
    fused = fuse(fuse(None, ONE).tables, other)
    assert ids(fused.tables) == ["two:1"]
    assert ids(fused.tables, "User") == ["two:u"]
    assert by_id(fused.tables, "User")["two:u"]["keys"] == ["two:u"]
    assert fused.tables.edge("RATED").frame[["source_id", "target_id"]].to_numpy().tolist() == [["two:u", "two:1"]]


def test_ids_that_look_like_keys_stay_apart() -> None:
    graph = united(None, fuse(None, tables("one", [("1", None, None, None), ("two:1", None, None, None)])))
    fused = fuse(graph, tables("two", [("1", None, None, None), ("two:1", None, None, None)]))
    everything = [*ids(graph), *ids(fused.tables)]
    assert len(set(everything)) == 4


def test_reloading_finds_its_nodes_again_after_fusion() -> None:
    graph = united(None, fuse(None, ONE))
    other = tables("two", [("1", "The Godfather", 1972, 175), ("2", "Alien", 1979, 117)], [("u", "1")])
    first = fuse(graph, other)
    again = fuse(united(graph, first), other)
    for before, after in zip(frames(first.tables), frames(again.tables), strict=True):
        pd.testing.assert_frame_equal(before, after)
    report = again.report.label("Item")
    assert (report.matched, report.unmatched, report.new) == (1, 1, 0)


def test_a_source_is_not_linked_to_a_node_of_its_own() -> None:
    graph = united(None, fuse(None, ONE))
    fused = fuse(graph, tables("one", [("9", "Heat", 1995, None)]))
    assert ids(fused.tables) == ["9"]


def test_several_candidates_are_reported_and_not_linked() -> None:
    graph = united(None, fuse(None, tables("one", [("a", "Hamlet", 2000, None), ("b", "Hamlet", 2000, None)])))
    report = fuse(graph, tables("two", [("x", "Hamlet", 2000, None)])).report.label("Item")
    assert (report.matched, report.ambiguous, report.unmatched, report.new) == (0, 1, 0, 1)
    assert report.ambiguous_examples == ("two:x ? a", "two:x ? b")


def test_shared_labels_are_one_by_their_id() -> None:
    graph = united(None, fuse(None, ONE))
    fused = fuse(graph, tables("two", [("z", None, None, None)], genres=[("z", "Crime"), ("z", "War")]))
    assert by_id(fused.tables, "Genre") == {
        "Crime": {"id": "Crime", "keys": ["one:Crime", "two:Crime"]},
        "War": {"id": "War", "keys": ["two:War"]},
    }
    report = fused.report.label("Genre")
    assert (report.matched, report.unmatched, report.new) == (1, 1, 1)


def test_a_graph_that_others_wrote_has_no_keys() -> None:
    there = NodeTable(
        NodeType("Item"), pd.DataFrame({"id": ["x"], "title": ["Heat"], "year": [1995.0], "length": ["long"]})
    )
    fused = fuse(GraphTables((there,), ()), ONE)
    item = by_id(fused.tables)["x"]
    assert (item["keys"], item["year"], item["length"]) == (["one:2"], 1995, "long")


def test_the_arguments_stay_as_they_were() -> None:
    graph = united(None, fuse(None, ONE))
    before = [frame.copy(deep=True) for frame in (*frames(graph), *frames(ONE))]
    fuse(graph, ONE)
    for old, new in zip(before, (*frames(graph), *frames(ONE)), strict=True):
        pd.testing.assert_frame_equal(old, new)


def test_the_report_is_json() -> None:
    report = json.loads(json.dumps(fuse(None, ONE).report.to_dict()))
    assert report["source"] == "one"
    assert report["labels"]["Item"]["unmatched_examples"] == ["one:1", "one:2"]


def test_one_source_at_a_time() -> None:
    with pytest.raises(DataError, match="fusion takes the tables of one source, but these have 0"):
        fuse(None, GraphTables(ONE.nodes, ONE.edges))


def test_a_key_on_two_nodes_is_told() -> None:
    frame = pd.DataFrame({"id": ["a", "b"], "keys": [["one:1"], ["one:1"]]})
    with pytest.raises(DataError, match=r"Item: 1 keys stand on two nodes of the graph \(one:1\)"):
        fuse(GraphTables((NodeTable(NodeType("Item"), frame),), ()), ONE)


IDS = st.sampled_from(["1", "2", "3", "s0:1", "s1:1", "s1:s1:1"])
FILMS = st.lists(
    st.tuples(
        IDS,
        st.sampled_from(["Heat", "The Heat", "Heat, The", "Heat (Alien)", "Alien", None]),
        st.sampled_from([1995, 1996, None]),
        st.none(),
    ),
    unique_by=lambda film: film[0],
    max_size=5,
)


@st.composite
def sources(draw: st.DrawFn) -> list[GraphTables]:
    """Two or three sources that are full of clashes."""
    drawn = []
    for number in range(draw(st.integers(2, 3))):
        films = draw(FILMS)
        pair = st.tuples(IDS, st.sampled_from([film[0] for film in films] or ["1"]))
        ratings = draw(st.lists(pair, unique=True, max_size=6)) if films else []
        drawn.append(tables(f"s{number}", films, ratings))
    return drawn


@settings(deadline=None, max_examples=25)
@given(sources())
def test_whatever_comes_no_node_is_lost_and_loading_twice_is_loading_once(loads: list[GraphTables]) -> None:
    graph: GraphTables | None = None
    for load in loads:
        fused = fuse(graph, load)
        after = united(graph, fused)  # NodeTable checks that ids are unique
        assert all(len(a.frame) == len(b.frame) for a, b in zip(load.edges, fused.tables.edges, strict=True))
        again = fuse(after, load)
        for old, new in zip(after.nodes, united(after, again).nodes, strict=True):
            pd.testing.assert_frame_equal(
                old.frame.sort_values("id", ignore_index=True), new.frame.sort_values("id", ignore_index=True)
            )
        report = fused.report.label("Item")
        assert report.matched + report.ambiguous + report.unmatched == len(load.node("Item").frame)
        graph = after
    assert graph is not None
    for label in ("User", "Item"):
        native = sorted(f"{load.sources[0].name}:{each}" for load in loads for each in ids(load, label))
        cells = graph.node(label).frame["keys"]
        assert sorted(key for cell in cells for key in cell) == native  # each key stands on exactly one node
        for cell in cells:
            assert len({key.partition(":")[0] for key in cell}) == len(cell)  # one node of a source at most
            assert cell == sorted(cell)
