"""Rows that are the same node or edge become one: the first, the last, the largest, or their sum."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from graphrec.cleaning.casting import arrow
from graphrec.cleaning.rules import CleaningRules
from graphrec.cleaning.working_table import ROW, WorkingTable, describe, shortened
from graphrec.schema import EdgeType, NodeType
from graphrec.tables import ENDS

Codes = npt.NDArray[np.int64]

#: How many nodes have several values of a property, and the first of them as text.
_Conflict = tuple[int, tuple[str, ...]]
_SHOWN = 5


def merge_repeated(working: WorkingTable, rules: CleaningRules) -> WorkingTable:
    """The working table with one row for each node or edge, by `rules.repeated`; edges of key None are never equal.

    Of a node each property has the value of the first row (last, largest by `rules.by`) that has one. A node whose rows
    have several values of a property is counted as a conflict.

    Undirected edges between nodes of one label are turned so that the smaller id comes first: the two directions are
    the same edge.
    """
    kind = working.type
    if isinstance(kind, EdgeType) and kind.undirected and kind.source == kind.target:
        working = replace(working, frame=_turned(working.frame))
    return merge_rows(working, rules)


def merge_rows(working: WorkingTable, rules: CleaningRules) -> WorkingTable:
    """As `merge_repeated`, with no undirected edge turned."""
    kind = working.type
    if rules.repeated == "refuse" or (isinstance(kind, EdgeType) and kind.key is None):
        return working  # what is the same in spite of that, the tables themselves refuse
    identity = [*ENDS, *(kind.key or ())] if isinstance(kind, EdgeType) else ["id"]
    codes = row_codes(working.frame, identity)
    several = _several(codes)
    if several is None:
        return working
    rows = working.frame[several]
    groups = codes[several]
    order = _order(rows, rules)
    kept = _kept(groups, order, rules)
    left = np.ones(len(working.frame), dtype=bool)
    left[np.flatnonzero(several)[~kept]] = False
    frame = working.frame[left]
    conflicts: dict[str, _Conflict] = {}
    if isinstance(kind, NodeType):
        frame, conflicts = _filled(frame, rows, groups, kept, order if rules.repeated == "first" else order[::-1])
    if rules.repeated == "sum":
        frame = _summed(frame, rows, groups, kept, rules.combined)
    first = rows[~pd.Series(groups).duplicated().to_numpy()].head(5)
    sizes = pd.Series(groups).groupby(groups, sort=False).size()
    shown = [f"{text}: {size:,} rows" for text, size in zip(describe(first, working.ids), sizes.head(5), strict=True)]
    merged = replace(working, frame=frame.reset_index(drop=True))
    merged = merged.log("repeated", "merged", len(working.frame) - len(merged.frame), shown)
    meant = {
        rules.by,
        *(rules.combined if rules.repeated == "sum" else ()),
    }  # these differ, and that is what they are for
    for name, (number, differing) in conflicts.items():
        if name not in meant:
            merged = merged.log("conflict", "noted", number, differing)
    return merged


def row_codes(frame: pd.DataFrame, columns: Sequence[str]) -> Codes:
    """One whole number per row, the same for rows that agree in all columns; missing agrees with missing."""
    codes, size = np.zeros(len(frame), dtype=np.int64), 1
    for column in columns:
        # A dictionary's indices take four bytes a row, and the sums are made in place: rows are counted in millions.
        encoded = arrow(frame[column]).combine_chunks().dictionary_encode(null_encoding="encode")
        number = max(len(encoded.dictionary), 1)
        if size * number >= 2**62:
            codes, unique = pd.factorize(codes)
            size = len(unique)
        codes *= number
        codes += encoded.indices.to_numpy()
        size *= number
    return codes


def _several(codes: Codes) -> npt.NDArray[np.bool_] | None:
    """Which codes occur more than once; None if no code does. Sorting takes half of a hash table's memory."""
    ordered = np.sort(codes)
    again = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    if not len(again):
        return None
    del ordered
    places = np.searchsorted(again, codes)
    places[places == len(again)] = 0
    return np.asarray(again[places] == codes)


def _order(rows: pd.DataFrame, rules: CleaningRules) -> Codes:
    """The positions of the rows, by `rules.by` if it is given, else as they come."""
    order = np.arange(len(rows))
    if rules.by is not None:
        # A row without a value of `by` gives way to any that has one.
        values = rows[rules.by].reset_index(drop=True)
        if rules.repeated == "first":
            values = values.sort_values(kind="stable", na_position="last")
        else:
            values = values.sort_values(kind="stable", na_position="first")
        order = values.index.to_numpy()
    return order


def _kept(groups: Codes, order: Codes, rules: CleaningRules) -> npt.NDArray[np.bool_]:
    """Which of the rows stay, one of each group."""
    ordered = pd.Series(groups[order])
    doubled = ordered.duplicated(keep="first") if rules.repeated == "first" else ordered.duplicated(keep="last")
    chosen = order[~doubled.to_numpy()]
    kept = np.zeros(len(groups), dtype=bool)
    kept[chosen] = True
    return kept


def _filled(
    frame: pd.DataFrame, rows: pd.DataFrame, groups: Codes, kept: npt.NDArray[np.bool_], order: Codes
) -> tuple[pd.DataFrame, dict[str, _Conflict]]:
    """The frame whose kept rows have the first value in `order` that is there, and the conflicts by property."""
    group = np.unique(groups, return_inverse=True)[1]
    keeper = np.empty(group.max() + 1, dtype=np.int64)  # the label of each group's kept row
    keeper[group[kept]] = rows.index[kept].to_numpy()
    columns: dict[str, pd.Series[Any]] = {}  # Any: of any type
    conflicts: dict[str, _Conflict] = {}
    for name in (name for name in rows.columns if name not in ("id", ROW)):
        values = rows[name]
        missing = values.isna()
        if pd.api.types.is_string_dtype(values.dtype):
            missing |= values == ""
        there = order[~missing.to_numpy(dtype=bool)[order]]
        first = there[~pd.Series(group[there]).duplicated().to_numpy()]  # of each group the first row with a value
        if not kept[first].all():
            filled = frame[name].copy()
            filled.loc[keeper[group[first]]] = values.array[first]
            columns[name] = filled
        chosen = np.full(len(keeper), -1, dtype=np.int64)
        chosen[group[first]] = first
        if (conflict := _conflict(rows, name, there, chosen[group[there]])) is not None:
            conflicts[name] = conflict
    return frame.assign(**columns), conflicts


def _conflict(rows: pd.DataFrame, name: str, there: Codes, chosen: Codes) -> _Conflict | None:
    """How many nodes have another value than the chosen one; `chosen` has the row that each row gave way to."""
    try:
        codes = row_codes(rows, [name])
    except pa.ArrowException:
        return None  # lists and other values that have no order are not compared
    differs = codes[there] != codes[chosen]
    if not differs.any():
        return None
    pairs = pd.DataFrame({"chosen": chosen[differs], "other": there[differs]}).drop_duplicates("chosen")
    shown = [
        f"{shortened(rows['id'].iloc[stays])}: {name} {shortened(rows[name].iloc[stays])!r} stays, "
        f"not {shortened(rows[name].iloc[other])!r}"
        for stays, other in pairs.sort_values("chosen").head(_SHOWN).itertuples(index=False)
    ]
    return len(pairs), tuple(shown)


def _summed(
    frame: pd.DataFrame, rows: pd.DataFrame, groups: Codes, kept: npt.NDArray[np.bool_], columns: Sequence[str]
) -> pd.DataFrame:
    """The frame whose kept rows of a group carry the group's sums."""
    chosen = rows.index[kept]
    for column in columns:
        sums = rows[column].groupby(groups).sum(min_count=1)
        values: pd.Series[Any] = frame[column].copy()  # Any: whole or broken numbers
        values.loc[chosen] = sums.reindex(groups[kept]).to_numpy()
        frame = frame.assign(**{column: values})
    return frame


def _turned(frame: pd.DataFrame) -> pd.DataFrame:
    """Each row with its smaller end first."""
    swapped = (frame["source_id"] > frame["target_id"]).fillna(False).astype("bool")
    if not swapped.any():
        return frame
    source, target = frame["source_id"], frame["target_id"]
    return frame.assign(source_id=source.mask(swapped, target), target_id=target.mask(swapped, source))
