"""Duplicates: rows of the same node or edge are merged into the first, the last, the largest or their sum."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from graphrec.cleaning.casting import to_arrow
from graphrec.cleaning.rules import CleaningRules
from graphrec.cleaning.working_table import ROW, WorkingTable, describe, shorten
from graphrec.schema import EdgeType, NodeType
from graphrec.tables import ENDS, replace_columns

Codes = npt.NDArray[np.int64]

#: The number of nodes with several values of a property, and the first of them as text.
_Conflict = tuple[int, tuple[str, ...]]
_MAX_EXAMPLES = 5


def merge_repeated(working: WorkingTable, rules: CleaningRules) -> WorkingTable:
    """The working table with one row for each node or edge, by `rules.repeated`; edges with key None are never equal.

    Each property of a node has the value of the first row (last, largest by `rules.by`) with a value. If the rows of a
    node have several values of a property, the node is counted as a conflict.

    Undirected edges between nodes of one label have the smaller id first, since both directions are the same edge.
    """
    kind = working.type
    if isinstance(kind, EdgeType) and kind.undirected and kind.source == kind.target:
        working = replace(working, frame=_orient(working.frame))
    return merge_rows(working, rules)


def merge_rows(working: WorkingTable, rules: CleaningRules) -> WorkingTable:
    """As `merge_repeated`, without reordering the ends of undirected edges."""
    kind = working.type
    if rules.repeated == "refuse" or (isinstance(kind, EdgeType) and kind.key is None):
        return working  # the tables themselves refuse duplicates
    identity = [*ENDS, *(kind.key or ())] if isinstance(kind, EdgeType) else ["id"]
    codes = encode_rows(working.frame, identity)
    is_repeated = _mark_repeated(codes)
    if is_repeated is None:
        return working
    rows = working.frame[is_repeated]
    groups = codes[is_repeated]
    order = _order_rows(rows, rules)
    kept = _choose_rows(groups, order, rules)
    remaining = np.ones(len(working.frame), dtype=bool)
    remaining[np.flatnonzero(is_repeated)[~kept]] = False
    frame = working.frame[remaining]
    conflicts: dict[str, _Conflict] = {}
    if isinstance(kind, NodeType):
        frame, conflicts = _fill_missing(frame, rows, groups, kept, order if rules.repeated == "first" else order[::-1])
    if rules.repeated == "sum":
        frame = _sum_columns(frame, rows, groups, kept, rules.combined)
    first = rows[~pd.Series(groups).duplicated().to_numpy()].head(5)
    sizes = pd.Series(groups).groupby(groups, sort=False).size()
    shown = [f"{text}: {size:,} rows" for text, size in zip(describe(first, working.ids), sizes.head(5), strict=True)]
    merged = replace(working, frame=frame.reset_index(drop=True))
    merged = merged.log("repeated", "merged", len(working.frame) - len(merged.frame), shown)
    # These columns are expected to differ.
    no_conflict = {rules.by, *(rules.combined if rules.repeated == "sum" else ())}
    for name, (number, differing) in conflicts.items():
        if name not in no_conflict:
            merged = merged.log("conflict", "noted", number, differing)
    return merged


def encode_rows(frame: pd.DataFrame, columns: Sequence[str]) -> Codes:
    """One integer per row, equal for rows that agree in all columns; missing values are equal."""
    codes, size = np.zeros(len(frame), dtype=np.int64), 1
    for column in columns:
        # Memory: dictionary indices need four bytes per row, and the sums are computed in place.
        encoded = to_arrow(frame[column]).combine_chunks().dictionary_encode(null_encoding="encode")
        number = max(len(encoded.dictionary), 1)
        if size * number >= 2**62:
            codes, unique = pd.factorize(codes)
            size = len(unique)
        codes *= number
        codes += encoded.indices.to_numpy()
        size *= number
    return codes


def _mark_repeated(codes: Codes) -> npt.NDArray[np.bool_] | None:
    """The mask of codes that occur more than once, or None. Sorting needs half of a hash table's memory."""
    ordered = np.sort(codes)
    repeated = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    if not len(repeated):
        return None
    del ordered
    positions = np.searchsorted(repeated, codes)
    positions[positions == len(repeated)] = 0
    return np.asarray(repeated[positions] == codes)


def _order_rows(rows: pd.DataFrame, rules: CleaningRules) -> Codes:
    """The positions of the rows, ordered by `rules.by` if it is given, else in the order of the file."""
    order = np.arange(len(rows))
    if rules.by is not None:
        # A row with a value of `by` is preferred to one without.
        values = rows[rules.by].reset_index(drop=True)
        if rules.repeated == "first":
            values = values.sort_values(kind="stable", na_position="last")
        else:
            values = values.sort_values(kind="stable", na_position="first")
        order = values.index.to_numpy()
    return order


def _choose_rows(groups: Codes, order: Codes, rules: CleaningRules) -> npt.NDArray[np.bool_]:
    """The mask of the rows that are kept, one per group."""
    ordered = pd.Series(groups[order])
    is_duplicate = ordered.duplicated(keep="first") if rules.repeated == "first" else ordered.duplicated(keep="last")
    chosen = order[~is_duplicate.to_numpy()]
    kept = np.zeros(len(groups), dtype=bool)
    kept[chosen] = True
    return kept


def _fill_missing(
    frame: pd.DataFrame, rows: pd.DataFrame, groups: Codes, kept: npt.NDArray[np.bool_], order: Codes
) -> tuple[pd.DataFrame, dict[str, _Conflict]]:
    """The frame whose kept rows have the first value of their group in `order`, and the conflicts by property."""
    group = np.unique(groups, return_inverse=True)[1]
    keeper = np.empty(group.max() + 1, dtype=np.int64)  # the index label of each group's kept row
    keeper[group[kept]] = rows.index[kept].to_numpy()
    columns: dict[str, pd.Series[Any]] = {}  # Any: of any type
    conflicts: dict[str, _Conflict] = {}
    for name in (name for name in rows.columns if name not in ("id", ROW)):
        values = rows[name]
        missing = values.isna()
        if pd.api.types.is_string_dtype(values.dtype):
            missing |= values == ""
        with_value = order[~missing.to_numpy(dtype=bool)[order]]
        first = with_value[~pd.Series(group[with_value]).duplicated().to_numpy()]  # one row per group
        if not kept[first].all():
            filled = frame[name].copy()
            filled.loc[keeper[group[first]]] = values.array[first]
            columns[name] = filled
        chosen = np.full(len(keeper), -1, dtype=np.int64)
        chosen[group[first]] = first
        if (conflict := _find_conflict(rows, name, with_value, chosen[group[with_value]])) is not None:
            conflicts[name] = conflict
    return replace_columns(frame, columns), conflicts


def _find_conflict(rows: pd.DataFrame, name: str, others: Codes, chosen: Codes) -> _Conflict | None:
    """The number of nodes with a value that differs from that of the chosen row; `chosen` is aligned with `others`."""
    try:
        codes = encode_rows(rows, [name])
    except pa.ArrowException:
        return None  # lists and other values that pyarrow cannot encode are not compared
    differs = codes[others] != codes[chosen]
    if not differs.any():
        return None
    pairs = pd.DataFrame({"chosen": chosen[differs], "other": others[differs]}).drop_duplicates("chosen")
    shown = [
        f"{shorten(rows['id'].iloc[kept])}: {name} {shorten(rows[name].iloc[kept])!r} stays, "
        f"not {shorten(rows[name].iloc[other])!r}"
        for kept, other in pairs.sort_values("chosen").head(_MAX_EXAMPLES).itertuples(index=False)
    ]
    return len(pairs), tuple(shown)


def _sum_columns(
    frame: pd.DataFrame, rows: pd.DataFrame, groups: Codes, kept: npt.NDArray[np.bool_], columns: Sequence[str]
) -> pd.DataFrame:
    """The frame with the sums of each group in its kept row."""
    chosen = rows.index[kept]
    for column in columns:
        sums = rows[column].groupby(groups).sum(min_count=1)
        values: pd.Series[Any] = frame[column].copy()  # Any: int or float
        values.loc[chosen] = sums.reindex(groups[kept]).to_numpy()
        frame = replace_columns(frame, {column: values})
    return frame


def _orient(frame: pd.DataFrame) -> pd.DataFrame:
    """The edges with the smaller id as source."""
    swapped = (frame["source_id"] > frame["target_id"]).fillna(False).astype("bool")
    if not swapped.any():
        return frame
    source, target = frame["source_id"], frame["target_id"]
    return frame.assign(source_id=source.mask(swapped, target), target_id=target.mask(swapped, source))
