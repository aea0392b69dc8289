"""Unlink a source from the graph, so that the graph is as if the source had never been loaded."""

import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from graphrec.errors import UnknownNameError
from graphrec.fusion import unlink
from graphrec.fusion.plan import NodePlan
from graphrec.fusion.provenance import SourceManifest
from graphrec.fusion.records import source_property
from graphrec.ingest.lock import writing
from graphrec.progress import StageProgress, silent
from graphrec.schema import SYSTEM_PROPERTIES
from graphrec.store import Store, nodes, write
from graphrec.store.nodes import WriteCounts
from graphrec.store.sources import delete_source, read_graph_state, read_sources, save_source
from graphrec.tables import ENRICHED_URL, JUDGED_URL, REPORTED_URL, Source


@dataclass(frozen=True)
class Unlinked:
    """The nodes and edges that unlinking a source changed and deleted, or would change and delete.

    Attributes:
        kept: by label, the number of nodes that stay because other programs' edges hold them. They lose their keys and
            the properties of the source.
        report_deleted: whether the last report of the source was deleted.
        runs: ids of the saved runs that were trained on the source.
        runs_that_do_not_say: ids of saved runs of versions that did not record sources.
    """

    source: Source
    written: list[WriteCounts]
    seconds: float
    dry_run: bool = False
    kept: dict[str, int] = field(default_factory=dict)
    report_deleted: bool = False
    runs: list[str] = field(default_factory=list)
    runs_that_do_not_say: list[str] = field(default_factory=list)

    @property
    def undo(self) -> str:
        """How to undo the removal, by what wrote the source."""
        again = "again to undo this; kept answers of the model cost nothing"
        return {
            ENRICHED_URL: f"run `graphrec enrich` {again}",
            JUDGED_URL: f"run `graphrec judge --apply` {again}",
            REPORTED_URL: "only applications that report the events again can undo this",
        }.get(self.source.url, "load the source again to undo this")


def unlink_source(
    store: Store, name: str, home: Path, dry_run: bool = False, progress: StageProgress = silent
) -> Unlinked:
    """Remove a source from the graph: its edges, its values and keys, and the nodes that no other source has.

    Impressions and graphrec's own edges of these nodes are deleted with them. Other edges that no load wrote hold a
    node (`Unlinked.kept`).

    The graph that remains is the one that the other sources produce. After an interruption, a second call completes it.

    Raises UnknownNameError if the graph has no such source.
    """
    start = time.perf_counter()
    with writing(store, home, f"unlinking of {name}", 1, dry_run, progress) as locked:
        sources = {each.source.name: each for each in read_sources(locked)}
        if name not in sources:
            raise UnknownNameError("loaded source", name, sources)
        manifest = sources[name]
        fused = unlink(read_graph_state(locked, manifest), name)
        plans = [replace(plan, cleared=_list_cleared(plan, manifest)) for plan in fused.nodes]
        held = [nodes.count_held(locked, plan, [*sources]) for plan in plans]
        edges = [
            WriteCounts(kind.relation, 0, 0, write.count_edges(locked, kind, name), kind.target)
            for kind in manifest.edges
        ]
        if not dry_run:
            save_source(locked, manifest, "unlinking")
            all_types = [kind for each in sources.values() for kind in each.edges]
            for plan in plans:
                nodes.delete_impressions(locked, plan)
            for plan in plans:
                nodes.write_nodes(locked, plan, all_types, progress)
            for number, kind in enumerate(manifest.edges):
                progress("deleting edges", number, len(manifest.edges))
                write.delete_edges(locked, kind, name)
            progress("deleting edges", len(manifest.edges), len(manifest.edges))
            for plan in plans:
                nodes.delete_nodes(locked, plan)
            delete_source(locked, name)
    counts = [
        replace(count, deleted=count.deleted - number)
        for count, number in zip(map(nodes.count_written, plans), held, strict=True)
    ]
    kept = {plan.label: number for plan, number in zip(plans, held, strict=True) if number}
    return Unlinked(manifest.source, [*counts, *edges], time.perf_counter() - start, kept=kept)


def _list_cleared(plan: NodePlan, manifest: SourceManifest) -> tuple[str, ...]:
    """The properties that a deleted node of the source loses if it stays: the source's, and those of published runs."""
    kind = manifest.node(plan.label)
    name = manifest.source.name
    of_source = [each for own in (kind.properties if kind else ()) for each in (own, source_property(name, own))]
    return (*of_source, *sorted(SYSTEM_PROPERTIES))
