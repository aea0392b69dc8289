"""Export the graph as a PyTorch Geometric HeteroData file."""

import time
from pathlib import Path

import click

from . import _options, _terminal


@click.command(epilog="Example: graphrec export --out graph.pt")
@click.option("--out", required=True, type=_options.OutPath(dir_okay=False), help="File to write.")
@click.option("--relation", help="Behaviour to predict; by default the strongest in the graph.")
@click.option(
    "--reverse/--no-reverse",
    default=True,
    show_default=True,
    help="Add a reverse type rev_A for each edge type A, as message passing needs.",
)
@_options.json_option
def command(out: Path, relation: str | None, reverse: bool, as_json: bool) -> None:
    """Export the graph as a PyTorch Geometric HeteroData file.

    Open it with `graphrec.hetero.load(path)`, or with `torch.load(path, weights_only=False)` as a HeteroData whose
    `vocabularies` hold the ids of all positions.

    Every edge is in the file twice: (User, RATED, Item) and its reverse (Item, rev_RATED, User). So do not apply
    ToUndirected, and pass both to RandomLinkSplit (edge_types, rev_edge_types), or test edges remain in training. With
    --no-reverse each edge is in the file once. docs/export.md has an example of both.
    """
    _options.check_ending(out, (".pt",), "--out", "a graph")
    from graphrec.atomic_write import is_stdout
    from graphrec.errors import GraphrecError

    if as_json and is_stdout(out):
        raise click.UsageError("--json and --out both write to stdout; give one of them")
    if not out.absolute().parent.is_dir():
        raise GraphrecError(f"there is no folder {out.absolute().parent} to write {out.name} into; create it first")

    start = time.perf_counter()
    with _terminal.open_graph() as graph, _terminal.progress_bar() as progress:
        exported = graph.export(relation, progress, reverse, out)
    seconds = time.perf_counter() - start
    nodes = {name: exported.data[name].num_nodes for name in exported.data.node_types}
    edges = {" ".join(triple): exported.data[triple].num_edges for triple in exported.data.edge_types}
    if as_json:
        size = out.stat().st_size
        _terminal.print_json(
            {"file": str(out), "bytes": size, "nodes": nodes, "edges": edges, "seconds": round(seconds, 3)}
        )
        return
    rows = [*nodes.items(), *((name, number) for name, number in edges.items() if " rev_" not in name)]
    _terminal.print_table(f"{out} written in {seconds:.1f} s", ["", "number"], rows, stderr=is_stdout(out))
