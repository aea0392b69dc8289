"""Detects users or items whose ids also occur in other sources described in the same folder."""

import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from graphrec.errors import GraphrecError
from graphrec.schema import ITEM, USER, NodeType
from graphrec.tabular import files, parsing
from graphrec.tabular.inference.table_roles import TableRoles
from graphrec.tabular.sniffing import TableProfile
from graphrec.tabular.spec import FileInput, FileQueryInput, TableSpec

_MOST_SPECS = 20


@dataclass(frozen=True)
class SharedLabel:
    """The TOML file of the other source, whether its ids certainly mean the same, and the question about it."""

    source: str
    certain: bool
    question: str


def find_shared_labels(seen: Sequence[tuple[TableProfile, TableRoles]], folder: Path) -> dict[str, SharedLabel]:
    """The labels whose ids also occur in another TOML file of the folder."""
    found: dict[str, SharedLabel] = {}
    inputs = [table.input for table, _ in seen]
    mine = {path.resolve() for source in inputs if isinstance(source, FileInput) for path in source.paths}
    own = {label: _collect_ids(label, seen) for label in (USER, ITEM)}
    paths = islice(sorted(folder.glob("*.toml")), _MOST_SPECS) if folder.is_dir() else []
    for path in paths:
        for label, ids in own.items():
            if len(ids) < 3 or label in found:
                continue
            common = ids & _read_ids(path, label, mine)
            if len(common) < 3 or len(common) < 0.3 * len(ids):
                continue
            certain = not _are_consecutive(ids)
            ask = (
                f"{len(common):,} of {len(ids):,} {label} ids are in {path.name}, too: are they the same? "
                f"If so, [nodes.{label}] of both needs shared = true; otherwise they stay separate"
            )
            found[label] = SharedLabel(path.name, certain, ask)
    return found


def _collect_ids(label: str, seen: Sequence[tuple[TableProfile, TableRoles]]) -> set[str]:
    found: set[str] = set()
    for table, role in seen:
        for end, column in role.ends:
            if end == label and column in table.columns:
                found |= set(map(_normalise_id, table.columns[column].values.dropna()))
    return found


def _read_ids(path: Path, label: str, mine: set[Path]) -> set[str]:
    """Some ids of a label in another TOML file; empty if it cannot be read or describes the same files."""
    try:
        spec = parsing.parse(path)
        inputs = [table.input for table in spec.tables]
        if any(
            isinstance(o, FileQueryInput) or (isinstance(o, FileInput) and mine & set(map(Path.resolve, o.paths)))
            for o in inputs
        ):
            return set()
        return {
            value
            for table in spec.tables
            for column in _columns(table, label)
            for value in _read_first_ids(table, column)
        }
    except (GraphrecError, OSError, tomllib.TOMLDecodeError):
        return set()


def _columns(table: TableSpec, label: str) -> Iterable[str]:
    if isinstance(table.type, NodeType):
        return table.ids if table.type.label == label else ()
    ends = (table.type.source, table.type.target)
    return [column for end, column in zip(ends, table.ids, strict=True) if end == label]


def _read_first_ids(table: TableSpec, column: str) -> set[str]:
    """The ids in the first rows of the first file of a table."""
    if not isinstance(table.input, FileInput):
        return set()
    for piece in files.read_batches(replace(table.input, paths=table.input.paths[:1]), [column]):
        if not isinstance(piece, files.BadLine):
            return {_normalise_id(str(value)) for value in piece[column].to_pylist() if value is not None}
    return set()


def _normalise_id(value: str) -> str:
    """The id as loaded: 14003.0 is 14003."""
    return re.sub(r"^(\d+)\.0+$", r"\1", value)


def _are_consecutive(ids: set[str]) -> bool:
    """Whether ids are numbers such as 1, 2, 3 …, which are no evidence that two sources have the same nodes."""
    if not all(value.isdigit() for value in ids):
        return False
    numbers = [int(value) for value in ids]
    return max(numbers) - min(numbers) < 5 * len(numbers) + 10
