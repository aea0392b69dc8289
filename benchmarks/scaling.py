"""How the cost of graph_filter grows with the graph: generated graphs of 1, 10 and 50 million edges.

    python benchmarks/scaling.py 1 10 50 [--regions] [--threads 2] [--set NAME=VALUE] [--output FOLDER] [--plot NAME]

Each graph is generated and measured in separate processes, so that peak memory is that of one fit, including Python,
torch and the edges (16 bytes each). Users have 20 edges on average and items 100, both by power laws that are the same
at every size. Users choose among all items, so edges of a larger graph connect positions that are further apart. With
--regions users and items belong to regions of 10,000 items (such as towns, languages or tastes), and nine of ten edges
stay within a region; a graph ten times as large then has ten times as many regions. The model does not know the
regions. The rank is 64 at every size, since the cost is linear in the rank. Results are kept in FOLDER, and a size with
a result is not measured again; without sizes, all results are shown.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from graphrec.evaluation.environment import peak_mib, versions

if TYPE_CHECKING:  # the process that generates graphs needs no torch and none of its memory
    from graphrec.hetero import HeteroGraph
    from graphrec.interactions import Interactions
    from graphrec.models.base import Model

#: Mean number of interactions of a user and of an item, and minimum and maximum of a user.
PER_USER, PER_ITEM, LEAST, MOST = 20, 100, 6, 1000

#: Exponents of the power laws of users' and items' degrees, and cap on the weight of an item, where the least is 1.
USER_LAW, ITEM_LAW, POPULAR = 1.5, 1.1, 500

#: Number of items of a region, and the share of edges within regions.
REGION, STAYING = 10_000, 0.9

#: Settings of the model at every size.
SETTINGS = {"rank": "64"}

#: Number of users that are ranked for, and of histories that are folded in, to measure the time.
SAMPLE, HISTORIES = 2000, 50


def generate(num_edges: int, seed: int = 0, regions: bool = False) -> tuple[npt.NDArray[np.int64], int, int]:
    """Distinct pairs [2, about num_edges] of user and item, sorted, and the numbers of users and items."""
    rng = np.random.default_rng(seed)
    num_items = max(num_edges // PER_ITEM, 10)
    degrees = np.empty(0, dtype=np.int64)
    while degrees.sum() < num_edges:
        drawn = LEAST * (1 - rng.random(num_edges // PER_USER + 100)) ** (-1 / USER_LAW)
        degrees = np.concatenate([degrees, np.minimum(drawn, MOST).astype(np.int64)])
    num_users = int(np.searchsorted(np.cumsum(degrees), num_edges)) + 1
    weight = np.minimum((1 - rng.random(num_items)) ** (-1 / ITEM_LAW), POPULAR)
    bounds = np.cumsum(weight) / weight.sum()
    user = np.repeat(np.arange(num_users), degrees[:num_users])
    code = user * num_items
    ranges = _draw_regions(bounds, num_users, rng) if regions else None
    positions = rng.permutation(num_items) if regions else np.arange(num_items)  # unrelated to regions
    for start in range(0, len(code), 1 << 22):
        part = slice(start, start + (1 << 22))
        drawn = rng.random(len(code[part]))
        if ranges is not None:
            low, high = ranges[:, user[part]]
            drawn = np.where(rng.random(len(drawn)) < STAYING, low + drawn * (high - low), drawn)
        code[part] += positions[np.minimum(np.searchsorted(bounds, drawn), num_items - 1)]
    code = np.unique(code)
    pairs = np.empty((2, len(code)), dtype=np.int64)
    np.divmod(code, num_items, out=(pairs[0], pairs[1]))
    return pairs, num_users, num_items


def _draw_regions(bounds: npt.NDArray[np.float64], num_users: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """The bounds [2, num_users] within 0 … 1 from which items of each user's region are drawn."""
    first = np.arange(max(len(bounds) // REGION, 1)) * REGION
    edges = np.concatenate([[0.0], bounds[first[1:] - 1], [1.0]])
    region = rng.integers(len(first), size=num_users)
    return np.stack([edges[region], edges[region + 1]])


def measure(path: Path, threads: int, settings: dict[str, str]) -> dict[str, Any]:
    """Seconds and memory of a fit to the pairs of a file, milliseconds to fold in, and users ranked per second."""
    import torch

    from graphrec.models import make

    torch.set_num_threads(threads)
    graph, train = _build_graph(np.load(path))
    model = make("graph_filter", **settings)
    before = peak_mib()
    began, used = perf_counter(), process_time()
    model.fit(graph, train, np.random.default_rng(0))
    fit, processor = perf_counter() - began, process_time() - used
    return {
        "edges": len(train),
        "users": train.num_users,
        "items": train.num_items,
        "fit": round(fit, 2),
        "processor": round(processor, 2),  # of all threads of this process
        "peak_mib": peak_mib(),
        "read_mib": before,
        **_measure_serving(model, train.matrix()),
        "settings": settings,
        "threads": threads,
        "versions": versions(),
    }


def _build_graph(pairs: npt.NDArray[np.int64]) -> tuple["HeteroGraph", "Interactions"]:
    """The graph and the interactions of pairs [2, n], which share their memory."""
    import torch
    from torch_geometric.data import HeteroData

    from graphrec.hetero import HeteroGraph
    from graphrec.interactions import Interactions
    from graphrec.vocabulary import Vocabulary

    num_users, num_items = (int(row.max()) + 1 for row in pairs)
    data = HeteroData()
    data["User"].num_nodes, data["Item"].num_nodes = num_users, num_items
    target = ("User", "INTERACTED", "Item")
    data[target].edge_index = torch.from_numpy(pairs)
    ids = {label: Vocabulary.of(label, []) for label in ("User", "Item")}  # ids are not needed
    return HeteroGraph(data, ids, target), Interactions(pairs[0], pairs[1], num_users, num_items)


def _measure_serving(model: "Model[Any]", matrix: sparse.csr_array) -> dict[str, float]:  # of any config
    """Median milliseconds to fold in one history, and users per second whose best 20 items are found."""
    from graphrec.ranking.topk import top_k

    rng = np.random.default_rng(0)
    times = []
    for user in rng.integers(matrix.shape[0], size=HISTORIES):
        history = matrix[[user]]
        began = perf_counter()
        model.fold_in(history)
        times.append(perf_counter() - began)
    began = perf_counter()
    top_k(model, matrix, rng.integers(matrix.shape[0], size=SAMPLE), 20)
    return {
        "fold_in_ms": round(float(np.median(times)) * 1000, 2),
        "users_per_second": round(SAMPLE / (perf_counter() - began), 1),
    }


def growth(rows: Sequence[dict[str, Any]], name: str) -> list[float]:
    """The exponent of growth from each size to the next; 1 is linear."""
    return [float(np.log(b[name] / a[name]) / np.log(b["edges"] / a["edges"])) for a, b in pairwise(rows)]


def main() -> None:
    """Measure the given sizes, print all results as a table, and plot them if --plot is given."""
    arguments = _parse_arguments()
    if arguments.worker == "generate":
        np.save(arguments.file, generate(int(arguments.millions[0] * 1e6), regions=arguments.regions)[0])
        return
    settings = {**SETTINGS, **dict(text.split("=", 1) for text in arguments.settings)}
    if arguments.worker == "measure":
        print(json.dumps(measure(arguments.file, arguments.threads, settings)))
        return
    arguments.output.mkdir(parents=True, exist_ok=True)
    kind = "regions" if arguments.regions else "scaling"
    for millions in arguments.millions:
        path = arguments.output / f"{kind}-{millions:g}.json"
        if not path.exists():
            path.write_text(_run_workers(millions, arguments), encoding="utf-8")
            print(f"measured {millions:g} million edges", file=sys.stderr, flush=True)
    found = [json.loads(path.read_text(encoding="utf-8")) for path in arguments.output.glob(f"{kind}-*.json")]
    rows = sorted(found, key=lambda row: int(row["edges"]))
    print(table(rows))
    if arguments.plot:
        draw(rows, arguments.plot)


def table(rows: Sequence[dict[str, Any]]) -> str:
    """The results as a Markdown table, and a sentence on their growth."""
    head = ["edges", "users", "items", "fit s", "processor s", "processor µs an edge", "peak MiB", "before the fit MiB"]
    head += ["fold-in ms", "users a second"]
    lines = [head, ["---"] * len(head)]
    for row in rows:
        each = f"{row['processor'] / row['edges'] * 1e6:.2f}"
        sizes = [f"{row[name]:,}" for name in ("edges", "users", "items")]
        memory = [f"{row[name]:,}" for name in ("peak_mib", "read_mib")]
        rest = [f"{row['fold_in_ms']:.2f}", f"{row['users_per_second']:,.0f}"]
        lines.append([*sizes, f"{row['fit']:.1f}", f"{row['processor']:.1f}", each, *memory, *rest])
    text = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    if len(rows) > 1:
        seconds, peaks = (", then ".join(f"{e:.2f}" for e in growth(rows, name)) for name in ("processor", "peak_mib"))
        text += f"\n\nFrom size to size, processor seconds grow as edges to the power {seconds}; "
        text += f"memory to the power {peaks}."
        linear = max(growth(rows, "processor")[-1], growth(rows, "peak_mib")[-1]) <= 1.05
        text += " At the largest sizes that is " + ("no worse than linear." if linear else "worse than linear.")
    return text


def draw(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Two panels, seconds and memory against edges on logarithmic axes with a line of slope 1, as .svg and .png."""
    from graphrec.benchmark.plot import DOT, PUBLISHED, STYLE, load_pyplot, write

    plots = load_pyplot()
    with plots.rc_context(STYLE):
        figure, axes = plots.subplots(1, 2, figsize=(10, 4), layout="constrained")
        edges = np.array([row["edges"] for row in rows], dtype=float)
        for axis, name, title in zip(
            axes, ("processor", "peak_mib"), ("processor seconds to fit", "peak memory, MiB"), strict=True
        ):
            values = np.array([row[name] for row in rows], dtype=float)
            axis.plot(edges, values[-1] * edges / edges[-1], color=PUBLISHED, linestyle=(0, (4, 3)), label="linear")
            axis.plot(edges, values, color=DOT, marker="o", label="graph_filter")
            for x, y in zip(edges, values, strict=True):
                axis.annotate(f"{y:,.0f}", (x, y), (0, 8), textcoords="offset points", ha="center")
            axis.set(xscale="log", yscale="log", xlabel="edges", title=title)
            axis.yaxis.set_major_formatter("{x:g}")
            axis.yaxis.set_minor_formatter("")
            axis.margins(0.15)
            axis.legend(frameon=False, loc="lower right")
        for written in write(figure, plots, path):
            print(f"wrote {written}", file=sys.stderr)


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("millions", type=float, nargs="*", help="sizes in millions of edges")
    parser.add_argument("--regions", action="store_true", help="most edges stay within regions of 10,000 items")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--output", type=Path, default=Path("results/scaling"))
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--worker", choices=["generate", "measure"], help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def _run_workers(millions: float, arguments: argparse.Namespace) -> str:
    """The result of `measure` as JSON, for a graph that is generated in one process and measured in another."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "pairs.npy"
        command = [sys.executable, __file__, "--file", str(file), "--threads", str(arguments.threads)]
        regions = ["--regions"] if arguments.regions else []
        subprocess.run([*command, *regions, "--worker", "generate", f"{millions}"], check=True)
        settings = [part for text in arguments.settings for part in ("--set", text)]
        done = subprocess.run([*command, "--worker", "measure", *settings], check=True, stdout=subprocess.PIPE)
        return done.stdout.decode()


if __name__ == "__main__":
    main()
