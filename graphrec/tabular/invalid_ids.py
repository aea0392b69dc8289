"""Ids that are none: words that programs write for a missing value, and numbers that have lost digits."""

from typing import Any

import pandas as pd

from graphrec.cleaning.casting import text_of
from graphrec.cleaning.working_table import Rejection, WorkingTable, shortened
from graphrec.tabular.spec import FileInput, FrameInput, QueryInput, TableInput

#: What pandas, Python, SQL and spreadsheets write for a missing value. They are no ids unless `missing` is declared.
MISSING_WORDS = (
    "nan",
    "NaN",
    "NAN",
    "-nan",
    "None",
    "NULL",
    "null",
    "<NA>",
    "NaT",
    "\\N",
    "#N/A",
    "#NULL!",
    "undefined",
)
#: What may stand for a missing value, and may be an id: Namibia is NA.
AMBIGUOUS_WORDS = (
    "NA",
    "N/A",
    "n/a",
    "na",
    "none",
    "Null",
    "nil",
    "-",
    "--",
    "?",
    "unknown",
    "Unknown",
    "UNKNOWN",
    "(null)",
)
#: Above, neighbouring whole numbers are one and the same as floating point numbers.
_EXACT = 2**53
_SHOWN = 5


def reject_missing_words(batch: WorkingTable, origin: TableInput) -> WorkingTable:
    """The batch without the rows whose id is a word for a missing value; such words as may be ids are noted.

    A file or frame whose `missing` is declared keeps them, for its user has said what is missing. So does a database,
    which has a value of its own for it; there they are noted.
    """
    if isinstance(origin, FileInput | FrameInput) and origin.missing is not None:
        return batch
    reject = not isinstance(origin, QueryInput)
    rejections = []
    for name in batch.ids:
        texts = batch.frame[name].str.strip()
        sure, perhaps = texts.isin(MISSING_WORDS), texts.isin(AMBIGUOUS_WORDS)
        if reject and sure.any():
            hint = f'{name}: {_listed(texts[sure])} stand for a missing value; if they are ids, write missing = [""]'
            rejections.append(Rejection(sure, "missing", f"{name} is a word for a missing value", name, hint))
        doubtful = perhaps if reject else sure | perhaps
        if doubtful.any():
            words = _listed(texts[doubtful])
            hint = f'write missing = ["", {words}]' if reject else "leave them out in the sql"
            shown = [f"{name}: {word}" for word in texts[doubtful].drop_duplicates().head(_SHOWN)]
            hint = f"{name}: if {words} stand for no value, {hint}"
            batch = batch.did("missing", "noted", int(doubtful.sum()), shown, hint)
    return batch.without_each(rejections)


def note_inexact_floats(
    batch: WorkingTable, name: str, values: "pd.Series[Any]"
) -> WorkingTable:  # Any: the column as the source has it
    """The batch; ids that are floating point numbers too large to be exact are noted."""
    if not pd.api.types.is_float_dtype(values.dtype):
        return batch
    large = (values.abs() >= _EXACT).fillna(False).astype("bool")
    if not large.any():
        return batch
    shown = [f"{name}: {shortened(text_of(value))}" for value in values[large].head(_SHOWN)]
    hint = f"{name}: ids that are floating point numbers of 16 digits or more are not exact; export them as text"
    return batch.did("ids", "noted", int(large.sum()), shown, hint)


def _listed(texts: "pd.Series[str]") -> str:
    return ", ".join(f'"{word}"' for word in texts.drop_duplicates().head(_SHOWN))
