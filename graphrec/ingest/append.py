"""Append rows to a source: the graph becomes the same as if all rows had been loaded in one file."""

import hashlib
from collections.abc import Mapping
from typing import Any

import pandas as pd

from graphrec.cleaning import CleaningRules
from graphrec.cleaning.casting import to_plain_dtype
from graphrec.cleaning.duplicates import merge_rows
from graphrec.cleaning.load_context import InGraph
from graphrec.cleaning.working_table import WorkingTable
from graphrec.errors import DataError, RefusedError, first_few
from graphrec.fusion.provenance import SourceManifest
from graphrec.fusion.records import NATIVE_ID, SOURCE_NAME, restore_records
from graphrec.schema import EdgeType, NodeType, Triple
from graphrec.store import Store
from graphrec.store.diff import read_stored_edges
from graphrec.store.edges import SortedEdges
from graphrec.store.sources import read_appended, read_graph_state, read_sources
from graphrec.tables import ENDS, EdgeTable, GraphTables, Repeats, Source, replace_columns

#: The nullable dtype for each dtype of an appended column, since values in the graph may be missing.
_WIDER = {"int64": "Int64", "float64": "Float64", "bool": "boolean"}


def build_node_lookup(store: Store) -> InGraph:
    """A function that looks up which native ids of a source are nodes in the graph, possibly under other ids."""

    def in_graph(source: str, label: str, ids: "pd.Series[str]") -> "pd.Series[bool]":
        sources = read_sources(store)
        kind = next((each.node(label) for each in sources if each.source.name == source), None)
        if kind is None:
            return pd.Series(False, index=ids.index)
        requested = SourceManifest(Source(source), (NodeType(label, kind.properties, kind.shared),))
        nodes = read_graph_state(store, requested, {label: ids}).nodes[label]
        records = restore_records(label, nodes, sources)
        return ids.isin(records[NATIVE_ID][records[SOURCE_NAME] == source])

    return in_graph


def require_same_key(kind: EdgeType, known: EdgeType | None) -> None:
    """Raise DataError if the appended edges have another key than those in the graph."""
    if known is not None and known.key != kind.key:
        was, now = (", ".join(each.key or ()) or "their ends alone" for each in (known, kind))
        raise DataError(
            f"{kind.relation}: edges in the graph are identified by {was}, the appended ones by {now}; write the same "
            "key, or load all files together without --append"
        )


def merge_with_stored(
    store: Store, table: EdgeTable, source: str, repeats: Repeats, renamed: tuple[Mapping[str, str], ...]
) -> EdgeTable:
    """The appended edges, merged as `repeats` specifies with the same edges in the graph.

    Raises DataError if repeated rows are refused and an edge has another value in the graph, or if the types of a
    property in the graph and in the file cannot be compared.
    """
    stored = read_stored_edges(store, SortedEdges.from_table(table), source, renamed)
    if stored.empty:
        return table
    if repeats.repeated == "refuse":
        _require_equal_values(table, stored)
        return table
    new, old = table.frame.copy(), table.frame.loc[stored.index, ENDS].copy()
    for name in table.type.properties:
        old[name], new[name] = _align_types(table.type.relation, name, stored[name], new[name])
    both = pd.concat([old, new[old.columns]], ignore_index=True)
    rules = CleaningRules(repeated=repeats.repeated, by=repeats.by, combined=repeats.combined)
    merged = merge_rows(WorkingTable(table.type, both, len(both)), rules).frame
    return EdgeTable(
        table.type, replace_columns(merged, {name: to_plain_dtype(merged[name]) for name in table.type.properties})
    )


def check_append_digest(store: Store, tables: GraphTables, again: bool) -> tuple[str | None, tuple[str, ...]]:
    """The digest of the appended rows that are summed (None if no rows are), and the digests of earlier appends.

    Raises RefusedError if the same rows were appended before, unless `again` is set, or if an earlier append of such
    rows was interrupted, since the graph does not show which of them are counted already.
    """
    source = tables.sources[0].name
    frames: list[tuple[str | Triple, pd.DataFrame]] = [(table.type.label, table.frame) for table in tables.nodes]
    frames += [(table.type.triple, table.frame) for table in tables.edges]
    summed = [(name, frame) for name, frame in frames if _is_summed(tables.repeats.get(name))]
    digests, cut_off = read_appended(store, source)
    if not summed:
        return None, digests
    if cut_off:
        raise RefusedError(
            f"the last --append of {source} was interrupted, and summed counts do not show which rows they contain "
            "already; load all files of the source together, without --append"
        )
    parts = [f"{name} {pd.util.hash_pandas_object(frame, index=False).sum():x} {len(frame)}" for name, frame in summed]
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
    if digest in digests and not again:
        raise RefusedError(
            f"the same rows were appended to {source} before, and would be summed twice; nothing is written. If they "
            "are different events that look alike, use --again (in Python again=True)"
        )
    return digest, digests


def _is_summed(repeats: Repeats | None) -> bool:
    return repeats is not None and repeats.repeated == "sum"


def _align_types(
    relation: str, name: str, stored: "pd.Series[Any]", new: "pd.Series[Any]"
) -> tuple["pd.Series[Any]", "pd.Series[Any]"]:  # Any: a property of any type, twice
    """A property of the stored and of the appended edges, both in one nullable dtype."""
    dtype: Any = _WIDER.get(str(new.dtype), str(new.dtype))
    has_fractions = any(isinstance(value, float) and value % 1 for value in stored)
    dtype = "Float64" if dtype == "Int64" and has_fractions else dtype
    text = any(isinstance(value, str) for value in stored)
    numbers = any(isinstance(value, int | float) for value in stored)
    if (text and dtype in _WIDER.values()) or (numbers and pd.api.types.is_string_dtype(new.dtype)):
        kinds = ("text", "numbers") if text else ("numbers", "text")
        raise DataError(
            f"{relation}: {name} is {kinds[0]} in the graph ({first_few(stored.dropna())}) and {kinds[1]} in the file; "
            "write its type as before, or load all files together without --append"
        )
    return stored.astype(dtype), new.astype(dtype)


def _require_equal_values(table: EdgeTable, stored: pd.DataFrame) -> None:
    """Raise DataError, with examples, if appended edges have other values than in the graph."""
    relation, frame = table.type.relation, table.frame.loc[stored.index]
    differs = pd.DataFrame(False, index=stored.index, columns=[*table.type.properties])
    for name in table.type.properties:
        cells = frame[name].to_numpy(dtype=object)
        differs[name] = stored[name].notna() & frame[name].notna() & (stored[name].to_numpy() != cells)
    conflicts = differs.any(axis=1)
    if conflicts.any():
        shown = [
            f"{row['source_id']} → {row['target_id']}: "
            f"{name} {stored.at[at, name]!r} in the graph, {row[name]!r} in the file"
            for at, row in frame[conflicts].head().iterrows()
            for name in table.type.properties
            if differs.at[at, name]
        ]
        raise DataError(
            f"{relation}: {int(conflicts.sum()):,} of {len(table.frame):,} appended rows are edges that the graph has "
            f"with other values ({first_few(shown)}); write "
            f'repeated = "last" and by = "timestamp" in [edges.{relation}] if '
            'the later row counts (or "first", "max" or "sum"), or load all files together without --append'
        )
