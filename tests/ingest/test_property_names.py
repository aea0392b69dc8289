"""A property may have any name that graphrec uses for a column or variable of its own, on nodes and on edges."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from graphrec.cleaning import CleaningRules, clean
from graphrec.errors import DataError
from graphrec.fusion import GraphState, fuse
from graphrec.fusion.provenance import SourceManifest
from graphrec.ingest import LoadConfig, unlink_source, write_source
from graphrec.schema import EdgeType, LinkRule, NodeType
from graphrec.store import Store
from graphrec.tables import ENDS, EdgeTable, GraphTables, NodeTable, Source
from graphrec.tabular import read
from graphrec.tabular.proposal import examine
from tests.sizes import NEO4J_IS_SLOW

from .snapshot import graph_of

#: Names of columns, aliases, variables and arguments between a file and the graph.
NAMES = (
    *("key", "native", "shared", "node", "rank", "at", "part", "properties", "left_key", "index", "level_0", "self"),
    *("version", "count", "c0", "t", "timestamp"),
)
NODE_NAMES = (*NAMES, "source", "source_id")
EDGE_NAMES = (*NAMES, "id", "keys")
SONG, HEARD = NodeType("Song", NODE_NAMES), EdgeType("User", "HEARD", "Song", EDGE_NAMES, key=("key", "version"))
#: The second compares nothing that is equal.
LINKS = (LinkRule("Song", "exact", ("key",)), LinkRule("Song", "normalised", ("left_key", "source")))
#: By columns that are text, whole numbers and numbers.
DTYPES = (pd.StringDtype(na_value=np.nan), pd.Int64Dtype(), pd.Float64Dtype())

Properties = dict[str, Any]  # of any type


def make_properties(names: Sequence[str], mark: str, number: int) -> Properties:
    """A value for each name, of one type for each; every fifth number is missing."""
    values = ((f"{mark} {name}", number * 1000 + at, number + at / 2)[at % 3] for at, name in enumerate(names))
    return {
        name: None if at % 5 == number % 5 else value
        for at, (name, value) in enumerate(zip(names, values, strict=True))
    }


def make_song(mark: str, number: int, key: str, **others: Any) -> Properties:  # Any: of any type
    """The properties of a song; songs with one key are linked."""
    return {**make_properties(NODE_NAMES, mark, number), "key": key, **others}


def make_frame(names: Sequence[str], rows: Sequence[tuple[dict[str, str], Properties]]) -> pd.DataFrame:
    ids = pd.DataFrame([ends for ends, _ in rows], dtype="str")
    cells = {
        name: pd.Series([properties[name] for _, properties in rows], dtype=object).astype(DTYPES[at % 3])
        for at, name in enumerate(names)
    }
    return pd.concat([ids, pd.DataFrame(cells)], axis=1)


def make_source(name: str, songs: dict[str, Properties], heard: dict[tuple[str, str], Properties]) -> GraphTables:
    """A source, cleaned; each row occurs twice."""
    rules = {
        table: CleaningRules(text=names[::3], ranges={names[4]: (0, None)}, repeated="last", by=names[1])
        for table, names in (("Song", NODE_NAMES), ("HEARD", EDGE_NAMES))
    }
    nodes = make_frame(NODE_NAMES, [({"id": id_}, properties) for id_, properties in songs.items()])
    edges = make_frame(
        EDGE_NAMES, [(dict(zip(ENDS, ends, strict=True)), properties) for ends, properties in heard.items()]
    )
    twice = [pd.concat([frame, frame], ignore_index=True) for frame in (nodes, edges)]
    return clean([(SONG, twice[0])], [(HEARD, twice[1])], (Source(name),), rules, LINKS)


def drop_missing(properties: Properties) -> Properties:
    return {name: value for name, value in properties.items() if value is not None}


def merge(first: Properties, second: Properties) -> Properties:
    return {name: second[name] if value is None else value for name, value in first.items()}


def read_songs(store: Store) -> dict[str, Properties]:
    rows = [row["p"] for row in store.read("MATCH (n:Song) RETURN properties(n) AS p")]
    return {row.pop("id"): row for row in rows}


def read_heard(store: Store) -> list[Properties]:
    query = (
        "MATCH (a:User)-[r:HEARD]->(b:Song) RETURN a.id AS start, b.id AS end, properties(r) AS p ORDER BY start, end"
    )
    return [{"ends": (row["start"], row["end"]), **row["p"]} for row in store.read(query)]


@NEO4J_IS_SLOW
def test_every_name_keeps_its_values(store: Store, tmp_path: Path) -> None:
    names = {"a": ("a one", 1), "b": ("b other", 3)}
    one, two, other = make_song("one", 1, "x"), make_song("two", 2, "y"), make_song("other", 3, "x")
    heard = {mark: make_properties(EDGE_NAMES, *names[mark]) for mark in names}
    a = make_source("a", {"1": one, "2": two}, {("u", "1"): heard["a"], ("u", "2"): heard["a"]})
    write_source(store, a)
    assert read_songs(store) == {
        id_: {"keys": [f"a:{id_}"], **drop_missing(song)} for id_, song in (("1", one), ("2", two))
    }
    edges = [{"ends": ("u", id_), "source": "a", **drop_missing(heard["a"])} for id_ in ("1", "2")]
    assert read_heard(store) == edges

    # Another load with other values of every property; keys of edges stay.
    one, changed = make_song("new one", 6, "x"), {**make_properties(EDGE_NAMES, "new", 6)}
    changed |= {name: heard["a"][name] for name in HEARD.key or ()}
    a = make_source("a", {"1": one, "2": two}, {("u", "1"): changed, ("u", "2"): heard["a"]})
    counts = {each.name: (each.created, each.changed, each.deleted) for each in write_source(store, a).written}
    assert counts == {"Song": (0, 1, 0), "User": (0, 0, 0), "HEARD": (0, 1, 0)}
    edges[0] = {"ends": ("u", "1"), "source": "a", **drop_missing(changed)}
    assert read_songs(store)["1"] == {"keys": ["a:1"], **drop_missing(one)}
    assert read_heard(store) == edges

    # A second source with a song in common; both values of each property stay.
    b = make_source("b", {"7": other}, {("w", "7"): heard["b"]})
    report = write_source(store, b).fusion.label("Song")
    assert (report.matched, report.disagreements > len(NODE_NAMES) / 2) == (1, True)
    assert {rule.rule: rule.matched for rule in report.rules} == {
        "key, exact": 1,
        "left_key and source, normalised": 0,
    }
    by_source = {f"{source}:{name}": song[name] for source, song in (("a", one), ("b", other)) for name in song}
    assert read_songs(store) == {
        "1": {"keys": ["a:1", "b:7"], **drop_missing({**merge(one, other), **by_source})},
        "2": {"keys": ["a:2"], **drop_missing(two)},
    }
    assert read_heard(store) == [*edges, {"ends": ("w", "1"), "source": "b", **drop_missing(heard["b"])}]

    # Appended rows of known and new nodes and edges; the row with the larger value of the ordering property counts.
    later, new = make_song("later", 12, "x"), make_song("new", 13, "z")
    event = {**make_properties(EDGE_NAMES, "later", 12), **{name: changed[name] for name in HEARD.key or ()}}
    day = make_source("a", {"1": later, "3": new}, {("u", "1"): event, ("u", "3"): event})
    write_source(store, day, LoadConfig(append=True))
    one = merge(later, one)
    by_source = {f"{source}:{name}": song[name] for source, song in (("a", one), ("b", other)) for name in song}
    assert read_songs(store) == {
        "1": {"keys": ["a:1", "b:7"], **drop_missing({**merge(one, other), **by_source})},
        "2": {"keys": ["a:2"], **drop_missing(two)},
        "3": {"keys": ["a:3"], **drop_missing(new)},
    }
    assert read_heard(store) == [
        {"ends": ("u", "1"), "source": "a", **drop_missing(event)},
        edges[1],
        {"ends": ("u", "3"), "source": "a", **drop_missing(event)},
        {"ends": ("w", "1"), "source": "b", **drop_missing(heard["b"])},
    ]

    # Without the second source the nodes of the first have its values; without both the graph is empty.
    unlink_source(store, "b", tmp_path)
    assert read_songs(store) == {
        id_: {"keys": [f"a:{id_}"], **drop_missing(song)} for id_, song in (("1", one), ("2", two), ("3", new))
    }
    unlink_source(store, "a", tmp_path)
    assert graph_of(store) == (Counter(), Counter())


@NEO4J_IS_SLOW
def test_the_proposal_for_such_a_file_loads(store: Store, tmp_path: Path) -> None:
    (tmp_path / "songs.csv").write_text(
        "id,title,key,native,shared,node,source\n1,So What,D minor,yes,no,7,radio\n2,Giant Steps,B major,no,no,8,\n"
    )
    (tmp_path / "song.toml").write_text(examine([tmp_path / "songs.csv"], tmp_path).toml, encoding="utf-8")
    write_source(store, read(tmp_path / "song.toml"))
    rows = store.read("MATCH (n) WHERE n.keys IS NOT NULL RETURN properties(n) AS p ORDER BY n.id")
    expected = {"title": "So What", "key": "D minor", "native": "yes", "shared": "no", "node": 7, "source_": "radio"}
    assert {name: rows[0]["p"][name] for name in expected} == expected
    assert [row["p"]["key"] for row in rows] == ["D minor", "B major"]


@pytest.mark.parametrize("name", ["id", "keys", "b:title", ":title"])
def test_names_that_graphrec_writes_on_nodes_are_refused(name: str) -> None:
    known = SourceManifest(Source("b"), (NodeType("Song", ("title",)),))
    frame = pd.DataFrame({"id": ["1"], "title": ["So What"], name: ["1"]})
    tables = GraphTables((NodeTable(NodeType("Song", ("title", name)), frame),), (), (Source("a"),))
    with pytest.raises(DataError, match=f"Song: a property cannot be called {name}, .*; rename it"):
        fuse(GraphState((known,)), tables)


@pytest.mark.parametrize("name", ["source", "source_id", "target_id"])
def test_names_that_graphrec_writes_on_edges_are_refused(name: str) -> None:
    ids = pd.DataFrame({"id": ["1"]})
    frame = pd.DataFrame({"source_id": ["1"], "target_id": ["1"]} | {name: ["1"]})
    edges = EdgeTable(EdgeType("User", "HEARD", "Song", (name,)), frame)
    nodes = tuple(NodeTable(NodeType(label), ids) for label in ("User", "Song"))
    with pytest.raises(DataError, match=f"HEARD: a property cannot be called {name}, .*; rename it"):
        fuse(GraphState(), GraphTables(nodes, (edges,), (Source("a"),)))
