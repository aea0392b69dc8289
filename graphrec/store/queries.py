"""Parse the query files with their headers and parameters, and run them on a store."""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from typing import Any, TypeAlias

from graphrec.arguments import Id, count, id_text, id_texts, name_of_run
from graphrec.errors import DataError, GraphrecError, UnknownNameError, first_few
from graphrec.schema import ITEM, RUN, USER
from graphrec.store.active_run import ACTIVE_FIRST
from graphrec.store.connection import Row, Store, quote

#: A value of a parameter.
Value: TypeAlias = str | int | float | list[str] | list[float]

_PARAMETER = re.compile(
    r"^\$(?P<name>\w+)\s+(?P<type>string|integer|float|time|list|vector)(?:\s*=\s*(?P<default>\S+))?\s{2,}(?P<text>.+)$"
)
_USED = re.compile(r"\$(\w+)")
#: Names of parameters with ids of users, items or runs, such as `user_id`, `user_ids`, `new_run_id`.
_NODE = re.compile(r"(?:\w+_)?(?P<what>user|item|run)_ids?")
_LABELS = {"user": USER, "item": ITEM, "run": RUN}
#: How to get nodes of a label, for errors about an unknown id.
_HINTS = {
    USER: "`graphrec load` loads some",
    ITEM: "`graphrec load` loads some",
    RUN: "`graphrec publish` creates one",
}


def _parse_integer(text: str) -> int:
    """The integer that a text contains; ValueError if it is not one, or not one of 64 bits."""
    number = int(text)
    if not -(2**63) <= number < 2**63:
        raise ValueError("over 64 bits")
    return number


def _parse_float(text: str) -> float:
    """The finite number that a text contains; ValueError if it is not one."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("not finite")
    return number


def parse_time(text: str) -> int:
    """Unix seconds from a text: a number, or a date with or without a time, in UTC if it has no offset."""
    if re.fullmatch(r"-?\d+", text):
        return _parse_integer(text)
    return _to_unix_seconds(datetime.fromisoformat(text))


def _to_unix_seconds(moment: datetime) -> int:
    """Unix seconds of a datetime, in UTC if it has no time zone."""
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _parse_list(text: str) -> list[str]:
    """The parts of a text between commas; ValueError if there are no parts."""
    return id_texts(_to_nonempty([part.strip() for part in text.split(",") if part.strip()]))


def _to_nonempty(values: Any) -> Any:  # any iterable; id_texts refuses others
    """The values as a list; ValueError if it is empty."""
    values = list(values) if isinstance(values, Iterable) else values
    if values == []:
        raise ValueError("no values")
    return values


def _parse_vector(text: str) -> list[float]:
    """The numbers of a text between commas; ValueError if a part is not a finite number."""
    return _to_nonempty([_parse_float(part) for part in text.strip("[] ").split(",")])  # type: ignore[no-any-return]  # a list stays a list


_TYPES: dict[str, Callable[[str], Value]] = {
    "string": str,
    "integer": _parse_integer,
    "float": _parse_float,
    "time": parse_time,
    "list": _parse_list,
    "vector": _parse_vector,
}

#: Descriptions of the types, for errors about a value of another type.
_DESCRIPTIONS = {
    "integer": "integer of at most 64 bits",
    "float": "float",
    "time": "time (a date such as 2018-09-24, or Unix seconds)",
    "list": "list (values with commas between them)",
    "vector": "vector (numbers with commas between them)",
}


@dataclass(frozen=True)
class Parameter:
    """A parameter of a query file; `default` is None if the caller must give a value."""

    name: str
    type: str
    text: str
    default: Value | None = None

    def parse(self, value: object) -> Value:
        """A value converted to the parameter's type, from a text of the command line or from Python.

        From Python a list may be any iterable of ids, and a time may be a datetime (in UTC if it has no time zone) or
        Unix seconds. Raises GraphrecError if the value has another type, or if `k` is not from 1 to MAX_K.
        """
        try:
            converted = self._convert(value)
        except (ValueError, OverflowError) as error:
            shown = first_few([value])
            message = f"${self.name} is {_DESCRIPTIONS[self.type]}, but '{shown}' is not; {self.text}"
            raise GraphrecError(message) from error
        if self.name == "k":
            return count(converted, "$k")
        if isinstance(converted, int) and not -(2**63) <= converted < 2**63:
            number = first_few([converted])
            raise GraphrecError(f"${self.name} is {_DESCRIPTIONS[self.type]} of 64 bits, but {number} is larger")
        return converted

    def _convert(self, value: object) -> Value:
        """The value converted to the parameter's type; ValueError or DataError if it has another type."""
        name = f"${self.name}"
        if isinstance(value, str):
            return _TYPES[self.type](value)
        if self.type == "list":
            return id_texts(_to_nonempty(value), name)
        if self.type == "vector":
            return [_parse_float(str(number)) for number in _to_nonempty(value)]
        if self.type == "string":
            return id_text(value, name) if _NODE.fullmatch(self.name) else str(value)
        if self.type == "time" and isinstance(value, datetime):
            return _to_unix_seconds(value)
        if self.type == "float" and isinstance(value, float):
            return float(value)
        return count(value, name, -(2**63), 2**63 - 1)


@dataclass(frozen=True)
class Query:
    """A query file: its name, sentence, parameters, returned columns, statement and full text.

    served: whether the HTTP server runs it, as its header has the line `// served`: it is fast on a large graph, and
        returns no more than its readers may see.
    """

    name: str
    sentence: str
    parameters: tuple[Parameter, ...]
    returns: tuple[str, ...]
    statement: str
    text: str
    served: bool = False


def names() -> list[str]:
    """The names of all query files, sorted."""
    files = resources.files("graphrec.cypher").iterdir()
    return sorted(file.name.removesuffix(".cypher") for file in files if file.name.endswith(".cypher"))


def get(name: str) -> Query:
    """The query with this name. Raises UnknownNameError with the nearest names, DataError if the file is malformed."""
    if name not in names():
        raise UnknownNameError("query", name, names(), hint="`graphrec query --list` shows all with their parameters")
    return parse(name, (resources.files("graphrec.cypher") / f"{name}.cypher").read_text(encoding="utf-8"))


def parse(name: str, text: str) -> Query:
    """Parse the text of a query file: a header of comment lines, then one statement.

    Raises DataError if the header is malformed, or declares other parameters than the statement uses.
    """
    lines = text.strip().splitlines()
    head = [line.removeprefix("//").strip() for line in lines if line.startswith("//")]
    statement = "\n".join(line for line in lines if not line.startswith("//")).strip()
    parameters = tuple(_parse_parameter(name, line) for line in head if line.startswith("$"))
    returns = [line.removeprefix("returns ") for line in head if line.startswith("returns ")]
    if not head or head[0].startswith(("$", "returns ")) or len(returns) != 1 or not statement:
        raise DataError(
            f"query {name}: it needs a first line that says what it does, a line `// returns …`, and a statement"
        )
    declared, used = {parameter.name for parameter in parameters}, set(_USED.findall(statement))
    if declared != used:
        raise DataError(f"query {name}: declares the parameters {sorted(declared)} but uses {sorted(used)}")
    columns = tuple(column.strip() for column in returns[0].split(","))
    return Query(name, head[0], parameters, columns, statement, text, "served" in head)


def run(store: Store, query: Query, given: Mapping[str, object]) -> list[Row]:
    """The records of a query with parameters as texts, or as values of Python (`Parameter.parse`).

    Users and items may also be given as `source:key`, runs by the first letters of their ids.

    Raises:
        UnknownNameError: a parameter that the query does not have, or a user, item or run that the graph lacks.
        GraphrecError: a parameter is missing or has the wrong type.
    """
    values = complete_arguments(query, given)
    for name, value in values.items():
        if (match := _NODE.fullmatch(name)) is None:
            continue
        label = _LABELS[match["what"]]
        if isinstance(value, list):
            values[name] = list(dict.fromkeys(find_node(store, label, part) for part in value))
        else:
            values[name] = find_node(store, label, str(value))
    return store.read(query.statement, values)


def complete_arguments(query: Query, given: Mapping[str, object]) -> dict[str, Value]:
    """The values of all parameters. Raises as `parse_arguments`, and GraphrecError if a value is missing."""
    values = parse_arguments(query, given)
    missing = [p.name for p in query.parameters if p.name not in values]
    if missing:
        raise GraphrecError(f"query {query.name} needs {' and '.join(missing)}; it takes {_format_usage(query)}")
    return values


def parse_arguments(query: Query, given: Mapping[str, object]) -> dict[str, Value]:
    """The values of all parameters that are given or have a default.

    Raises UnknownNameError for a parameter that the query does not have, GraphrecError for a value of the wrong type.
    """
    known = {parameter.name: parameter for parameter in query.parameters}
    for name in given:
        if name not in known:
            raise UnknownNameError("parameter", name, known, f"it takes {_format_usage(query)}", f"query {query.name}")
    values: dict[str, Value] = {}
    for p in query.parameters:
        value = p.parse(given[p.name]) if p.name in given else p.default
        if value is not None:
            values[p.name] = value
    return values


def find_node(store: Store, label: str, identifier: Id) -> str:
    """The id of the node with this id or, failing that, with this `source:key` among its keys.

    A run may also be given as `latest` or by the first letters of its id.

    Raises UnknownNameError with the ids of nodes that have this key in some source, or else with the nearest ids.
    """
    identifier = id_text(identifier, f"{label.lower()} id")
    node = quote(label)
    if store.read(f"MATCH (n:{node} {{id: $id}}) RETURN n.id AS id", {"id": identifier}):
        return identifier
    if label == RUN:
        newest = f"MATCH (run:{node}) RETURN run.id AS id ORDER BY {ACTIVE_FIRST}"
        return name_of_run(identifier, [str(row["id"]) for row in store.read(newest)], hint=_HINTS[RUN])
    by_key = find_by_key(store, label, identifier)
    if by_key is not None:
        return by_key
    same_key = store.read(
        f"MATCH (n:{node}) WHERE any(key IN n.keys WHERE key ENDS WITH $end) RETURN n.id AS id ORDER BY id LIMIT 6",
        {"end": f":{identifier}"},
    )
    if same_key:
        ids = [str(row["id"]) for row in same_key]
        hint = f"the key {identifier} of a source belongs to {first_few(ids)}"
        raise UnknownNameError(label.lower(), identifier, ids, hint=hint)
    parts = store.read(f"MATCH (n:{node}) RETURN right(n.id, 2) AS part, collect(n.id) AS ids")
    known = sorted(name for part in parts for name in part["ids"])
    raise UnknownNameError(label.lower(), identifier, known, hint="" if known else _HINTS.get(label, ""))


def find_by_key(store: Store, label: str, key: str) -> str | None:
    """The id of the node that has this `source:key` among its keys; None if no node has it."""
    if ":" not in key:  # avoids a scan of all nodes
        return None
    rows = store.read(f"MATCH (n:{quote(label)}) WHERE $key IN n.keys RETURN n.id AS id LIMIT 1", {"key": key})
    return str(rows[0]["id"]) if rows else None


def _parse_parameter(query: str, line: str) -> Parameter:
    match = _PARAMETER.match(line)
    if match is None:
        raise DataError(f"query {query}: '{line}' is not of the form `$name  {'|'.join(_TYPES)} [= default]  text`")
    parameter = Parameter(match["name"], match["type"], match["text"])
    if match["default"] is None:
        return parameter
    return Parameter(parameter.name, parameter.type, parameter.text, parameter.parse(match["default"]))


def _format_usage(query: Query) -> str:
    return ", ".join(f"{p.name}={'…' if p.default is None else p.default}" for p in query.parameters) or "no parameters"
