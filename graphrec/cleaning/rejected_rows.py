"""The rejected rows of all tables: found again in the source, each once; and the check that something is left."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from graphrec.cleaning.load_context import LoadContext, current_load
from graphrec.cleaning.working_table import ROW, WorkingTable, typed_rejections
from graphrec.cleaning_report import REJECTED, CleaningReport
from graphrec.errors import DataError, first_few


def rejected_rows(drafts: Sequence[WorkingTable]) -> pd.DataFrame:
    """The rejected rows of all drafts: columns `REJECTED`, a row of the source once, whatever tables rejected it.

    Of a row that several tables or rules reject, `table`, `rule` and `reason` name all of them.
    """
    parts = [_found(working) for working in drafts if working.rejected]
    if not parts:
        return typed_rejections(pd.DataFrame(columns=REJECTED))
    again = pd.concat([part.groupby(["file", "row"], dropna=False).cumcount() for part in parts], ignore_index=True)
    return _each_once(pd.concat(parts, ignore_index=True), again)


def require_rows_of_each_file(working: WorkingTable) -> None:
    """Raise DataError if a file has rows and none of them is left: it has another form than the table says.

    One bad row that is alone in one of several files is a rejected row like any other.
    """
    if working.origin is None or ROW not in working.frame:
        return
    sizes = working.origin.files()
    ends = np.cumsum([rows for _, rows, _ in sizes])
    owner = np.searchsorted(ends, working.frame[ROW].to_numpy(dtype=np.int64), side="right")
    left = np.bincount(owner, minlength=len(sizes))
    for number, (name, rows, bad) in enumerate(sizes):
        if left[number] or rows + bad < (1 if len(sizes) == 1 else 2) or not working.rejected:
            continue
        gone = pd.concat(working.rejected, ignore_index=True)
        gone = gone[gone["file"].isna() & gone["line"].between(ends[number] - rows, ends[number] - 1)]
        if gone["line"].nunique() < rows:
            continue  # its rows were divided into values, of which they have none
        if len(sizes) == 1:
            dropped = [rule for rule in working.rules if rule.action == "dropped"]
            why = [f"{rule.rule}: {text}" for rule in dropped for text in rule.examples]
        else:
            why = (gone["rule"] + ": " + gone["reason"]).unique().tolist() or ["its lines are no rows"]
        hints = "".join(f"; {hint}" for hint in dict.fromkeys(rule.hint for rule in working.rules if rule.hint))
        raise DataError(
            f"{working.origin.place}, {name}: none of its {rows + bad:,} rows can be kept ({first_few(why)}){hints}; "
            f"nothing is written; {current_load().remedy}"
        )


def require_something_kept(report: CleaningReport, load: LoadContext) -> None:
    """Raise DataError if a table had rows and none of them is left, whatever rejected them."""
    parts = []
    for table in report.tables:
        if table.rows and not table.kept:
            why = [f"{rule.rule}: {text}" for rule in table.rules if rule.action == "dropped" for text in rule.examples]
            hints = "".join(f"; {hint}" for hint in dict.fromkeys(rule.hint for rule in table.rules if rule.hint))
            parts.append(f"{table.name}: none of its {table.rows:,} rows can be kept ({first_few(why, 3)}){hints}")
    if parts:
        raise DataError(f"{'; '.join(parts)}; nothing is written; {load.remedy}")


def _found(working: WorkingTable) -> pd.DataFrame:
    """The rejected rows of a working table with their file, line and the row as the source has it."""
    frame = pd.concat(working.rejected, ignore_index=True)
    numbered = (frame["file"].isna() & frame["line"].notna()).to_numpy()
    if working.origin is None or not numbered.any():
        return frame
    numbers = frame.loc[numbered, "line"].astype("int64")
    found = working.origin.originals(sorted(set(numbers))).reindex(numbers).set_axis(numbers.index)
    as_read = frame.loc[numbered, "row"][found["row"].isna()].map(working.origin.as_read)
    found["row"] = found["row"].where(found["row"].notna(), as_read)
    columns = {name: frame[name].mask(numbered, found[name].reindex(frame.index)) for name in found.columns}
    return typed_rejections(frame.assign(**columns))


def _each_once(frame: pd.DataFrame, again: "pd.Series[int]") -> pd.DataFrame:
    """The rows, those of one file and line as one; where the line is not known, those with one text and `again`."""
    at = frame["line"].astype("str").where(frame["line"].notna(), "row " + again.astype("str") + " " + frame["row"])
    alone = "\0" + pd.Series(frame.index.astype("str"), frame.index)
    key = (frame["file"] + "\0" + at).where(frame["file"].notna(), alone)
    several = key.duplicated(keep=False)
    if not several.any():
        return frame
    frame = frame.copy()
    for name in ("table", "rule", "reason"):
        joined = frame.loc[several, name].groupby(key[several]).agg(lambda texts: "; ".join(dict.fromkeys(texts)))
        frame.loc[several, name] = key[several].map(joined)
    return frame[~key.duplicated()].reset_index(drop=True)
