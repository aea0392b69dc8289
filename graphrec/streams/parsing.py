"""Parses the TOML file of a stream; every error names its table and key before any record is read."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from graphrec.behaviours import WEIGHT_PROPERTIES
from graphrec.errors import DataError, first_few, format_value
from graphrec.redaction import redact
from graphrec.schema import ITEM, SHOWN, SYSTEM_RELATIONS, USER
from graphrec.streams.spec import (
    EdgeSpec,
    FolderInputSpec,
    InputSpec,
    KafkaInputSpec,
    RedisInputSpec,
    StreamSpec,
    UnknownPolicy,
    WeightField,
)
from graphrec.tabular.inputs import expand_variables
from graphrec.tabular.parsing import parse_time, read_toml
from graphrec.tabular.toml_section import TomlSection

#: Allowed keys by table; docs/streams.md explains each.
KEYS: Mapping[str, tuple[str, ...]] = {
    "file": ("name", "input", "edges", "unknown", "times"),
    "folder": ("folder", "files"),
    "redis": ("redis", "stream", "json", "trim"),
    "kafka": ("kafka", "topic", "group", "options"),
    "edges": (
        "from",
        "to",
        "stream",
        "where",
        "id",
        "time",
        "weight",
        "run",
        "rank",
        "propensity",
        "recommendation_id",
    ),
    "weight": ("name", "column"),
    "unknown": ("users", "items", "others"),
    "times": ("late", "future"),
}

_INPUTS = ("folder", "redis", "kafka")
_POLICIES = ("create", "hold", "reject")
_RELATION = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_DURATION = re.compile(r"(\d{1,9})\s*([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_REDIS_SCHEMES = {"redis", "rediss", "unix", "valkey", "valkeys"}


def parse(path: Path) -> StreamSpec:
    """The specification in a TOML file.

    Raises DataError if the file cannot be read, is not TOML, or has an unknown, missing or contradictory key.
    """
    return parse_mapping(read_toml(path), path, path.parent)


def parse_mapping(values: Mapping[str, Any], path: Path, folder: Path) -> StreamSpec:  # Any: TOML values
    """The specification in a mapping of the form of a TOML file; relative paths start at `folder`.

    Raises DataError if a key is unknown, missing or contradictory.
    """
    top = TomlSection.of(path, "", values)
    top.require_known(KEYS["file"])
    name = top.text("name")
    if not _NAME.fullmatch(name):
        raise top.error("name", f"'{format_value(name)}' must consist of letters, digits, and the characters . _ -")
    source = _parse_input(TomlSection.of(path, "input", top.section("input").values), folder)
    edges = top.section("edges").values
    if not edges:
        raise DataError(f"{path} has no [edges.…]; add one such as [edges.PURCHASED] with from and to")
    sections = [
        (relation, TomlSection.of(path, f"edges.{relation}", part))
        for relation, value in edges.items()
        for part in (value if isinstance(value, list) else [value])
    ]
    unknown = TomlSection.of(path, "unknown", top.section("unknown").values)
    unknown.require_known(KEYS["unknown"])
    times = TomlSection.of(path, "times", top.section("times").values)
    times.require_known(KEYS["times"])
    future = _parse_duration(times, "future")
    return StreamSpec(
        path,
        name,
        source,
        tuple(_parse_edge(section, relation) for relation, section in sections),
        cast(UnknownPolicy, unknown.choice("users", _POLICIES, "create")),
        cast(UnknownPolicy, unknown.choice("items", _POLICIES, "reject")),
        unknown.choice("others", ("reject", "ignore"), "reject") == "ignore",
        _parse_duration(times, "late"),
        86_400 if future is None else future,
    )


def _parse_input(section: TomlSection, folder: Path) -> InputSpec:
    kinds = [kind for kind in _INPUTS if section.has(kind)]
    if len(kinds) != 1:
        raise section.error("folder, redis or kafka", "is needed, and only one of them: it says where the records are")
    kind = kinds[0]
    section.require_known(KEYS[kind])
    if kind == "folder":
        pattern = section.text("files", "*.jsonl")
        if "/" in pattern or "\\" in pattern:
            raise section.error("files", f"'{format_value(pattern)}' must be a file name with wildcards, no path")
        return FolderInputSpec((folder / section.text("folder")).absolute(), pattern)
    if kind == "redis":
        url, _ = expand_variables(section, "redis", section.text("redis"))
        scheme = url.partition("://")[0]
        if scheme not in _REDIS_SCHEMES or "://" not in url:
            raise section.error("redis", "must be an address such as redis://HOST:PORT/0 or unix:///PATH")
        url = url.replace("valkey", "redis", 1) if scheme.startswith("valkey") else url
        return RedisInputSpec(
            url, _parse_names(section, "stream"), section.text("json", ""), section.flag("trim", False)
        )
    servers, _ = expand_variables(section, "kafka", section.text("kafka"))
    options = section.section("options")
    texts = {key: expand_variables(options, key, options.text(key))[0] for key in options.values}
    return KafkaInputSpec(servers, _parse_names(section, "topic"), section.text("group", "graphrec"), texts)


def _parse_names(section: TomlSection, key: str) -> tuple[str, ...]:
    names = section.texts(key)
    if not names or not all(names) or len(set(names)) < len(names):
        raise section.error(key, f"must name at least one {key}, each once")
    return names


def _parse_edge(section: TomlSection, relation: str) -> EdgeSpec:
    section.require_known(KEYS["edges"])
    if not _RELATION.fullmatch(relation) or relation in SYSTEM_RELATIONS:
        raise DataError(
            f"{section.place}: a relationship type is written like PURCHASED or IN_CATEGORY, and {relation} is not, or "
            "belongs to graphrec itself"
        )
    fields = {
        key: section.text(key) if section.has(key) else None
        for key in ("id", "run", "rank", "propensity", "recommendation_id")
    }
    missing = [key for key in ("run", "rank") if relation == SHOWN and fields[key] is None]
    if missing:
        raise section.error(missing[0], f"is needed by {SHOWN}: an impression has the run and the rank of the item")
    where = section.section("where")
    return EdgeSpec(
        relation,
        _parse_end(section, "from", USER),
        _parse_end(section, "to", ITEM),
        time=parse_time(section),
        weight=_parse_weight(section),
        streams=section.texts("stream", ()),
        where={name: where.texts(name) for name in where.values},
        **fields,
    )


def _parse_end(section: TomlSection, key: str, label: str) -> str:
    """The field of an end such as User:customer_id."""
    text = section.text(key)
    found, colon, column = text.partition(":")
    if found != label or not colon or not column:
        raise section.error(
            key, f"is '{format_value(redact(text))}', but events go from User to Item: write {label}:FIELD"
        )
    return column


def _parse_weight(section: TomlSection) -> WeightField | None:
    if not section.has("weight"):
        return None
    value = section.values["weight"]
    part = TomlSection(f"{section.place} weight", value if isinstance(value, dict) else {"name": value})
    part.require_known(KEYS["weight"])
    name = part.text("name")
    if name not in WEIGHT_PROPERTIES:
        raise part.error(
            "name",
            f"is '{format_value(name)}', but must be one of {first_few(WEIGHT_PROPERTIES)}; column names the field",
        )
    return WeightField(name, part.text("column", name))


def _parse_duration(section: TomlSection, key: str) -> int | None:
    """Seconds of a text such as 30d, 12h, 90m or 10s; None if the key is missing."""
    if not section.has(key):
        return None
    match = _DURATION.fullmatch(section.text(key))
    if match is None:
        raise section.error(key, "must be a number of seconds, minutes, hours or days: 10s, 90m, 12h or 30d")
    return int(match[1]) * _SECONDS[match[2]]
