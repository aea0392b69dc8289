"""Loading: the tables of a source, fused with what the graph has, and only the difference written."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from graphrec import tabular
from graphrec.defects import CleaningReport
from graphrec.fusion import Fused, FusionReport, fuse
from graphrec.fusion.plan import NodePlan
from graphrec.ingest.lock import writing
from graphrec.ingest.source import USUAL, Options, read
from graphrec.provenance import Brought
from graphrec.schema import EdgeType
from graphrec.store import Store, nodes, write
from graphrec.store.difference import Difference, difference, everything_new
from graphrec.store.edges import Edges
from graphrec.store.nodes import Written
from graphrec.store.read import Progress, silent
from graphrec.store.sources import note_source, read_known, read_sources
from graphrec.tables import EdgeTable, GraphTables, Source


@dataclass(frozen=True)
class Loaded:
    """What a load did: the source, the rows of its tables, what was cleaned and fused, and what was written.

    `renamed` counts by label the nodes that were there before and have another id now; `links` are those of
    `Fused.links`.
    """

    source: Source
    rows: dict[str, int]
    cleaning: CleaningReport
    fusion: FusionReport
    written: list[Written] = field(default_factory=list)
    dry_run: bool = False
    seconds: float = 0.0
    renamed: dict[str, int] = field(default_factory=dict)
    links: pd.DataFrame = field(default_factory=pd.DataFrame)


def load(
    store: Store,
    name: str,
    folder: Path | tabular.Description | None,
    home: Path,
    options: Options = USUAL,
    progress: Progress = silent,
) -> Loaded:
    """Read a source whole, fuse it with what the graph has, then write what is new or changed and delete what is gone.

    Everything that can be wrong with the files is found before the first write, so bad input leaves the graph
    as it was. Loads of one home wait for each other.

    Raises:
        UnknownNameError: there is no such source.
        DataError: the files do not hold what they must.
        StoreError: the database refuses or goes away.
    """
    start = time.perf_counter()
    tables = read(name, folder, options, progress)
    with writing(home):
        loaded = write_source(store, tables, options, progress)
    return replace(loaded, seconds=time.perf_counter() - start)


def write_source(store: Store, tables: GraphTables, options: Options = USUAL, progress: Progress = silent) -> Loaded:
    """Make the graph hold what the tables of one source say; the caller holds `writing`.

    The graph's Source node says `loading` from before the first write until after the last. Where a load was cut off,
    the next one compares and writes the rest.
    """
    brought = Brought.of(tables)
    earlier = {each.source.name: each for each in read_sources(store)}.get(brought.source.name)
    united = brought.united(earlier)
    only = {table.type.label: table.frame["id"] for table in tables.nodes} if options.append else None
    known = read_known(store, united, only)
    progress("linking", 0, 1)
    fused = fuse(known, tables, options.append)
    progress("linking", 1, 1)
    run = _Write(store, fused, earlier, options, progress)
    if options.dry_run:
        written = run.counted()
    else:
        note_source(store, united, "loading")
        written = run.carry_out([kind for each in known.sources for kind in each.edges])
        note_source(store, united if options.append else brought, "loaded")
    renamed = {plan.label: len(plan.renamed) for plan in fused.nodes if plan.renamed}
    loaded = Loaded(brought.source, _rows(tables), tables.cleaning, fused.report, written, options.dry_run)
    return replace(loaded, renamed=renamed, links=fused.links)


@dataclass(frozen=True)
class _Write:
    """The writes of one load; `earlier` is what the source brought before."""

    store: Store
    fused: Fused
    earlier: Brought | None
    options: Options
    progress: Progress

    def counted(self) -> list[Written]:
        """What would be written."""
        written = [nodes.counted(plan) for plan in self.fused.nodes]
        for table in self.fused.edges:
            edges, names = self._edges(table), self._new_names(table.type)
            written.append(write.counted(table.type, self._difference(edges, names)))
        return [*written, *self._gone()]

    def carry_out(self, kinds: Sequence[EdgeType]) -> list[Written]:
        """Nodes, then edges, then away with what is gone; `kinds` are the types that edges in the graph may have."""
        for plan in self.fused.nodes:
            nodes.write_nodes(self.store, plan, kinds, self.progress)
        written = [nodes.counted(plan) for plan in self.fused.nodes]
        for table in self.fused.edges:
            edges = self._edges(table)
            differs = self._difference(edges)
            write.write_edges(self.store, edges, self.fused.source, differs, self.options.writers, self.progress)
            written.append(write.counted(table.type, differs))
        written += self._gone()
        for kind in self._gone_kinds():
            write.delete_edges(self.store, kind, self.fused.source)
        for plan in self.fused.nodes:
            nodes.delete_nodes(self.store, plan)
        return written

    def _edges(self, table: EdgeTable) -> Edges:
        """The edges of a table, with the properties that they had and no longer have as missing values."""
        kind, known = table.type, self._known(table.type)
        lost = [name for name in known.properties if name not in kind.properties] if known else []
        if not lost or self.options.append:
            return Edges.of(table)
        wider = replace(kind, properties=(*kind.properties, *lost))
        return Edges.of(EdgeTable(wider, table.frame.assign(**dict.fromkeys(lost))))

    def _known(self, kind: EdgeType) -> EdgeType | None:
        kinds = self.earlier.edges if self.earlier else ()
        return next((known for known in kinds if known.triple == kind.triple), None)

    def _difference(self, edges: Edges, renamed: tuple[Mapping[str, str], ...] = ({}, {})) -> Difference:
        if self._known(edges.kind) is None:
            return everything_new(edges)
        return difference(self.store, edges, self.fused.source, self.options.append, renamed)

    def _new_names(self, kind: EdgeType) -> tuple[Mapping[str, str], Mapping[str, str]]:
        plans = {plan.label: plan for plan in self.fused.nodes}
        start, end = (_new_names(plans[label], self.fused.source) for label in (kind.source, kind.target))
        return start, end

    def _gone_kinds(self) -> list[EdgeType]:
        if self.earlier is None or self.options.append:
            return []
        there = {table.type.triple for table in self.fused.edges}
        return [kind for kind in self.earlier.edges if kind.triple not in there]

    def _gone(self) -> list[Written]:
        return [
            Written(kind.relation, 0, 0, write.count_edges(self.store, kind, self.fused.source), kind.target)
            for kind in self._gone_kinds()
        ]


def _new_names(plan: NodePlan, source: str) -> dict[str, str]:
    """The id that an end of a source's edge is going to have, by the id that it still has in the graph."""
    own = plan.moved[plan.moved["source"] == source]
    return {**plan.renamed, **dict(zip(own["from_id"], own["to_id"], strict=True))}


def _rows(tables: GraphTables) -> dict[str, int]:
    """Rows per label and relationship type; a type between several labels is counted together."""
    rows: dict[str, int] = {}
    for table in tables.nodes:
        rows[table.type.label] = len(table.frame)
    for edges in tables.edges:
        rows[edges.type.relation] = rows.get(edges.type.relation, 0) + len(edges.frame)
    return rows
