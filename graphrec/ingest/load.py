"""Loading: the tables of a source, fused with what the graph has, and only the difference written."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd

from graphrec import tabular
from graphrec.cleaning_report import CleaningReport
from graphrec.errors import RefusedError
from graphrec.fusion import Fused, FusionReport, fuse
from graphrec.fusion.plan import NodePlan
from graphrec.fusion.provenance import SourceManifest
from graphrec.ingest import notes
from graphrec.ingest.append import appended_once, need_same_key, nodes_in_graph, with_stored
from graphrec.ingest.lock import writing
from graphrec.ingest.read import USUAL, LoadConfig, naming, read
from graphrec.ingest.removal_guard import Vanishing, refusal
from graphrec.schema import EdgeType, Triple
from graphrec.store import Store, nodes, write
from graphrec.store.diff import Difference, difference, everything_new
from graphrec.store.edges import Edges
from graphrec.store.nodes import Written
from graphrec.store.read import Progress, silent
from graphrec.store.sources import note_appended, note_appending, note_source, read_known, read_sources
from graphrec.tables import EdgeTable, GraphTables, Repeats, Source


@dataclass(frozen=True)
class Loaded:
    """What a load did: the source, the rows of its tables, what was cleaned and fused, and what was written.

    `renamed` counts by label the nodes that were there before and have another id now; `links` are those of
    `Fused.links`. `refused` says of a dry run why the load itself would be refused; `notes` are sentences about what is
    worth a look. `report` is the folder of the report that was saved, None if none was.
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
    refused: str | None = None
    notes: tuple[str, ...] = ()
    report: Path | None = None

    def to_dict(self) -> dict[str, Any]:
        """What report.json and `graphrec load --json` hold: plain values."""
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
    options: LoadConfig = USUAL,
    progress: Progress = silent,
) -> Loaded:
    """Read a source whole, fuse it with what the graph has, then write what is new or changed and delete what is gone.

    Everything that can be wrong with the files is found before the first write, so bad input leaves the graph
    as it was. Loads wait for each other, on whatever machine they are.

    Raises:
        UnknownNameError: there is no such source.
        DataError: the files do not hold what they must, or a table had rows and none is left.
        RefusedError: more would be deleted than `options` allow, or appended rows would be counted twice.
        StoreError: the database refuses or goes away.
    """
    start = time.perf_counter()
    tables = read(name, folder, options, progress, nodes_in_graph(store))
    what = f"load of {tables.sources[0].name}"
    with naming(folder), writing(store, home, what, options.writers, options.dry_run, progress) as held:
        loaded = write_source(held, tables, options, progress)
    return replace(loaded, seconds=time.perf_counter() - start)


def write_source(store: Store, tables: GraphTables, options: LoadConfig = USUAL, progress: Progress = silent) -> Loaded:
    """Make the graph hold what the tables of one source say; the caller holds `writing`.

    The graph's Source node says `loading` from before the first write until after the last. Where a load was cut off,
    the next one compares and writes the rest.
    """
    brought = SourceManifest.of(tables)
    name = brought.source.name
    earlier = {each.source.name: each for each in read_sources(store)}.get(name)
    digest, digests = appended_once(store, tables, options.again) if options.append else (None, ())
    united = brought.united(earlier)
    only = {table.type.label: table.frame["id"] for table in tables.nodes} if options.append else None
    known = read_known(store, united, only)
    progress("linking", 0, 1)
    fused = fuse(known, tables, options.append)
    progress("linking", 1, 1)
    run = _Write(store, fused, earlier, options, progress, tables.repeats)
    differences = run.differences(renamed=True)
    refused = refusal(name, run.vanishing(differences), options)
    if options.dry_run:
        written = run.counted(differences)
    elif refused:
        raise RefusedError(refused)
    else:
        note_source(store, united, "loading")
        if digest:
            note_appending(store, name, digest)
        written = run.carry_out([kind for each in known.sources for kind in each.edges], differences)
        note_appended(store, name, (*digests, *([digest] if digest else ())))
        note_source(store, united if options.append else brought, "loaded")
    renamed = {plan.label: len(plan.renamed) for plan in fused.nodes if plan.renamed}
    loaded = Loaded(brought.source, _rows(tables), tables.cleaning, fused.report, written, options.dry_run)
    told = (*notes.of_tables(tables), *notes.of_fusion(fused.report))
    return replace(loaded, renamed=renamed, links=fused.links, refused=refused, notes=told)


#: The edges of a type as they are to be, and how those in the graph differ from them.
Change: TypeAlias = tuple[Edges, Difference]


@dataclass(frozen=True)
class _Write:
    """The writes of one load; `earlier` is what the source brought before."""

    store: Store
    fused: Fused
    earlier: SourceManifest | None
    options: LoadConfig
    progress: Progress
    repeats: Mapping[str | Triple, Repeats]

    def differences(self, renamed: bool) -> list[Change]:
        """The edges of each table and their difference to the graph; with `renamed`, before the nodes are written."""
        return [self._change(table, self._new_names(table.type) if renamed else ({}, {})) for table in self.fused.edges]

    def vanishing(self, differences: Sequence[Change]) -> list[Vanishing]:
        """What the source had in the graph of each label and type, and how much of it goes."""
        if self.options.append:
            return []
        there = {label.label for label in self.fused.report.labels}
        found = [Vanishing(label, *counts, label in there) for label, counts in self.fused.known.items()]
        for edges, differs in differences:
            kept = len(edges) - len(differs.new) + sum(len(row["t"]) for row in differs.doubled)
            found.append(Vanishing(_called(edges.kind), kept + differs.deleted, differs.deleted))
        counts = ((kind, write.count_edges(self.store, kind, self.fused.source)) for kind in self._gone_kinds())
        return [*found, *(Vanishing(_called(kind), count, count, False) for kind, count in counts)]

    def counted(self, differences: Sequence[Change]) -> list[Written]:
        """What would be written."""
        written = [nodes.counted(plan) for plan in self.fused.nodes]
        written += [write.counted(edges.kind, differs) for edges, differs in differences]
        return [*written, *self._gone()]

    def carry_out(self, kinds: Sequence[EdgeType], differences: Sequence[Change]) -> list[Written]:
        """Nodes, then edges, then away with what is gone; `kinds` are the types that edges in the graph may have.

        The differences of before hold, unless nodes get other ids or edges go from node to node.
        """
        for plan in self.fused.nodes:
            nodes.write_nodes(self.store, plan, kinds, self.progress)
        written = [nodes.counted(plan) for plan in self.fused.nodes]
        hold = not any(plan.renamed or len(plan.moved) for plan in self.fused.nodes)
        for table, change in zip(self.fused.edges, differences, strict=True):
            edges, differs = change if hold else self._change(table, ({}, {}))
            write.write_edges(self.store, edges, self.fused.source, differs, self.options.writers, self.progress)
            written.append(write.counted(table.type, differs))
        written += self._gone()
        for kind in self._gone_kinds():
            write.delete_edges(self.store, kind, self.fused.source)
        for plan in self.fused.nodes:
            nodes.delete_nodes(self.store, plan)
        return written

    def _change(self, table: EdgeTable, renamed: tuple[Mapping[str, str], ...]) -> Change:
        known, append = self._known(table.type), self.options.append
        if append and known is not None:
            need_same_key(table.type, known)
            repeats = self.repeats.get(table.type.triple)
            if repeats is not None:
                table = with_stored(self.store, table, self.fused.source, repeats, renamed)
            completing = repeats is None or repeats.repeated == "refuse"
            edges = Edges.of(table)
            return edges, difference(self.store, edges, self.fused.source, True, renamed, completing)
        edges = self._edges(table)
        if known is None:
            return edges, everything_new(edges)
        return edges, difference(self.store, edges, self.fused.source, append, renamed)

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


def _called(kind: EdgeType) -> str:
    return f"{kind.relation} to {kind.target}"


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
