"""Taking a source out of the graph again, so that what is left is what the others make."""

import time
from dataclasses import dataclass, field
from pathlib import Path

from graphrec.errors import UnknownNameError
from graphrec.fusion import unlink
from graphrec.ingest.lock import writing
from graphrec.store import Store, nodes, write
from graphrec.store.nodes import Written
from graphrec.store.read import Progress, silent
from graphrec.store.sources import forget_source, note_source, read_known, read_sources
from graphrec.tables import Source


@dataclass(frozen=True)
class Unlinked:
    """What taking a source out of the graph changed and deleted, or would.

    report_deleted: whether the last report of the source was deleted. runs: ids of the saved runs that were trained on
    the source; runs_that_do_not_say: of those saved by a version that did not record sources.
    """

    source: Source
    written: list[Written]
    seconds: float
    dry_run: bool = False
    report_deleted: bool = False
    runs: list[str] = field(default_factory=list)
    runs_that_do_not_say: list[str] = field(default_factory=list)


def take_out(store: Store, name: str, home: Path, dry_run: bool = False, progress: Progress = silent) -> Unlinked:
    """Take a source out of the graph: its edges, its values and keys, and the nodes that nobody else brought.

    What is left is the graph that the other sources make. If it is cut off, doing it again finishes it.

    Raises UnknownNameError where the graph has no such source.
    """
    start = time.perf_counter()
    with writing(store, home, f"unlinking of {name}", 1, dry_run, progress) as held:
        sources = {each.source.name: each for each in read_sources(held)}
        if name not in sources:
            raise UnknownNameError("loaded source", name, sources)
        brought = sources[name]
        fused = unlink(read_known(held, brought), name)
        edges = [
            Written(kind.relation, 0, 0, write.count_edges(held, kind, name), kind.target) for kind in brought.edges
        ]
        if not dry_run:
            note_source(held, brought, "unlinking")
            every = [kind for each in sources.values() for kind in each.edges]
            for plan in fused.nodes:
                nodes.write_nodes(held, plan, every, progress)
            for number, kind in enumerate(brought.edges):
                progress("deleting edges", number, len(brought.edges))
                write.delete_edges(held, kind, name)
            progress("deleting edges", len(brought.edges), len(brought.edges))
            for plan in fused.nodes:
                nodes.delete_nodes(held, plan)
            forget_source(held, name)
    written = [*map(nodes.counted, fused.nodes), *edges]
    return Unlinked(brought.source, written, time.perf_counter() - start)
