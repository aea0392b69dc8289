"""Appended records meet those that the source has in the graph: each becomes what both rows together would be."""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from graphrec.errors import DataError, first_few
from graphrec.fusion.records import IDENTITY, widened
from graphrec.tables import Repeats

Cells: TypeAlias = npt.NDArray[np.object_]
Mask: TypeAlias = npt.NDArray[np.bool_]


def completed(label: str, new: pd.DataFrame, old: pd.DataFrame, repeats: Repeats | None) -> pd.DataFrame:
    """The new records, each made one with the old record of its key: a value that is there before one that is missing.

    Where both have a value, that of the newer row counts, as `repeats` says which that is: with "first" the old one,
    with "sum" both together if the property is among `combined`, else the new one, unless `by` says otherwise.

    Raises DataError if `repeats` refuses repeated rows and a value is another than in the graph.
    """
    there = old.set_index("key").reindex(new["key"])
    names = [name for name in old.columns if name not in IDENTITY]
    before = {name: there[name].to_numpy(dtype=object) for name in names}
    after = {name: new[name].to_numpy(dtype=object) if name in new else _nothing(len(new)) for name in names}
    if repeats is not None and repeats.repeated == "refuse":
        _require_alike(label, new["native"], before, after)
    wins = new_rows_win(repeats, before, after, len(new))
    columns = {}
    for name in names:
        first, second = np.where(wins, after[name], before[name]), np.where(wins, before[name], after[name])
        columns[name] = np.where(pd.notna(first), first, second)
        if repeats is not None and repeats.repeated == "sum" and name in repeats.combined:
            both = pd.notna(before[name]) & pd.notna(after[name])
            columns[name][both] = before[name][both] + after[name][both]
    filled = {name: pd.Series(cells, index=new.index, dtype=object) for name, cells in columns.items()}
    return widened(new[IDENTITY], filled)


def new_rows_win(repeats: Repeats | None, before: dict[str, Cells], after: dict[str, Cells], count: int) -> Mask:
    """For each appended row whether it counts before the row that the graph has: by `by`, else as the later one."""
    late = repeats is None or repeats.repeated != "first"
    if repeats is None or repeats.by is None or repeats.by not in before:
        return np.full(count, late)
    old, new = before[repeats.by], after[repeats.by]
    wins = np.full(count, late)  # of two rows without a value of `by` too
    wins[pd.notna(old) & pd.isna(new)] = False
    wins[pd.isna(old) & pd.notna(new)] = True
    both = pd.notna(old) & pd.notna(new)
    wins[both] = old[both] <= new[both] if late else old[both] > new[both]
    return wins


def _nothing(count: int) -> Cells:
    return np.full(count, None, dtype=object)


def _require_alike(label: str, native: "pd.Series[str]", before: dict[str, Cells], after: dict[str, Cells]) -> None:
    """Raise DataError naming the records of which a value in the graph is another than in the file."""
    shown: list[str] = []
    rows: Mask = np.zeros(len(native), dtype=bool)
    for name, old in before.items():
        new = after[name]
        differs = pd.notna(old) & pd.notna(new) & np.asarray(old != new, dtype=bool)
        rows |= differs
        shown += [_line(native.iloc[at], name, old[at], new[at]) for at in np.flatnonzero(differs)[:5]]
    if rows.any():
        raise DataError(
            f"{label}: {int(rows.sum()):,} of {len(native):,} appended rows say other than the graph "
            f'({first_few(shown)}); write repeated = "last" in [nodes.{label}] if the newer row counts ("first", if '
            "the older does), or load all files together without --append"
        )


def _line(native: str, name: str, old: Any, new: Any) -> str:  # Any: values of a property
    return f"{native}: {name} {old!r} in the graph, {new!r} in the file"
