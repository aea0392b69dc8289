"""Reads and cleans the tables of a TOML specification."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from graphrec.cleaning import CleaningRules
from graphrec.cleaning.clean import clean_working_tables
from graphrec.cleaning.working_table import WorkingTable
from graphrec.errors import DataError, first_few
from graphrec.schema import EdgeType, NodeType
from graphrec.tables import GraphTables
from graphrec.tabular.assembly import assemble
from graphrec.tabular.parsing import parse, parse_mapping
from graphrec.tabular.spec import TableSpec


def find_spec(path: Path) -> Path:
    """The path itself, or that of the only TOML file in the folder; DataError if there is not exactly one."""
    if path.is_file():
        return path
    if not path.is_dir():
        raise DataError(f"there is no {path}; give a TOML file, which `graphrec sniff FILE…` proposes")
    files = sorted(path.glob("*.toml"))
    if len(files) != 1:
        what = f"{len(files)} TOML files ({first_few(p.name for p in files)})" if files else "no TOML file"
        hint = "give one of them" if files else "`graphrec sniff FILE…` proposes one"
        raise DataError(f"folder {path} has {what}, but it needs one; {hint}")
    return files[0]


@dataclass(frozen=True)
class Description:
    """A specification as a mapping instead of a TOML file.

    Relative paths start at `folder`; a `file` may be a data frame.
    """

    values: Mapping[str, Any]  # TOML values, and frames
    folder: Path


def read(path: Path | Description) -> GraphTables:
    """The cleaned tables of a specification; `.cleaning` reports rejected and repaired rows.

    Raises:
        DataError: the TOML file or a data file is invalid.
        GraphrecError: a package for a database is missing.
    """
    if isinstance(path, Description):
        spec = parse_mapping(path.values, Path("the description"), path.folder)
    else:
        spec = parse(find_spec(path))
    nodes = [table for table in spec.tables if isinstance(table.type, NodeType)]
    edges = [table for table in spec.tables if isinstance(table.type, EdgeType)]
    tables = clean_working_tables(
        map(_assemble_with_rules, nodes), map(_assemble_with_rules, edges), (spec.source,), spec.links
    )
    if not spec.shared:
        return tables
    node_tables = [
        replace(table, type=replace(table.type, shared=True)) if table.type.label in spec.shared else table
        for table in tables.nodes
    ]
    return replace(tables, nodes=tuple(node_tables))


def _assemble_with_rules(table: TableSpec) -> tuple[WorkingTable, CleaningRules]:
    """The rows of a table and its cleaning rules; all text properties are repaired unless `text` was declared."""
    working_table = assemble(table)
    if table.text_chosen:
        return working_table, table.rules
    names = [*table.type.properties, *(["id"] if isinstance(table.type, NodeType) and table.type.shared else [])]
    text = tuple(name for name in names if pd.api.types.is_string_dtype(working_table.frame[name].dtype))
    return working_table, replace(table.rules, text=text)
