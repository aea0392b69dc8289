"""Text as it was meant: wrongly decoded characters, Unicode form, control characters and spaces are repaired."""

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

from graphrec.cleaning.casting import arrow
from graphrec.cleaning.working_table import WorkingTable, shortened

#: Only what was broken is repaired: typographic quotes, ligatures and full-width letters are meant.
_FTFY = ftfy.TextFixerConfig(
    uncurl_quotes=False, fix_latin_ligatures=False, fix_character_width=False, normalization="NFC", explain=False
)
#: What plain text never holds: anything but printable ASCII, "&amp;", spaces doubled or around.
_SUSPECT = r"[^ -~]|&[#A-Za-z]|^ | $|  "
#: White space counts as a space; a zero-width space or a byte order mark inside a text is invisible noise.
_NOISE = re.compile("[\x00-\x08\x0e-\x1b\x7f\u200b\ufeff]")
#: ftfy reads those from \x80 on, which are what is left of quotes and dashes; what it cannot read goes too.
_CONTROL = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u200b\ufeff]")
_LINE_END = re.compile("\r\n|[\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029]")
_BLANK_LINES = re.compile("\n{3,}")
#: Runs of spaces and tabs; a single no-break or ideographic space is meant.
_SPACES = re.compile(r"\t|\s{2,}")
#: Text that was encoded twice, or escaped twice, is repaired twice; this often at most.
_MOST_ROUNDS = 8


def repair_text(working: WorkingTable, columns: Sequence[str]) -> WorkingTable:
    """The working table with these columns repaired in full, and its ids trimmed; what becomes empty is missing."""
    frame = working.frame
    touched = np.zeros(len(frame), dtype=bool)
    shown: list[str] = []
    repaired: dict[str, pd.Series[Any]] = {}  # Any: text; a frame for each column would cost columns squared
    named = set(columns)
    for column in dict.fromkeys([*working.ids, *columns]):
        values, changed, examples = _repaired(frame[column], fixed if column in named else trimmed)
        if changed is not None:
            repaired[column] = values
            touched |= changed
            shown += [f"{column}: {example}" for example in examples]
    if not shown:
        return working
    return replace(working, frame=frame.assign(**repaired)).log("text", "repaired", int(touched.sum()), shown)


def fixed(text: str) -> str:
    """A text with its characters decoded rightly, in NFC, without control characters and needless spaces.

    Lines stay lines. A repair that would lose something, because a byte of the text is gone, is not made. What is
    repaired stays as it is when it is repaired again.

    >>> fixed(" cafÃ©  noir ")
    'café noir'
    """
    for _ in range(_MOST_ROUNDS):
        before = text
        text = _tidied(_decoded(_NOISE.sub("", text)))
        if text == before:
            break
    return text


def _decoded(text: str) -> str:
    """The text after ftfy; the text itself if that would bring replacement characters or take letters away."""
    found = ftfy.fix_text(text, _FTFY)
    lossy = found.count("\ufffd") > text.count("\ufffd") or (text != "" and not found.strip())
    return text if lossy else found


def _tidied(text: str) -> str:
    """In NFC, without control characters, each line without spaces around it and doubled ones."""
    text = unicodedata.normalize("NFC", _CONTROL.sub("", text))
    lines = [_SPACES.sub(" ", line).strip() for line in _LINE_END.split(text)]
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip()


def trimmed(text: str) -> str:
    """An id in NFC, without control characters and spaces around; nothing else is changed in it."""
    return _CONTROL.sub("", unicodedata.normalize("NFC", text)).strip()


def _repaired(
    values: "pd.Series[Any]", repair: Callable[[str], str]
) -> tuple["pd.Series[Any]", "np.ndarray[Any, np.dtype[np.bool_]] | None", list[str]]:  # Any: a column of any type
    """The repaired column, which of its rows were changed (None: none), and the first changes as text."""
    if not pd.api.types.is_string_dtype(values):
        return values, None, []
    column = arrow(values.astype("str"))
    suspect = pc.fill_null(pc.match_substring_regex(column, _SUSPECT), False)
    if not pc.any(suspect).as_py():
        return values, None, []
    old = pc.unique(column.filter(suspect)).to_pylist()
    changes = {text: new for text in old if (new := repair(text)) != text}
    if not changes:
        return values, None, []
    before = pa.array(list(changes), pa.large_string())
    after = pa.array([new or None for new in changes.values()], pa.large_string())
    found = pc.index_in(column, value_set=before)
    changed = pc.is_valid(found)
    new = pc.if_else(changed, pc.take(after, found), column)
    shown = [f"{shortened(a)!r} → {shortened(b)!r}" for a, b in list(changes.items())[:5]]
    result = new.to_pandas().set_axis(values.index)
    return result, np.asarray(changed.to_numpy(), dtype=bool), shown
