"""Write the attributes that a language model drew from texts as a source of its own, which `unlink` removes."""

from collections.abc import Collection, Mapping, Sequence

import pandas as pd

from graphrec.errors import DataError
from graphrec.fusion import fuse
from graphrec.fusion.provenance import SourceManifest
from graphrec.progress import StageProgress, silent
from graphrec.schema import EdgeType, NodeType
from graphrec.store import Store, nodes, write
from graphrec.store.diff import diff_edges, diff_to_empty
from graphrec.store.edges import SortedEdges
from graphrec.store.nodes import WriteCounts
from graphrec.store.read import read_edges, read_ids
from graphrec.store.sources import read_graph_state, read_sources, save_source
from graphrec.tables import ENRICHED_URL, EdgeTable, GraphTables, NodeTable, Source

#: The properties of the edges.
PROPERTIES = ("confidence", "model")


def build_edge_type(label: str, relation: str, target: str) -> EdgeType:
    """The type of the edges from the nodes of a label to their attribute values."""
    return EdgeType(label, relation, target, PROPERTIES)


def require_source_of(store: Store, name: str, url: str) -> SourceManifest | None:
    """The manifest of the source of this name; None if the graph has no such source.

    Raises DataError if the name cannot be that of a source, or the source was not written by the command `url`.
    """
    Source(name)
    known = next((each for each in read_sources(store) if each.source.name == name), None)
    if known is not None and known.source.url != url:
        raise DataError(f"the graph has another source '{name}'; name one that `{url}` may write, with --source")
    return known


def write_attributes(
    store: Store,
    source: Source,
    tables: Mapping[EdgeType, pd.DataFrame],
    unanswered: Collection[str] = (),
    progress: StageProgress = silent,
) -> list[WriteCounts]:
    """Write attribute nodes and the edges to them; edges of the source that are not among them are deleted.

    The caller holds the lock (`writing`). Relationship types of the source that are not in `tables` stay.

    Args:
        store: the graph.
        source: the source, with the address ENRICHED_URL.
        tables: by type, the edges: columns source_id (ids in the graph), target_id (values), confidence and model.
        unanswered: ids of start nodes without an answer; they keep the edges that the source has.
        progress: called while nodes and edges are written.

    Raises DataError if another source of this name is in the graph.
    """
    earlier = require_source_of(store, source.name, ENRICHED_URL)
    stored = {kind: read_edges(store, kind, source.name) for kind in (earlier.edges if earlier else ())}
    edges = [_merge_stored(store, kind, frame, stored.get(kind), unanswered) for kind, frame in tables.items()]
    kept = {kind: frame for kind, frame in stored.items() if kind not in tables}
    values: dict[str, list[pd.Series[str]]] = {}
    for kind, frame in [*((table.type, table.frame) for table in edges), *kept.items()]:
        values.setdefault(kind.target, []).append(frame["target_id"])
    node_tables = tuple(_build_node_table(label, ids) for label, ids in values.items())
    manifest = SourceManifest(source, tuple(table.type for table in node_tables), (*tables, *kept))
    known = read_graph_state(store, manifest.merge(earlier))
    fused = fuse(known, GraphTables(node_tables, (), (source,)))
    save_source(store, manifest.merge(earlier), "loading")
    for plan in fused.nodes:
        nodes.write_nodes(store, plan, [kind for each in known.sources for kind in each.edges], progress)
    written = [nodes.count_written(plan) for plan in fused.nodes]
    for table in edges:
        ordered = SortedEdges.from_table(table)
        difference = diff_edges(store, ordered, source.name) if table.type in stored else diff_to_empty(ordered)
        write.write_edges(store, ordered, source.name, difference, progress=progress)
        written.append(write.count_written(table.type, difference))
    for plan in fused.nodes:
        nodes.delete_nodes(store, plan)
    save_source(store, manifest, "loaded")
    return written


def _build_node_table(label: str, ids: "Sequence[pd.Series[str]]") -> NodeTable:
    """The values that edges lead to."""
    distinct = pd.concat(ids).drop_duplicates().sort_values().astype("str")
    return NodeTable(NodeType(label, (), shared=True), pd.DataFrame({"id": distinct}).reset_index(drop=True))


def _merge_stored(
    store: Store, kind: EdgeType, frame: pd.DataFrame, stored: pd.DataFrame | None, unanswered: Collection[str]
) -> EdgeTable:
    """The edges with the stored ones that start at nodes without an answer; edges of deleted nodes are left out."""
    frame = frame[frame["source_id"].isin(read_ids(store, kind.source))]
    if stored is not None and unanswered:
        frame = pd.concat([frame, stored[stored["source_id"].isin(unanswered)]], ignore_index=True)
    types = {"source_id": "str", "target_id": "str", "confidence": "float64", "model": "str"}
    return EdgeTable(kind, frame.reset_index(drop=True).astype(types))
