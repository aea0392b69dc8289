"""Write verdicts on proposed links as a source of its own, and make the links that they confirm; `unlink` undoes it."""

from graphrec.fusion.fuse import Fused, GraphState, relink
from graphrec.fusion.provenance import SourceManifest
from graphrec.progress import StageProgress, silent
from graphrec.store import Store, nodes
from graphrec.store.nodes import WriteCounts
from graphrec.store.sources import read_graph_state, save_source


def write_verdicts(store: Store, manifest: SourceManifest, progress: StageProgress = silent) -> list[WriteCounts]:
    """Write the verdicts of a manifest, which has no records, and the nodes of its labels as fusion then joins them.

    The caller holds the lock (`writing`). After an interruption a second call completes it.
    """
    known: GraphState = read_graph_state(store, manifest)
    fused: Fused = relink(known, manifest)
    save_source(store, manifest, "loading")
    kinds = [kind for each in known.sources for kind in each.edges]
    for plan in fused.nodes:
        nodes.write_nodes(store, plan, kinds, progress)
    for plan in fused.nodes:
        nodes.delete_nodes(store, plan)
    save_source(store, manifest, "loaded")
    return [nodes.count_written(plan) for plan in fused.nodes]
