"""Parses JSON samples into records: JSON Lines, an array, or an array in an object; nested keys become pointers."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from graphrec.errors import DataError
from graphrec.tabular.json_pointer import escape_key

_DEPTH = 3
#: Minimum number of keys of an object that is treated as a mapping by id instead of a record.
_MANY_KEYS = 50


@dataclass(frozen=True)
class JsonRecords:
    """The rows of a JSON text, as texts by key or pointer.

    records: pointer of the array ("" for the whole document).
    lists: keys of lists of objects, which cannot be columns; if there are any, `whole` has the original records.
    """

    format: str
    rows: tuple[dict[str, str | None], ...]
    records: str = ""
    lists: tuple[str, ...] = ()
    whole: tuple[dict[str, Any], ...] = ()  # Any: JSON values

    @property
    def names(self) -> list[str]:
        """The columns in order of first appearance."""
        return list(dict.fromkeys(name for row in self.rows for name in row))


def is_json(text: str) -> bool:
    """Whether a text begins like JSON."""
    start = text.lstrip()[:2000]
    if start.startswith("{"):
        return re.match(r"\{\s*(\"|'|u'|u\"|\}|$)", start) is not None
    return re.match(r"\[\s*(\{|\]|\[)", start) is not None


def parse_records(text: str, whole: bool, shown: str, num_rows: int) -> JsonRecords:
    """The first rows of a JSON text; `whole`: whether it is the entire file.

    Raises:
        DataError: the text has no JSON objects that can be rows.
    """
    start = text.lstrip()
    if re.match(r"\{\s*u?'", start):
        raise DataError(
            f"{shown} has Python dictionaries, not JSON; convert each line first: json.dumps(ast.literal_eval(line))"
        )
    if start.startswith("["):
        return _make_records("json", list(_parse_elements(start[1:], num_rows)), "", shown)
    lines = [line for line in text.splitlines() if line.strip()]
    if not whole and len(lines) > 1:
        lines = lines[:-1]
    parsed = [value for value in map(_parse_json, lines[:num_rows]) if isinstance(value, dict)]
    if len(parsed) > 1 or (len(parsed) == 1 and (len(lines) > 1 or not _find_arrays(parsed[0], ""))):
        if len(parsed) == 1 and len(lines) == 1 and _is_mapping_by_id(parsed[0]):
            raise _mapping_error(shown)
        return _make_records("jsonl", parsed, "", shown)
    value = parsed[0] if parsed else _parse_json(text)
    if isinstance(value, dict):
        arrays = _find_arrays(value, "")
        if not arrays:
            raise (
                _mapping_error(shown)
                if _is_mapping_by_id(value)
                else DataError(f"{shown} is one JSON object without rows")
            )
        pointer, rows = max(arrays, key=lambda pair: len(pair[1]))
        return _make_records("json", rows[:num_rows], pointer, shown)
    return _parse_truncated(start, shown, num_rows)


def _parse_truncated(text: str, shown: str, num_rows: int) -> JsonRecords:
    """The rows of an array in an object, of which only the beginning was read."""
    found = re.search(
        r'^\{\s*(?:"[^"\\]*"\s*:\s*(?:"[^"\\]*"|[\d.eE+-]+|true|false|null)\s*,\s*)*"([^"\\]+)"\s*:\s*\[', text
    )
    rows = list(_parse_elements(text[found.end() :], num_rows)) if found else []
    if not found or not rows:
        raise DataError(f"{shown} has no line that is a JSON object; write one object on each line")
    return _make_records("json", rows, f"/{escape_key(found[1])}", shown)


def _make_records(form: str, rows: Sequence[Any], pointer: str, shown: str) -> JsonRecords:
    objects = [row for row in rows if isinstance(row, dict)]
    if not objects:
        what = "lists" if rows and isinstance(rows[0], list) else "values"
        raise DataError(f"{shown} is a JSON array of {what}; a table needs objects with keys, or a CSV file")
    lists: dict[str, None] = {}
    made = tuple(dict(_flatten(row, "", 0, lists)) for row in objects)
    return JsonRecords(form, made, pointer, tuple(lists), tuple(objects) if lists else ())


def _flatten(value: dict[str, Any], above: str, depth: int, lists: dict[str, None]) -> Iterator[tuple[str, str | None]]:
    """The keys and values (as text) of an object; those of nested objects by pointers such as /author/id."""
    for key, inner in value.items():
        pointer = f"{above}/{escape_key(key)}"
        name = pointer if above or key.startswith("/") else key
        if isinstance(inner, dict):
            if depth < _DEPTH and len(inner) < _MANY_KEYS:
                yield from _flatten(inner, pointer, depth + 1, lists)
        elif isinstance(inner, list):
            if any(isinstance(part, dict | list) for part in inner):
                lists[name] = None
            else:
                yield name, json.dumps(inner, ensure_ascii=False)
        elif isinstance(inner, bool):
            yield name, str(inner).lower()
        else:
            yield name, None if inner is None else str(inner)


def _find_arrays(value: dict[str, Any], above: str, depth: int = 0) -> list[tuple[str, list[Any]]]:
    """The arrays of objects in an object, with their pointers."""
    found = []
    for key, inner in value.items():
        pointer = f"{above}/{escape_key(key)}"
        if isinstance(inner, list) and inner and all(isinstance(part, dict) for part in inner):
            found.append((pointer, inner))
        elif isinstance(inner, dict) and depth < _DEPTH:
            found += _find_arrays(inner, pointer, depth + 1)
    return found


def _parse_elements(text: str, limit: int) -> Iterator[Any]:
    """The elements of an array after its opening bracket, up to the end of the text."""
    decoder = json.JSONDecoder(parse_int=str, parse_float=str)
    place = 0
    blank = re.compile(r"[\s,]*")
    for _ in range(limit):
        place = blank.match(text, place).end()  # type: ignore[union-attr]  # the pattern also matches the empty text
        if place >= len(text) or text[place] == "]":
            return
        try:
            value, place = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            return
        yield value


def _parse_json(text: str) -> Any:
    """The value of a JSON text, numbers as text; None if it is invalid."""
    try:
        return json.loads(text, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return None


def _is_mapping_by_id(value: dict[str, Any]) -> bool:
    """Whether an object is a mapping by id: {"7": {...}, "8": {...}}."""
    inner = list(value.values())
    return len(inner) > 1 and all(isinstance(part, dict | list) for part in inner)


def _mapping_error(shown: str) -> DataError:
    return DataError(
        f"{shown} is one JSON object whose keys are ids; write an array of objects with their ids, such as "
        '[{"id": "7", …}]'
    )
