"""What must be done to the nodes of a label so that they become what their records make them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from graphrec.fusion.provenance import BY_HAND, SourceManifest
from graphrec.fusion.records import declaring, own_name
from graphrec.fusion.resolve import Resolved
from graphrec.schema import NodeType

Mask: TypeAlias = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class NodePlan:
    """The writes that one label needs; a node is meant by the id that it has in the graph.

    Attributes:
        label: the label.
        created: nodes to create: columns id, keys, and the properties (objects, None where one is missing).
        changed: by id, the properties to set; None takes one away. A new `id` among them renames the node.
        moved: records that go to another node with the relationships that their source gave them: columns source,
            from_id (an id of the graph) and to_id (the id that the other node is to have).
        deleted: ids of nodes that no record is left of.
        emptied: of those, the ones whose records moved away: their former keys, which no node has any more.
    """

    label: str
    created: pd.DataFrame
    changed: dict[str, dict[str, Any]]
    moved: pd.DataFrame
    deleted: list[str]
    emptied: dict[str, list[str]]

    @property
    def renamed(self) -> dict[str, str]:
        """New id by old id."""
        return {old: values["id"] for old, values in self.changed.items() if "id" in values}


@dataclass(frozen=True)
class Stored:
    """The nodes that the graph has of a label: columns id, keys and properties, as objects; and their records."""

    nodes: pd.DataFrame
    records: pd.DataFrame


def plan(
    kind: NodeType, sources: Sequence[SourceManifest], stored: Stored, after: pd.DataFrame, resolved: Resolved
) -> NodePlan:
    """The writes that turn the stored nodes into the resolved ones.

    A stored node becomes the node that has its first record; what other records it had go to other nodes.

    Args:
        kind: the label, with all properties that any source gives it.
        sources: the manifest of every source, before or after.
        stored: what the graph has.
        after: the records of `resolved`, in its order.
        resolved: the nodes as they are to be.
    """
    pairs = _pairs(stored.records, after, resolved.node)
    becomes = _pair_off(pairs, len(resolved.nodes))
    ids, wanted = stored.nodes["id"].to_numpy(), resolved.nodes["id"].to_numpy()
    target = becomes[pairs["new"].to_numpy()]
    moved = (target != pairs["old"].to_numpy()) & (pairs["source"] != BY_HAND).to_numpy()
    moves = pd.DataFrame(
        {
            "source": pairs["source"][moved],
            "from_id": ids[pairs["old"][moved]],
            "to_id": wanted[pairs["new"][moved]],
        }
    )
    gone = np.setdiff1d(np.arange(len(ids)), becomes)
    lost = stored.records[~stored.records["key"].isin(after["key"])]
    concerned = _concerned(kind, sources, (stored.records, after), (resolved.node, becomes))
    return NodePlan(
        kind.label,
        resolved.nodes[becomes < 0].reset_index(drop=True),
        _changes(stored.nodes, resolved, becomes, concerned),
        moves.astype("str").reset_index(drop=True),
        ids[gone].tolist(),
        {ids[old]: lost.loc[lost["node"] == old, "key"].tolist() for old in np.intersect1d(gone, pairs["old"])},
    )


def _pairs(before: pd.DataFrame, after: pd.DataFrame, node: npt.NDArray[np.int64]) -> pd.DataFrame:
    """The records that stay, in order of precedence: source, row `old` in the graph and row `new` of their node."""
    at = pd.Index(after["key"]).get_indexer(pd.Index(before["key"]))
    stays = at >= 0
    frame = pd.DataFrame({"source": before["source"][stays], "old": before["node"][stays], "new": node[at[stays]]})
    return frame.iloc[np.argsort(at[stays], kind="stable")].reset_index(drop=True)


def _pair_off(pairs: pd.DataFrame, count: int) -> npt.NDArray[np.int64]:
    """The stored row that each node becomes, -1 for none: by their first common record, and no row twice."""
    becomes = np.full(count, -1, dtype=np.int64)
    left = pairs[["old", "new"]]
    while len(left):
        chosen = left[~left["new"].duplicated() & ~left["old"].duplicated()]
        becomes[chosen["new"].to_numpy()] = chosen["old"].to_numpy()
        left = left[~left["new"].isin(chosen["new"]) & ~left["old"].isin(chosen["old"])]
    return becomes


def _changes(
    stored: pd.DataFrame, resolved: Resolved, becomes: npt.NDArray[np.int64], concerned: dict[str, Mask | None]
) -> dict[str, dict[str, Any]]:
    """By stored id, the properties that differ among those that concern the node."""
    new = np.flatnonzero(becomes >= 0)
    old = becomes[new]
    ids = stored["id"].to_numpy()
    # A node made by hand has no keys, which is no difference to none of them.
    stored = stored.assign(keys=stored["keys"].map(lambda cell: [] if cell is None else cell))
    changes: dict[str, dict[str, Any]] = {}
    for name, mask in concerned.items():
        was, will = _cells(stored, name)[old], _cells(resolved.nodes, name)[new]
        differs = np.asarray(was != will, dtype=bool)  # element by element: the cells are objects
        if mask is not None:
            differs &= mask[new]
        for at in np.flatnonzero(differs):
            changes.setdefault(str(ids[old[at]]), {})[name] = will[at]
    return changes


def _cells(frame: pd.DataFrame, name: str) -> npt.NDArray[np.object_]:
    if name in frame:
        return frame[name].to_numpy(dtype=object)
    return np.full(len(frame), None, dtype=object)


def _concerned(
    kind: NodeType,
    sources: Sequence[SourceManifest],
    records: tuple[pd.DataFrame, pd.DataFrame],
    places: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]],
) -> dict[str, Mask | None]:
    """For each property the nodes of which a source, before or after, says something by it; None for all.

    What others keep on a node under a name that its own sources do not use is left alone.
    """
    before, after = records
    node, becomes = places
    kept = np.flatnonzero(becomes >= 0)
    now = pd.Series(kept, index=becomes[kept])
    concerned: dict[str, Mask | None] = {"id": None, "keys": None}
    names = [each.source.name for each in sources]
    declares = declaring(kind.label, sources)
    for name in kind.properties:
        said = [source for source in names if declares(source, name)]
        had = before.loc[before["source"].isin(said), "node"].unique()
        mask = np.zeros(len(becomes), dtype=bool)
        mask[node[after["source"].isin(said).to_numpy()]] = True
        mask[now.reindex(had).dropna().to_numpy(dtype=np.int64)] = True
        concerned[name] = mask
        concerned |= {own_name(source, name): None for source in (BY_HAND, *said)}
    return concerned
