"""The plan of a label: the node writes that turn the graph's nodes into the fused ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from graphrec.fusion.provenance import BY_HAND, SourceManifest
from graphrec.fusion.records import KEY, NODE, SOURCE_NAME, make_declares, source_property
from graphrec.fusion.resolve import Resolved
from graphrec.schema import NodeType

Mask: TypeAlias = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class NodePlan:
    """The node writes of one label. Nodes are identified by their current id in the graph, unless noted.

    Attributes:
        label: the label.
        created: nodes to create: columns id, keys, and the properties (objects, None if missing).
        changed: by id, the properties to set; None removes a property. A new `id` among them renames the node.
        moved: records that move to another node, with the edges that their source gave them: columns source, from_id
            (the current id of the old node) and to_id (the new id of the other node).
        deleted: ids of nodes without remaining records.
        emptied: those of the deleted nodes whose records moved, with their former keys that no node has any more.
        cleared: properties to remove from deleted nodes that stay because other programs' edges hold them.
    """

    label: str
    created: pd.DataFrame
    changed: dict[str, dict[str, Any]]
    moved: pd.DataFrame
    deleted: list[str]
    emptied: dict[str, list[str]]
    cleared: tuple[str, ...] = ()

    @property
    def renamed(self) -> dict[str, str]:
        """New id by old id."""
        return {old: values["id"] for old, values in self.changed.items() if "id" in values}


@dataclass(frozen=True)
class StoredNodes:
    """The nodes of a label in the graph (columns id, keys and properties, as objects) and their records."""

    nodes: pd.DataFrame
    records: pd.DataFrame


def plan(
    kind: NodeType, sources: Sequence[SourceManifest], stored: StoredNodes, after: pd.DataFrame, resolved: Resolved
) -> NodePlan:
    """The writes that turn the stored nodes into the resolved ones.

    A stored node stays the node of its record that was made by hand, so that it keeps edges and properties that fusion
    does not know, else of its first record; its other records move to other nodes.

    Args:
        kind: the label, with the properties of all sources.
        sources: the manifests of all sources, before and after the change.
        stored: the nodes in the graph.
        after: the records of `resolved`, in its order.
        resolved: the target nodes.
    """
    pairs = _find_common_records(stored.records, after, resolved.node)
    stored_row = _assign_stored_nodes(pairs, len(resolved.nodes))
    ids, new_ids = stored.nodes["id"].to_numpy(), resolved.nodes["id"].to_numpy()
    target = stored_row[pairs["new"].to_numpy()]
    moved = target != pairs["old"].to_numpy()
    moves = pd.DataFrame(
        {
            "source": pairs["source"][moved],
            "from_id": ids[pairs["old"][moved]],
            "to_id": new_ids[pairs["new"][moved]],
        }
    )
    deleted = np.setdiff1d(np.arange(len(ids)), stored_row)
    removed = stored.records[~stored.records[KEY].isin(after[KEY])]
    masks = _select_nodes_by_property(kind, sources, (stored.records, after), (resolved.node, stored_row))
    return NodePlan(
        kind.label,
        resolved.nodes[stored_row < 0].reset_index(drop=True),
        _diff_properties(stored.nodes, resolved, stored_row, masks),
        moves.astype("str").reset_index(drop=True),
        ids[deleted].tolist(),
        {ids[old]: removed.loc[removed[NODE] == old, KEY].tolist() for old in np.intersect1d(deleted, pairs["old"])},
    )


def _find_common_records(before: pd.DataFrame, after: pd.DataFrame, node: npt.NDArray[np.int64]) -> pd.DataFrame:
    """The records in both frames, those made by hand first, then by precedence.

    Columns: source, `old` (row of the stored node) and `new` (target).
    """
    position = pd.Index(after[KEY]).get_indexer(pd.Index(before[KEY]))
    common = position >= 0
    frame = pd.DataFrame(
        {"source": before[SOURCE_NAME][common], "old": before[NODE][common], "new": node[position[common]]}
    )
    return frame.iloc[np.lexsort((position[common], frame["source"] != BY_HAND))].reset_index(drop=True)


def _assign_stored_nodes(pairs: pd.DataFrame, count: int) -> npt.NDArray[np.int64]:
    """For each target node the row of its stored node, -1 if it has none: by first common record, each row once."""
    stored_row = np.full(count, -1, dtype=np.int64)
    open_pairs = pairs[["old", "new"]]
    while len(open_pairs):
        assigned = open_pairs[~open_pairs["new"].duplicated() & ~open_pairs["old"].duplicated()]
        stored_row[assigned["new"].to_numpy()] = assigned["old"].to_numpy()
        open_pairs = open_pairs[~open_pairs["new"].isin(assigned["new"]) & ~open_pairs["old"].isin(assigned["old"])]
    return stored_row


def _diff_properties(
    stored: pd.DataFrame, resolved: Resolved, stored_row: npt.NDArray[np.int64], masks: dict[str, Mask | None]
) -> dict[str, dict[str, Any]]:
    """By stored id, the properties whose values change; `masks` selects the nodes that are compared."""
    new = np.flatnonzero(stored_row >= 0)
    old = stored_row[new]
    ids = stored["id"].to_numpy()
    # A node made by hand may lack the property keys, which equals an empty list.
    stored = stored.assign(keys=stored["keys"].map(lambda cell: [] if cell is None else cell))
    changes: dict[str, dict[str, Any]] = {}
    for name, mask in masks.items():
        old_values, new_values = _get_cells(stored, name)[old], _get_cells(resolved.nodes, name)[new]
        differs = np.asarray(old_values != new_values, dtype=bool)  # element by element: the cells are objects
        if mask is not None:
            differs &= mask[new]
        for at in np.flatnonzero(differs):
            changes.setdefault(str(ids[old[at]]), {})[name] = new_values[at]
    return changes


def _get_cells(frame: pd.DataFrame, name: str) -> npt.NDArray[np.object_]:
    if name in frame:
        return frame[name].to_numpy(dtype=object)
    return np.full(len(frame), None, dtype=object)


def _select_nodes_by_property(
    kind: NodeType,
    sources: Sequence[SourceManifest],
    records: tuple[pd.DataFrame, pd.DataFrame],
    rows: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]],
) -> dict[str, Mask | None]:
    """For each property the mask of nodes with a source, before or after, that declares it; None selects all nodes.

    Properties of other programs stay unchanged, even if a source of other nodes declares the same name.

    Args:
        kind: the label, with the properties of all sources.
        sources: the manifests of all sources.
        records: the records before and after the change.
        rows: the target node of each record after the change, and the stored row of each target node.
    """
    before, after = records
    node, stored_row = rows
    kept = np.flatnonzero(stored_row >= 0)
    new_row = pd.Series(kept, index=stored_row[kept])
    masks: dict[str, Mask | None] = {"id": None, "keys": None}
    names = [each.source.name for each in sources]
    declares = make_declares(kind.label, sources)
    for name in kind.properties:
        declaring = [source for source in names if declares(source, name)]
        old_rows = before.loc[before[SOURCE_NAME].isin(declaring), NODE].unique()
        mask = np.zeros(len(stored_row), dtype=bool)
        mask[node[after[SOURCE_NAME].isin(declaring).to_numpy()]] = True
        mask[new_row.reindex(old_rows).dropna().to_numpy(dtype=np.int64)] = True
        masks[name] = mask
        masks |= {source_property(source, name): None for source in (BY_HAND, *declaring)}
    return masks
