"""Load a source: fuse its tables with the graph and write only the difference."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd

from graphrec import tabular
from graphrec.cleaning_report import CleaningReport
from graphrec.errors import DataError, RefusedError
from graphrec.fusion import Fused, FusionReport, fuse
from graphrec.fusion.plan import NodePlan
from graphrec.fusion.provenance import SourceManifest
from graphrec.ingest import notes
from graphrec.ingest.append import build_node_lookup, check_append_digest, merge_with_stored, require_same_key
from graphrec.ingest.lock import writing
from graphrec.ingest.read import DEFAULT_OPTIONS, LoadConfig, name_in_errors, read
from graphrec.ingest.removal_guard import Removal, explain_refusal
from graphrec.progress import StageProgress, silent
from graphrec.schema import EdgeType, Triple
from graphrec.store import Store, nodes, write
from graphrec.store.diff import EdgeDiff, diff_edges, diff_to_empty
from graphrec.store.edges import SortedEdges
from graphrec.store.nodes import WriteCounts
from graphrec.store.sources import mark_appended, mark_appending, read_graph_state, read_sources, save_source
from graphrec.tables import (
    ENRICHED_URL,
    JUDGED_URL,
    REPORTED_URL,
    EdgeTable,
    GraphTables,
    Repeats,
    Source,
    replace_columns,
)

#: Sources that no load wrote, by their address, and their content.
_NOT_LOADED = {
    REPORTED_URL: "the events that applications reported",
    ENRICHED_URL: "the attributes that a language model drew from texts",
    JUDGED_URL: "the verdicts of a language model on links",
}


@dataclass(frozen=True)
class Loaded:
    """The result of a load.

    Attributes:
        source: the source.
        rows: rows of its tables, by label or relationship type.
        cleaning, fusion: reports of these steps.
        written: numbers of nodes and edges created, changed and deleted.
        renamed: number of existing nodes that got another id, by label.
        links: `Fused.links`.
        refused: for a dry run, why the load itself would be refused.
        notes: sentences about possible problems of the data (`ingest.notes`).
        report: the folder of the saved report; None if none was saved.
    """

    source: Source
    rows: dict[str, int]
    cleaning: CleaningReport
    fusion: FusionReport
    written: list[WriteCounts] = field(default_factory=list)
    dry_run: bool = False
    seconds: float = 0.0
    renamed: dict[str, int] = field(default_factory=dict)
    links: pd.DataFrame = field(default_factory=pd.DataFrame)
    refused: str | None = None
    notes: tuple[str, ...] = ()
    report: Path | None = None

    def to_dict(self) -> dict[str, Any]:
        """The content of report.json and of `graphrec load --json`, as plain values."""
        return {
            "source": asdict(self.source),
            "rows": self.rows,
            "cleaning": self.cleaning.to_dict(),
            "fusion": self.fusion.to_dict(),
            "renamed": self.renamed,
            "dry_run": self.dry_run,
            "refused": self.refused,
            "notes": list(self.notes),
            "written": [asdict(written) for written in self.written],
            "seconds": round(self.seconds, 3),
        }


def load(
    store: Store,
    name: str,
    folder: Path | tabular.Description | None,
    home: Path,
    options: LoadConfig = DEFAULT_OPTIONS,
    progress: StageProgress = silent,
) -> Loaded:
    """Read all tables of a source, fuse them with the graph, and write new, changed and deleted nodes and edges.

    All errors in the files are found before the first write, so bad input leaves the graph unchanged. Loads wait for
    each other, also on different machines.

    Raises:
        UnknownNameError: no source has this name.
        DataError: the files lack required contents, or no row of a table is left.
        RefusedError: more would be deleted than `options` allow, or appended rows would be counted twice.
        StoreError: the database refuses or goes away.
    """
    start = time.perf_counter()
    tables = read(name, folder, options, progress, build_node_lookup(store))
    what = f"load of {tables.sources[0].name}"
    with name_in_errors(folder), writing(store, home, what, options.writers, options.dry_run, progress) as locked:
        loaded = write_source(locked, tables, options, progress)
    return replace(loaded, seconds=time.perf_counter() - start)


def write_source(
    store: Store, tables: GraphTables, options: LoadConfig = DEFAULT_OPTIONS, progress: StageProgress = silent
) -> Loaded:
    """Write the tables of one source; the caller holds the lock (`writing`).

    The `Source` node has the status `loading` from before the first write until after the last. After an interrupted
    load the next one compares again and writes the rest.

    Raises DataError if no load wrote the source of this name in the graph, such as the events of applications.
    """
    manifest = SourceManifest.of(tables)
    name = manifest.source.name
    earlier = {each.source.name: each for each in read_sources(store)}.get(name)
    if earlier is not None and earlier.source.url in _NOT_LOADED:
        raise DataError(
            f"the source '{name}' of the graph has {_NOT_LOADED[earlier.source.url]}, which a load would delete; "
            "give your source another name"
        )
    digest, digests = check_append_digest(store, tables, options.again) if options.append else (None, ())
    united = manifest.merge(earlier)
    appended_ids = {table.type.label: table.frame["id"] for table in tables.nodes} if options.append else None
    known = read_graph_state(store, united, appended_ids)
    progress("linking", 0, 1)
    fused = fuse(known, tables, options.append)
    progress("linking", 1, 1)
    writer = _LoadWriter(store, fused, earlier, options, progress, tables.repeats)
    differences = writer.find_differences(renamed=True)
    refused = explain_refusal(name, writer.find_removals(differences), options)
    if options.dry_run:
        written = writer.count_written(differences)
    elif refused:
        raise RefusedError(refused)
    else:
        save_source(store, united, "loading")
        if digest:
            mark_appending(store, name, digest)
        written = writer.write([kind for each in known.sources for kind in each.edges], differences)
        mark_appended(store, name, (*digests, *([digest] if digest else ())))
        save_source(store, united if options.append else manifest, "loaded")
    renamed = {plan.label: len(plan.renamed) for plan in fused.nodes if plan.renamed}
    loaded = Loaded(manifest.source, _count_rows(tables), tables.cleaning, fused.report, written, options.dry_run)
    all_notes = (*notes.check_tables(tables), *notes.check_fusion(fused.report))
    return replace(loaded, renamed=renamed, links=fused.links, refused=refused, notes=all_notes)


#: The target edges of a type, and their difference to those in the graph.
EdgeChange: TypeAlias = tuple[SortedEdges, EdgeDiff]


@dataclass(frozen=True)
class _LoadWriter:
    """The writes of one load; `earlier` is the manifest of the previous load of the source."""

    store: Store
    fused: Fused
    earlier: SourceManifest | None
    options: LoadConfig
    progress: StageProgress
    repeats: Mapping[str | Triple, Repeats]

    def find_differences(self, renamed: bool) -> list[EdgeChange]:
        """The edges of each table with their difference to the graph.

        `renamed` is set before the nodes are written: their ids in the graph are then mapped to the new ones.
        """
        return [
            self._diff_table(table, self._map_new_ids(table.type) if renamed else ({}, {}))
            for table in self.fused.edges
        ]

    def find_removals(self, differences: Sequence[EdgeChange]) -> list[Removal]:
        """The numbers of nodes and edges of the source in the graph, and of those that the load deletes."""
        if self.options.append:
            return []
        labels = {label.label for label in self.fused.report.labels}
        removals = [Removal(label, *counts, label in labels) for label, counts in self.fused.known.items()]
        for edges, diff in differences:
            kept = len(edges) - len(diff.new) + sum(len(row["t"]) for row in diff.duplicates)
            removals.append(Removal(_describe_type(edges.kind), kept + diff.num_removed, diff.num_removed))
        counts = ((kind, write.count_edges(self.store, kind, self.fused.source)) for kind in self._find_removed_types())
        return [*removals, *(Removal(_describe_type(kind), count, count, False) for kind, count in counts)]

    def count_written(self, differences: Sequence[EdgeChange]) -> list[WriteCounts]:
        """The numbers of nodes and edges that `write` would create, change and delete."""
        written = [nodes.count_written(plan) for plan in self.fused.nodes]
        written += [write.count_written(edges.kind, diff) for edges, diff in differences]
        return [*written, *self._count_removed()]

    def write(self, kinds: Sequence[EdgeType], differences: Sequence[EdgeChange]) -> list[WriteCounts]:
        """Write nodes, then edges, then delete those that are no longer in the source.

        `kinds` are the types that edges in the graph may have. `differences` are computed again if nodes get other ids
        or edges move between nodes.
        """
        for plan in self.fused.nodes:
            nodes.write_nodes(self.store, plan, kinds, self.progress)
        written = [nodes.count_written(plan) for plan in self.fused.nodes]
        valid = not any(plan.renamed or len(plan.moved) for plan in self.fused.nodes)
        for table, change in zip(self.fused.edges, differences, strict=True):
            edges, diff = change if valid else self._diff_table(table, ({}, {}))
            write.write_edges(self.store, edges, self.fused.source, diff, self.options.writers, self.progress)
            written.append(write.count_written(table.type, diff))
        written += self._count_removed()
        for kind in self._find_removed_types():
            write.delete_edges(self.store, kind, self.fused.source)
        for plan in self.fused.nodes:
            nodes.delete_nodes(self.store, plan)
        return written

    def _diff_table(self, table: EdgeTable, renamed: tuple[Mapping[str, str], ...]) -> EdgeChange:
        known, append = self._find_known_type(table.type), self.options.append
        if append and known is not None:
            require_same_key(table.type, known)
            repeats = self.repeats.get(table.type.triple)
            if repeats is not None:
                table = merge_with_stored(self.store, table, self.fused.source, repeats, renamed)
            keep_stored_values = repeats is None or repeats.repeated == "refuse"
            edges = SortedEdges.from_table(table)
            return edges, diff_edges(self.store, edges, self.fused.source, True, renamed, keep_stored_values)
        edges = self._build_edges(table)
        if known is None:
            return edges, diff_to_empty(edges)
        return edges, diff_edges(self.store, edges, self.fused.source, append, renamed)

    def _build_edges(self, table: EdgeTable) -> SortedEdges:
        """The edges of a table; properties that it no longer has are missing values, so that they are removed."""
        kind, known = table.type, self._find_known_type(table.type)
        lost = [name for name in known.properties if name not in kind.properties] if known else []
        if not lost or self.options.append:
            return SortedEdges.from_table(table)
        wider = replace(kind, properties=(*kind.properties, *lost))
        return SortedEdges.from_table(EdgeTable(wider, replace_columns(table.frame, dict.fromkeys(lost))))

    def _find_known_type(self, kind: EdgeType) -> EdgeType | None:
        kinds = self.earlier.edges if self.earlier else ()
        return next((known for known in kinds if known.triple == kind.triple), None)

    def _map_new_ids(self, kind: EdgeType) -> tuple[Mapping[str, str], Mapping[str, str]]:
        plans = {plan.label: plan for plan in self.fused.nodes}
        start, end = (_map_new_ids(plans[label], self.fused.source) for label in (kind.source, kind.target))
        return start, end

    def _find_removed_types(self) -> list[EdgeType]:
        if self.earlier is None or self.options.append:
            return []
        triples = {table.type.triple for table in self.fused.edges}
        return [kind for kind in self.earlier.edges if kind.triple not in triples]

    def _count_removed(self) -> list[WriteCounts]:
        return [
            WriteCounts(kind.relation, 0, 0, write.count_edges(self.store, kind, self.fused.source), kind.target)
            for kind in self._find_removed_types()
        ]


def _describe_type(kind: EdgeType) -> str:
    return f"{kind.relation} to {kind.target}"


def _map_new_ids(plan: NodePlan, source: str) -> dict[str, str]:
    """The new ids of nodes with edges of the source, by their current ids in the graph; only nodes whose id changes."""
    moved = plan.moved[plan.moved["source"] == source]
    return {**plan.renamed, **dict(zip(moved["from_id"], moved["to_id"], strict=True))}


def _count_rows(tables: GraphTables) -> dict[str, int]:
    """The number of rows by label and relationship type; a type between several labels is one entry."""
    rows: dict[str, int] = {}
    for table in tables.nodes:
        rows[table.type.label] = len(table.frame)
    for edges in tables.edges:
        rows[edges.type.relation] = rows.get(edges.type.relation, 0) + len(edges.frame)
    return rows
