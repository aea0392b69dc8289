"""Benchmarks on splits that are published as files: one line `user item item …` for each user."""

import gzip
import resource
import sys
import time
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch_geometric.data import HeteroData

from graphrec.errors import DataError
from graphrec.evaluation.compare import Steps
from graphrec.evaluation.protocol import evaluate, validation_measure
from graphrec.evaluation.tuning import Quality, Tuning, choose
from graphrec.hetero import HeteroGraph
from graphrec.interactions import Interactions
from graphrec.models import make, model_class
from graphrec.schema import ITEM, USER, Triple, reverse_name
from graphrec.vocabulary import IndexArray, Vocabulary

#: What a line of the file is called in the graph: users and what they interacted with, users and whom they follow.
BEHAVIOUR: Triple = (USER, "INTERACTED", ITEM)
FOLLOWS: Triple = (USER, "FOLLOWS", USER)


def benchmark(
    train: Path,
    test: Path,
    model: str,
    rng: np.random.Generator,
    social: Path | None = None,
    progress: Steps | None = None,
) -> dict[str, object]:
    """The quality and the cost of a model on a published split, tuned on a random tenth of train, tested once.

    Keys: model, config, recall@20, ndcg@20 and the other metrics, seconds_tune, seconds_fit, seconds_recommend (the
    first 20 items of all test users, measured), peak_rss_mb of this process, num_users, num_items, num_train,
    num_test, num_test_users, num_cold_users.

    Raises:
        UnknownNameError: there is no such model.
        DataError: a file is missing or holds something else than positions.
    """
    model_class(model)
    graph, known, truth = read(train, test, social)
    step = progress or (lambda _what, _done, _total: None)
    tuning = tune(graph, known, model, rng, step)
    fitted = make(model, **tuning.config)
    began = time.perf_counter()
    fitted.fit(graph, known, rng, lambda done, total: step("fit", done, total))
    trained = time.perf_counter()
    evaluation = evaluate(fitted, known, truth, (20,), progress=lambda done, total: step("recommend", done, total))
    finished = time.perf_counter()
    return {
        "model": model,
        "config": dict(tuning.config),
        **evaluation.metrics,
        "seconds_tune": round(tuning.seconds, 2),
        "seconds_fit": round(trained - began, 2),
        "seconds_recommend": round(finished - trained, 2),
        "peak_rss_mb": _peak_rss_mb(),
        "num_users": known.num_users,
        "num_items": known.num_items,
        "num_train": len(known),
        "num_test": len(truth),
        "num_test_users": len(evaluation.user_index),
        "num_cold_users": evaluation.num_cold,
    }


def tune(graph: HeteroGraph, known: Interactions, model: str, rng: np.random.Generator, step: Steps) -> Tuning:
    """The config that is best on a random tenth of the training interactions, fitted to the others."""
    held = np.zeros(len(known), dtype=bool)
    held[rng.permutation(len(known))[: len(known) // 10]] = True
    rest = known.take(~held)
    if len(model_class(model).candidates()) == 1:  # nothing to choose, so nothing to measure
        return choose(model, graph, known, lambda _: _never(), rng)
    measure = validation_measure(rest, known.take(held), rng)
    return choose(model, graph_of(rest), rest, measure, rng, lambda done, total: step("tune", done, total), wary=True)


def read(train: Path, test: Path, social: Path | None = None) -> tuple[HeteroGraph, Interactions, Interactions]:
    """The graph of train (and of who follows whom), the interactions of train and of test, over all users and items
    that any file has. Raises DataError as `read_pairs` does."""
    known, truth = read_pairs(train), read_pairs(test)
    ties = read_pairs(social) if social is not None else None
    num_users = max(known.num_users, truth.num_users, *((ties.num_users, ties.num_items) if ties else ()))
    num_items = max(known.num_items, truth.num_items)
    known, truth = (replace(part, num_users=num_users, num_items=num_items) for part in (known, truth))
    return graph_of(known, ties), known, truth


def graph_of(known: Interactions, ties: Interactions | None = None) -> HeteroGraph:
    """A HeteroGraph of nothing but interactions and ties; its ids are the positions as text."""
    data = HeteroData()
    sizes = {USER: known.num_users, ITEM: known.num_items}
    for label, size in sizes.items():
        data[label].num_nodes = size
    for triple, pairs in ((BEHAVIOUR, known), (FOLLOWS, ties)):
        if pairs is not None:
            order = np.lexsort((pairs.item_index, pairs.user_index))
            edge_index = torch.from_numpy(np.stack([pairs.user_index, pairs.item_index])[:, order])
            source, relation, target = triple
            data[triple].edge_index = edge_index
            data[target, reverse_name(relation), source].edge_index = edge_index.flip(0)
    ids = {
        label: Vocabulary(label, pd.Index(np.arange(size).astype(str), dtype="str")) for label, size in sizes.items()
    }
    return HeteroGraph(data, ids, BEHAVIOUR)


def read_pairs(path: Path) -> Interactions:
    """The interactions of a file with one line `user item item …` for each user, plain or gzip.

    Numbers are positions from 0, separated by spaces or tabs; a user may have no items and may stand on several
    lines. Raises DataError with the line number where something else stands there.
    """
    user_index, item_index = read_lines(path)
    num_users, num_items = (int(a.max()) + 1 if len(a) else 0 for a in (user_index, item_index))
    return Interactions(user_index, item_index, num_users, num_items)


def read_lines(path: Path) -> tuple[IndexArray, IndexArray]:
    """The first number of each line, repeated for each further number of the line, and the further numbers."""
    try:
        content = path.read_bytes()
        content = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    except FileNotFoundError as error:
        raise DataError(
            f"there is no file {path}; name a file with one line `user item item …` for each user"
        ) from error
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    lines = content.split(b"\n")
    counts = np.array([len(line.split()) for line in lines], dtype=np.int64)
    try:
        numbers = np.array(content.split(), dtype=np.bytes_).astype(np.int64)
    except (ValueError, OverflowError):
        numbers = np.empty(0, dtype=np.int64)
    if len(numbers) != counts.sum() or (numbers < 0).any() or not _plain(content):
        raise _wrong(path, lines)
    filled = counts > 0
    first = np.cumsum(counts)[filled] - counts[filled]
    further = np.ones(len(numbers), dtype=bool)
    further[first] = False
    return np.repeat(numbers[first], counts[filled] - 1), numbers[further]


def _plain(content: bytes) -> bool:
    return not content.translate(None, b"0123456789 \t\r\n")


def _wrong(path: Path, lines: list[bytes]) -> DataError:
    for number, line in enumerate(lines, start=1):
        for word in line.split():
            if not word.isdigit() or len(word) > 18:
                shown = word[:40].decode("utf-8", "replace")
                return DataError(f"{path}, line {number}: '{shown}' is not a position (a whole number from 0)")
    return DataError(f"{path}: the numbers cannot be read")


def _never() -> Quality:
    raise AssertionError("a model with one candidate is not measured")


def _peak_rss_mb() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak / (1 << 20 if sys.platform == "darwin" else 1 << 10))  # bytes on macOS, KiB on Linux
