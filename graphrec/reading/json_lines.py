"""JSON lines, one object a line, read as strictly as a table."""

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
from graphrec.reading.files import Tally, lines, require_file
from graphrec.reading.table import ARROW, MEANING, Kind, to_frame

#: As a column of a table; "json?" is any value as JSON has it (a list, an object), missing where the field is.
JsonKind = Kind | Literal["json?"]

#: A line's number and the object on it.
_Numbered = tuple[int, dict[str, Any]]

_BATCH = 50_000
_MARK = b"\xef\xbb\xbf"


def read_json_lines(path: Path, columns: Mapping[str, JsonKind], literals: bool = False) -> pd.DataFrame:
    """The wanted fields of the objects of a file (plain or .gz), one row a line, with the dtypes of `read_table`.

    A field that is null, absent or an empty text is missing; a text is never read as a number. Columns of kind
    "json?" have dtype object. Blank lines do not count.

    Args:
        path: the file; it must be UTF-8.
        columns: what each wanted field holds, by its name.
        literals: lines that are no JSON may be Python literals, as {'asin': '0001'}.

    Raises:
        DataError: the file is missing, empty or cut off, a line is no object, or a field is not of its kind.
    """
    path = require_file(Path(path))
    broken = Tally()
    wrong = {name: Tally() for name in columns}
    chunks: dict[str, list[Any]] = {name: [] for name in columns}
    objects = _objects(path, literals, broken)
    while batch := list(islice(objects, _BATCH)):  # values leave Python batch by batch: the file may be larger than it
        for name, kind in columns.items():
            chunks[name].append(_column(name, kind, batch, wrong[name]))
    _refuse(path, columns, broken, wrong)
    if not any(chunks.values()):
        raise DataError(f"{path} is empty; copy or download it again")
    flat: dict[str, Kind] = {name: kind for name, kind in columns.items() if kind != "json?"}
    table = pa.table({name: pa.chunked_array(chunks[name], ARROW[kind.rstrip("?")]) for name, kind in flat.items()})
    frame = to_frame(table, flat)
    for name in columns.keys() - flat.keys():
        frame[name] = pd.Series([value for chunk in chunks[name] for value in chunk], dtype=object)
    return frame[list(columns)]


def _objects(path: Path, literals: bool, broken: Tally) -> Iterator[_Numbered]:
    for number, line in lines(path):
        text = line.removeprefix(_MARK).strip() if number == 1 else line.strip()
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


def _column(name: str, kind: JsonKind, batch: list[_Numbered], wrong: Tally) -> Any:  # list or pyarrow.Array
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
    if base == "str":  # half of a pair of surrogates is a legal escape of JSON, and no character
        return isinstance(value, str) and (value.isascii() or not any("\ud800" <= sign <= "\udfff" for sign in value))
    if base == "int":
        return type(value) is int and -(2**63) <= value < 2**63
    return type(value) in (int, float) and math.isfinite(value)  # type: ignore[arg-type]  # it is a number by now


def _refuse(path: Path, columns: Mapping[str, JsonKind], broken: Tally, wrong: Mapping[str, Tally]) -> None:
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
