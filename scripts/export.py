"""Export the graph as a PyTorch Geometric HeteroData file."""

import time
from pathlib import Path

import click

from . import _terminal


@click.command(epilog="Example: graphrec export --out graph.pt")
@click.option("--out", required=True, type=_terminal.OutPath(dir_okay=False), help="File to write.")
@click.option("--relation", help="Behaviour to predict; by default the strongest that the graph has.")
@_terminal.json_option
def command(out: Path, relation: str | None, as_json: bool) -> None:
    """Export the graph as a PyTorch Geometric HeteroData file.

    Open it with `graphrec.hetero.load(path)`, or with `torch.load(path, weights_only=False)` as a HeteroData whose
    `vocabularies` hold the ids behind all positions.
    """
    from graphrec.errors import GraphrecError
    from graphrec.files import is_stdout

    if as_json and is_stdout(out):
        raise click.UsageError("--json and --out both want stdout; give one of them")
    if not out.absolute().parent.is_dir():
        raise GraphrecError(f"there is no folder {out.absolute().parent} to write {out.name} into; create it first")

    start = time.perf_counter()
    with _terminal.open_graph() as stored, _terminal.progress_bar() as progress:
        graph = stored.export(relation, progress)
    from graphrec import hetero

    hetero.save(graph, out)
    seconds = time.perf_counter() - start
    nodes = {name: graph.data[name].num_nodes for name in graph.data.node_types}
    edges = {" ".join(triple): graph.data[triple].num_edges for triple in graph.data.edge_types}
    if as_json:
        size = out.stat().st_size
        _terminal.print_json(
            {"file": str(out), "bytes": size, "nodes": nodes, "edges": edges, "seconds": round(seconds, 3)}
        )
        return
    rows = [*nodes.items(), *((name, number) for name, number in edges.items() if " rev_" not in name)]
    _terminal.print_table(f"{out} written in {seconds:.1f} s", ["", "number"], rows, stderr=is_stdout(out))
