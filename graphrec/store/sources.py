"""Read and write the sources of the graph (`Source` nodes), and read the nodes that fusion needs."""

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

#: Maximum number of properties that a query names, since the server's time grows quadratically with it; for more,
#: whole nodes are read.
_MAX_NAMED = 300


def read_sources(store: Store) -> tuple[SourceManifest, ...]:
    """The manifest of each source, sorted by name; after an interrupted load it includes what the load should write.

    `Source` nodes of other programs, without `status`, are left out. Raises DataError if the record of a load was
    changed so that it cannot be read.
    """
    rows = store.read(
        f"MATCH (s:{SOURCE}) WHERE s.schema IS NOT NULL AND s.status IS NOT NULL "
        "RETURN properties(s) AS properties ORDER BY s.id"
    )
    return tuple(SourceManifest.from_properties(row["properties"]) for row in rows)


def read_graph_state(
    store: Store, manifest: SourceManifest, appended_ids: Mapping[str, "pd.Series[str]"] | None = None
) -> GraphState:
    """The graph's sources, and all nodes of the labels of one of them, as fusion needs them.

    The nodes have the properties of that source, too, even if they are new to the graph: nodes that were not loaded may
    have them. If rows are only appended, `appended_ids` has their native ids by label. If no other source has a label,
    only these of its nodes are read, since no other node affects them.
    """
    sources = read_sources(store)
    others = [each for each in sources if each.source.name != manifest.source.name]
    nodes = {}
    for kind in manifest.nodes:
        names = stored_names(kind.label, (*others, manifest))
        alone = not any(each.node(kind.label) for each in others)
        if appended_ids is not None and alone and not _has_other_nodes(store, kind.label):
            ids = appended_ids.get(kind.label, pd.Series(dtype="str"))
            nodes[kind.label] = _read_some(store, kind.label, names, ids)
        else:
            nodes[kind.label] = _read_nodes(store, kind.label, names)
    return GraphState(sources, nodes)


def save_source(store: Store, manifest: SourceManifest, status: str) -> None:
    """Write the node of a source: with the status `loading` before its first write, `loaded` after the last."""
    ensure_constraint(store, SOURCE)
    properties = source_properties(manifest, status)
    store.write(
        f"MERGE (s:{SOURCE} {{id: $id}}) SET s += $properties", {"id": manifest.source.name, "properties": properties}
    )


def read_appended(store: Store, name: str) -> tuple[tuple[str, ...], bool]:
    """The digests of the rows appended to a source since its last full load, and whether the last append was
    interrupted."""
    rows = store.read(
        f"MATCH (s:{SOURCE} {{id: $id}}) RETURN coalesce(s.appended, []) AS appended, s.appending IS NOT NULL AS cut",
        {"id": name},
    )
    return (tuple(rows[0]["appended"]), bool(rows[0]["cut"])) if rows else ((), False)


def mark_appending(store: Store, name: str, digest: str) -> None:
    """Save that rows with this digest are being appended; `mark_appended` saves that they were."""
    store.write(f"MATCH (s:{SOURCE} {{id: $id}}) SET s.appending = $digest", {"id": name, "digest": digest})


def mark_appended(store: Store, name: str, digests: Sequence[str]) -> None:
    """Save the digests of all rows appended to a source, and that no append is in progress."""
    store.write(
        f"MATCH (s:{SOURCE} {{id: $id}}) SET s.appended = $digests REMOVE s.appending",
        {"id": name, "digests": list(digests) or None},
    )


def source_properties(manifest: SourceManifest, status: str) -> dict[str, Any]:
    """All properties of the node of a source."""
    return {**manifest.to_properties(), "status": status, "loaded_at": datetime.now(UTC).isoformat(timespec="seconds")}


def delete_source(store: Store, name: str) -> None:
    """Delete the node of a source."""
    store.write(f"MATCH (s:{SOURCE} {{id: $id}}) DETACH DELETE s", {"id": name})


def _has_other_nodes(store: Store, label: str) -> bool:
    statement = f"MATCH (n:{quote(label)}) WHERE n.keys IS NULL AND n.id IS NOT NULL RETURN n.id LIMIT 1"
    return bool(store.read(statement))


def _read_some(store: Store, label: str, names: tuple[str, ...], ids: "pd.Series[str]") -> pd.DataFrame:
    """As `_read_nodes`, only the nodes with these ids."""
    parts = [ids.iloc[begin : begin + NODES_A_BATCH].tolist() for begin in range(0, len(ids), NODES_A_BATCH)]
    match = f"UNWIND $ids AS wanted MATCH (n:{quote(label)} {{id: wanted}})"
    each = f"{match} RETURN collect(n.id) AS id, {_build_return(names)}"
    return _to_frame([row for part in parts for row in store.read(each, {"ids": part})], names)


def _read_nodes(store: Store, label: str, names: tuple[str, ...]) -> pd.DataFrame:
    """The nodes of a label that have a text as id: columns id and names, as objects, None for missing values."""
    # Groups by the last characters of the id: few records, and none of them large.
    rows = store.read(
        f"MATCH (n:{quote(label)}) WHERE n.id IS NOT NULL "
        f"RETURN right(toString(n.id), 2) AS part, collect(n.id) AS id, {_build_return(names)}"
    )
    numbers = [id_ for row in rows for id_ in row["id"] if not isinstance(id_, str)]
    if numbers and store.embedded:  # its index does not distinguish 1 from '1'
        raise DataError(
            f"{label}: {len(numbers):,} nodes have an id that is not text ({first_few(numbers)}), which the embedded "
            f"store cannot distinguish from text; first run: MATCH (n:{quote(label)}) SET n.id = toString(n.id)"
        )
    return _to_frame(rows, names)


def _build_return(names: Collection[str]) -> str:
    """The RETURN clause for nodes: a list `c0`, … for each name, or maps of properties if there are many names."""
    if len(names) > _MAX_NAMED:
        return "collect(properties(n)) AS properties"
    return ", ".join(
        f"collect(coalesce(n.{quote(name)}, '{MISSING}')) AS c{number}" for number, name in enumerate(names)
    )


def _to_frame(rows: list[Row], names: Collection[str]) -> pd.DataFrame:
    stored: dict[str, list[Any]]
    if len(names) > _MAX_NAMED:
        nodes = [node for row in rows for node in row["properties"]]
        stored = {name: [node.get(name) for node in nodes] for name in names}
    else:
        stored = {
            name: [None if cell == MISSING else cell for row in rows for cell in row[f"c{number}"]]
            for number, name in enumerate(names)
        }
    frame = pd.DataFrame(
        {
            "id": pd.Series([id_ for row in rows for id_ in row["id"]], dtype=object),
            **{name: pd.Series(column, dtype=object) for name, column in stored.items()},
        }
    )
    is_text = np.array([isinstance(id_, str) for id_ in frame["id"]], dtype=bool)
    return frame[is_text].reset_index(drop=True)
