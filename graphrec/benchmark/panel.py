"""The panel: many data sets on which the regret of a model's settings is measured (`regret.py`)."""

import hashlib
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import filelock
import numpy as np
import torch

from graphrec.atomic_write import make_folder
from graphrec.benchmark.datasets import Dataset
from graphrec.benchmark.regret import ORIGIN, MeasuredConfig, Regret, Settings, read_regret, regret_path, save_regret
from graphrec.benchmark.run import Conditions, K, check, tune
from graphrec.errors import DataError, GraphrecError
from graphrec.evaluation.environment import machine, versions
from graphrec.evaluation.protocol import evaluate
from graphrec.interactions import Interactions
from graphrec.models import model_class
from graphrec.progress import StageProgress, silent
from graphrec.tuning import Validation
from graphrec.tuning.study import fingerprint
from graphrec.tuning.workers import ExecutionConfig, Task, TrialRunner

#: The data sets of rankings that are measured by lists, in the order of their training interactions.
PANEL = (
    "amazon-musical-instruments-random",
    "amazon-musical-instruments-time",
    "retailrocket-sslrec",
    "filmtrust-random",
    "lastfm-hetrec",
    "ml-100k-random",
    "ml-100k-time",
    "ml-latest-small-random",
    "ml-latest-small-time",
    "tmall-mbcgcn",
    "steam-random",
    "ciao-random",
    "ciao-time",
    "douban-book",
    "douban-book-social",
    "ml-1m-random",
    "ml-1m-time",
    "gowalla",
    "yelp2018",
)


def measure_regret(
    dataset: Dataset, model: str, conditions: Conditions, folder: Path, progress: StageProgress = silent
) -> Regret:
    """Every candidate of a model and the config that `tune` selects, each fitted to all of train and tested once.

    The test part is used for these measurements only: the search is finished and its choice is saved before the first
    of them. Every trial of the search and every measured config is saved in `folder` at once, in a study and a JSON
    file, from which an interrupted measurement continues. `settings`, `label` and `study` of the conditions are not
    used.

    Raises:
        UnknownNameError: the model does not exist.
        DataError: the data set is of ratings; or the file in the folder is defective, in use by another process, or of
            other data, another seed, another number of trials, or other candidates.
        LeakError: the graph that the model sees reveals test interactions.
        GraphrecError: the device is not available, or a file cannot be written.
    """
    kind = model_class(model)
    if dataset.task == "rating":
        raise DataError(f"{dataset.name}: regret is measured on rankings, and this data set has ratings to predict")
    path = regret_path(folder, dataset.name, model)
    conditions = replace(conditions, settings=None, study=path.with_suffix("").with_suffix(".journal"))
    candidates = [asdict(config) for config in kind.candidates(dataset.graph)]
    make_folder(folder)
    with _lock(path):
        regret = _resume(path, _start(dataset, model, conditions, candidates), conditions.study)
        if regret.is_complete:
            return regret
        check(dataset, model, conditions)
        if regret.selected is None:
            choice = tune(dataset, model, conditions, np.random.default_rng(conditions.seed), progress)
            regret = replace(regret, selected=choice.config, tried=choice.tried, search_seconds=choice.seconds)
            save_regret(regret, path)
        whole = Validation(dataset.graph, dataset.train, {})
        runner = TrialRunner(Task(kind, (whole,), ExecutionConfig(conditions.seed, conditions.device)))
        for position, config in enumerate(regret.configs):
            progress("test", position, len(regret.configs))
            if regret.find(config) is None:
                measured = _measure(runner, dataset, config, conditions)
                regret = replace(regret, measured=(*regret.measured, measured))
                save_regret(regret, path)
        progress("test", len(regret.configs), len(regret.configs))
    return regret


def _measure(runner: TrialRunner, dataset: Dataset, config: Settings, conditions: Conditions) -> MeasuredConfig:
    started = time.perf_counter()
    model = runner.fit(runner.task.kind.config_class(**config), runner.task.validations[0])
    metrics = evaluate(model, dataset.train, dataset.test, (K,), conditions.memory_budget).metrics
    seconds = round(time.perf_counter() - started, 3)
    return MeasuredConfig(config, metrics[f"ndcg@{K}"], metrics[f"recall@{K}"], seconds)


def _start(dataset: Dataset, model: str, conditions: Conditions, candidates: Sequence[Settings]) -> Regret:
    """A Regret with everything that is known before the search."""
    test = hashlib.sha256(_bytes(dataset.test)).hexdigest()
    return Regret(
        data=dataset.name,
        model=model,
        interactions=len(dataset.train),
        drawn=dataset.drawn,
        fingerprint=fingerprint(model, dataset.graph, dataset.train, test, 0),
        seed=conditions.seed,
        num_trials=conditions.num_trials,
        candidates=tuple(candidates),
        device=conditions.device,
        threads=torch.get_num_threads(),
        versions=versions(),
        machine=machine(),
    )


def _bytes(interactions: Interactions) -> bytes:
    return np.stack([interactions.user_index, interactions.item_index]).astype(np.int64).tobytes()


def _resume(path: Path, start: Regret, study: Path | None) -> Regret:
    """What the file has already, or `start` if there is no file. Raises DataError if it has another origin."""
    if not path.exists():
        return start
    saved = read_regret(path)
    other = [what for field, what in ORIGIN.items() if getattr(saved, field) != getattr(start, field)]
    if other:
        raise DataError(
            f"{path} is of {other[0]}; name another folder, or remove this file and {study} to measure again"
        )
    return saved


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Lock the file of a data set, so that two processes do not overwrite each other's measurements."""
    lock = filelock.FileLock(f"{path}.lock", mode=0o600)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout as error:
        raise DataError(f"another process measures {path}; wait for it, or name another folder") from error
    except OSError as error:
        raise GraphrecError(f"{path} cannot be locked: {error.strerror or error}") from error
    try:
        yield
    finally:
        lock.release()
