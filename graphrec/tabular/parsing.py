"""Parses a TOML file into a SourceSpec; every error names its table and key before any row is read."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, cast
from zoneinfo import ZoneInfo

from graphrec.characters import escape_controls
from graphrec.cleaning.rules import Kind
from graphrec.errors import DataError, format_value, nearest
from graphrec.redaction import redact
from graphrec.schema import (
    ITEM,
    SYSTEM_LABELS,
    SYSTEM_PROPERTIES,
    SYSTEM_RELATIONS,
    USER,
    EdgeType,
    LinkRule,
    NodeType,
)
from graphrec.schema_names import defect
from graphrec.tables import Source
from graphrec.tabular.cleaning_rules import EDGE_RULE_KEYS, NODE_RULE_KEYS, parse_rules
from graphrec.tabular.inputs import INPUT_KEYS, parse_input
from graphrec.tabular.spec import PropertyColumn, SourceSpec, TableSpec, TimeColumn
from graphrec.tabular.toml_section import TomlSection

#: Maximum length of a source name, in bytes.
LONGEST_NAME = 200

#: Allowed keys by table of the TOML file; docs/table.md explains each.
KEYS: Mapping[str, tuple[str, ...]] = {
    "file": ("name", "version", "url", "licence", "precedence", "connections", "nodes", "edges", "links"),
    "nodes": (*INPUT_KEYS, "id", "properties", "shared", "role", *NODE_RULE_KEYS),
    "edges": (*INPUT_KEYS, "from", "to", "split", "properties", "key", "time", "weight", *EDGE_RULE_KEYS),
    "property": ("name", "column", "type"),
    "time": ("column", "format", "unit", "zone"),
    "links": ("label", "by", "on", "threshold", "one_to_one"),
}

_KINDS: dict[str, Kind] = {"text": "str", "int": "int", "float": "float", "bool": "bool"}
#: Label by the value of the key `role`.
_ROLES = {"user": USER, "item": ITEM}
#: Keys of a label without rows, whose nodes are the ends of edges.
_KEYS_WITHOUT_ROWS = {"role", "shared"}
_UNITS = ("s", "ms", "us", "ns")
_COMPARISONS = ("exact", "normalised", "title", "fields")
_LABEL = re.compile(r"[A-Z][A-Za-z0-9]*")
_RELATION = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")
#: Property names that graphrec uses itself. The embedded store uses names that begin with @.
_RESERVED = SYSTEM_PROPERTIES | {"id", "keys", "source", "source_id", "target_id"}


def parse(path: Path) -> SourceSpec:
    """The specification in a TOML file; its file patterns are resolved.

    Raises:
        DataError: the file cannot be read, is not TOML, or has an unknown, missing or contradictory key.
    """
    return parse_mapping(read_toml(path), path, path.parent)


def parse_mapping(values: Mapping[str, Any], path: Path, folder: Path) -> SourceSpec:  # Any: TOML values, and frames
    """The specification in a mapping of the form of a TOML file, in which the value of `file` may be a data frame.

    Args:
        path: the name of the mapping in messages.
        folder: the folder of relative file names.

    Raises:
        DataError: a key is unknown, missing or contradictory.
    """
    top = TomlSection.of(path, "", values)
    top.require_known(KEYS["file"])
    source = Source(
        _parse_name(top),
        top.text("version", ""),
        _parse_public_address(top, "url"),
        top.text("licence", ""),
        precedence=top.whole("precedence", 0),
    )
    connections = {name: top.section("connections").text(name) for name in top.section("connections").values}
    nodes, edges = top.section("nodes").values, top.section("edges").values
    if not nodes and not edges:
        raise DataError(f"{path} names no table; add one such as [nodes.User] or [edges.PURCHASED]")
    named = {label: TomlSection.of(path, f"nodes.{label}", value) for label, value in nodes.items()}
    roles = _parse_roles(named)
    without_rows = {
        label for label, section in named.items() if section.values and section.values.keys() <= _KEYS_WITHOUT_ROWS
    }
    tables = [
        _parse_nodes(section, roles.get(label, label), connections, folder)
        for label, section in named.items()
        if label not in without_rows
    ]
    for relation, value in edges.items():
        tables += [
            _parse_edges(section, relation, connections, folder, roles)
            for section in _list_sections(path, relation, value)
        ]
    triples = [table.type.triple for table in tables if isinstance(table.type, EdgeType)]
    for triple in triples:
        if triples.count(triple) > 1:
            raise DataError(
                f'{path}: {" ".join(triple)} has two tables; name its files in one: file = ["a.csv", "b.csv"]'
            )
    properties: dict[str, tuple[str, ...]] = {}
    for table in tables:
        if isinstance(table.type, EdgeType):
            properties = {table.type.source: (), table.type.target: (), **properties}
        else:
            properties[table.name] = table.type.properties
    links = tuple(_parse_link(path, value, properties, roles) for value in _list_links(top))
    shared = {roles.get(label, label) for label in without_rows if named[label].flag("shared", False)}
    for label in sorted(without_rows):
        if roles.get(label, label) in shared - properties.keys():
            raise named[label].error("shared", f"no edge ends at {label}; name its rows with file or sql")
    return SourceSpec(path, source, tuple(tables), links, frozenset(shared))


def _parse_roles(sections: Mapping[str, TomlSection]) -> dict[str, str]:
    """User or Item by the label used in the TOML file: [nodes.Customer] with role = "user" is User."""
    roles: dict[str, str] = {}
    for label, section in sections.items():
        if not section.has("role"):
            continue
        _require_label(section, label)
        role = _ROLES[section.choice("role", _ROLES, "")]
        same_role = [other for other in sections if other != label and role in (other, roles.get(other))]
        if same_role or (label in _ROLES.values() and label != role):
            known = same_role[0] if same_role else label
            raise section.error("role", f"makes {label} a {role}, and {known} is another one; give one label this role")
        roles[label] = role
    return roles


def _parse_name(section: TomlSection) -> str:
    """The name of the source, which is used as a folder name and in keys; DataError if it cannot be."""
    name = section.text("name")
    if escape_controls(name) != name or not name.strip():
        raise section.error("name", f"'{format_value(name)}' has control characters in it or is blank; write another")
    if len(name.encode()) > LONGEST_NAME:
        raise section.error(
            "name", f"'{format_value(name, 40)}' is longer than {LONGEST_NAME} bytes; write a shorter one"
        )
    return name


def _parse_public_address(section: TomlSection, key: str) -> str:
    """The address at a key, which the graph stores and shows; DataError if it contains a login or secret."""
    text = section.text(key, "")
    if redact(text) != text:
        raise section.error(key, "holds a password or another secret, and the graph would show it; leave it out")
    return text


def read_toml(path: Path) -> dict[str, Any]:  # Any: TOML values
    """The values of a TOML file. Raises DataError if it cannot be read or is not TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DataError(f"{path} is not TOML: {error}; correct this line") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}; check the path") from error


def _list_sections(path: Path, relation: str, value: object) -> list[TomlSection]:
    """The section of [edges.RATED], or all sections of [[edges.RATED]], one per pair of labels or file format."""
    if not isinstance(value, list):
        return [TomlSection.of(path, f"edges.{relation}", value)]
    return [TomlSection.of(path, f"edges.{relation} {number}", item) for number, item in enumerate(value, 1)]


def _parse_nodes(section: TomlSection, label: str, connections: Mapping[str, str], folder: Path) -> TableSpec:
    section.require_known(KEYS["nodes"])
    _require_label(section, label)
    columns = _parse_properties(section)
    kind = NodeType(label, tuple(column.name for column in columns), section.flag("shared", False))
    source = parse_input(section, connections, folder)
    return _add_rules(section, TableSpec(section.place, kind, source, (section.text("id"),), columns), NODE_RULE_KEYS)


def _parse_edges(
    section: TomlSection, relation: str, connections: Mapping[str, str], folder: Path, roles: Mapping[str, str]
) -> TableSpec:
    section.require_known(KEYS["edges"])
    if not _RELATION.fullmatch(relation) or relation in SYSTEM_RELATIONS:
        raise DataError(
            f"{section.place}: a relationship type is written like PURCHASED or IN_CATEGORY, and {relation} is not, or "
            f"belongs to graphrec itself; write {_to_upper_snake_case(relation)}"
        )
    (source, from_column), (target, to_column) = _parse_end(section, "from", roles), _parse_end(section, "to", roles)
    columns, time = _parse_properties(section), parse_time(section)
    if section.has("weight"):
        columns = (*columns, _parse_column(section, "weight", section.values["weight"], "float"))
    names = [*(column.name for column in columns), *(["timestamp"] if time else [])]
    key = section.texts("key", ())
    for name in key:
        if name not in names:
            raise section.error("key", f"names {name}, which is not a property; add it to properties")
    kind = EdgeType(source, relation, target, tuple(names), key)
    rows = parse_input(section, connections, folder)
    split = section.text("split") if section.has("split") else None
    table = TableSpec(section.place, kind, rows, (from_column, to_column), columns, time, split)
    return _add_rules(section, table, EDGE_RULE_KEYS)


def _add_rules(section: TomlSection, table: TableSpec, rule_keys: tuple[str, ...]) -> TableSpec:
    """The table with its cleaning rules; DataError if two properties have the same name."""
    names = table.type.properties
    repeated = {name for name in names if names.count(name) > 1}
    if repeated:
        raise section.error("properties", f"names {min(repeated)} twice (time makes timestamp); give one another name")
    return parse_rules(section, table, rule_keys)


def _parse_end(section: TomlSection, key: str, roles: Mapping[str, str]) -> tuple[str, str]:
    """Label and column of an end such as User:customer_id; labels with a role are replaced by User or Item."""
    label, colon, column = section.text(key).partition(":")
    if not colon or not column:
        raise section.error(key, f"is '{section.text(key)}', but must be label and column, such as User:customer_id")
    _require_label(section, label)
    return roles.get(label, label), column


def _parse_properties(section: TomlSection) -> tuple[PropertyColumn, ...]:
    values = section.values.get("properties", [])
    if not isinstance(values, list):
        raise section.error("properties", 'must be a list, such as ["title", { name = "year", type = "int" }]')
    return tuple(_parse_column(section, "properties", value, None) for value in values)


def _parse_column(section: TomlSection, key: str, value: object, kind: Kind | None) -> PropertyColumn:
    """A property, given as a column name or as a table of name, column and type."""
    if isinstance(value, str):
        value = {"name": value}
    if not isinstance(value, dict):
        raise section.error(key, f"must hold names or tables of name, column and type, not {value!r}")
    part = TomlSection(f"{section.place} {key}", value)
    part.require_known(KEYS["property"])
    name = part.text("name", part.text("column") if part.has("column") else None)
    if name in _RESERVED or name.startswith("@"):
        raise part.error("name", f"'{name}' is reserved; write {{ name = \"another name\", column = '{name}' }}")
    if ":" in name:
        raise part.error("name", f"'{name}' has a colon; write {{ name = \"another name\", column = '{name}' }}")
    if reason := defect(name):
        raise part.error("name", f"'{format_value(name)}' {reason}; write {{ name = \"another name\", column = … }}")
    if part.has("type"):
        kind = _KINDS[part.choice("type", _KINDS, "text")]
    return PropertyColumn(name, part.text("column", name), kind)


def parse_time(section: TomlSection) -> TimeColumn | None:
    """The time column of a section; None without the key `time`. Raises DataError if it is contradictory."""
    if not section.has("time"):
        return None
    value = section.values["time"]
    part = TomlSection(f"{section.place} time", value if isinstance(value, dict) else {"column": value})
    part.require_known(KEYS["time"])
    unit = cast(Literal["s", "ms", "us", "ns"], part.choice("unit", _UNITS, "s")) if part.has("unit") else None
    form = part.text("format") if part.has("format") else None
    zone = part.text("zone", "UTC")
    if unit and form:
        raise part.error("unit", "is for numbers and format for text; keep one of them")
    try:
        ZoneInfo(zone)
    except (ValueError, OSError, KeyError) as error:
        raise part.error("zone", f"'{zone}' is no time zone; write one such as Europe/Berlin") from error
    return TimeColumn(part.text("column"), form, unit, zone)


def _list_links(top: TomlSection) -> list[object]:
    values = top.values.get("links", [])
    if not isinstance(values, list):
        raise top.error("links", "must be written [[links]]")
    return values


def _parse_link(
    path: Path, value: object, properties: Mapping[str, tuple[str, ...]], roles: Mapping[str, str]
) -> LinkRule:
    section = TomlSection.of(path, "links", value)
    section.require_known(KEYS["links"])
    by = cast(Literal["exact", "normalised", "title", "fields"], section.choice("by", _COMPARISONS, "exact"))
    label = section.choice("label", sorted({*properties, *roles}), "")
    label = roles.get(label, label)
    threshold = section.values.get("threshold", 0.9)
    if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not 0 <= threshold <= 1:
        raise section.error("threshold", f"must be a number between 0 and 1, not {threshold!r}")
    on = section.texts("on")
    if not on:
        raise section.error("on", "must name at least one property")
    for name in on:
        spellings = ("isbn", "isbn10", "isbn13") if name.startswith("isbn") else (name,)  # one property has all
        if not set(spellings) & set(properties[label]):
            close = nearest(name, properties[label], 1)
            hint = f"did you mean {close[0]}?" if close else "add it to properties"
            raise section.error("on", f"names {name}, which is not a property of [nodes.{label}]; {hint}")
    return LinkRule(label, by, on, float(threshold), section.flag("one_to_one", True))


def _require_label(section: TomlSection, label: str) -> None:
    if not _LABEL.fullmatch(label) or label in SYSTEM_LABELS:
        raise DataError(
            f"{section.place}: a label is written like User or BoardGame, and '{label}' is not, or belongs to graphrec "
            f"itself; write {_to_pascal_case(label)}"
        )


def _to_pascal_case(name: str) -> str:
    words = re.findall(r"[A-Za-z0-9]+", name)
    label = "".join(word[:1].upper() + word[1:] for word in words).lstrip("0123456789")
    return label if label and label not in SYSTEM_LABELS else f"My{label}"


def _to_upper_snake_case(name: str) -> str:
    words = re.findall(r"[A-Za-z0-9]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name))
    relation = "_".join(words).upper().lstrip("0123456789_")
    return relation if relation and relation not in SYSTEM_RELATIONS else f"MY_{relation}".rstrip("_")
