"""The rules of cleaning as a TOML table says them."""

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
    """The table with the rules that its section declares; they name properties, not columns.

    What "sum" adds up is the weight unless `combined` says otherwise.
    """
    names = table.type.properties
    repeated = cast(Repeated, section.choice("repeated", _REPEATED, "refuse"))
    by = section.text("by") if section.has("by") else None
    combined = _named(section, "combined", names, _weight(section, table))
    if repeated == "max" and by is None:
        raise section.error("repeated", 'is "max", which needs the key by: the property with the largest value stays')
    if repeated == "sum" and not combined:
        raise section.error("repeated", 'is "sum", which needs a weight, or the key combined: what is added up')
    if by is not None and by not in names:
        raise section.error("by", f"names {by}, which is no property; add it to properties")
    text = _named(section, "text", (*names, *table.id_names), ()) if section.has("text") else None
    made = CleaningRules(
        text or (),
        _named(section, "needed", names, ()),
        ranges=_ranges(section, names),
        times=("timestamp",) if table.time else (),
        repeated=repeated,
        by=by,
        combined=combined,
    )
    if "dangling" in keys:
        made = replace(
            made,
            earliest=_earliest(section),
            itself=cast(Literal["keep", "drop"], section.choice("itself", ("keep", "drop"), "keep")),
            dangling=cast(Dangling, section.choice("dangling", ("refuse", "drop", "add"), "refuse")),
        )
    return replace(table, rules=made, text_chosen=text is not None)


def _weight(section: TomlSection, table: TableSpec) -> tuple[str, ...]:
    return (table.columns[-1].name,) if isinstance(table.type, EdgeType) and section.has("weight") else ()


def _named(section: TomlSection, key: str, names: tuple[str, ...], default: tuple[str, ...]) -> tuple[str, ...]:
    for name in section.texts(key, default):
        if name not in names:
            raise section.error(key, f"names {name}, which is no property of this table; add it to properties")
    return section.texts(key, default)


def _ranges(section: TomlSection, names: tuple[str, ...]) -> dict[str, tuple[float | None, float | None]]:
    """The lowest and highest value by property; inf leaves a side open."""
    found: dict[str, tuple[float | None, float | None]] = {}
    for name, bounds in section.section("ranges").values.items():
        if name not in names:
            raise section.error("ranges", f"names {name}, which is no property of this table; add it to properties")
        numbers = isinstance(bounds, list) and all(
            isinstance(bound, int | float) and not isinstance(bound, bool) and bound == bound for bound in bounds
        )
        if not numbers or len(bounds) != 2 or bounds[0] > bounds[1]:
            raise section.error("ranges", f"{name} must be the lowest and the highest value, such as [0.5, 5]")
        low, high = (None if isinf(bound) else bound for bound in bounds)
        found[name] = (low, high)
    return found


def _earliest(section: TomlSection) -> int:
    """Unix seconds of a date such as 1995-01-01, or as they stand there."""
    value = section.values.get("earliest", CleaningRules().earliest)
    if isinstance(value, datetime):
        return int((value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp())
    if isinstance(value, date):
        return int(datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp())
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > 10**11:
        raise section.error("earliest", "must be a date such as 1995-01-01, or Unix seconds")
    return value
