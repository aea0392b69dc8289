"""Restoration of ids that a tool converted to floating point numbers: 14503.0 is 14503 again."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from graphrec.cleaning.casting import to_arrow
from graphrec.cleaning.numbers import LOOKS_FLOAT, PLAIN_WHOLE, float_as_whole
from graphrec.cleaning.working_table import WorkingTable, shorten
from graphrec.schema import EdgeType, LinkRule
from graphrec.tables import ENDS, replace_columns

_MAX_EXAMPLES = 5
_LOST = "digits are lost in ids with an exponent; export the column as text"


@dataclass(frozen=True)
class _Column:
    """A column of ids.

    Attributes:
        working: the position of its table.
        name: the name of the column.
        floats: the mask of values that look like floats.
        distinct: the distinct values that look like floats.
        numeric: whether every value looks like a float or is a whole number.
    """

    working: int
    name: str
    floats: npt.NDArray[np.bool_]
    distinct: tuple[str, ...]
    numeric: bool


def restore_whole_ids(tables: Sequence[WorkingTable], links: Sequence[LinkRule] = ()) -> list[WorkingTable]:
    """The tables, in the same order, with the id 14503.0 as 14503; the rule `ids` logs the changes.

    A label's ids are changed if one of its columns has only whole numbers, some of them as floats, and no column has a
    float that is not whole: 1.0, 1.5 and 2.0 are versions and are kept. The change applies to all columns of the
    label, so that edges still refer to their nodes, and to properties that repeat the ids. Each property by which
    `links` compare the label is decided separately.
    """
    groups: dict[tuple[str, ...], list[_Column]] = {}
    for position, working in enumerate(tables):
        for label, name in _list_id_columns(working):
            column = _profile_column(working, position, name)
            groups.setdefault((label,), []).append(column)
            if column.distinct:
                copies = (
                    other
                    for other in map(str, working.frame.columns)
                    if other != name and _repeats_ids(working.frame, name, other)
                )
                groups[(label,)] += [_profile_column(working, position, other) for other in copies]
        for name in sorted({name for rule in links if rule.label == working.name for name in rule.on}):
            if name in working.frame and pd.api.types.is_string_dtype(working.frame[name]):
                groups[(working.name, name)] = [_profile_column(working, position, name)]
    changes: dict[int, dict[str, Mapping[str, str]]] = {}
    lost: dict[int, list[str]] = {}
    for columns in groups.values():
        whole = {text: float_as_whole(text) for column in columns for text in column.distinct}
        if None not in whole.values() and any(column.numeric and column.distinct for column in columns):
            for column in columns:
                if column.distinct:
                    changes.setdefault(column.working, {})[column.name] = cast(Mapping[str, str], whole)
        for column in columns:
            incomplete = [text for text in column.distinct if "e" in text.lower() and whole[text] is None]
            lost.setdefault(column.working, []).extend(incomplete)
    return [
        _note_lost_digits(_replace_ids(working, changes.get(position, {})), lost.get(position, []))
        for position, working in enumerate(tables)
    ]


def _repeats_ids(frame: pd.DataFrame, name: str, other: str) -> bool:
    """Whether a property equals the ids, because both are read from the same column."""
    return pd.api.types.is_string_dtype(frame[other].dtype) and frame[other].equals(frame[name])


def _list_id_columns(working: WorkingTable) -> Iterable[tuple[str, str]]:
    """The label and the name of each id column of a table."""
    if isinstance(working.type, EdgeType):
        return zip((working.type.source, working.type.target), ENDS, strict=True)
    return [(working.name, "id")]


def _profile_column(working: WorkingTable, position: int, name: str) -> _Column:
    texts = to_arrow(working.frame[name])
    floats = pc.fill_null(pc.match_substring_regex(texts, LOOKS_FLOAT), False)
    if not pc.any(floats).as_py():
        return _Column(position, name, np.zeros(len(texts), dtype=bool), (), False)
    numbers = pc.or_(floats, pc.fill_null(pc.match_substring_regex(texts, PLAIN_WHOLE), True))
    distinct = tuple(pc.unique(texts.filter(floats)).to_pylist())
    return _Column(position, name, floats.to_numpy(), distinct, bool(pc.all(numbers).as_py()))


def _replace_ids(working: WorkingTable, changes: Mapping[str, Mapping[str, str]]) -> WorkingTable:
    """The working table with the ids of some columns replaced, and a log entry with the number of rows."""
    if not changes:
        return working
    columns: dict[str, pd.Series[Any]] = {}  # Any: text
    touched = np.zeros(len(working.frame), dtype=bool)
    shown: list[str] = []
    for name, whole in changes.items():
        texts = to_arrow(working.frame[name])
        positions = pc.index_in(texts, value_set=pa.array(list(whole), pa.large_string()))
        new = pc.take(pa.array(list(whole.values()), pa.large_string()), positions)
        columns[name] = pc.coalesce(new, texts).to_pandas().set_axis(working.frame.index).astype("str")
        rows = pc.is_valid(positions).to_numpy()
        touched |= rows
        first = working.frame[name][rows].drop_duplicates().head(_MAX_EXAMPLES)
        shown += [f"{name}: {shorten(text)} → {whole[text]}" for text in first]
    return replace(working, frame=replace_columns(working.frame, columns)).log(
        "ids", "repaired", int(touched.sum()), shown
    )


def _note_lost_digits(working: WorkingTable, lost: Sequence[str]) -> WorkingTable:
    return working.log("ids", "noted", len(lost), map(shorten, lost), _LOST) if lost else working
