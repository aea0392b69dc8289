"""Generated sources that are full of clashes: equal ids, ids that look like keys, titles alike, missing values."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd
from hypothesis import strategies as st

from graphrec.schema import EdgeType, LinkRule, NodeType
from graphrec.tables import ENDS, EdgeTable, GraphTables, NodeTable, Source

#: Types of the properties; a source has some of them.
ITEM_TYPES = {"title": "str", "year": "Int64", "length": "Int64", "sku": "str", "imdb_id": "str"}
USER_TYPES = {"email": "str", "age": "Int64"}
#: Native ids: the same in every source, and some that look like the keys and long names of others.
IDS = ("1", "2", "3", "s0:1", "s1:1", "s1:s1:1")
NAMES = ("s0", "s1", "s2", "s3")

EDGE_TYPES = (
    EdgeType("User", "RATED", "Item", ("rating", "timestamp")),
    EdgeType("User", "TAGGED", "Item", ("tag", "timestamp"), key=("tag",)),
    EdgeType("User", "FOLLOWS", "User"),
    EdgeType("User", "FRIEND", "User"),
    EdgeType("Item", "IN_GENRE", "Genre"),
)

RULES = (
    LinkRule("User", "exact", ("email",)),
    LinkRule("Item", "exact", ("sku",)),
    LinkRule("Item", "title", ("title", "year"), threshold=0.8),
    LinkRule("Item", "exact", ("year", "length")),
)

Row = dict[str, Any]  # a node: id and properties


@dataclass(frozen=True)
class Made:
    """A node made by hand: its label, id and properties."""

    label: str
    id: str
    properties: Row = field(default_factory=dict)


def frame(rows: Sequence[Row], types: dict[str, str]) -> pd.DataFrame:
    """A frame of nodes with an id and properties of these types."""
    columns = {"id": "str", **types}
    return pd.DataFrame([[row.get(name) for name in columns] for row in rows], columns=[*columns]).astype(columns)


def edge_frame(kind: EdgeType, rows: Sequence[tuple[Any, ...]]) -> pd.DataFrame:
    """A frame of edges: ends, then properties in their order."""
    types = {**dict.fromkeys(ENDS, "str"), "rating": "float64", "timestamp": "Int64", "tag": "str"}
    columns = [*ENDS, *kind.properties]
    return pd.DataFrame([list(row) for row in rows], columns=columns).astype({name: types[name] for name in columns})


ITEM_VALUES = {
    "title": st.sampled_from(["Heat", "The Heat", "Heat, The", "Heat (Alien)", "Alien", None]),
    "year": st.sampled_from([1995, 1996, None]),
    "length": st.sampled_from([80, 90, None]),
    "sku": st.sampled_from(["x", "y", None]),
    "imdb_id": st.sampled_from(["tt1", "tt2", None]),
}
USER_VALUES = {"email": st.sampled_from(["a@x", "b@x", "c@x", None]), "age": st.sampled_from([30, 40, None])}
GENRES = ("Crime", "Drama", "s0:Crime")


@st.composite
def nodes(draw: st.DrawFn, values: dict[str, st.SearchStrategy[Any]], most: int) -> list[Row]:
    """Rows of nodes with different ids."""
    ids = draw(st.lists(st.sampled_from(IDS), unique=True, max_size=most))
    return [{"id": id_, **{name: draw(each) for name, each in values.items()}} for id_ in ids]


def names_of(types: dict[str, str]) -> st.SearchStrategy[dict[str, str]]:
    """Some of the properties."""
    return st.lists(st.sampled_from([*types]), unique=True).map(lambda chosen: {name: types[name] for name in chosen})


@st.composite
def edges(draw: st.DrawFn, kind: EdgeType, starts: Sequence[str], ends: Sequence[str]) -> EdgeTable:
    """Up to six edges of a type, each once."""
    if not starts or not ends:
        return EdgeTable(kind, edge_frame(kind, []))
    pair = st.tuples(st.sampled_from(list(starts)), st.sampled_from(list(ends)))
    if kind.undirected:
        pair = pair.map(lambda ends: (min(ends), max(ends))).filter(lambda ends: ends[0] != ends[1])
    values = {
        "rating": st.sampled_from([1.0, 4.5, None]),
        "timestamp": st.sampled_from([7, 8, None]),
        "tag": st.sampled_from(["war", "War", None]),
    }
    row = st.tuples(pair, *(values[name] for name in kind.properties)).map(lambda row: (*row[0], *row[1:]))
    keys = [2 + kind.properties.index(name) for name in kind.key or ()]
    if kind.undirected and len({*starts, *ends}) < 2:
        return EdgeTable(kind, edge_frame(kind, []))
    rows = draw(st.lists(row, unique_by=lambda row: (row[0], row[1], *(row[at] for at in keys)), max_size=6))
    return EdgeTable(kind, edge_frame(kind, rows))


@st.composite
def source_tables(draw: st.DrawFn, name: str, most: int = 5) -> GraphTables:
    """The tables of one source: some labels and types, some properties, some rules, any precedence."""
    item_types, user_types = draw(names_of(ITEM_TYPES)), draw(names_of(USER_TYPES))
    items = draw(nodes({key: ITEM_VALUES[key] for key in item_types}, most))
    users = draw(nodes({key: USER_VALUES[key] for key in user_types}, most))
    genres = [{"id": id_} for id_ in draw(st.lists(st.sampled_from(GENRES), unique=True))]
    shared = draw(st.sampled_from([True, True, True, False]))
    tables = {
        "User": NodeTable(NodeType("User", tuple(user_types)), frame(users, user_types)),
        "Item": NodeTable(NodeType("Item", tuple(item_types)), frame(items, item_types)),
        "Genre": NodeTable(NodeType("Genre", shared=shared), frame(genres, {})),
    }
    ids = {label: table.frame["id"].tolist() for label, table in tables.items()}
    labels = draw(st.sampled_from([("User", "Item", "Genre"), ("User", "Item"), ("Item", "Genre"), ("User",)]))
    kinds = [kind for kind in EDGE_TYPES if {kind.source, kind.target} <= {*labels}]
    chosen = draw(st.lists(st.sampled_from(kinds), unique=True)) if kinds else []
    return GraphTables(
        tuple(tables[label] for label in labels),
        tuple(draw(edges(kind, ids[kind.source], ids[kind.target])) for kind in chosen),
        (Source(name, precedence=draw(st.integers(0, 2))),),
        tuple(draw(st.lists(st.sampled_from(RULES), unique=True))),
    )


def sources(count: int, most: int = 5) -> st.SearchStrategy[list[GraphTables]]:
    """So many sources, named s0, s1, …"""
    return st.tuples(*(source_tables(name, most) for name in NAMES[:count])).map(list)


@st.composite
def made_by_hand(draw: st.DrawFn) -> list[Made]:
    """A few nodes that nobody loaded, whose ids and values clash with those of sources."""
    items = draw(nodes({name: ITEM_VALUES[name] for name in ("title", "year", "length")}, 2))
    users = draw(nodes(USER_VALUES, 2))
    genres = draw(st.lists(st.sampled_from(GENRES), unique=True, max_size=1))
    made = [Made("Item", row.pop("id"), _there(row)) for row in items]
    made += [Made("User", row.pop("id"), _there(row)) for row in users]
    return [*made, *(Made("Genre", id_) for id_ in genres)]


def _there(row: Row) -> Row:
    return {name: value for name, value in row.items() if value is not None}


def several_to_one(tables: GraphTables) -> GraphTables:
    """The same tables, whose rules let several records of one source become one node."""
    return replace(tables, links=tuple(replace(rule, one_to_one=False) for rule in tables.links))
