"""Repair of text: wrongly decoded characters, Unicode form, control characters and spaces."""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import ftfy
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from graphrec.cleaning.casting import to_arrow
from graphrec.cleaning.working_table import WorkingTable, shorten
from graphrec.tables import replace_columns

#: Only encoding errors are repaired: typographic quotes, ligatures and full-width letters are kept.
_FTFY = ftfy.TextFixerConfig(
    uncurl_quotes=False, fix_latin_ligatures=False, fix_character_width=False, normalization="NFC", explain=False
)
#: Text that may need repair: other than printable ASCII, "&amp;", surrounding or repeated spaces.
_SUSPECT = r"[^ -~]|&[#A-Za-z]|^ | $|  "
#: Characters removed before decoding: control characters except white space, zero-width spaces, byte order marks.
_NOISE = re.compile("[\x00-\x08\x0e-\x1b\x7f\u200b\ufeff]")
#: Control characters removed after decoding; from \x80 on, ftfy first decodes them as quotes and dashes if it can.
_CONTROL = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u200b\ufeff]")
_LINE_END = re.compile("\r\n|[\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029]")
_BLANK_LINES = re.compile("\n{3,}")
#: Runs of spaces and tabs; a single no-break or ideographic space is kept.
_SPACES = re.compile(r"\t|\s{2,}")
#: Maximum rounds of repair; text that was encoded or escaped twice needs two.
_MAX_ROUNDS = 8


def repair_text(working: WorkingTable, columns: Sequence[str]) -> WorkingTable:
    """The working table with these columns repaired and the other ids trimmed; empty results are missing."""
    frame = working.frame
    touched = np.zeros(len(frame), dtype=bool)
    shown: list[str] = []
    repaired: dict[str, pd.Series[Any]] = {}  # Any: text; a frame for each column would cost columns squared
    named = set(columns)
    for column in dict.fromkeys([*working.ids, *columns]):
        values, changed, examples = _repair_column(frame[column], repair_string if column in named else trim_id)
        if changed is not None:
            repaired[column] = values
            touched |= changed
            shown += [f"{column}: {example}" for example in examples]
    if not shown:
        return working
    return replace(working, frame=replace_columns(frame, repaired)).log("text", "repaired", int(touched.sum()), shown)


def repair_string(text: str) -> str:
    """The text correctly decoded, in NFC, without control characters and surplus spaces.

    Line breaks are kept. A repair that would lose characters, because a byte is missing, is not made. A repaired text
    is not changed by a second repair.

    >>> repair_string(" cafÃ©  noir ")
    'café noir'
    """
    for _ in range(_MAX_ROUNDS):
        before = text
        text = _tidy(_decode(_NOISE.sub("", text)))
        if text == before:
            break
    return text


def _decode(text: str) -> str:
    """The text decoded by ftfy; unchanged if that would add replacement characters or remove all text."""
    decoded = ftfy.fix_text(text, _FTFY)
    lossy = decoded.count("\ufffd") > text.count("\ufffd") or (text != "" and not decoded.strip())
    return text if lossy else decoded


def _tidy(text: str) -> str:
    """The text in NFC, without control characters, and without surrounding and repeated spaces in each line."""
    text = unicodedata.normalize("NFC", _CONTROL.sub("", text))
    lines = [_SPACES.sub(" ", line).strip() for line in _LINE_END.split(text)]
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip()


def trim_id(text: str) -> str:
    """An id in NFC, without control characters and surrounding spaces."""
    return _CONTROL.sub("", unicodedata.normalize("NFC", text)).strip()


def _repair_column(
    values: "pd.Series[Any]", repair: Callable[[str], str]
) -> tuple["pd.Series[Any]", "np.ndarray[Any, np.dtype[np.bool_]] | None", list[str]]:  # Any: a column of any type
    """The repaired column, the mask of changed rows (None if no row changed), and the first changes as text."""
    if not pd.api.types.is_string_dtype(values):
        return values, None, []
    column = to_arrow(values.astype("str"))
    suspect = pc.fill_null(pc.match_substring_regex(column, _SUSPECT), False)
    if not pc.any(suspect).as_py():
        return values, None, []
    old = pc.unique(column.filter(suspect)).to_pylist()
    changes = {text: new for text in old if (new := repair(text)) != text}
    if not changes:
        return values, None, []
    before = pa.array(list(changes), pa.large_string())
    after = pa.array([new or None for new in changes.values()], pa.large_string())
    positions = pc.index_in(column, value_set=before)
    changed = pc.is_valid(positions)
    new = pc.if_else(changed, pc.take(after, positions), column)
    shown = [f"{shorten(text)!r} → {shorten(repaired)!r}" for text, repaired in list(changes.items())[:5]]
    result = new.to_pandas().set_axis(values.index)
    return result, np.asarray(changed.to_numpy(), dtype=bool), shown
