"""The stages after export, as functions: train a model on a graph, publish a run."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from graphrec.errors import DataError
from graphrec.evaluation.compare import divide, test_cut, tune
from graphrec.evaluation.protocol import default_split, evaluate
from graphrec.evaluation.tuning import Effort
from graphrec.hetero import HeteroGraph, interactions, restrict
from graphrec.ingest import writing
from graphrec.interactions import Interactions, join
from graphrec.models import make, model_class
from graphrec.models.base import Model
from graphrec.models.base import Progress as Step
from graphrec.models.embedding import EmbeddingModel
from graphrec.publish import Published, publish
from graphrec.recommend.memory import MEMORY_BUDGET
from graphrec.recommend.topk import recommend
from graphrec.runs import TrainedRun, describe
from graphrec.splitting import Split
from graphrec.store import Store
from graphrec.store.read import Progress, silent
from graphrec.training.checkpoints import Checkpoints


@dataclass(frozen=True)
class Training:
    """How a model is trained.

    settings: kept as they are, and then nothing is tuned; without any (None) they are chosen on validation.
    split: how interactions are divided for that, and for metrics; None: by time where there are times.
    measured: whether a fit without the test part gives metrics.
    effort: how settings are looked for, and on which device all is done.
    checkpoint: a file that a trained model writes its progress to and goes on from.
    """

    settings: Mapping[str, object] | None = None
    split: str | None = None
    measured: bool = True
    effort: Effort = Effort()  # frozen
    checkpoint: Path | None = None


def train(
    graph: HeteroGraph,
    name: str,
    rng: np.random.Generator,
    how: Training = Training(),  # frozen
    progress: Progress = silent,
) -> TrainedRun:
    """A model fitted to all interactions of a graph, ready to be saved; its metrics come from a fit without test.

    Raises:
        UnknownNameError: there is no such model, setting or split.
        DataError: there are no interactions, a setting is impossible, or there is too little to measure.
    """
    settings, device = how.settings, how.effort.device
    make(name, device, **(settings or {}))  # a wrong name or setting is found before any work
    everything = interactions(graph)
    if not len(everything):
        raise DataError(f"the graph has no {graph.target[1]} edges, so there is nothing to learn from; load some first")
    seed = int(rng.integers(1 << 62))
    config: Mapping[str, object] = settings or {}
    metrics: Mapping[str, float] = {}
    kind = model_class(name)
    chooses = settings is None and (len(kind.candidates(graph)) > 1 or bool(kind.space(graph)))
    if chooses or how.measured:
        parts = divide(graph, how.split or default_split(everything), rng)
        if chooses:
            config = tune(graph, parts, name, rng, _named(progress, "tune"), how.effort).config
        if how.measured:
            metrics = measure(
                graph, parts, make(name, device, **config), np.random.default_rng(seed), _named(progress, "measure")
            )
    model = make(name, device, **config)
    if how.checkpoint is not None:
        _keep(model, how.checkpoint)
    started = time.perf_counter()
    model.fit(graph, everything, np.random.default_rng(seed), _named(progress, "fit"))
    run = describe(name, model, graph.target, metrics, time.perf_counter() - started)
    return TrainedRun(run, model, graph.users, graph.items, _pairs(everything))


def _keep(model: Model[Any], checkpoint: Path) -> None:
    if not isinstance(model, EmbeddingModel):
        raise DataError(
            f"{type(model).__name__} is fitted in one piece and keeps no checkpoint; lightgcn, mf, xsimgcl and "
            "ultragcn do"
        )
    model.checkpoints = Checkpoints(checkpoint)


def measure(
    graph: HeteroGraph, parts: Split, model: Model[Any], rng: np.random.Generator, progress: Step | None = None
) -> Mapping[str, float]:
    """The metrics on test of a model that is fitted here to train and validation."""
    known = join(parts.train, parts.validation)
    model.fit(restrict(graph, known, test_cut(parts), parts.test), known, rng, progress)
    return evaluate(model, known, parts.test).metrics


def _named(progress: Progress, what: str) -> Step:
    return lambda done, total: progress(what, done, total)


def _pairs(everything: Interactions) -> Interactions:
    """Each pair once, without weight and time."""
    matrix = everything.matrix()
    users = np.repeat(np.arange(everything.num_users, dtype=np.int64), np.diff(matrix.indptr))
    return Interactions(users, matrix.indices.astype(np.int64), everything.num_users, everything.num_items)


def publish_run(
    store: Store,
    trained: TrainedRun,
    k: int,
    home: Path,
    progress: Progress = silent,
    memory_budget: int = MEMORY_BUDGET,
) -> Published:
    """The k best items of every user of a run as RECOMMENDED edges, in the place of those of earlier runs.

    Raises DataError where the graph has lost users or items of the run, StoreError where the database refuses.
    """
    found = recommend(
        trained, k=k, memory_budget=memory_budget, progress=lambda done, total: progress("ranking", done, total)
    )
    with writing(home):
        return publish(store, trained.run, found, progress)
