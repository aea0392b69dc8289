"""Edge ends are mapped from the ids of a source to the ids of the fused nodes."""

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from graphrec.tables import ENDS, EdgeTable


def remap_edges(table: EdgeTable, new_ids: Mapping[str, "pd.Series[str]"]) -> EdgeTable:
    """The table with the ids of the fused nodes as ends; the same object if no id changed.

    If records of one source became one node, edges that become equal are merged: the newest by `timestamp` is kept,
    else the first. An undirected edge from a node to itself is dropped.

    Args:
        table: edges between native ids.
        new_ids: for each label the id in the graph, indexed by native id.
    """
    ends = {}
    for end, label in zip(ENDS, (table.type.source, table.type.target), strict=True):
        ids = new_ids[label]
        if not ids.index.equals(pd.Index(ids)):
            ends[end] = ids.loc[table.frame[end]].set_axis(table.frame.index)
    if not ends:
        return table
    frame = table.frame.assign(**ends)
    if any(not ids.is_unique for ids in new_ids.values()):
        frame = _merge_equal_edges(table, frame)
    return replace(table, frame=frame)


def _merge_equal_edges(table: EdgeTable, frame: pd.DataFrame) -> pd.DataFrame:
    if table.type.undirected:
        swapped = frame["source_id"] > frame["target_id"]
        frame.loc[swapped, ENDS] = frame.loc[swapped, ENDS[::-1]].to_numpy()
        frame = frame[frame["source_id"] != frame["target_id"]]
    if table.type.key is None:
        return frame
    if "timestamp" in frame:
        frame = frame.sort_values("timestamp", kind="stable", ascending=False, na_position="last")
    return frame.drop_duplicates([*ENDS, *table.type.key]).sort_index().reset_index(drop=True)
