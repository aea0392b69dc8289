"""Everything that a database holds, node by node and edge by edge."""

from collections import Counter
from typing import Any

from graphrec.store import Store

#: Nodes by labels and id with all properties, and edges with theirs; equal ones are counted.
Snapshot = tuple[Counter[tuple[Any, ...]], Counter[tuple[Any, ...]]]


def graph_of(store: Store) -> Snapshot:
    """All nodes and edges with all properties, but for the time at which a source was loaded."""
    nodes = store.read("MATCH (n) RETURN labels(n) AS labels, properties(n) AS properties")
    edges = store.read(
        "MATCH (a)-[r]->(b) RETURN labels(a) AS starts, a.id AS start, type(r) AS relation, labels(b) AS ends, "
        "b.id AS end, properties(r) AS properties"
    )
    return (
        Counter((_labels(row["labels"]), _properties(row["properties"])) for row in nodes),
        Counter(
            (
                *(_labels(row["starts"]), row["start"], row["relation"], _labels(row["ends"]), row["end"]),
                _properties(row["properties"]),
            )
            for row in edges
        ),
    )


def _labels(labels: list[str]) -> tuple[str, ...]:
    return tuple(sorted(labels))


def _properties(properties: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    plain = {name: tuple(value) if isinstance(value, list) else value for name, value in properties.items()}
    plain.pop("loaded_at", None)
    return tuple(sorted(plain.items()))
