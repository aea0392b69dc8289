"""Rows of JSON: one object on each line, an array of objects, or an array within an object; nested keys as pointers."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from graphrec.errors import DataError

_DEPTH = 3
#: Objects of this many keys and more are taken for a table by ids, not for a record.
_MANY_KEYS = 50


@dataclass(frozen=True)
class JsonRecords:
    """The rows of a text of JSON: by key or pointer, their values as text.

    `records` is the pointer of the array ("" for the whole document). `lists` are the keys that hold lists of objects,
    which no column can be; if there are any, `whole` are the records as they were.
    """

    format: str
    rows: tuple[dict[str, str | None], ...]
    records: str = ""
    lists: tuple[str, ...] = ()
    whole: tuple[dict[str, Any], ...] = ()  # Any: whatever JSON holds

    @property
    def names(self) -> list[str]:
        """The columns in the order in which they come first."""
        return list(dict.fromkeys(name for row in self.rows for name in row))


def is_json(text: str) -> bool:
    """Whether a text begins as JSON."""
    start = text.lstrip()[:2000]
    if start.startswith("{"):
        return re.match(r"\{\s*(\"|'|u'|u\"|\}|$)", start) is not None
    return re.match(r"\[\s*(\{|\]|\[)", start) is not None


def parse_records(text: str, whole: bool, shown: str, num_rows: int) -> JsonRecords:
    """The first rows of a text; `whole` says that it is all of the file.

    Raises:
        DataError: it has no rows of JSON that a table can hold, with the reason.
    """
    start = text.lstrip()
    if re.match(r"\{\s*u?'", start):
        raise DataError(
            f"{shown} has Python dictionaries, not JSON; convert each line first: json.dumps(ast.literal_eval(line))"
        )
    if start.startswith("["):
        return _document("json", list(_objects(start[1:], num_rows)), "", shown)
    lines = [line for line in text.splitlines() if line.strip()]
    if not whole and len(lines) > 1:
        lines = lines[:-1]
    parsed = [value for value in map(_parsed, lines[:num_rows]) if isinstance(value, dict)]
    if len(parsed) > 1 or (len(parsed) == 1 and (len(lines) > 1 or not _arrays(parsed[0], ""))):
        if len(parsed) == 1 and len(lines) == 1 and _is_by_id(parsed[0]):
            raise _by_id(shown)
        return _document("jsonl", parsed, "", shown)
    value = parsed[0] if parsed else _parsed(text)
    if isinstance(value, dict):
        arrays = _arrays(value, "")
        if not arrays:
            raise _by_id(shown) if _is_by_id(value) else DataError(f"{shown} is one JSON object without rows")
        pointer, rows = max(arrays, key=lambda pair: len(pair[1]))
        return _document("json", rows[:num_rows], pointer, shown)
    return _cut_off(start, shown, num_rows)


def _cut_off(text: str, shown: str, num_rows: int) -> JsonRecords:
    """An array within an object of which only the beginning was read."""
    found = re.search(
        r'^\{\s*(?:"[^"\\]*"\s*:\s*(?:"[^"\\]*"|[\d.eE+-]+|true|false|null)\s*,\s*)*"([^"\\]+)"\s*:\s*\[', text
    )
    rows = list(_objects(text[found.end() :], num_rows)) if found else []
    if not found or not rows:
        raise DataError(f"{shown} has no line that is a JSON object; write one object on each line")
    return _document("json", rows, f"/{_escaped(found[1])}", shown)


def _document(form: str, rows: Sequence[Any], pointer: str, shown: str) -> JsonRecords:
    objects = [row for row in rows if isinstance(row, dict)]
    if not objects:
        what = "lists" if rows and isinstance(rows[0], list) else "values"
        raise DataError(f"{shown} is a JSON array of {what}; a table needs objects with keys, or a CSV file")
    lists: dict[str, None] = {}
    made = tuple(dict(_flat(row, "", 0, lists)) for row in objects)
    return JsonRecords(form, made, pointer, tuple(lists), tuple(objects) if lists else ())


def _flat(value: dict[str, Any], above: str, depth: int, lists: dict[str, None]) -> Iterator[tuple[str, str | None]]:
    """The keys of an object with their values as text; those of objects within as pointers such as /author/id."""
    for key, inner in value.items():
        pointer = f"{above}/{_escaped(key)}"
        name = pointer if above or key.startswith("/") else key
        if isinstance(inner, dict):
            if depth < _DEPTH and len(inner) < _MANY_KEYS:
                yield from _flat(inner, pointer, depth + 1, lists)
        elif isinstance(inner, list):
            if any(isinstance(part, dict | list) for part in inner):
                lists[name] = None
            else:
                yield name, json.dumps(inner, ensure_ascii=False)
        elif isinstance(inner, bool):
            yield name, str(inner).lower()
        else:
            yield name, None if inner is None else str(inner)


def _arrays(value: dict[str, Any], above: str, depth: int = 0) -> list[tuple[str, list[Any]]]:
    """The arrays of objects within an object, by their pointers."""
    found = []
    for key, inner in value.items():
        pointer = f"{above}/{_escaped(key)}"
        if isinstance(inner, list) and inner and all(isinstance(part, dict) for part in inner):
            found.append((pointer, inner))
        elif isinstance(inner, dict) and depth < _DEPTH:
            found += _arrays(inner, pointer, depth + 1)
    return found


def _objects(text: str, limit: int) -> Iterator[Any]:
    """The values of an array whose opening bracket was read, as far as the text goes."""
    decoder = json.JSONDecoder(parse_int=str, parse_float=str)
    place = 0
    blank = re.compile(r"[\s,]*")
    for _ in range(limit):
        place = blank.match(text, place).end()  # type: ignore[union-attr]  # it matches nothing, too
        if place >= len(text) or text[place] == "]":
            return
        try:
            value, place = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            return
        yield value


def _parsed(text: str) -> Any:
    """The value of a text of JSON with its numbers as they are written; None where it is none."""
    try:
        return json.loads(text, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return None


def _is_by_id(value: dict[str, Any]) -> bool:
    """Whether an object is a table by ids: {"7": {...}, "8": {...}}."""
    inner = list(value.values())
    return len(inner) > 1 and all(isinstance(part, dict | list) for part in inner)


def _by_id(shown: str) -> DataError:
    return DataError(
        f"{shown} is one JSON object whose keys are ids; write an array of objects that each hold their id, such as "
        '[{"id": "7", …}]'
    )


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
