"""How the cost of graph_filter grows with the graph: generated graphs of 1, 10 and 50 million edges.

    python benchmarks/scaling.py 1 10 50 [--regions] [--threads 2] [--set NAME=VALUE] [--output FOLDER] [--plot NAME]

Each graph is made and measured in processes of its own, so that the peak of memory is that of one fit; it holds Python,
torch and the edges (16 bytes each). Users have 20 edges on average and items 100, both by power laws that are the same
at every size. Any user may meet any item: the larger the graph, the further apart is what an edge connects. With
--regions users and items belong to regions of 10,000 items, as towns, languages or tastes make them, in which nine of
ten edges stay; a graph ten times as large is then ten times the same. Nothing tells the model of them. The rank is 64
at every size, since what a rank costs is linear in it. Results are kept in FOLDER, and sizes that are there
already are not measured again; without sizes, what is there is shown.
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

if TYPE_CHECKING:  # the process that generates needs no torch, and should not pay for it in memory
    from graphrec.hetero import HeteroGraph
    from graphrec.interactions import Interactions
    from graphrec.models.base import Model

#: Interactions of a user and of an item on average, and the least and the most of a user.
PER_USER, PER_ITEM, LEAST, MOST = 20, 100, 6, 1000

#: Exponents of the power laws of users' and items' degrees, and how much more popular the most popular item may be.
USER_LAW, ITEM_LAW, POPULAR = 1.5, 1.1, 500

#: Items of a region, and the share of the edges that stay in one.
REGION, STAYING = 10_000, 0.9

#: Settings of the model at every size.
SETTINGS = {"rank": "64"}

#: Users that are recommended to, and histories that are folded in, to take the time.
SAMPLE, HISTORIES = 2000, 50


def generate(num_edges: int, seed: int = 0, regions: bool = False) -> tuple[npt.NDArray[np.int64], int, int]:
    """Pairs [2, about num_edges] of user and item, sorted, each once, and the numbers of users and of items."""
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
    home = _homes(bounds, num_users, rng) if regions else None
    named = rng.permutation(num_items) if regions else np.arange(num_items)  # positions tell nothing of regions
    for start in range(0, len(code), 1 << 22):
        part = slice(start, start + (1 << 22))
        drawn = rng.random(len(code[part]))
        if home is not None:
            low, high = home[:, user[part]]
            drawn = np.where(rng.random(len(drawn)) < STAYING, low + drawn * (high - low), drawn)
        code[part] += named[np.minimum(np.searchsorted(bounds, drawn), num_items - 1)]
    code = np.unique(code)
    pairs = np.empty((2, len(code)), dtype=np.int64)
    np.divmod(code, num_items, out=(pairs[0], pairs[1]))
    return pairs, num_users, num_items


def _homes(bounds: npt.NDArray[np.float64], num_users: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """The part [2, num_users] of 0 to 1, where items are drawn, that the region of each user has."""
    first = np.arange(max(len(bounds) // REGION, 1)) * REGION
    edges = np.concatenate([[0.0], bounds[first[1:] - 1], [1.0]])
    region = rng.integers(len(first), size=num_users)
    return np.stack([edges[region], edges[region + 1]])


def measure(path: Path, threads: int, settings: dict[str, str]) -> dict[str, Any]:
    """Seconds and memory of a fit to the pairs of a file, milliseconds to fold in, users a second recommended to."""
    import torch

    from graphrec.models import make

    torch.set_num_threads(threads)
    graph, known = _graph(np.load(path))
    model = make("graph_filter", **settings)
    before = peak_mib()
    began, used = perf_counter(), process_time()
    model.fit(graph, known, np.random.default_rng(0))
    fit, processor = perf_counter() - began, process_time() - used
    return {
        "edges": len(known),
        "users": known.num_users,
        "items": known.num_items,
        "fit": round(fit, 2),
        "processor": round(processor, 2),  # of all threads; other work on the machine does not count
        "peak_mib": peak_mib(),
        "read_mib": before,
        **_answers(model, known.matrix()),
        "settings": settings,
        "threads": threads,
        "versions": versions(),
    }


def _graph(pairs: npt.NDArray[np.int64]) -> tuple["HeteroGraph", "Interactions"]:
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
    ids = {label: Vocabulary.of(label, []) for label in ("User", "Item")}  # positions are all that is asked for
    return HeteroGraph(data, ids, target), Interactions(pairs[0], pairs[1], num_users, num_items)


def _answers(model: "Model[Any]", matrix: sparse.csr_array) -> dict[str, float]:  # of any config
    """Median milliseconds to fold in one history, and users a second that the best 20 items are found for."""
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
    """The exponent from each size to the next: 1 is linear, less is better."""
    return [float(np.log(b[name] / a[name]) / np.log(b["edges"] / a["edges"])) for a, b in pairwise(rows)]


def main() -> None:
    """Measure the sizes asked for, and print what is there as a table; draw it where asked."""
    arguments = _arguments()
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
            path.write_text(_in_processes(millions, arguments), encoding="utf-8")
            print(f"measured {millions:g} million edges", file=sys.stderr, flush=True)
    found = [json.loads(path.read_text(encoding="utf-8")) for path in arguments.output.glob(f"{kind}-*.json")]
    rows = sorted(found, key=lambda row: int(row["edges"]))
    print(table(rows))
    if arguments.plot:
        draw(rows, arguments.plot)


def table(rows: Sequence[dict[str, Any]]) -> str:
    """The measures as a Markdown table, and a sentence on how they grow."""
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


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("millions", type=float, nargs="*", help="millions of edges")
    parser.add_argument("--regions", action="store_true", help="most edges stay within regions of 10,000 items")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--output", type=Path, default=Path("results/scaling"))
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--worker", choices=["generate", "measure"], help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def _in_processes(millions: float, arguments: argparse.Namespace) -> str:
    """What `measure` says of a graph, made in one process and measured in another."""
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
