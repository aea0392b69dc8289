"""Edges follow their ends: from the ids of a source to those of the nodes that its records became."""

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from graphrec.tables import ENDS, EdgeTable


def follow(table: EdgeTable, finals: Mapping[str, "pd.Series[str]"]) -> EdgeTable:
    """The table with final ends; the same object where no id changed.

    Where records of one source became one node, edges that fall together are one: the newest by `timestamp`, else the
    first; and an undirected edge from a node to itself goes. `finals` has for each label the final id by native id.
    """
    ends = {}
    for end, label in zip(ENDS, (table.type.source, table.type.target), strict=True):
        final = finals[label]
        if not final.index.equals(pd.Index(final)):
            ends[end] = final.loc[table.frame[end]].set_axis(table.frame.index)
    if not ends:
        return table
    frame = table.frame.assign(**ends)
    if any(not final.is_unique for final in finals.values()):
        frame = _merged(table, frame)
    return replace(table, frame=frame)


def _merged(table: EdgeTable, frame: pd.DataFrame) -> pd.DataFrame:
    if table.type.undirected:
        swapped = frame["source_id"] > frame["target_id"]
        frame.loc[swapped, ENDS] = frame.loc[swapped, ENDS[::-1]].to_numpy()
        frame = frame[frame["source_id"] != frame["target_id"]]
    if table.type.key is None:
        return frame
    if "timestamp" in frame:
        frame = frame.sort_values("timestamp", kind="stable", ascending=False, na_position="last")
    return frame.drop_duplicates([*ENDS, *table.type.key]).sort_index().reset_index(drop=True)
