"""What the graph knows of its sources, and the nodes of the labels that a source concerns."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd

from graphrec.errors import DataError, first_few
from graphrec.fusion.fuse import GraphState
from graphrec.fusion.provenance import SourceManifest
from graphrec.fusion.records import stored_names
from graphrec.schema import SOURCE
from graphrec.store.connection import Row, Store, quote
from graphrec.store.nodes import NODES_A_BATCH, ensure_constraint
from graphrec.store.read import MISSING

#: Properties from which a query names none of them: a server takes longer than the square of their number for it.
_MANY = 300


def read_sources(store: Store) -> tuple[SourceManifest, ...]:
    """What each source brought, sorted by name; after a load that was cut off also what it was to bring.

    Nodes of the label that another program wrote, without `status`, are left out. Raises DataError if a record that a
    load wrote was changed so that it cannot be read.
    """
    rows = store.read(
        f"MATCH (s:{SOURCE}) WHERE s.schema IS NOT NULL AND s.status IS NOT NULL "
        "RETURN properties(s) AS properties ORDER BY s.id"
    )
    return tuple(SourceManifest.from_properties(row["properties"]) for row in rows)


def read_graph_state(
    store: Store, brought: SourceManifest, concerned: Mapping[str, "pd.Series[str]"] | None = None
) -> GraphState:
    """The graph's sources and all nodes of the labels that one brings, as fusion needs them.

    They have the properties of that source too, which may be new to the graph: a node made by hand can have them.
    Where rows are only added, `concerned` has their native ids by label: of a label that nobody else has any nodes of,
    the others have no say in what becomes of these, and are not read.
    """
    sources = read_sources(store)
    others = [each for each in sources if each.source.name != brought.source.name]
    nodes = {}
    for kind in brought.nodes:
        names = stored_names(kind.label, (*others, brought))
        alone = not any(each.node(kind.label) for each in others)
        if concerned is not None and alone and not _has_any_by_hand(store, kind.label):
            nodes[kind.label] = _read_some(store, kind.label, names, concerned.get(kind.label, pd.Series(dtype="str")))
        else:
            nodes[kind.label] = _read_nodes(store, kind.label, names)
    return GraphState(sources, nodes)


def save_source(store: Store, brought: SourceManifest, status: str) -> None:
    """Write the source's node: `loading` before its first write, `loaded` after the last."""
    ensure_constraint(store, SOURCE)
    properties = source_properties(brought, status)
    store.write(
        f"MERGE (s:{SOURCE} {{id: $id}}) SET s += $properties", {"id": brought.source.name, "properties": properties}
    )


def read_appended(store: Store, name: str) -> tuple[tuple[str, ...], bool]:
    """The digests of what was appended to a source since it was loaded whole, and whether the last one was cut off."""
    rows = store.read(
        f"MATCH (s:{SOURCE} {{id: $id}}) RETURN coalesce(s.appended, []) AS appended, s.appending IS NOT NULL AS cut",
        {"id": name},
    )
    return (tuple(rows[0]["appended"]), bool(rows[0]["cut"])) if rows else ((), False)


def mark_appending(store: Store, name: str, digest: str) -> None:
    """Write down that rows with this digest are being appended; `mark_appended` says that they are."""
    store.write(f"MATCH (s:{SOURCE} {{id: $id}}) SET s.appending = $digest", {"id": name, "digest": digest})


def mark_appended(store: Store, name: str, digests: Sequence[str]) -> None:
    """Write down the digests of all that was appended to a source; none of it is under way."""
    store.write(
        f"MATCH (s:{SOURCE} {{id: $id}}) SET s.appended = $digests REMOVE s.appending",
        {"id": name, "digests": list(digests) or None},
    )


def source_properties(brought: SourceManifest, status: str) -> dict[str, Any]:
    """All properties of a source's node."""
    return {**brought.to_properties(), "status": status, "loaded_at": datetime.now(UTC).isoformat(timespec="seconds")}


def delete_source(store: Store, name: str) -> None:
    """Delete the source's node."""
    store.write(f"MATCH (s:{SOURCE} {{id: $id}}) DETACH DELETE s", {"id": name})


def _has_any_by_hand(store: Store, label: str) -> bool:
    found = f"MATCH (n:{quote(label)}) WHERE n.keys IS NULL AND n.id IS NOT NULL RETURN n.id LIMIT 1"
    return bool(store.read(found))


def _read_some(store: Store, label: str, names: tuple[str, ...], ids: "pd.Series[str]") -> pd.DataFrame:
    """As `_read_nodes`, the nodes with these ids, which nobody's clash with others has changed."""
    parts = [ids.iloc[begin : begin + NODES_A_BATCH].tolist() for begin in range(0, len(ids), NODES_A_BATCH)]
    each = f"UNWIND $ids AS wanted MATCH (n:{quote(label)} {{id: wanted}}) RETURN collect(n.id) AS id, {_cells(names)}"
    return _frame([row for part in parts for row in store.read(each, {"ids": part})], names)


def _read_nodes(store: Store, label: str, names: tuple[str, ...]) -> pd.DataFrame:
    """The nodes of a label that have a text as id: columns id and names, as objects, None where one is missing."""
    # Grouping by the end of the id keeps each record small and their number far below one per node.
    rows = store.read(
        f"MATCH (n:{quote(label)}) WHERE n.id IS NOT NULL "
        f"RETURN right(toString(n.id), 2) AS part, collect(n.id) AS id, {_cells(names)}"
    )
    numbers = [id_ for row in rows for id_ in row["id"] if not isinstance(id_, str)]
    if numbers and store.embedded:  # to its index 1 and '1' are one id
        raise DataError(
            f"{label}: {len(numbers):,} nodes made by hand have no text as id ({first_few(numbers)}), which the "
            f"embedded store cannot tell from the text; first run: MATCH (n:{quote(label)}) SET n.id = toString(n.id)"
        )
    return _frame(rows, names)


def _cells(names: Collection[str]) -> str:
    """What a query returns of nodes: a list for each name, or the properties as they are if the names are many."""
    if len(names) > _MANY:
        return "collect(properties(n)) AS properties"
    return ", ".join(f"collect(coalesce(n.{quote(name)}, '{MISSING}')) AS {quote(name)}" for name in names)


def _frame(rows: list[Row], names: Collection[str]) -> pd.DataFrame:
    stored: dict[str, list[Any]]
    if len(names) > _MANY:
        nodes = [node for row in rows for node in row["properties"]]
        stored = {name: [node.get(name) for node in nodes] for name in names}
    else:
        stored = {name: [None if cell == MISSING else cell for row in rows for cell in row[name]] for name in names}
    frame = pd.DataFrame(
        {
            "id": pd.Series([id_ for row in rows for id_ in row["id"]], dtype=object),
            **{name: pd.Series(column, dtype=object) for name, column in stored.items()},
        }
    )
    is_text = np.array([isinstance(id_, str) for id_ in frame["id"]], dtype=bool)
    return frame[is_text].reset_index(drop=True)
