"""Parses the cleaning rules of a table."""

from dataclasses import replace
from datetime import UTC, date, datetime
from math import isinf
from typing import Literal, cast

from graphrec.cleaning import CleaningRules
from graphrec.cleaning.rules import Dangling, Repeated
from graphrec.schema import EdgeType
from graphrec.tabular.spec import TableSpec
from graphrec.tabular.toml_section import TomlSection

NODE_RULE_KEYS = ("text", "needed", "ranges", "repeated", "by", "combined")
EDGE_RULE_KEYS = (*NODE_RULE_KEYS, "earliest", "itself", "dangling")

_REPEATED = ("refuse", "first", "last", "sum", "max")


def parse_rules(section: TomlSection, table: TableSpec, keys: tuple[str, ...]) -> TableSpec:
    """The table with the rules of its section, which refer to properties, not columns.

    By default, `repeated = "sum"` sums the weight; `combined` names other properties.
    """
    names = table.type.properties
    repeated = cast(Repeated, section.choice("repeated", _REPEATED, "refuse"))
    by = section.text("by") if section.has("by") else None
    combined = _parse_property_names(section, "combined", names, _find_weight(section, table))
    if repeated == "max" and by is None:
        raise section.error(
            "repeated", 'is "max", which needs the key by: the row with the largest value of that property is kept'
        )
    if repeated == "sum" and not combined:
        raise section.error("repeated", 'is "sum", which needs a weight, or the key combined: the properties to sum')
    if by is not None and by not in names:
        raise section.error("by", f"names {by}, which is not a property; add it to properties")
    text = _parse_property_names(section, "text", (*names, *table.id_names), ()) if section.has("text") else None
    rules = CleaningRules(
        text or (),
        _parse_property_names(section, "needed", names, ()),
        ranges=_parse_ranges(section, names),
        times=("timestamp",) if table.time else (),
        repeated=repeated,
        by=by,
        combined=combined,
    )
    if "dangling" in keys:
        rules = replace(
            rules,
            earliest=_parse_earliest(section),
            itself=cast(Literal["keep", "drop"], section.choice("itself", ("keep", "drop"), "keep")),
            dangling=cast(Dangling, section.choice("dangling", ("refuse", "drop", "add"), "refuse")),
        )
    return replace(table, rules=rules, text_chosen=text is not None)


def _find_weight(section: TomlSection, table: TableSpec) -> tuple[str, ...]:
    return (table.columns[-1].name,) if isinstance(table.type, EdgeType) and section.has("weight") else ()


def _parse_property_names(
    section: TomlSection, key: str, names: tuple[str, ...], default: tuple[str, ...]
) -> tuple[str, ...]:
    for name in section.texts(key, default):
        if name not in names:
            raise section.error(key, f"names {name}, which is not a property of this table; add it to properties")
    return section.texts(key, default)


def _parse_ranges(section: TomlSection, names: tuple[str, ...]) -> dict[str, tuple[float | None, float | None]]:
    """The lowest and highest allowed value by property; None if a bound is infinite."""
    ranges: dict[str, tuple[float | None, float | None]] = {}
    for name, bounds in section.section("ranges").values.items():
        if name not in names:
            raise section.error("ranges", f"names {name}, which is not a property of this table; add it to properties")
        numbers = isinstance(bounds, list) and all(
            isinstance(bound, int | float) and not isinstance(bound, bool) and bound == bound for bound in bounds
        )
        if not numbers or len(bounds) != 2 or bounds[0] > bounds[1]:
            raise section.error("ranges", f"{name} must be the lowest and the highest value, such as [0.5, 5]")
        low, high = (None if isinf(bound) else bound for bound in bounds)
        ranges[name] = (low, high)
    return ranges


def _parse_earliest(section: TomlSection) -> int:
    """Unix seconds of `earliest`, which is a date such as 1995-01-01 or Unix seconds."""
    value = section.values.get("earliest", CleaningRules().earliest)
    if isinstance(value, datetime):
        return int((value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp())
    if isinstance(value, date):
        return int(datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp())
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > 10**11:
        raise section.error("earliest", "must be a date such as 1995-01-01, or Unix seconds")
    return value
