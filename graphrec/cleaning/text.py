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

from graphrec.cleaning.conversion import arrow
from graphrec.cleaning.draft import Draft, shortened

#: Only what was broken is repaired: typographic quotes, ligatures and full-width letters are meant.
_FTFY = ftfy.TextFixerConfig(
    uncurl_quotes=False, fix_latin_ligatures=False, fix_character_width=False, normalization="NFC", explain=False
)
#: What plain text never holds: anything but printable ASCII, "&amp;", spaces doubled or around.
_SUSPECT = r"[^ -~]|&[#A-Za-z]|^ | $|  "
#: White space counts as a space; a zero-width space or a byte order mark inside a text is invisible noise.
_CONTROL = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u200b\ufeff]")


def repair_text(draft: Draft, columns: Sequence[str]) -> Draft:
    """The draft with these columns repaired in full, and its ids trimmed; what becomes empty is missing."""
    frame = draft.frame
    touched = np.zeros(len(frame), dtype=bool)
    shown: list[str] = []
    for column in dict.fromkeys([*draft.ids, *columns]):
        values, changed, examples = _repaired(frame[column], fixed if column in columns else trimmed)
        if changed is not None:
            frame = frame.assign(**{column: values})
            touched |= changed
            shown += [f"{column}: {example}" for example in examples]
    if not shown:
        return draft
    return replace(draft, frame=frame).did("text", "repaired", int(touched.sum()), shown)


def fixed(text: str) -> str:
    """A text with its characters decoded rightly, in NFC, without control characters and needless spaces.

    >>> fixed(" cafÃ©  noir ")
    'café noir'
    """
    return " ".join(_CONTROL.sub("", ftfy.fix_text(_CONTROL.sub("", text), _FTFY)).split())


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
