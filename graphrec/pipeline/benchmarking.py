"""Measure a model on a published split, and keep the result in a folder."""

from graphrec.benchmark import datasets, results, run
from graphrec.evaluation.assembly import relation_names
from graphrec.pipeline.config import BenchmarkConfig
from graphrec.progress import StageProgress, silent


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
