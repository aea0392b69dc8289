"""Measure a model on one published split, or the choice of its settings on many, and keep results in a folder."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from graphrec.benchmark import datasets, results, run
from graphrec.benchmark.panel import PANEL, measure_regret
from graphrec.benchmark.regret import Regret
from graphrec.errors import GraphrecError, UnknownNameError
from graphrec.evaluation.assembly import relation_names
from graphrec.pipeline.config import BenchmarkConfig, PanelConfig
from graphrec.progress import StageProgress, silent
from graphrec.resource_errors import shortage_of

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PanelResult:
    """The regrets that were measured, the data sets that were not found, and the error of each that failed."""

    regrets: tuple[Regret, ...]
    missing: tuple[str, ...]
    failures: Mapping[str, str]


def benchmark(model: str, config: BenchmarkConfig, progress: StageProgress = silent) -> run.Result:
    """The result of a model on the data that `config` names; it is saved in `config.output`, if that is set.

    Raises:
        UnknownNameError: there is no such model, setting, data set, relation or kind of split.
        DataError: a file is invalid.
    """
    if config.train is not None and config.test is not None:
        dataset = datasets.open_files(config.train, config.test, config.social, config.drawn)
    else:
        dataset = datasets.open_dataset(config.dataset)
    if config.only:
        dataset = dataset.only(config.only)
    dataset = dataset.without(config.without)
    all_relations = tuple(relation_names(dataset.graph))
    ablate = tuple(all_relations if group == ("all",) else group for group in config.ablate)
    conditions = run.Conditions(
        config.settings, config.num_trials, config.seed, config.device, config.memory_budget, config.label
    )
    result = run.benchmark(dataset, model, conditions, ablate, progress)
    if config.output is not None:
        results.save(result, config.output)
    return result


def benchmark_panel(model: str, config: PanelConfig, progress: StageProgress = silent) -> PanelResult:
    """The regret of a model on each data set that `config` names, by default on all of PANEL that are found.

    `missing` are data sets of PANEL that are not in the folder of GRAPHREC_DATA; a missing one that `config` names is
    a failure. Stages of the progress are `DATA: tune` and `DATA: test`.

    Raises:
        UnknownNameError: there is no such model, or no such data set in PANEL.
        DataError: GRAPHREC_DATA is not set.
    """
    for name in config.datasets:
        if name not in PANEL:
            raise UnknownNameError("data set", name, PANEL, owner="the panel")
    names = [name for name in PANEL if name in config.datasets or (not config.datasets and datasets.is_available(name))]
    missing = () if config.datasets else tuple(name for name in PANEL if name not in names)
    conditions = run.Conditions(
        num_trials=config.num_trials, seed=config.seed, device=config.device, memory_budget=config.memory_budget
    )
    regrets, failures = [], {}
    for name in names:

        def report(stage: str, done: int, total: int, name: str = name) -> None:
            progress(f"{name}: {stage}", done, total)

        try:
            regrets.append(measure_regret(datasets.open_dataset(name), model, conditions, config.output, report))
        except Exception as error:  # whatever it is, hours of measurements on other data sets must not be lost
            _logger.debug("%s failed", name, exc_info=True)
            unexpected = shortage_of(error) or f"unexpected {type(error).__name__}: {error}"
            failures[name] = str(error) if isinstance(error, GraphrecError) else unexpected
    return PanelResult(tuple(regrets), missing, failures)
