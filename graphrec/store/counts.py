"""Count the nodes and edges of a graph by label, relationship type, property, value type and source."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from graphrec.progress import StageProgress, silent
from graphrec.schema import (
    ITEM,
    NO_BEHAVIOUR,
    SOURCE,
    SYSTEM_LABELS,
    SYSTEM_PROPERTIES,
    SYSTEM_RELATIONS,
    USER,
    WRITE_LEASE,
    Triple,
)
from graphrec.schema_names import is_usable
from graphrec.store.connection import Row, Store, quote
from graphrec.store.read import main_label

#: Names of value types for users, by the name that Cypher's valueType returns; others are written in lower case.
_WORDS = {
    "ZONED DATETIME": "date and time",
    "LOCAL DATETIME": "date and time",
    "ZONED TIME": "time",
    "LOCAL TIME": "time",
}

#: Sample size: edges from which the names of properties are read before all edges are counted.
SAMPLE = 1000

#: Properties of every node, listed before its other properties.
_COMMON = ("id", "keys")

#: The number of values, by the name of the property and the type.
Counts: TypeAlias = dict[tuple[str, str], int]


@dataclass(frozen=True)
class PropertyCounts:
    """A property, the types of its values (most frequent first), and the number of nodes or edges that have it."""

    name: str
    types: tuple[str, ...]
    count: int


@dataclass(frozen=True)
class LabelCounts:
    """The nodes of a label; `sources` has the number of nodes with a record of each source, read from `keys`."""

    label: str
    count: int
    properties: tuple[PropertyCounts, ...] = ()
    sources: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class TripleCounts:
    """The edges of a triple; `first` and `last` are the minimum and maximum `timestamp` (Unix seconds, or None)."""

    triple: Triple
    count: int
    properties: tuple[PropertyCounts, ...] = ()
    sources: Mapping[str, int] = field(default_factory=dict)
    first: int | None = None
    last: int | None = None


@dataclass(frozen=True)
class SourceRecord:
    """A source as saved in the graph by a load; None for values that are not saved."""

    id: str
    version: str | None
    status: str | None
    licence: str | None


@dataclass(frozen=True)
class GraphCounts:
    """The counts of a graph, including what graphrec itself writes (`is_system`).

    `left_out` has the names of relationship types and labels that cannot be used in a statement (see `schema_names`):
    their edges are not counted, and their nodes count as nodes without a label.
    """

    labels: tuple[LabelCounts, ...]
    triples: tuple[TripleCounts, ...]
    sources: tuple[SourceRecord, ...]
    left_out: tuple[str, ...] = ()

    @property
    def nodes(self) -> int:
        """The number of all nodes."""
        return sum(label.count for label in self.labels)

    @property
    def edges(self) -> int:
        """The number of all edges."""
        return sum(triple.count for triple in self.triples)

    def type_rows(self) -> list[dict[str, Any]]:
        """A row for each label and relationship type: type, from, to (None for labels), count, names of properties."""
        found: list[tuple[tuple[str | None, str, str | None], LabelCounts | TripleCounts]] = [
            *(((None, each.label, None), each) for each in self.labels),
            *((each.triple, each) for each in self.triples),
        ]
        return [
            {
                "type": kind,
                "from": start,
                "to": end,
                "count": each.count,
                "properties": [p.name for p in each.properties],
            }
            for (start, kind, end), each in found
        ]


def is_system(name: str) -> bool:
    """Whether a label, relationship type or property of nodes is one that graphrec itself writes, such as Run,
    RECOMMENDED or embedding."""
    return name in SYSTEM_LABELS | SYSTEM_RELATIONS | SYSTEM_PROPERTIES


def count_graph(store: Store, progress: StageProgress = silent) -> GraphCounts:
    """Count the nodes and edges of a store, in the database: about three seconds for a million edges.

    A node of several labels counts once, under `User` or `Item` if it has one of them, else under the first by name.
    Raises StoreError if the database goes away.
    """
    relations = known_relations(store)
    all_names = {*_read_relations(store), *_read_labels(store)}
    progress("counting", 0, len(relations) + 1)
    labels = _count_labels(store)
    triples: list[TripleCounts] = []
    for position, relation in enumerate(relations, start=1):
        progress("counting", position, len(relations) + 1)
        triples += _count_triples(store, relation)
    progress("counting", len(relations) + 1, len(relations) + 1)
    sources = _read_source_records(store) if any(label.label == SOURCE for label in labels) else []
    left_out = tuple(sorted(name for name in all_names if not is_usable(name)))
    return GraphCounts(tuple(labels), tuple(triples), tuple(sources), left_out)


def known_labels(store: Store) -> list[str]:
    """The labels in the schema of the database, sorted; the embedded store keeps those whose nodes are deleted.

    Labels that cannot be used in a statement (`graphrec.schema_names`) are left out, as in `known_relations`.
    """
    return sorted(filter(is_usable, _read_labels(store)))


def known_relations(store: Store) -> list[str]:
    """The relationship types in the schema of the database, sorted; the embedded store keeps those without edges."""
    return sorted(filter(is_usable, _read_relations(store)))


def _read_labels(store: Store) -> list[str]:
    return [row["name"] for row in store.read("CALL db.labels() YIELD label RETURN label AS name")]


def _read_relations(store: Store) -> list[str]:
    rows = store.read("CALL db.relationshipTypes() YIELD relationshipType RETURN relationshipType AS name")
    return [row["name"] for row in rows]


def has_label(store: Store, label: str) -> bool:
    """Whether the graph has a node of the label."""
    return bool(store.read(f"MATCH (n:{quote(label)}) RETURN 1 AS one LIMIT 1"))


def num_nodes(store: Store, label: str) -> int:
    """The number of nodes of a label, which both databases store."""
    return int(store.read(f"MATCH (n:{quote(label)}) RETURN count(n) AS number")[0]["number"])


def has_relation(store: Store, relations: Iterable[str]) -> bool:
    """Whether the graph has an edge of one of the relationship types, which must be in the database's schema."""
    names = "|".join(map(quote, relations))
    if not names:
        return False
    # Most edges start at users: with a label the embedded store needs 2 ms instead of 60 for a million edges.
    starts = (":User", ":Item", "")
    return any(store.read(f"MATCH ({start})-[:{names}]->() RETURN 1 AS one LIMIT 1") for start in starts)


def has_behaviour(store: Store) -> bool:
    """Whether the graph has an edge of behaviour from a user to an item."""
    names = "&".join(f"!{quote(name)}" for name in sorted(NO_BEHAVIOUR))
    return bool(store.read(f"MATCH (:{USER})-[:{names}]->(:{ITEM}) RETURN 1 AS one LIMIT 1"))


def _count_labels(store: Store) -> list[LabelCounts]:
    count: dict[str, int] = {}
    for row in store.read("MATCH (n) RETURN labels(n) AS labels, count(*) AS number"):
        _add(count, main_label(row["labels"]), row["number"])
    types: dict[str, Counts] = {}
    for row in store.read(
        "MATCH (n) UNWIND keys(n) AS name "
        "RETURN labels(n) AS labels, name, valueType(n[name]) AS type, count(*) AS number"
    ):
        _add(types.setdefault(main_label(row["labels"]), {}), (row["name"], _name_type(row["type"])), row["number"])
    sources: dict[str, dict[str, int]] = {}
    for row in store.read(
        "MATCH (n) UNWIND n.keys AS key WITH DISTINCT n, split(toString(key), ':')[0] AS source "
        "RETURN labels(n) AS labels, source, count(*) AS number"
    ):
        _add(sources.setdefault(main_label(row["labels"]), {}), row["source"], row["number"])
    return [
        LabelCounts(label, number, _build_property_counts(types.get(label, {})), _sort_counts(sources.get(label, {})))
        for label, number in sorted(count.items())
        if label != WRITE_LEASE
    ]


def _count_triples(store: Store, relation: str) -> list[TripleCounts]:
    """The counts for each pair of labels that a relationship type connects; empty if it has no edges."""
    sample = f"MATCH ()-[r:{quote(relation)}]->() WITH r LIMIT {SAMPLE} RETURN DISTINCT keys(r) AS names"
    names = _collect_names(store.read(sample))
    rows = _count_edges(store, relation, names)
    rest = _collect_names(rows) - names
    if rest:  # properties that no edge of the sample has: count again with them
        names |= rest
        rows = _count_edges(store, relation, names)
    rows_of: dict[Triple, list[Row]] = {}
    for row in rows:
        rows_of.setdefault((main_label(row["labels"]), relation, main_label(row["targets"])), []).append(row)
    return [_build_triple_counts(triple, rows_of[triple], sorted(names)) for triple in sorted(rows_of)]


def _count_edges(store: Store, relation: str, names: set[str]) -> list[Row]:
    """Edges counted by labels of their ends, names of their properties, types of the named properties, and source."""
    columns = "".join(
        f", valueType(r.{quote(name)}) AS c{position}" if is_usable(name) else f", 'unknown' AS c{position}"
        for position, name in enumerate(sorted(names))
    )
    return store.read(
        f"MATCH (a)-[r:{quote(relation)}]->(b) "
        "RETURN labels(a) AS labels, labels(b) AS targets, keys(r) AS names, r.source AS source, "
        f"count(*) AS number, min(r.timestamp) AS first, max(r.timestamp) AS last{columns}"
    )


def _collect_names(rows: list[Row]) -> set[str]:
    return {name for row in rows for name in row["names"]}


def _build_triple_counts(triple: Triple, rows: list[Row], names: list[str]) -> TripleCounts:
    types: Counts = {}
    sources: dict[str, int] = {}
    for row in rows:
        if row["source"] is not None:
            _add(sources, str(row["source"]), row["number"])
        for position, name in enumerate(names):
            if name in row["names"]:
                _add(types, (name, _name_type(row[f"c{position}"])), row["number"])
    times = [row[end] for row in rows for end in ("first", "last") if isinstance(row[end], int | float)]
    return TripleCounts(
        triple,
        sum(row["number"] for row in rows),
        _build_property_counts(types),
        _sort_counts(sources),
        int(min(times)) if times else None,
        int(max(times)) if times else None,
    )


def _read_source_records(store: Store) -> list[SourceRecord]:
    rows = store.read(
        f"MATCH (s:{SOURCE}) "
        "RETURN s.id AS id, s.version AS version, s.status AS status, s.licence AS licence ORDER BY id"
    )
    return [SourceRecord(str(row["id"]), row["version"], row["status"], row["licence"]) for row in rows]


def _name_type(name: str) -> str:
    """The name of a type for users: `INTEGER NOT NULL` is integer, and any `LIST<…>` is list."""
    plain = name.removesuffix(" NOT NULL")
    return "list" if plain.startswith("LIST<") else _WORDS.get(plain, plain.lower())


def _build_property_counts(counts: Counts) -> tuple[PropertyCounts, ...]:
    """The counts of each property, `id` and `keys` first, then by name."""
    names = sorted({name for name, _ in counts}, key=lambda name: ((*_COMMON, name).index(name), name))
    properties = []
    for name in names:
        types = {kind: number for (other, kind), number in counts.items() if other == name}
        ordered = tuple(sorted(types, key=lambda kind: (-types[kind], kind)))
        properties.append(PropertyCounts(name, ordered, sum(types.values())))
    return tuple(properties)


def _sort_counts(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items()))


def _add(counts: dict[Any, int], name: object, number: int) -> None:  # keyed by names, or names and types
    counts[name] = counts.get(name, 0) + number
