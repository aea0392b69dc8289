"""Training: settings chosen on validation, metrics from a fit without the test part, a model fitted to everything."""

import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from graphrec.errors import DataError
from graphrec.evaluation.default_split import MIN_PAIRS, default_split, require_pairs, require_test_users
from graphrec.evaluation.gate import judge
from graphrec.evaluation.preparation import PreparedSplit, prepare_split, split_graph
from graphrec.evaluation.protocol import Evaluation, evaluate
from graphrec.evaluation.trial import tune as choose_settings
from graphrec.hetero import HeteroGraph, interactions
from graphrec.interactions import Interactions
from graphrec.models import make, model_class
from graphrec.models.base import Model
from graphrec.pipeline.config import TrainConfig, TuneConfig
from graphrec.progress import Progress, StageProgress, silent, stage_progress
from graphrec.relations import find_origins
from graphrec.runs import TrainedRun, describe
from graphrec.splitting import Split, parse_split, record
from graphrec.training.checkpoints import Checkpoints
from graphrec.tuning import Tuning, TuningBudget
from graphrec.tuning.study import fingerprint
from graphrec.tuning.tune import num_trials

#: Default number of trials for a model that sets no number itself, which is slow to fit.
TRIALS = 20


def train(
    graph: HeteroGraph,
    name: str,
    rng: np.random.Generator,
    config: TrainConfig = TrainConfig(),  # frozen
    progress: StageProgress = silent,
) -> TrainedRun:
    """A model fitted to all interactions of a graph, ready to be saved; its metrics come from a fit without test.

    Raises:
        UnknownNameError: there is no such model, setting or split.
        DataError: there are no interactions, a setting is impossible, or there is too little to measure.
    """
    # Check names and settings before any work.
    settings: Mapping[str, object] = config.settings or {}
    kind = model_class(name)
    unfitted = make(name, config.device, **settings)
    if config.checkpoint is not None:
        unfitted.keep_checkpoints(Checkpoints(config.checkpoint))
    everything = interactions(graph)
    if not len(everything):
        raise DataError(f"the graph has no {graph.target[1]} edges, so there is nothing to learn from; load some first")
    seed = int(rng.integers(1 << 62))

    # Choose settings on validation, if they are not given and there are enough interactions.
    candidates = [] if settings else kind.candidates(graph)
    settings = settings or asdict(candidates[0])
    verdict, split, metrics = None, None, {}
    is_tuned = config.settings is None and (len(candidates) > 1 or bool(kind.space(graph)))
    if is_tuned and not config.measured and everything.matrix().nnz < MIN_PAIRS:
        is_tuned = False
    if is_tuned or config.measured:
        require_pairs(everything)
        spec = config.split or default_split(everything)
        parts = _require_one_split(split_graph(graph, spec, rng), spec)
        if config.measured:
            require_test_users(parts, spec)
        if is_tuned:
            budget = TuningBudget(config.num_trials, device=config.device)
            settings = choose_settings(graph, parts, name, rng, stage_progress(progress, "tune"), budget).config

        # Measure a fit without the test part, and judge it against the baselines.
        if config.measured:
            prepared, fit_rng = prepare_split(graph, parts, spec, aliases=config.aliases), np.random.default_rng(seed)
            stage = stage_progress(progress, "measure")
            evaluation = measure(prepared, make(name, config.device, **settings), fit_rng, stage)
            metrics, split = dict(evaluation.metrics), record(parts, parse_split(spec))
            verdict = judge(graph, prepared, name, evaluation, seed)

    # Fit the model to save, to all interactions.
    model = make(name, config.device, **settings)
    if config.checkpoint is not None:
        model.keep_checkpoints(Checkpoints(config.checkpoint))
    started = time.perf_counter()
    model.fit(graph, everything, np.random.default_rng(seed), stage_progress(progress, "fit"))
    model.forget_variants()
    run = describe(name, model, graph.target, metrics, time.perf_counter() - started)
    run = replace(run, verdict=verdict, split=split, sources=graph.sources, num_interactions=len(everything))
    return TrainedRun(run, model, graph.users, graph.items, _drop_weights(everything), find_origins(graph))


def measure(
    prepared: PreparedSplit, model: Model[Any], rng: np.random.Generator, progress: Progress | None = None
) -> Evaluation:
    """The metrics on the test part of a model that this function fits to train and validation."""
    model.fit(prepared.visible, prepared.train_validation, rng, progress)
    model.forget_variants()
    return evaluate(model, prepared.train_validation, prepared.parts.test)


def tune(
    graph: HeteroGraph,
    name: str,
    config: TuneConfig = TuneConfig(),  # frozen
    progress: StageProgress = silent,
) -> Tuning:
    """The settings of a model that are best on the validation part of a split; the test part is not used.

    Raises:
        UnknownNameError: there is no such model or split.
        DataError: there is nothing to choose or to measure, or the study is of another search.
    """
    kind = model_class(name)
    if len(kind.candidates(graph)) == 1 and not kind.space(graph):
        raise DataError(f"{name} has no settings to search; `graphrec train --model {name}` trains it as it is")
    rng = np.random.default_rng(config.seed)
    require_pairs(interactions(graph))
    spec = config.split or default_split(interactions(graph))
    parts = _require_one_split(split_graph(graph, spec, rng), spec)
    tuning = choose_settings(
        graph, parts, name, rng, stage_progress(progress, f"tune {name}"), tuning_budget(name, config)
    )
    if not tuning.trials:
        raise DataError(
            f"split {spec} has nothing to choose settings by: no user has a new item in its validation part; load more "
            f"behaviour, or train {name} with its default settings"
        )
    return tuning


def tuning_budget(name: str, config: TuneConfig) -> TuningBudget:
    """The budget of a search: `TRIALS` trials for a model that sets no number itself."""
    trials = config.num_trials
    if trials is None and not model_class(name).trials:
        trials = TRIALS
    return TuningBudget(trials, device=config.device, workers=config.workers, study=config.study)


def max_trials(graph: HeteroGraph, name: str, config: TuneConfig) -> int:
    """The maximum number of trials that `tune` makes."""
    return num_trials(model_class(name), graph, tuning_budget(name, config))


def study_path(folder: Path, graph: HeteroGraph, name: str, config: TuneConfig = TuneConfig()) -> Path:  # frozen
    """The file in a folder that keeps the search for a model's settings on these data and this split."""
    digest = fingerprint(name, graph, interactions(graph), config.split or "", config.seed)
    return folder / f"{name}-{digest[:8]}.journal"


def _require_one_split(parts: tuple[Split, ...], spec: str) -> Split:
    if len(parts) > 1:
        raise DataError(f"{spec} makes {len(parts)} splits, and one is needed here; `graphrec evaluate` takes them all")
    return parts[0]


def _drop_weights(everything: Interactions) -> Interactions:
    """Each pair once, without weight and time."""
    matrix = everything.matrix()
    users = np.repeat(np.arange(everything.num_users, dtype=np.int64), np.diff(matrix.indptr))
    return Interactions(users, matrix.indices.astype(np.int64), everything.num_users, everything.num_items)
