"""Seconds for one LightGCN epoch at equal work: graphrec, RecBole 1.2.1 and PyG's own model, in one run.

    python benchmarks/peers.py TRAIN [--threads 1] [--rounds 10] [--without recbole] [--json FILE]

TRAIN has one line `user item item …` for each user. All train 64-dimensional embeddings over 3 layers by BPR and Adam
in batches of 2,048 with one uniform negative each, over the whole graph in each step. Each library runs in its own
process with the same number of threads. They alternate by a few steps, including the sampling of batches, while the
other processes sleep. The seconds of an epoch are the median step times the number of batches. RecBole is installed
into a separate environment under --cache, with the same version of torch; RecBole 1.2.1 needs a few names of numpy 1
and scipy 1.10, which peers_recbole.py restores without a change to RecBole.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np
import torch
import torch_geometric
from torch_geometric.nn import LightGCN as PyGLightGCN

from graphrec.benchmark.lightgcn_format import read_pairs
from graphrec.benchmark.readers import INTERACTED
from graphrec.evaluation.assembly import assemble, edges_of
from graphrec.interactions import Interactions
from graphrec.models.embedding import TrainingData
from graphrec.models.lightgcn import LightGCN, LightGCNConfig
from graphrec.schema import ITEM, USER
from graphrec.training.batches import PairBatch, pair_batches

RECBOLE = "recbole==1.2.1"
CONFIG = LightGCNConfig(
    embedding_dim=64,
    num_layers=3,
    loss="bpr",
    negatives="uniform",
    num_negatives=1,
    cosine=False,
    popularity=0.0,
    learning_rate=0.001,
    batch_size=2048,
    weight_decay=1e-4,
    warm_start=False,
)

#: Number of steps of a library in each round; slow ones get fewer.
TURN = {"graphrec": 8, "recbole": 2, "pyg": 1, "pyg sparse": 2}

NAMES = {
    "graphrec": "graphrec",
    "recbole": "RecBole 1.2.1",
    "pyg": "PyG LightGCN, edge_index",
    "pyg sparse": "PyG LightGCN, sparse matrix",
}


def train_graphrec(train: Interactions) -> Iterator[int]:
    """Train graphrec's LightGCN, and yield the number of batches of an epoch after each step."""
    rng = np.random.default_rng(0)
    model = LightGCN(CONFIG)
    matrix = train.matrix()
    graph = assemble({USER: train.num_users, ITEM: train.num_items}, [edges_of(INTERACTED, train)], INTERACTED)
    training = TrainingData(graph, train, matrix, train.take(np.zeros(len(train), dtype=bool)), model.device)
    x = model.initial_parameters(training, rng).requires_grad_()
    encode = model.build_encoder(training, x)
    optimizer = torch.optim.Adam([x], lr=CONFIG.learning_rate, fused=True)
    while True:
        for batch in model.batches(training, rng):
            optimizer.zero_grad()
            model.loss(x, encode, batch, training, rng).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            yield -(-matrix.nnz // CONFIG.batch_size)


def train_pyg(train: Interactions, sparse: bool) -> Iterator[int]:
    """Train PyG's LightGCN on an edge_index, as its example does, or on a sparse matrix, with graphrec's batches."""
    pairs = torch.from_numpy(np.stack([train.user_index, train.item_index + train.num_users]))
    edge_index = torch.cat([pairs, pairs.flip(0)], dim=1)
    num_nodes = train.num_users + train.num_items
    graph = torch_geometric.utils.to_torch_csr_tensor(edge_index, size=(num_nodes, num_nodes)) if sparse else edge_index
    model = PyGLightGCN(num_nodes, CONFIG.embedding_dim, CONFIG.num_layers)
    optimizer = torch.optim.Adam(model.parameters(), lr=CONFIG.learning_rate)
    rng = np.random.default_rng(0)
    matrix = train.matrix()
    while True:
        for batch in pair_batches(matrix, CONFIG.batch_size, 1, False, rng):
            label_index = _concat_pairs(batch, train.num_users)
            optimizer.zero_grad()
            scores = model(graph, label_index)
            loss = model.recommendation_loss(
                *scores.chunk(2), node_id=torch.unique(label_index), lambda_reg=CONFIG.weight_decay
            )
            loss.backward()
            optimizer.step()
            yield -(-matrix.nnz // CONFIG.batch_size)


def work(name: str, train: Path, threads: int) -> None:
    """For each number of steps on stdin, print the seconds of these steps as one line of JSON."""
    torch.set_num_threads(threads)
    pairs = read_pairs(train)
    steps = train_graphrec(pairs) if name == "graphrec" else train_pyg(pairs, name == "pyg sparse")
    versions = {"torch": torch.__version__, "numpy": np.__version__, "torch_geometric": torch_geometric.__version__}
    for line in sys.stdin:
        seconds, processor, num_batches = [], [], 0
        for _ in range(int(line)):
            began, used = perf_counter(), process_time()
            num_batches = next(steps)
            seconds.append(perf_counter() - began)
            processor.append(process_time() - used)
        print(
            json.dumps({"seconds": seconds, "processor": processor, "num_batches": num_batches, "versions": versions}),
            flush=True,
        )


def main() -> None:
    """Measure all libraries alternately and print a table."""
    arguments = _parse_arguments()
    if arguments.worker:
        work(arguments.worker, arguments.train, arguments.threads)
        return
    names = [name for name in NAMES if name not in arguments.without]
    workers = {name: _start(name, arguments) for name in names}
    answers: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for name in names:
        _run_steps(workers[name], name, 1)  # warm-up: the first step allocates, and waits for the data
    for turn in range(arguments.rounds):
        for name in names:
            answers[name].append(_run_steps(workers[name], name, TURN[name]))
            speed = f"{statistics.median(answers[name][-1]['seconds']) * 1000:,.0f} ms a step"
            print(f"round {turn + 1} of {arguments.rounds}: {name} {speed}", file=sys.stderr, flush=True)
    for worker in workers.values():
        worker.communicate()
    rows = [_summarise(name, found) for name, found in answers.items()]
    _show(rows, arguments.threads)
    if arguments.json:
        content = {"threads": arguments.threads, "rows": rows, "answers": answers}
        arguments.json.write_text(json.dumps(content, indent=1), encoding="utf-8")


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("train", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--without", action="append", default=[], choices=list(NAMES))
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "graphrec-peers")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--worker", choices=list(NAMES), help=argparse.SUPPRESS)
    return parser.parse_args()


def _start(name: str, arguments: argparse.Namespace) -> "subprocess.Popen[str]":
    here = Path(__file__)
    threads = str(arguments.threads)
    if name == "recbole":
        command = [str(_install_recbole(arguments.cache)), str(here.with_name("peers_recbole.py"))]
        command += [str(_write_atomic_files(arguments.train, arguments.cache)), threads]
    else:
        command = [sys.executable, str(here), "--worker", name, "--threads", threads, str(arguments.train)]
    environment = {
        **os.environ,
        "PYTHONWARNINGS": "ignore",
        "OMP_WAIT_POLICY": "PASSIVE",
        "OMP_NUM_THREADS": threads,
        "MKL_NUM_THREADS": threads,
    }
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)


def _run_steps(worker: "subprocess.Popen[str]", name: str, num_steps: int) -> dict[str, Any]:
    assert worker.stdin is not None
    assert worker.stdout is not None
    worker.stdin.write(f"{num_steps}\n")
    worker.stdin.flush()
    line = worker.stdout.readline()
    if not line:
        raise SystemExit(f"the worker of {name} ended without an answer; --without {name} leaves it out")
    answer: dict[str, Any] = json.loads(line)
    return answer


def _install_recbole(cache: Path) -> Path:
    """The Python of RecBole's environment, which is created if it does not exist."""
    python = cache / "recbole" / "bin" / "python"
    if not (cache / "recbole" / "installed").exists():
        version = torch.__version__.partition("+")[0]
        print(f"installing {RECBOLE} with torch {version} into {cache / 'recbole'} (once)", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", cache / "recbole"], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", RECBOLE, f"torch=={version}"], check=True)
        (cache / "recbole" / "installed").touch()
    return python


def _write_atomic_files(train: Path, cache: Path) -> Path:
    """The folder with the split as RecBole's atomic files; validation and test are not used, and repeat a few pairs."""
    folder = cache / "gowalla"
    folder.mkdir(parents=True, exist_ok=True)
    pairs = read_pairs(train)
    rows = [f"{user}\t{item}" for user, item in zip(pairs.user_index, pairs.item_index, strict=True)]
    for part, chosen in (("train", rows), ("valid", rows[:100]), ("test", rows[:100])):
        content = "\n".join(["user_id:token\titem_id:token", *chosen]) + "\n"
        (folder / f"gowalla.{part}.inter").write_text(content, encoding="utf-8")
    return folder


def _concat_pairs(batch: PairBatch, num_users: int) -> torch.Tensor:
    """The edge_label_index [2, 2 · batch]: positive pairs, then negative ones."""
    items = [torch.from_numpy(item + num_users) for item in (batch.positive, batch.negative[:, 0])]
    return torch.stack([torch.from_numpy(batch.user).repeat(2), torch.cat(items)])


def _summarise(name: str, answers: list[dict[str, Any]]) -> dict[str, Any]:
    """Quartiles of the milliseconds of a step, and the wall and processor seconds of an epoch."""
    steps, processor = ([value for answer in answers for value in answer[key]] for key in ("seconds", "processor"))
    num_batches = answers[0]["num_batches"]
    return {
        "name": name,
        "steps": len(steps),
        "ms": [round(float(value) * 1000, 1) for value in np.quantile(steps, [0.25, 0.5, 0.75])],
        "epoch": round(statistics.median(steps) * num_batches, 1),
        "processor": round(statistics.median(processor) * num_batches, 1),
        "versions": answers[0]["versions"],
    }


def _show(rows: list[dict[str, Any]], threads: int) -> None:
    """Print the table; shares are of wall seconds and, after a slash, of processor seconds."""
    ours = next((row for row in rows if row["name"] == "graphrec"), None)
    print(f"LightGCN, 64 dimensions, 3 layers, batches of {CONFIG.batch_size:,}, BPR; threads of each: {threads}\n")
    head = ["library", "steps timed", "ms a step (quartiles)", "s an epoch", "processor s an epoch", "graphrec takes"]
    for line in (head, ["---"] * (len(head) + 1)):
        print("| " + " | ".join([*line, "versions"][: len(head) + 1]) + " |")
    for row in rows:
        low, middle, high = row["ms"]
        shares = [row[key] / ours[key] for key in ("epoch", "processor")] if ours else []
        share = " / ".join(f"1/{value:.1f}" for value in shares) if shares and row is not ours else "–"
        cells = [NAMES[row["name"]], row["steps"], f"{middle:,.0f} ({low:,.0f} to {high:,.0f})", row["epoch"]]
        versions = ", ".join(f"{key} {value}" for key, value in row["versions"].items())
        print("| " + " | ".join(map(str, [*cells, row["processor"], share, versions])) + " |")


if __name__ == "__main__":
    main()
