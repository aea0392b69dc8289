"""Seconds for one LightGCN epoch on Gowalla: graphrec against torch_geometric.nn.LightGCN, in one run.

    python benchmarks/lightgcn_epoch.py TRAIN [--batches 20]

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
from graphrec.models.lightgcn import LightGCN, LightGCNConfig, batches
from graphrec.models.propagation import Adjacency

Step = Callable[[np.ndarray, np.ndarray, np.ndarray], None]


def ours(train: Interactions, config: LightGCNConfig, rng: np.random.Generator) -> Step:
    """One training step of graphrec's LightGCN."""
    model = LightGCN(config)
    matrix = train.matrix()
    adjacency = Adjacency.of(matrix, torch.device("cpu"))
    start = rng.normal(0, config.init_std, (sum(matrix.shape), config.embedding_dim)).astype(np.float32)
    x = torch.from_numpy(start).requires_grad_()
    optimizer = torch.optim.Adam([x], lr=config.learning_rate, fused=True)

    def step(user: np.ndarray, positive: np.ndarray, negative: np.ndarray) -> None:
        optimizer.zero_grad()
        model.loss(x, adjacency, (user, positive, negative), train.num_users).backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    return step


def theirs(train: Interactions, config: LightGCNConfig) -> Step:
    """One training step of PyG's LightGCN with a plain edge_index, as in its example."""
    pairs = torch.from_numpy(np.stack([train.user_index, train.item_index + train.num_users]))
    edge_index = torch.cat([pairs, pairs.flip(0)], dim=1)
    num_nodes = train.num_users + train.num_items
    model = PyGLightGCN(num_nodes, config.embedding_dim, config.num_layers)
    optimizer = torch.optim.Adam(model.parameters(), lr=config.learning_rate)

    def step(user: np.ndarray, positive: np.ndarray, negative: np.ndarray) -> None:
        items = [torch.from_numpy(item + train.num_users) for item in (positive, negative)]
        users = torch.from_numpy(user)
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
    arguments = parser.parse_args()
    train = read_pairs(arguments.train)
    config, rng = LightGCNConfig(), np.random.default_rng(0)
    steps = {"graphrec": ours(train, config, rng), "torch_geometric": theirs(train, config)}
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    num_batches = -(-len(train) // config.batch_size)
    started = time.perf_counter()
    source = batches(train.matrix(), config.batch_size, rng)
    first = next(source)
    sampling = time.perf_counter() - started  # an epoch's negatives are drawn before its first batch
    for step in steps.values():
        step(*first)  # the first step allocates
    for turn in range(arguments.batches):
        batch = next(source)
        for name, step in steps.items():
            if name == "graphrec" or turn % 4 == 0 or turn < 3:
                started = time.perf_counter()
                step(*batch)
                seconds[name].append(time.perf_counter() - started)
    print(
        f"torch {torch.__version__}, torch_geometric {torch_geometric.__version__}, {torch.get_num_threads()} threads"
    )
    print(
        f"{len(train):,} interactions, {num_batches} batches of {config.batch_size}; sampling {sampling:.2f} s an epoch"
    )
    print(f"{'library':<16} {'batches timed':>13} {'ms a batch':>11} {'s an epoch':>11}")
    epoch = {}
    for name, times in seconds.items():
        epoch[name] = statistics.median(times) * num_batches + (sampling if name == "graphrec" else 0.0)
        print(f"{name:<16} {len(times):>13} {statistics.median(times) * 1000:>11.0f} {epoch[name]:>11.1f}")
    print(f"PyG takes {epoch['torch_geometric'] / epoch['graphrec']:.1f} times as long")


if __name__ == "__main__":
    main()
