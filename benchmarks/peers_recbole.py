"""The worker of peers.py that runs RecBole's LightGCN; it needs RecBole and not graphrec.

    python peers_recbole.py DATA_FOLDER THREADS

DATA_FOLDER holds gowalla.train.inter, gowalla.valid.inter and gowalla.test.inter. RecBole 1.2.1 was written for numpy 1
and scipy 1.10; `prepare` restores the names and the method of them that it uses. RecBole itself is unchanged.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np
import scipy.sparse
import torch

#: Names that numpy 2 removed.
NAMES = {"float_": np.float64, "complex_": np.complex128, "unicode_": np.str_, "bool8": np.bool_}

CONFIG = {
    "embedding_size": 64,
    "n_layers": 3,
    "learning_rate": 0.001,
    "reg_weight": 1e-4,
    "train_batch_size": 2048,
    "train_neg_sample_args": {"distribution": "uniform", "sample_num": 1, "alpha": 1.0, "dynamic": False},
    "benchmark_filename": ["train", "valid", "test"],  # the given split
    "load_col": {"inter": ["user_id", "item_id"]},
    "use_gpu": False,
    "show_progress": False,
    "seed": 0,
}


def prepare() -> None:
    """Restore the names of numpy 1 and the method of scipy 1.10 that RecBole uses."""
    for name, value in NAMES.items():
        if not hasattr(np, name):
            setattr(np, name, value)

    def update(self: Any, values: dict[tuple[int, int], float]) -> None:  # scipy's dok_matrix
        self._dict.update(values)

    if not hasattr(scipy.sparse.dok_matrix, "_update"):
        setattr(scipy.sparse.dok_matrix, "_update", update)  # noqa: B010  # unknown to its type stubs


def train(folder: Path) -> Iterator[int]:
    """Train as RecBole's Trainer._train_epoch, and yield the number of batches of an epoch after each step."""
    from recbole.config import Config  # type: ignore[import-not-found]  # only in the peer's environment
    from recbole.data import create_dataset, data_preparation  # type: ignore[import-not-found]
    from recbole.model.general_recommender import LightGCN  # type: ignore[import-not-found]

    sys.argv = sys.argv[:1]  # RecBole reads the command line
    config = Config(model="LightGCN", dataset=folder.name, config_dict={**CONFIG, "data_path": str(folder.parent)})
    dataset = create_dataset(config)
    batches, _, _ = data_preparation(config, dataset)
    model = LightGCN(config, batches._dataset)
    optimizer = torch.optim.Adam(model.parameters(), lr=config["learning_rate"])
    model.train()
    while True:
        for interaction in batches:
            optimizer.zero_grad()
            model.calculate_loss(interaction.to("cpu")).backward()
            optimizer.step()
            yield len(batches)


def main() -> None:
    """For each number of steps on stdin, print the seconds of these steps as one line of JSON."""
    parser = argparse.ArgumentParser(description="Times steps of RecBole's LightGCN; peers.py runs this.")
    parser.add_argument("folder", type=Path, help="holds gowalla.train.inter, gowalla.valid.inter, gowalla.test.inter")
    parser.add_argument("threads", type=int, help="number of threads")
    arguments = parser.parse_args()
    folder, threads = arguments.folder, arguments.threads
    answers, sys.stdout = sys.stdout, sys.stderr  # RecBole prints to stdout
    torch.set_num_threads(threads)
    prepare()
    steps = train(folder)
    for line in sys.stdin:
        seconds, processor, num_batches = [], [], 0
        for _ in range(int(line)):
            began, used = perf_counter(), process_time()
            num_batches = next(steps)
            seconds.append(perf_counter() - began)
            processor.append(process_time() - used)
        versions = {"torch": torch.__version__, "numpy": np.__version__}
        answers.write(
            json.dumps({"seconds": seconds, "processor": processor, "num_batches": num_batches, "versions": versions})
            + "\n"
        )
        answers.flush()


if __name__ == "__main__":
    main()
