"""Appended records are merged with the source's records in the graph, as if both were rows of one file."""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from graphrec.errors import DataError, first_few
from graphrec.fusion.records import IDENTITY, KEY, NATIVE_ID, add_columns
from graphrec.tables import Repeats

Cells: TypeAlias = npt.NDArray[np.object_]
Mask: TypeAlias = npt.NDArray[np.bool_]


def merge_appended(label: str, new: pd.DataFrame, old: pd.DataFrame, repeats: Repeats | None) -> pd.DataFrame:
    """The new records, each merged with the old record of the same key; a missing value never replaces a value.

    If both have a value, `repeats` decides: with "first" the earlier row counts, else the later one; "sum" adds the
    properties in `combined`. The appended row is the later one, unless `repeats.by` orders the rows.

    Raises DataError if `repeats` refuses repeated rows and a value differs from the one in the graph.
    """
    stored = old.set_index(KEY).reindex(new[KEY])
    names = [name for name in old.columns if name not in IDENTITY]
    before = {name: stored[name].to_numpy(dtype=object) for name in names}
    after = {name: new[name].to_numpy(dtype=object) if name in new else _make_missing(len(new)) for name in names}
    if repeats is not None and repeats.repeated == "refuse":
        _require_equal_values(label, new[NATIVE_ID], before, after)
    new_first = prefer_new_rows(repeats, before, after, len(new))
    columns = {}
    for name in names:
        preferred = np.where(new_first, after[name], before[name])
        alternative = np.where(new_first, before[name], after[name])
        columns[name] = np.where(pd.notna(preferred), preferred, alternative)
        if repeats is not None and repeats.repeated == "sum" and name in repeats.combined:
            both = pd.notna(before[name]) & pd.notna(after[name])
            columns[name][both] = before[name][both] + after[name][both]
    merged = {name: pd.Series(cells, index=new.index, dtype=object) for name, cells in columns.items()}
    return add_columns(new[IDENTITY], merged)


def prefer_new_rows(repeats: Repeats | None, before: dict[str, Cells], after: dict[str, Cells], count: int) -> Mask:
    """For each appended row, whether its values count before those in the graph.

    The rows are compared by `repeats.by`; without it, and if neither row has a value of it, the appended row is the
    later one.
    """
    prefer_later = repeats is None or repeats.repeated != "first"
    if repeats is None or repeats.by is None or repeats.by not in before:
        return np.full(count, prefer_later)
    old, new = before[repeats.by], after[repeats.by]
    new_first = np.full(count, prefer_later)
    new_first[pd.notna(old) & pd.isna(new)] = False
    new_first[pd.isna(old) & pd.notna(new)] = True
    both = pd.notna(old) & pd.notna(new)
    new_first[both] = old[both] <= new[both] if prefer_later else old[both] > new[both]
    return new_first


def _make_missing(count: int) -> Cells:
    return np.full(count, None, dtype=object)


def _require_equal_values(
    label: str, native: "pd.Series[str]", before: dict[str, Cells], after: dict[str, Cells]
) -> None:
    """Raise DataError if values in the file differ from those in the graph; it names the first records."""
    shown: list[str] = []
    rows: Mask = np.zeros(len(native), dtype=bool)
    for name, old in before.items():
        new = after[name]
        differs = pd.notna(old) & pd.notna(new) & np.asarray(old != new, dtype=bool)
        rows |= differs
        shown += [_describe_difference(native.iloc[at], name, old[at], new[at]) for at in np.flatnonzero(differs)[:5]]
    if rows.any():
        raise DataError(
            f"{label}: {int(rows.sum()):,} of {len(native):,} appended rows have other values than the graph "
            f'({first_few(shown)}); write repeated = "last" in [nodes.{label}] if the newer row counts ("first", if '
            "the older does), or load all files together without --append"
        )


def _describe_difference(native: str, name: str, old: Any, new: Any) -> str:  # Any: values of a property
    return f"{native}: {name} {old!r} in the graph, {new!r} in the file"
