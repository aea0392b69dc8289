"""Invalid ids: words that programs write for missing values, and floats that have lost digits."""

from typing import Any

import pandas as pd

from graphrec.cleaning.casting import to_text
from graphrec.cleaning.working_table import Rejection, WorkingTable, shorten
from graphrec.tabular.spec import FileInput, FrameInput, QueryInput, TableInput

#: Missing values as written by pandas, Python, SQL and spreadsheets; rejected as ids unless `missing` is declared.
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
#: Words that may represent a missing value or be an id (NA is Namibia); only noted.
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
#: Largest value up to which all integers are exact as floats.
_EXACT = 2**53
_SHOWN = 5


def reject_missing_words(batch: WorkingTable, source: TableInput) -> WorkingTable:
    """The batch without rows whose id is a word for a missing value; ambiguous words are only noted.

    Files and frames with a declared `missing` keep all. Databases have NULL for missing values, so there every such
    word is only noted.
    """
    if isinstance(source, FileInput | FrameInput) and source.missing is not None:
        return batch
    reject = not isinstance(source, QueryInput)
    rejections = []
    for name in batch.ids:
        texts = batch.frame[name].str.strip()
        missing, ambiguous = texts.isin(MISSING_WORDS), texts.isin(AMBIGUOUS_WORDS)
        if reject and missing.any():
            words = _quote_examples(texts[missing])
            hint = f'{name}: {words} represent a missing value; if they are ids, write missing = [""]'
            rejections.append(Rejection(missing, "missing", f"{name} is a word for a missing value", name, hint))
        noted = ambiguous if reject else missing | ambiguous
        if noted.any():
            words = _quote_examples(texts[noted])
            hint = f'write missing = ["", {words}]' if reject else "leave them out in the sql"
            shown = [f"{name}: {word}" for word in texts[noted].drop_duplicates().head(_SHOWN)]
            hint = f"{name}: if {words} represent missing values, {hint}"
            batch = batch.log("missing", "noted", int(noted.sum()), shown, hint)
    return batch.reject_each(rejections)


def note_inexact_floats(
    batch: WorkingTable, name: str, values: "pd.Series[Any]"
) -> WorkingTable:  # Any: a column of any type
    """The batch, with a note if ids are floats too large to be exact."""
    if not pd.api.types.is_float_dtype(values.dtype):
        return batch
    large = (values.abs() >= _EXACT).fillna(False).astype("bool")
    if not large.any():
        return batch
    shown = [f"{name}: {shorten(to_text(value))}" for value in values[large].head(_SHOWN)]
    hint = f"{name}: ids that are floating point numbers of 16 digits or more are not exact; export them as text"
    return batch.log("ids", "noted", int(large.sum()), shown, hint)


def _quote_examples(texts: "pd.Series[str]") -> str:
    return ", ".join(f'"{word}"' for word in texts.drop_duplicates().head(_SHOWN))
