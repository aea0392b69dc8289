"""Tiny, whole folders of every form that a loader reads, from the TOML files of `folders`."""

import gzip
import io
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

_SHOP = """name = "shop"
[nodes.Item]
file = "items.{0}"
id = "sku"
properties = ["title", {{ name = "price", type = "float" }}]
[edges.PURCHASED]
file = "orders.{0}"
from = "User:customer"
to = "Item:sku"
time = {{ column = "at", unit = "s" }}
dangling = "drop"
repeated = "last"
"""


@dataclass(frozen=True)
class Part:
    """One file of a folder: its lines, what divides them ("json": an object on each line), and `columns`, which says
    where it has a text, a number and a time: a position, or the key of an object."""

    name: str
    lines: tuple[str, ...]
    separator: str = ","
    header: bool = True
    encoding: str = "utf-8"
    columns: Mapping[str, Any] = field(default_factory=dict)  # Any: a position or a key

    def content(self, lines: Sequence[str] | None = None, encoding: str = "") -> bytes:
        """The bytes of the file, with other lines or in another encoding where they are given."""
        text = "\n".join(self.lines if lines is None else lines) + "\n"
        if self.name.endswith(".parquet"):
            names, *rows = (line.split(",") for line in text.splitlines())
            stream = io.BytesIO()
            pq.write_table(pa.table({name: [row[k] for row in rows] for k, name in enumerate(names)}), stream)
            return stream.getvalue()
        return self.packed(text.encode(encoding or self.encoding, "surrogateescape"))

    def packed(self, content: bytes) -> bytes:
        """The bytes, compressed where the name says so."""
        return gzip.compress(content, 1, mtime=0) if self.name.endswith(".gz") else content


@dataclass(frozen=True)
class Whole:
    """The files of one form of a source; the command is `graphrec load SOURCE FOLDER/target`."""

    form: str
    source: str
    parts: tuple[Part, ...]
    target: str = ""

    def write(self, folder: Path) -> Path:
        """Write all files into a folder; the path to load."""
        folder.mkdir(parents=True, exist_ok=True)
        for part in self.parts:
            (folder / part.name).write_bytes(part.content())
        if self.target:
            suffix = self.parts[0].name.partition(".")[2]
            (folder / self.target).write_text(_SHOP.format(suffix), encoding="utf-8")
        return folder / self.target


def whole_folders() -> dict[str, Whole]:
    """All forms by name: those of the TOML files, and the tables in compressed and in Parquet files too."""
    found: dict[str, Whole] = {}
    for path in sorted((Path(__file__).parent / "folders").glob("*.toml")):
        for form, value in tomllib.loads(path.read_text(encoding="utf-8")).items():
            parts = tuple(_part(name, entry) for name, entry in value["files"].items())
            found[form] = Whole(form, value["source"], parts, "shop.toml" if value["source"] == "table" else "")
    for form, like, suffix in (("csv", "csv", ".csv.gz"), ("jsonl", "jsonl", ".jsonl.gz"), ("csv", "csv", ".parquet")):
        whole = found[f"table-{like}"]
        parts = tuple(replace(part, name=part.name.replace(f".{form}", suffix)) for part in whole.parts)
        found[f"table{suffix}"] = replace(whole, form=f"table{suffix}", parts=parts)
    return found


def _part(name: str, entry: Mapping[str, Any]) -> Part:  # Any: whatever TOML holds
    return Part(name, **{**entry, "lines": tuple(entry["lines"].removesuffix("\n").split("\n"))})
