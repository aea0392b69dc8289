"""Ids that a tool turned into floating point numbers are the whole numbers that they were."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from graphrec.cleaning.casting import arrow
from graphrec.cleaning.numbers import LOOKS_FLOAT, PLAIN_WHOLE, float_as_whole
from graphrec.cleaning.working_table import WorkingTable, shortened
from graphrec.schema import EdgeType, LinkRule
from graphrec.tables import ENDS

_SHOWN = 5
_LOST = "digits are lost in ids with an exponent; export the column as text"


@dataclass(frozen=True)
class _Column:
    """A column of ids: the position of its table, its name, which values look like floats, and whether all are."""

    working: int
    name: str
    floats: npt.NDArray[np.bool_]
    distinct: tuple[str, ...]
    numeric: bool


def whole_ids(drafts: Sequence[WorkingTable], links: Sequence[LinkRule] = ()) -> list[WorkingTable]:
    """The drafts in which the id 14503.0 is 14503, counted by the rule `ids`; the order is kept.

    A label's ids are changed if one of its columns has whole numbers alone, of which some are floats, and no column
    has a float that is no whole number: 1.0, 1.5 and 2.0 are versions, and stay. They are changed in all columns of
    the label alike, so that edges find their nodes, and in properties that repeat them; and in the properties by which
    `links` compare the label, each by itself.
    """
    groups: dict[tuple[str, ...], list[_Column]] = {}
    for position, working in enumerate(drafts):
        for label, name in _labelled(working):
            column = _column(working, position, name)
            groups.setdefault((label,), []).append(column)
            if column.distinct:
                copies = (
                    other
                    for other in map(str, working.frame.columns)
                    if other != name and _same(working.frame, name, other)
                )
                groups[(label,)] += [_column(working, position, other) for other in copies]
        for name in sorted({name for rule in links if rule.label == working.name for name in rule.on}):
            if name in working.frame and pd.api.types.is_string_dtype(working.frame[name]):
                groups[(working.name, name)] = [_column(working, position, name)]
    changes: dict[int, dict[str, Mapping[str, str]]] = {}
    lost: dict[int, list[str]] = {}
    for columns in groups.values():
        whole = {text: float_as_whole(text) for column in columns for text in column.distinct}
        if None not in whole.values() and any(column.numeric and column.distinct for column in columns):
            for column in columns:
                if column.distinct:
                    changes.setdefault(column.working, {})[column.name] = cast(Mapping[str, str], whole)
        for column in columns:
            cut = [text for text in column.distinct if "e" in text.lower() and whole[text] is None]
            lost.setdefault(column.working, []).extend(cut)
    return [
        _noted(_changed(working, changes.get(position, {})), lost.get(position, []))
        for position, working in enumerate(drafts)
    ]


def _same(frame: pd.DataFrame, name: str, other: str) -> bool:
    """Whether a property repeats the ids, as it comes from the same column."""
    return pd.api.types.is_string_dtype(frame[other].dtype) and frame[other].equals(frame[name])


def _labelled(working: WorkingTable) -> Iterable[tuple[str, str]]:
    """Label and column of the ids of a working table."""
    if isinstance(working.type, EdgeType):
        return zip((working.type.source, working.type.target), ENDS, strict=True)
    return [(working.name, "id")]


def _column(working: WorkingTable, position: int, name: str) -> _Column:
    texts = arrow(working.frame[name])
    floats = pc.fill_null(pc.match_substring_regex(texts, LOOKS_FLOAT), False)
    if not pc.any(floats).as_py():
        return _Column(position, name, np.zeros(len(texts), dtype=bool), (), False)
    numbers = pc.or_(floats, pc.fill_null(pc.match_substring_regex(texts, PLAIN_WHOLE), True))
    distinct = tuple(pc.unique(texts.filter(floats)).to_pylist())
    return _Column(position, name, floats.to_numpy(), distinct, bool(pc.all(numbers).as_py()))


def _changed(working: WorkingTable, changes: Mapping[str, Mapping[str, str]]) -> WorkingTable:
    """The working table with the texts of some columns replaced, and how many rows that were."""
    if not changes:
        return working
    columns: dict[str, pd.Series[Any]] = {}  # Any: text
    touched = np.zeros(len(working.frame), dtype=bool)
    shown: list[str] = []
    for name, whole in changes.items():
        texts = arrow(working.frame[name])
        found = pc.index_in(texts, value_set=pa.array(list(whole), pa.large_string()))
        new = pc.take(pa.array(list(whole.values()), pa.large_string()), found)
        columns[name] = pc.coalesce(new, texts).to_pandas().set_axis(working.frame.index).astype("str")
        rows = pc.is_valid(found).to_numpy()
        touched |= rows
        first = working.frame[name][rows].drop_duplicates().head(_SHOWN)
        shown += [f"{name}: {shortened(text)} → {whole[text]}" for text in first]
    return replace(working, frame=working.frame.assign(**columns)).log("ids", "repaired", int(touched.sum()), shown)


def _noted(working: WorkingTable, lost: Sequence[str]) -> WorkingTable:
    return working.log("ids", "noted", len(lost), map(shortened, lost), _LOST) if lost else working
