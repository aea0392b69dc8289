"""Write files for `neo4j-admin database import`, the fastest way to load very large graphs into Neo4j."""

import re
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv

from graphrec.atomic_write import atomic_write
from graphrec.errors import DataError, GraphrecError, first_few
from graphrec.fusion import GraphState, fuse
from graphrec.fusion.plan import NodePlan
from graphrec.fusion.provenance import SourceManifest
from graphrec.progress import StageProgress, silent
from graphrec.schema import SOURCE
from graphrec.store.connection import quote
from graphrec.store.sources import source_properties
from graphrec.tables import EdgeTable, GraphTables

#: Separator of list elements in a cell; a key may contain any printable character.
_LIST = "\x1f"
#: The form of labels and relationship types that can be used in options of the importer and in file names.
_WORD = re.compile(r"[\w-]+")
#: Characters with a meaning in the header of a file: `name:type(group){options}`.
_HEADER_CHARACTERS = ":(){}"

SCRIPT = "import.sh"
CONSTRAINTS = "constraints.cypher"


@dataclass(frozen=True)
class ImportFiles:
    """The files written, with the number of rows of each, and the script that imports them."""

    folder: str
    script: str
    files: dict[str, int] = field(default_factory=dict)


def write_import_files(tables: GraphTables, folder: Path, progress: StageProgress = silent) -> ImportFiles:
    """Write the CSV files of a source, a script with the import command, and the constraints to create afterwards.

    The import creates a new database with this source only; other sources can be loaded into it as usual.

    Raises GraphrecError if the folder cannot be written or is not empty, DataError if a name contains a character with
    a meaning in the importer's options or headers.
    """
    _require_plain_names(tables)
    _create_folder(folder)
    fused = fuse(GraphState(), tables)
    files: dict[str, int] = {}
    options: list[str] = []
    parts = [*_build_node_files(fused.nodes, SourceManifest.of(tables)), *_build_edge_files(fused.edges, fused.source)]
    for number, (option, name, table) in enumerate(parts):
        progress("writing files", number, len(parts))
        with atomic_write(folder / name) as path:
            pyarrow.csv.write_csv(table, path)
        files[name] = table.num_rows
        options.append(f"--{option}={name}")
    progress("writing files", len(parts), len(parts))
    labels = [*(plan.label for plan in fused.nodes), SOURCE]
    _write(folder / CONSTRAINTS, "".join(map(_format_constraint, labels)))
    _write(folder / SCRIPT, _format_script(options))
    return ImportFiles(str(folder), str(folder / SCRIPT), files)


def _require_plain_names(tables: GraphTables) -> None:
    """Raise DataError if a label, relationship type or property has characters that the importer cannot use."""
    names = [part for edge in tables.schema.edges for part in edge.triple] + [
        node.label for node in tables.schema.nodes
    ]
    unusable = [name for name in names if not _WORD.fullmatch(name)]
    properties = [name for node in tables.schema.nodes for name in node.properties]
    properties += [name for edge in tables.schema.edges for name in edge.properties]
    unusable += [name for name in properties if set(name) & set(_HEADER_CHARACTERS)]
    if unusable:
        raise DataError(
            f"neo4j-admin cannot import the names {first_few(dict.fromkeys(unusable))}: labels and relationship types "
            f"consist of letters, digits, _ and -, and properties contain none of {_HEADER_CHARACTERS}; rename them, "
            "or load without --import-files"
        )


def _create_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        existing = sorted(path.name for path in folder.iterdir())
    except OSError as error:
        raise GraphrecError(f"cannot write to {folder}: {error.strerror}; choose another folder") from error
    if existing:
        raise GraphrecError(f"folder {folder} is not empty ({first_few(existing)}); choose an empty or a new one")


def _build_node_files(plans: Iterable[NodePlan], manifest: SourceManifest) -> Iterator[tuple[str, str, pa.Table]]:
    """Option, file name and table of each label, and of the source's node."""
    for plan in plans:
        columns = {name: plan.created[name].tolist() for name in plan.created.columns if name != "id"}
        yield from _build_node_file(plan.label, plan.created["id"].tolist(), columns)
    properties = source_properties(manifest, "loaded")
    name = properties.pop("id")
    yield from _build_node_file(SOURCE, [name], {key: [value] for key, value in properties.items()})


def _build_node_file(label: str, ids: list[Any], columns: dict[str, list[Any]]) -> Iterator[tuple[str, str, pa.Table]]:
    arrays = {f"id:ID({label})": pa.array(ids)}
    for name, cells in columns.items():
        kind, array = _to_import_column(cells)
        if kind:
            arrays[f"{name}:{kind}"] = array
    yield f"nodes={label}", f"{label}.csv", pa.table(arrays)


def _build_edge_files(tables: Iterable[EdgeTable], source: str) -> Iterator[tuple[str, str, pa.Table]]:
    """Option, file name and table of each relationship type between two labels."""
    for table in tables:
        kind, frame = table.type, table.frame
        arrays = {
            f":START_ID({kind.source})": pa.array(frame["source_id"]),
            f":END_ID({kind.target})": pa.array(frame["target_id"]),
            "source:string": pa.DictionaryArray.from_arrays(pa.array([0] * len(frame), pa.int8()), [source]).cast(
                pa.string()
            ),
        }
        for name in kind.properties:
            array = pa.array(frame[name])
            arrays[f"{name}:{_TYPES.get(str(array.type), 'string')}"] = array
        yield f"relationships={kind.relation}", f"{'-'.join(kind.triple)}.csv", pa.table(arrays)


def _to_import_column(cells: list[Any]) -> tuple[str, pa.Array]:
    """The importer's type for a property, and its cells; no type if the property has no values."""
    present = [cell for cell in cells if cell is not None]
    if any(isinstance(cell, list) for cell in present):
        return "string[]", pa.array(
            [None if cell is None else _LIST.join(map(str, cell)) for cell in cells], pa.string()
        )
    try:
        array = pa.array(cells)
    except (pa.ArrowInvalid, pa.ArrowTypeError):  # texts and numbers in one property
        array = pa.array([None if cell is None else str(cell) for cell in cells])
    return ("", array) if not present else (_TYPES.get(str(array.type), "string"), array)


_TYPES = {"int64": "long", "double": "double", "bool": "boolean"}


def _format_constraint(label: str) -> str:
    return f"CREATE CONSTRAINT {quote(label + '_id')} IF NOT EXISTS FOR (n:{quote(label)}) REQUIRE n.id IS UNIQUE;\n"


def _format_script(options: list[str]) -> str:
    lines = [
        "#!/bin/sh",
        "# Imports these files into a new database of a Neo4j that is stopped: sh import.sh [DATABASE]",
        f"# Afterwards start the server and run: cypher-shell -f {CONSTRAINTS}",
        'cd "$(dirname "$0")" || exit 1',
        " \\\n  ".join(
            [
                'neo4j-admin database import full "${1:-neo4j}" --overwrite-destination',
                "--multiline-fields=true --array-delimiter=U+001F",
                *map(shlex.quote, options),
            ]
        ),
    ]
    return "\n".join(lines) + "\n"


def _write(path: Path, text: str) -> None:
    with atomic_write(path) as partial:
        partial.write_text(text, encoding="utf-8")
