"""Taking a source out of the graph again, so that what is left is what the others make."""

import time
from dataclasses import dataclass
from pathlib import Path

from graphrec.errors import UnknownNameError
from graphrec.fusion import unlink
from graphrec.ingest.lock import writing
from graphrec.store import Store, nodes, write
from graphrec.store.nodes import WriteCounts
from graphrec.store.read import Progress, silent
from graphrec.store.sources import delete_source, read_graph_state, read_sources, save_source
from graphrec.tables import Source


@dataclass(frozen=True)
class Unlinked:
    """What taking a source out of the graph changed and deleted."""

    source: Source
    written: list[WriteCounts]
    seconds: float


def unlink_source(store: Store, name: str, home: Path, dry_run: bool = False, progress: Progress = silent) -> Unlinked:
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
        fused = unlink(read_graph_state(held, brought), name)
        edges = [
            WriteCounts(kind.relation, 0, 0, write.count_edges(held, kind, name), kind.target) for kind in brought.edges
        ]
        if not dry_run:
            save_source(held, brought, "unlinking")
            every = [kind for each in sources.values() for kind in each.edges]
            for plan in fused.nodes:
                nodes.write_nodes(held, plan, every, progress)
            for number, kind in enumerate(brought.edges):
                progress("deleting edges", number, len(brought.edges))
                write.delete_edges(held, kind, name)
            progress("deleting edges", len(brought.edges), len(brought.edges))
            for plan in fused.nodes:
                nodes.delete_nodes(held, plan)
            delete_source(held, name)
    written = [*map(nodes.counted, fused.nodes), *edges]
    return Unlinked(brought.source, written, time.perf_counter() - start)
