"""Compares a proposed description with the right one, regardless of policy keys, comments and notation."""

import re
import tomllib
from pathlib import Path
from typing import Any

from . import Case
from .exports import CASES as EXPORTS
from .held_out_behaviour import CASES as HELD_OUT_BEHAVIOUR
from .held_out_late import CASES as HELD_OUT_LATE
from .held_out_purchases import CASES as HELD_OUT_PURCHASES
from .logs import CASES as LOGS
from .media import CASES as MEDIA
from .notations import CASES as NOTATIONS
from .ratings_of_media import CASES as RATINGS_OF_MEDIA
from .ratings_of_products import CASES as RATINGS_OF_PRODUCTS
from .shop_events import CASES as SHOP_EVENTS
from .shop_orders import CASES as SHOP_ORDERS

#: Cases that the rules were developed with (two thirds of them).
DEVELOPMENT = [*RATINGS_OF_MEDIA, *RATINGS_OF_PRODUCTS, *SHOP_ORDERS, *SHOP_EVENTS, *MEDIA, *NOTATIONS]
#: All cases; those beyond DEVELOPMENT were written when the development cases were right.
CASES = [*DEVELOPMENT, *HELD_OUT_PURCHASES, *HELD_OUT_BEHAVIOUR, *HELD_OUT_LATE, *LOGS, *EXPORTS]
_FORM = {
    "encoding": "utf-8",
    "skip": 0,
    "comment": "",
    "decimal": ".",
    "thousands": "",
    "escape": "",
    "records": "",
    "shape": "table",
}
Tables = dict[str, dict[str, Any]]  # Any: whatever TOML holds


def write_case(case: Case, folder: Path) -> list[Path | str]:
    """The arguments of sniff, after the files of a case were written to a folder."""
    for name, content in case.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return [folder / name for name in case.arguments or case.files]


def normalise(toml: str, folder: Path) -> Tables:
    """The compared keys of each table of a description, by the name of the table."""
    values = tomllib.loads(toml)
    found: Tables = {}
    for kind in ("nodes", "edges"):
        for name, table in values.get(kind, {}).items():
            found[f"{kind}.{name}"] = _table(table, folder)
    return found


def find_differences(right: Tables, proposed: Tables) -> list[str]:
    """Each key in which the two differ, as a line."""
    lines = []
    for name in sorted(right.keys() | proposed.keys()):
        if name not in proposed or name not in right:
            lines.append(f"{name} is {'missing' if name not in proposed else 'too much'}")
            continue
        for key in sorted(right[name].keys() | proposed[name].keys()):
            one, two = right[name].get(key), proposed[name].get(key)
            if one != two:
                lines.append(f"{name} {key}: {two!r} in the place of {one!r}")
    return lines


def _table(table: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The table with columns of files without a header by their place, and files by their names."""
    header = table.get("header", [])
    places = {name: f"#{number}" for number, name in enumerate(header, 1)}
    made: dict[str, Any] = {key: table.get(key, usual) for key, usual in _FORM.items()}
    if "sql" in table:
        made["files"] = sorted(
            _paths(value["file"] if isinstance(value, dict) else value, folder) for value in table["files"].values()
        )
    else:
        made["files"] = _paths(table["file"], folder)
        tabs = re.search(r"\.(tsv|tab)(\.(gz|bz2|xz|zst))?$", made["files"][0])
        made["separator"] = table.get("separator", "\t" if tabs else ",") if made["shape"] != "basket" else ""

    made["missing"] = sorted(set(table.get("missing", [])) - {""})
    for key in ("from", "to"):
        if key in table:
            label, _, column = table[key].partition(":")
            made[key] = f"{label}:{places.get(column, column)}"
    if "id" in table:
        made["id"] = places.get(table["id"], table["id"])
    made["split"] = table.get("split")
    made["properties"] = sorted(_property(value, places) for value in table.get("properties", []))
    weight = table.get("weight")
    made["weight"] = None if weight is None else _property(weight, places)[0]
    time = table.get("time")
    if time is not None:
        time = {"column": time} if isinstance(time, str) else time
        made["time"] = (places.get(time["column"], time["column"]), time.get("format"), time.get("unit"))
    made["where"] = {
        places.get(name, name): sorted([value] if isinstance(value, str) else value)
        for name, value in table.get("where", {}).items()
    }
    made["key"] = len(table.get("key", []))
    made["ranges"] = table.get("ranges")
    return made


def _property(value: Any, places: dict[str, str]) -> tuple[str, str, bool]:
    """Column, type, and whether it is called rating."""
    if isinstance(value, str):
        return places.get(value, value), "text", value == "rating"
    column = value.get("column", value.get("name"))
    return places.get(column, column), value.get("type", "text"), value.get("name") == "rating"


def _paths(value: str | list[str], folder: Path) -> list[str]:
    names = [value] if isinstance(value, str) else value
    found = [str(path.relative_to(folder)) for name in names for path in sorted(folder.glob(name))]
    return sorted(found)
