"""Unnests lists of objects within JSON records into rows, by SQL."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from graphrec.tabular.duckdb_engine import quote_identifier
from graphrec.tabular.inference import name_semantics


def find_row_list(records: Sequence[Mapping[str, Any]], flat: Sequence[str]) -> str | None:
    """The key of the lists whose objects have item ids; None if there is no such key.

    `flat` are the columns of the records without their lists.
    """
    named = {meaning.entity for name in flat if (meaning := name_semantics.interpret_name(name)).part == "id"}
    if "item" in named:
        return None
    for key in dict.fromkeys(key for record in records for key in record):
        inner = [part for record in records if isinstance(record.get(key), list) for part in record[key]]
        if not inner or not all(isinstance(part, dict) for part in inner):
            continue
        names = {name for part in inner for name in _leaves(part)}
        if any(
            name_semantics.interpret_name(name[-1]).entity == "item"
            and name_semantics.interpret_name(name[-1]).part == "id"
            for name in names
        ):
            return str(key)
    return None


def unnest_rows(
    records: Sequence[Mapping[str, Any]], key: str, flat: Sequence[str], name: str
) -> tuple[str, list[str], list[list[str | None]]]:
    """The SQL that unnests the lists, its column names, and the resulting rows."""
    outer = {_column(pointer): tuple(pointer.strip("/").split("/")) for pointer in flat}
    found = dict.fromkeys(
        path for record in records for part in record.get(key) or () if isinstance(part, dict) for path in _leaves(part)
    )
    inner: dict[str, tuple[str, ...]] = {}
    for path in found:
        called = "_".join(path)
        called = called if called not in outer and called not in inner else f"{key}_{called}"
        inner[called] = path
    chosen = [f"{_value(path)} as {quote_identifier(called)}" for called, path in outer.items()]
    chosen += [f"part ->> {_path(path)} as {quote_identifier(called)}" for called, path in inner.items()]
    parts = f"select *, unnest(from_json({quote_identifier(key)}, '[\"JSON\"]')) as part from {name}"
    sql = f"select {', '.join(chosen)} from ({parts})"
    rows = [
        [*(_text(record, path) for path in outer.values()), *(_text(part, path) for path in inner.values())]
        for record in records
        for part in record.get(key) or ()
        if isinstance(part, dict)
    ]
    return sql, [*outer, *inner], rows


def _leaves(value: Mapping[str, Any], above: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for key, inner in value.items():
        if isinstance(inner, dict) and len(above) < 2:
            found += _leaves(inner, (*above, key))
        elif not isinstance(inner, list | dict):
            found.append((*above, key))
    return found


def _column(pointer: str) -> str:
    return "_".join(pointer.strip("/").split("/")) if pointer.startswith("/") else pointer


def _value(path: tuple[str, ...]) -> str:
    return quote_identifier(path[0]) if len(path) == 1 else f"{quote_identifier(path[0])} ->> {_path(path[1:])}"


def _path(keys: tuple[str, ...]) -> str:
    quoted = "".join(f'."{key}"' for key in keys)
    return "'$" + quoted.replace("'", "''") + "'"


def _text(value: Any, path: tuple[str, ...]) -> str | None:
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
