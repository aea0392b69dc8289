"""What the graph knows of its sources, and the nodes of the labels that a source concerns."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from graphrec.fusion.merge import Known
from graphrec.fusion.records import stored_names
from graphrec.provenance import Brought
from graphrec.schema import SOURCE
from graphrec.store.connection import Store, quote
from graphrec.store.nodes import ensure_constraint
from graphrec.store.read import MISSING


def read_sources(store: Store) -> tuple[Brought, ...]:
    """What each source brought, sorted by name; after a load that was cut off also what it was to bring."""
    rows = store.read(f"MATCH (s:{SOURCE}) WHERE s.schema IS NOT NULL RETURN properties(s) AS properties ORDER BY s.id")
    return tuple(Brought.from_properties(row["properties"]) for row in rows)


def read_known(store: Store, labels: Iterable[str]) -> Known:
    """The graph's sources and all nodes of some labels, as fusion needs them."""
    sources = read_sources(store)
    return Known(sources, {label: _read_nodes(store, label, stored_names(label, sources)) for label in labels})


def note_source(store: Store, brought: Brought, status: str) -> None:
    """Write the source's node: `loading` before its first write, `loaded` after the last."""
    ensure_constraint(store, SOURCE)
    properties = source_properties(brought, status)
    store.write(
        f"MERGE (s:{SOURCE} {{id: $id}}) SET s += $properties", {"id": brought.source.name, "properties": properties}
    )


def source_properties(brought: Brought, status: str) -> dict[str, Any]:
    """All properties of a source's node."""
    return {**brought.to_properties(), "status": status, "loaded_at": datetime.now(UTC).isoformat(timespec="seconds")}


def forget_source(store: Store, name: str) -> None:
    """Delete the source's node."""
    store.write(f"MATCH (s:{SOURCE} {{id: $id}}) DETACH DELETE s", {"id": name})


def _read_nodes(store: Store, label: str, names: tuple[str, ...]) -> pd.DataFrame:
    """The nodes of a label that have an id: columns id and names, as objects, None where one is missing."""
    cells = ", ".join(f"collect(coalesce(n.{quote(name)}, '{MISSING}')) AS {quote(name)}" for name in names)
    # Grouping by the end of the id keeps each record small and their number far below one per node.
    rows = store.read(
        f"MATCH (n:{quote(label)}) WHERE n.id IS NOT NULL "
        f"RETURN right(toString(n.id), 2) AS part, collect(n.id) AS id, {cells}"
    )
    stored = {name: [None if cell == MISSING else cell for row in rows for cell in row[name]] for name in names}
    return pd.DataFrame(
        {
            "id": pd.Series([id_ for row in rows for id_ in row["id"]], dtype=object),
            **{name: pd.Series(column, dtype=object) for name, column in stored.items()},
        }
    )
