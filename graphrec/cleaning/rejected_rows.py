"""Rejected rows: they are located in the source and listed once each; and checks that rows remain."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from graphrec.cleaning.load_context import LoadContext, current_load
from graphrec.cleaning.working_table import ROW, WorkingTable, set_rejection_dtypes
from graphrec.cleaning_report import REJECTED, CleaningReport
from graphrec.errors import DataError, first_few


def collect_rejected_rows(tables: Sequence[WorkingTable]) -> pd.DataFrame:
    """The rejected rows of all tables: columns `REJECTED`, each row of the source once.

    If several tables or rules reject a row, `table`, `rule` and `reason` name all of them.
    """
    parts = [_locate_rows(working) for working in tables if working.rejected]
    if not parts:
        return set_rejection_dtypes(pd.DataFrame(columns=REJECTED))
    occurrence = pd.concat(
        [part.groupby(["file", "row"], dropna=False).cumcount() for part in parts], ignore_index=True
    )
    return _merge_same_rows(pd.concat(parts, ignore_index=True), occurrence)


def require_rows_of_each_file(working: WorkingTable) -> None:
    """Raise DataError if all rows of a file are rejected: its format differs from the description of the table.

    If there are several files, a single bad row in a file is an ordinary rejected row.
    """
    if working.origin is None or ROW not in working.frame:
        return
    sizes = working.origin.files()
    ends = np.cumsum([rows for _, rows, _ in sizes])
    owner = np.searchsorted(ends, working.frame[ROW].to_numpy(dtype=np.int64), side="right")
    remaining = np.bincount(owner, minlength=len(sizes))
    for number, (name, rows, bad) in enumerate(sizes):
        if remaining[number] or rows + bad < (1 if len(sizes) == 1 else 2) or not working.rejected:
            continue
        rejected = pd.concat(working.rejected, ignore_index=True)
        rejected = rejected[rejected["file"].isna() & rejected["line"].between(ends[number] - rows, ends[number] - 1)]
        if rejected["line"].nunique() < rows:
            continue  # the other rows of a reshaped table have no values
        if len(sizes) == 1:
            dropped = [rule for rule in working.rules if rule.action == "dropped"]
            why = [f"{rule.rule}: {text}" for rule in dropped for text in rule.examples]
        else:
            why = (rejected["rule"] + ": " + rejected["reason"]).unique().tolist() or ["its lines are no rows"]
        hints = "".join(f"; {hint}" for hint in dict.fromkeys(rule.hint for rule in working.rules if rule.hint))
        raise DataError(
            f"{working.origin.place}, {name}: none of its {rows + bad:,} rows can be kept ({first_few(why)}){hints}; "
            f"nothing is written; {current_load().remedy}"
        )


def require_something_kept(report: CleaningReport, load: LoadContext) -> None:
    """Raise DataError if a table had rows and all of them were rejected, by whatever rules."""
    parts = []
    for table in report.tables:
        if table.rows and not table.kept:
            why = [f"{rule.rule}: {text}" for rule in table.rules if rule.action == "dropped" for text in rule.examples]
            hints = "".join(f"; {hint}" for hint in dict.fromkeys(rule.hint for rule in table.rules if rule.hint))
            parts.append(f"{table.name}: none of its {table.rows:,} rows can be kept ({first_few(why, 3)}){hints}")
    if parts:
        raise DataError(f"{'; '.join(parts)}; nothing is written; {load.remedy}")


def _locate_rows(working: WorkingTable) -> pd.DataFrame:
    """The rejected rows of a working table with their file, their line and the original row of the source."""
    frame = pd.concat(working.rejected, ignore_index=True)
    numbered = (frame["file"].isna() & frame["line"].notna()).to_numpy()
    if working.origin is None or not numbered.any():
        return frame
    numbers = frame.loc[numbered, "line"].astype("int64")
    originals = working.origin.originals(sorted(set(numbers))).reindex(numbers).set_axis(numbers.index)
    as_read = frame.loc[numbered, "row"][originals["row"].isna()].map(working.origin.as_read)
    originals["row"] = originals["row"].where(originals["row"].notna(), as_read)
    columns = {name: frame[name].mask(numbered, originals[name].reindex(frame.index)) for name in originals.columns}
    return set_rejection_dtypes(frame.assign(**columns))


def _merge_same_rows(frame: pd.DataFrame, occurrence: "pd.Series[int]") -> pd.DataFrame:
    """The rows, merged if file and line are equal; if the line is unknown, if text and `occurrence` are equal."""
    at = (
        frame["line"].astype("str").where(frame["line"].notna(), "row " + occurrence.astype("str") + " " + frame["row"])
    )
    unique = "\0" + pd.Series(frame.index.astype("str"), frame.index)
    key = (frame["file"] + "\0" + at).where(frame["file"].notna(), unique)
    is_repeated = key.duplicated(keep=False)
    if not is_repeated.any():
        return frame
    frame = frame.copy()
    for name in ("table", "rule", "reason"):
        joined = (
            frame.loc[is_repeated, name].groupby(key[is_repeated]).agg(lambda texts: "; ".join(dict.fromkeys(texts)))
        )
        frame.loc[is_repeated, name] = key[is_repeated].map(joined)
    return frame[~key.duplicated()].reset_index(drop=True)
