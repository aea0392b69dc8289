"""Strict reader of JSON lines, with one object per line."""

import ast
import json
import math
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import pyarrow as pa

from graphrec.errors import DataError, first_few
from graphrec.reading.files import Tally, read_lines, require_file
from graphrec.reading.table import ARROW, MEANING, Kind, to_frame

#: The kinds of table columns; "json?" is any JSON value (a list, an object), or missing.
JsonKind = Kind | Literal["json?"]

#: The number of a line and its object.
_Numbered = tuple[int, dict[str, Any]]

_BATCH = 50_000
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def read_json_lines(path: Path, columns: Mapping[str, JsonKind], literals: bool = False) -> pd.DataFrame:
    """Selected fields of the objects in a file (plain or .gz), one row per line, with the dtypes of `read_table`.

    A field that is null, absent or an empty text is missing; a text is never read as a number. Columns of kind
    "json?" have dtype object. Blank lines are skipped.

    Args:
        path: the file; it must be UTF-8.
        columns: the kind of each selected field, by name.
        literals: whether lines may be Python literals instead of JSON, such as {'asin': '0001'}.

    Raises:
        DataError: the file is missing, empty or cut off, a line is not an object, or a field is not of its kind.
    """
    path = require_file(Path(path))
    broken = Tally()
    wrong = {name: Tally() for name in columns}
    chunks: dict[str, list[Any]] = {name: [] for name in columns}
    objects = _iter_objects(path, literals, broken)
    while batch := list(islice(objects, _BATCH)):  # limits the memory of Python objects
        for name, kind in columns.items():
            chunks[name].append(_extract_column(name, kind, batch, wrong[name]))
    _require_valid(path, columns, broken, wrong)
    if not any(chunks.values()):
        raise DataError(f"{path} is empty; copy or download it again")
    flat: dict[str, Kind] = {name: kind for name, kind in columns.items() if kind != "json?"}
    table = pa.table({name: pa.chunked_array(chunks[name], ARROW[kind.rstrip("?")]) for name, kind in flat.items()})
    frame = to_frame(table, flat)
    for name in columns.keys() - flat.keys():
        frame[name] = pd.Series([value for chunk in chunks[name] for value in chunk], dtype=object)
    return frame[list(columns)]


def _iter_objects(path: Path, literals: bool, broken: Tally) -> Iterator[_Numbered]:
    for number, line in read_lines(path):
        text = line.removeprefix(_BYTE_ORDER_MARK).strip() if number == 1 else line.strip()
        if not text:
            continue
        try:
            value = _parse(text, literals)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
            broken.add(f"line {number}: {str(error).partition(': line')[0] or type(error).__name__}")
            continue
        if isinstance(value, dict):
            yield number, value
        else:
            broken.add(f"line {number}: a {type(value).__name__}")


def _parse(text: bytes, literals: bool) -> object:
    try:
        return json.loads(text.decode())
    except json.JSONDecodeError:
        if not literals:
            raise
        return ast.literal_eval(text.decode())


def _extract_column(name: str, kind: JsonKind, batch: list[_Numbered], wrong: Tally) -> Any:  # list or pyarrow.Array
    values = [value.get(name) for _, value in batch]
    if kind == "json?":
        return values
    base = kind.rstrip("?")
    for position, value in enumerate(values):
        if value is None or value == "":
            values[position] = None
            fits = kind.endswith("?")
        else:
            fits = _fits(base, value)
        if not fits:
            values[position] = None
            wrong.add(f"line {batch[position][0]}: {json.dumps(value)[:80]}")
    return pa.array(values, ARROW[base])


def _fits(base: str, value: object) -> bool:
    if base == "str":  # JSON may escape a lone surrogate, which is not a character
        return isinstance(value, str) and (value.isascii() or not any("\ud800" <= char <= "\udfff" for char in value))
    if base == "int":
        return type(value) is int and -(2**63) <= value < 2**63
    return type(value) in (int, float) and math.isfinite(value)  # type: ignore[arg-type]  # it is a number


def _require_valid(path: Path, columns: Mapping[str, JsonKind], broken: Tally, wrong: Mapping[str, Tally]) -> None:
    if broken.count:
        raise DataError(
            f"{path}: {broken.count:,} of the lines hold no JSON object ({first_few(broken.places)}); "
            "correct or remove these lines"
        )
    for name, tally in wrong.items():
        if tally.count:
            raise DataError(
                f"{path}: field {name} is not {MEANING[columns[name].rstrip('?')]} in {tally.count:,} of the lines "
                f"({first_few(tally.places)}); correct or remove these lines"
            )
