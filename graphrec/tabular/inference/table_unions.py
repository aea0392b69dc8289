"""Unites files with the same format and the same kind of rows into one table."""

import re
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from graphrec.tabular.inference import behaviours, name_semantics
from graphrec.tabular.inference.column_profile import profile_column
from graphrec.tabular.inference.table_queries import make_query_names, query_tables
from graphrec.tabular.sniffing import TableProfile
from graphrec.tabular.spec import FileInput

_PART_WORDS = re.compile(
    r"\b(train|test|prior|valid|validation|val|dev|holdout|part|chunk|all|full|small|sample|new|old|jan|feb|mar|apr|may|jun|jul|"
    r"aug|sep|sept|oct|nov|dec|january|february|march|april|june|july|august|september|october|november|december|base|"
    r"export|dump|backup|final|copy|[a-z])\b"
)


def union_files(tables: Sequence[TableProfile]) -> list[TableProfile]:
    """The tables, with files of the same format and kind of rows united."""
    groups: dict[object, list[TableProfile]] = {}
    for number, table in enumerate(tables):
        groups.setdefault(_union_key(table) or number, []).append(table)
    return [_unite(group) for group in groups.values()]


def _union_key(table: TableProfile) -> object:
    """A key that is equal for files that belong to one table; None for other inputs."""
    source = table.input
    if not isinstance(source, FileInput):
        return None
    names = (
        tuple(sorted(table.columns)) if not table.headerless else tuple(c.kind == "str" for c in table.columns.values())
    )
    what = {m.entity for name in table.columns if (m := name_semantics.interpret_name(name)).part == "id"}
    stem = _PART_WORDS.sub(" ", re.sub(r"[\d_\W]+", " ", table.name.casefold()))
    stem = " ".join(stem.split())
    event = behaviours.find_event_column(table.columns, list(table.columns))
    has_events = event is not None and table.columns[event].num_distinct > 1
    relation = None if has_events else name_semantics.find_relation(table.name)
    called: object = (
        relation if {"user", "item"} <= what else (name_semantics.interpret_file_name(table.name), stem, relation)
    )
    if table.headerless:
        called = (stem, relation)
    form = (source.format, source.separator, source.quote, source.escape, source.comment, source.shape, source.records)
    return (form, source.encoding, source.skip, len(table.columns), names, called)


def _unite(group: Sequence[TableProfile]) -> TableProfile:
    """One table of several files."""
    first = group[0]
    if len(group) == 1 or not isinstance(first.input, FileInput):
        return first
    paths = tuple(path for table in group if isinstance(table.input, FileInput) for path in table.input.paths)
    columns = {}
    for place, name in enumerate(first.columns):
        parts = [table.columns.get(name) or list(table.columns.values())[place] for table in group]
        texts = pd.concat([part.values for part in parts]).tolist()
        texts = [None if value is None or value != value else str(value) for value in texts]
        made = profile_column(name, texts)
        missing = tuple(dict.fromkeys(word for part in parts for word in (*part.missing, *made.missing)))
        columns[name] = replace(made, missing=missing)
    if any(
        table.input != replace(first.input, paths=table.input.paths)
        for table in group
        if isinstance(table.input, FileInput)
    ):
        names = make_query_names(group)
        sql = " union all by name ".join(f"select * from {name}" for name in names)
        whole_form = TableProfile(
            query_tables(group, names, sql), first.name, columns, sum(table.rows for table in group)
        )
        return replace(
            whole_form, notes=(*first.notes, f"{len(group)} sheets of the same format"), left_out=first.left_out
        )
    rows = sum(table.rows for table in group)
    notes = tuple(dict.fromkeys(note for table in group for note in table.notes))
    whole = all(table.whole for table in group)
    source = replace(first.input, paths=paths)
    return replace(first, input=source, columns=columns, rows=rows, notes=notes, whole=whole)
