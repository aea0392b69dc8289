"""Seconds for one epoch of SASRec at equal work: graphrec and RecTools 0.19, in one run.

    python benchmarks/peers_sequences.py HISTORIES RECTOOLS_PYTHON [--users 400] [--rounds 3] [--json FILE]

HISTORIES has one line `user item item …` for each user, numbered from 1, oldest first, as ml-1m's sequences.txt;
RECTOOLS_PYTHON is the Python of an environment with rectools==0.19.0, lightning, torch and pandas<3. Both train a
SASRec of 64 dimensions, two blocks of two heads, dropout 0.2 and cross entropy over all items, on the last 201 items of
the first `--users` users, each item predicted once per epoch, in batches of about 64 histories. They alternate by an
epoch, each with one thread in its own process, while the other sleeps; the first epoch is not counted. This file is the
worker of both, so it imports neither at its beginning.
"""

import argparse
import gzip
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

#: The settings that both libraries share.
DIM, BLOCKS, HEADS, LENGTH, DROPOUT, BATCH, RATE = 64, 2, 2, 200, 0.2, 64, 0.001


def read_rows(path: Path, num_users: int) -> tuple[list[int], list[int]]:
    """Users and items, from 0, of the last LENGTH + 1 items of the first users, in the order of time."""
    users, items = [], []
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        for user, line in zip(range(num_users), file, strict=False):
            recent = [int(item) - 1 for item in line.split()[1:]][-LENGTH - 1 :]
            users += [user] * len(recent)
            items += recent
    return users, items


def epoch_clock(versions: dict[str, str]) -> Callable[[], None]:
    """A function that ends an epoch: it prints its seconds as JSON and waits for a line, the permission to go on."""
    began = [perf_counter(), process_time()]

    def end_epoch() -> None:
        seconds, processor = perf_counter() - began[0], process_time() - began[1]
        print(json.dumps({"seconds": seconds, "processor": processor, "versions": versions}), flush=True)
        if not sys.stdin.readline():
            os._exit(0)  # the other trainings of the process are not wanted
        began[:] = [perf_counter(), process_time()]

    return end_epoch


def train_graphrec(users: list[int], items: list[int]) -> None:
    """Train graphrec's SASRec for ever."""
    import numpy as np
    import torch

    from graphrec.interactions import Interactions
    from graphrec.models.sasrec import SASRec, SASRecConfig
    from graphrec.testing import graph_of

    torch.set_num_threads(1)
    pairs = Interactions(np.array(users), np.array(items), max(users) + 1, max(items) + 1)
    predicted = len(pairs) - pairs.num_users
    config = SASRecConfig(
        embedding_dim=DIM,
        num_layers=BLOCKS,
        num_heads=HEADS,
        max_length=LENGTH,
        dropout=DROPOUT,
        num_negatives=0,
        recency=False,
        warm_start=False,
        learning_rate=RATE,
        batch_size=round(BATCH * predicted / pairs.num_users),
        epochs=10_000,
    )
    end_epoch = epoch_clock({"torch": torch.__version__, "numpy": np.__version__})
    SASRec(config).fit(graph_of(pairs), pairs, np.random.default_rng(0), lambda _done, _total: end_epoch())


def train_rectools(users: list[int], items: list[int]) -> None:
    """Train RecTools' SASRecModel for ever."""
    import pandas as pd
    import pytorch_lightning  # type: ignore[import-not-found]  # only in the peer's environment
    import torch
    from rectools.dataset import Dataset  # type: ignore[import-not-found]
    from rectools.models import SASRecModel  # type: ignore[import-not-found]

    torch.set_num_threads(1)
    versions = {"torch": torch.__version__, "pytorch-lightning": pytorch_lightning.__version__}
    end_epoch = epoch_clock(versions)

    class Clock(pytorch_lightning.Callback):  # type: ignore[misc]  # of the peer
        def on_train_epoch_end(self, *_arguments: Any) -> None:  # lightning's own
            end_epoch()

    def trainer() -> Any:  # lightning's own
        return pytorch_lightning.Trainer(
            max_epochs=10_000,
            accelerator="cpu",
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            callbacks=[Clock()],
        )

    table = pd.DataFrame({"user_id": users, "item_id": items, "weight": 1.0})
    table["datetime"] = pd.Timestamp("2026-01-01") + pd.to_timedelta(range(len(table)), unit="s")
    model = SASRecModel(
        n_blocks=BLOCKS,
        n_heads=HEADS,
        n_factors=DIM,
        dropout_rate=DROPOUT,
        session_max_len=LENGTH,
        loss="softmax",
        lr=RATE,
        batch_size=BATCH,
        get_trainer_func=trainer,
    )
    model.fit(Dataset.construct(table))


WORKERS = {"graphrec": train_graphrec, "rectools": train_rectools}


def main() -> None:
    """Measure both alternately and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("histories", type=Path)
    parser.add_argument("rectools_python")
    parser.add_argument("--users", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--worker", choices=list(WORKERS), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        WORKERS[arguments.worker](*read_rows(arguments.histories, arguments.users))
        return
    pythons = {"graphrec": sys.executable, "rectools": arguments.rectools_python}
    workers = {name: _start(name, python, arguments) for name, python in pythons.items()}
    answers: dict[str, list[dict[str, Any]]] = {name: [] for name in workers}
    for name in _turns(workers, arguments.rounds):
        answers[name].append(json.loads(_next_line(workers[name], name)))
        print(name, f"{answers[name][-1]['processor']:.1f} processor s", file=sys.stderr, flush=True)
    for worker in workers.values():
        worker.communicate()
    _show(answers)
    if arguments.json:
        arguments.json.write_text(json.dumps(answers, indent=1), encoding="utf-8")


def _start(name: str, python: str, arguments: argparse.Namespace) -> "subprocess.Popen[str]":
    command = [python, "-W", "ignore", __file__, str(arguments.histories), "-", "--worker", name]
    threads = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    return subprocess.Popen(
        [*command, "--users", str(arguments.users)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, **threads},
    )


def _turns(workers: "dict[str, subprocess.Popen[str]]", rounds: int) -> Iterator[str]:
    """The worker whose answer is read next; each ends a first epoch by itself and then waits for permission."""
    for turn in range(rounds + 1):
        for name, worker in workers.items():
            if turn:
                assert worker.stdin is not None
                worker.stdin.write("\n")
                worker.stdin.flush()
            yield name


def _next_line(worker: "subprocess.Popen[str]", name: str) -> str:
    assert worker.stdout is not None
    line = ""
    while not line.startswith("{"):  # libraries print lines of their own
        line = worker.stdout.readline()
        if not line:
            raise SystemExit(f"the worker of {name} ended without an answer; run it with --worker {name} to see why")
    return line


def _show(answers: dict[str, list[dict[str, Any]]]) -> None:
    """Print the median epoch of each library, without the first, and graphrec's share of the other's seconds."""
    medians = {
        name: [statistics.median(answer[key] for answer in found[1:]) for key in ("seconds", "processor")]
        for name, found in answers.items()
    }
    print(
        "| library | s an epoch | processor s an epoch | graphrec's share | versions |\n| --- | --- | --- | --- | --- |"
    )
    for name, (seconds, processor) in medians.items():
        share = f"{medians['graphrec'][1] / processor:.2f}"
        versions = ", ".join(f"{key} {value}" for key, value in answers[name][0]["versions"].items())
        print(f"| {name} | {seconds:.1f} | {processor:.1f} | {share} | {versions} |")


if __name__ == "__main__":
    main()
