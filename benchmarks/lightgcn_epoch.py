"""Seconds for one LightGCN epoch on Gowalla: graphrec against torch_geometric.nn.LightGCN, in one run.

    python benchmarks/lightgcn_epoch.py TRAIN [--batches 20] [--threads 1]

TRAIN is the file `user item item …` of the LightGCN paper's split. Both train 64-dimensional embeddings over 3 layers
with batches of 2,048 and Adam; some batches of each are timed in turns, and the median is multiplied by their number.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch_geometric
from torch_geometric.nn import LightGCN as PyGLightGCN

from graphrec.evaluation.presplit import read_pairs
from graphrec.interactions import Interactions
from graphrec.models.embedding import Problem
from graphrec.models.lightgcn import LightGCN, LightGCNConfig
from graphrec.testing import graph_of
from graphrec.training.batches import PairBatch

Step = Callable[[PairBatch], None]

#: The work of the LightGCN paper.
PAPER = LightGCNConfig(
    embedding_dim=64,
    num_layers=3,
    loss="bpr",
    negatives="uniform",
    num_negatives=1,
    cosine=False,
    popularity=0.0,
    learning_rate=0.001,
    final_rate=1.0,
    weight_decay=1e-4,
    batch_size=2048,
    warm_start=False,
)


def problem_of(train: Interactions) -> Problem:
    """What graphrec trains on, without a hold-out."""
    none = train.take(np.zeros(len(train), dtype=bool))
    return Problem(graph_of(train), train, train.matrix(), none, torch.device("cpu"))


def ours(problem: Problem, config: LightGCNConfig, rng: np.random.Generator) -> Step:
    """One training step of graphrec's LightGCN."""
    model = LightGCN(config)
    x = model.start(problem, rng).requires_grad_()
    encode = model.encoder(problem, x)
    optimizer = torch.optim.Adam([x], lr=config.learning_rate, fused=True)

    def step(batch: PairBatch) -> None:
        optimizer.zero_grad()
        model.loss(x, encode, batch, problem, rng).backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    return step


def theirs(train: Interactions, config: LightGCNConfig) -> Step:
    """One training step of PyG's LightGCN with a plain edge_index, as in its example."""
    pairs = torch.from_numpy(np.stack([train.user_index, train.item_index + train.num_users]))
    edge_index = torch.cat([pairs, pairs.flip(0)], dim=1)
    num_nodes = train.num_users + train.num_items
    model = PyGLightGCN(num_nodes, config.embedding_dim, config.num_layers)
    optimizer = torch.optim.Adam(model.parameters(), lr=config.learning_rate)

    def step(batch: PairBatch) -> None:
        items = [torch.from_numpy(item + train.num_users) for item in (batch.positive, batch.negative.ravel())]
        users = torch.from_numpy(batch.user)
        label_index = torch.stack([users.repeat(2), torch.cat(items)])
        optimizer.zero_grad()
        scores = model(edge_index, label_index)
        loss = model.recommendation_loss(
            *scores.chunk(2), node_id=torch.from_numpy(np.unique(label_index.numpy())), lambda_reg=config.weight_decay
        )
        loss.backward()
        optimizer.step()

    return step


def main() -> None:
    """Time both and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("train", type=Path)
    parser.add_argument("--batches", type=int, default=20, help="batches of graphrec; PyG gets a quarter, at least 3")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="threads of torch, for both")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    train, rng = read_pairs(arguments.train), np.random.default_rng(0)
    problem, model = problem_of(train), LightGCN(PAPER)
    steps = {"graphrec": ours(problem, PAPER, rng), "torch_geometric": theirs(train, PAPER)}
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    num_batches = -(-len(train) // PAPER.batch_size)
    started = time.perf_counter()
    epoch_of = [batch for batch in model.batches(problem, rng) if isinstance(batch, PairBatch)]
    sampling = time.perf_counter() - started
    for step in steps.values():
        step(epoch_of[0])  # the first step allocates
    for turn, batch in enumerate(epoch_of[1 : arguments.batches + 1]):
        for name, step in steps.items():
            if name == "graphrec" or turn % 4 == 0 or turn < 3:
                started = time.perf_counter()
                step(batch)
                seconds[name].append(time.perf_counter() - started)
    print(
        f"torch {torch.__version__}, torch_geometric {torch_geometric.__version__}, {torch.get_num_threads()} threads"
    )
    print(
        f"{len(train):,} interactions, {num_batches} batches of {PAPER.batch_size}; sampling {sampling:.2f} s an epoch"
    )
    print(f"{'library':<16} {'batches timed':>13} {'ms a batch':>11} {'s an epoch':>11}")
    epoch = {}
    for name, times in seconds.items():
        epoch[name] = statistics.median(times) * num_batches + (sampling if name == "graphrec" else 0.0)
        print(f"{name:<16} {len(times):>13} {statistics.median(times) * 1000:>11.0f} {epoch[name]:>11.1f}")
    print(f"PyG takes {epoch['torch_geometric'] / epoch['graphrec']:.1f} times as long")


if __name__ == "__main__":
    main()
