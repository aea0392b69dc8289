"""Models compared on one graph: tuned on validation, refitted, and tested once on each split with each seed."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from graphrec.evaluation.audit import require_clean
from graphrec.evaluation.default_split import default_split, require_pairs, require_test_users
from graphrec.evaluation.environment import machine, versions
from graphrec.evaluation.metric_registry import metrics_of
from graphrec.evaluation.metrics import PerUser
from graphrec.evaluation.preparation import Aliases, prepare_split, split_graph, summarise_data, summarise_split
from graphrec.evaluation.result import Comparison, Difference, Estimate, Group, ModelResult, Setup, SplitSummary
from graphrec.evaluation.significance import PooledValues, compare_pairs, estimate_means, pool_trials
from graphrec.evaluation.slices import group_by_activity
from graphrec.evaluation.trial import Contender, EvaluationConfig, MeasuredTrial, run_trial
from graphrec.hetero import HeteroGraph, interactions
from graphrec.models import make
from graphrec.progress import StageProgress
from graphrec.vocabulary import IndexArray


def compare(
    graph: HeteroGraph,
    contenders: Iterable[Contender | str],
    config: EvaluationConfig = EvaluationConfig(),  # frozen
    aliases: Aliases | None = None,
    progress: StageProgress | None = None,
) -> Comparison:
    """All models with metrics, intervals, differences and costs on the test part of each split with each seed.

    Each model is tuned on validation, fitted to train and validation and tested once; the graph that models see is
    audited for leaks first. `aliases` assigns one number to nodes of the same user or item, so that the audit finds
    duplicates of test interactions.

    Raises:
        UnknownNameError: a model, setting or split does not exist.
        DataError: the split needs times that are missing, or leaves no user to test on.
        LeakError: the graph that models see reveals test interactions.
    """
    named = {each.name: each for each in (Contender(c) if isinstance(c, str) else c for c in contenders)}
    for contender in named.values():
        make(contender.model, **(contender.settings or {}))  # a wrong name or setting is reported before any work
    everything = interactions(graph)
    require_pairs(everything)
    spec = config.split or default_split(everything)

    # Every contender on every split with every seed.
    trials: dict[str, list[MeasuredTrial]] = {name: [] for name in named}
    summaries: list[SplitSummary] = []
    degree: IndexArray | None = None
    done = total = 0
    for seed in config.seeds:
        all_parts = split_graph(graph, spec, np.random.default_rng(seed))
        total = total or len(config.seeds) * len(all_parts) * len(named)
        for num, parts in enumerate(all_parts):
            require_test_users(parts, spec, cold=True)
            prepared = prepare_split(graph, parts, spec, num, aliases)
            require_clean(prepared.audit)
            summary = summarise_split(prepared, seed, config.repeats)
            if all(summary.record != other.record for other in summaries):  # by time, each seed makes the same split
                summaries.append(summary)
            degree = prepared.train_validation.user_degree() if degree is None else degree
            for name, contender in named.items():
                if progress is not None:
                    progress("comparing models", done, total)
                trials[name].append(run_trial(graph, prepared, contender, config, seed, progress))
                done += 1
    if progress is not None:
        progress("comparing models", total, total)
    assert degree is not None  # there is at least one seed, and a spec makes at least one split

    # Means over users with intervals, then paired differences.
    rng = np.random.default_rng(config.seeds[0])
    pooled = {name: _pool_warm(measured) for name, measured in trials.items()}
    results = tuple(_summarise_model(named[name], trials[name], degree, config, rng) for name in named)
    baseline = config.baseline if config.baseline in named else results[0].name
    differences = _compare_models(pooled, baseline, config, rng)

    # Example users of the best model with explanations, or of the best model if no model has any.
    ordered = sorted(results, key=lambda result: -result.metrics[config.headline].value)
    examples = [trials[result.name][0].examples for result in ordered]
    explained = [some for some in examples if any(item.reasons for user in some for item in user.shown)]
    return Comparison(
        config.headline,
        baseline,
        config.ks,
        summarise_data(graph),
        tuple(summaries),
        len(next(iter(pooled.values())).user_index),
        results,
        differences,
        (explained or examples)[0],
        Setup("", config.seeds, config.effort.budget or config.effort.num_trials or 0, versions(), machine()),
        {},
    )


def _pool_warm(trials: Sequence[MeasuredTrial]) -> PooledValues:
    """The values of warm users over all trials, of cold users if no trial has a warm one."""
    warm = any(trial.warm.any() for trial in trials)
    return pool_trials([trial.select_users(trial.warm == warm) for trial in trials])


def _summarise_model(
    contender: Contender,
    trials: Sequence[MeasuredTrial],
    degree: IndexArray,
    config: EvaluationConfig,
    rng: np.random.Generator,
) -> ModelResult:
    """Metrics, curves and groups of one contender; `degree` [num_users]: interactions that models were fitted to on the
    first split."""
    pooled = _pool_warm(trials)
    tabulated = {name: value for name, value in pooled.per_user.items() if int(name.split("@")[1]) in config.ks}
    metrics = estimate_means(tabulated, rng)
    for name in trials[0].scalars:
        values = [trial.scalars[name] for trial in trials]
        if np.isfinite(values).any():
            metrics[name] = Estimate(float(np.nanmean(values)))
    curve = {
        metric: tuple((k, float(np.nanmean(pooled.per_user[f"{metric}@{k}"]))) for k in config.grid)
        for metric in ("recall", "ndcg")
    }
    groups = tuple(_groups(pooled, trials, degree, config, rng))
    rounds = tuple(trial.result for trial in trials)
    name, model, origin = contender.name, contender.model, contender.origin
    return ModelResult(name, model, origin, metrics, curve, groups, trials[0].learning, rounds)


def _groups(
    pooled: PooledValues,
    trials: Sequence[MeasuredTrial],
    degree: IndexArray,
    config: EvaluationConfig,
    rng: np.random.Generator,
) -> Iterable[Group]:
    """Users by activity, test items by popularity, warm and cold test items if any is cold, and warm and cold users and
    both together if both exist, or cold users alone."""
    shown = (f"recall@{config.ks[0]}", config.headline)

    def group(kind: str, name: str, values: PerUser, users: npt.NDArray[np.bool_]) -> Group:
        return Group(
            kind, name, int(users.sum()), estimate_means({key: value[users] for key, value in values.items()}, rng)
        )

    for each in group_by_activity(degree[pooled.user_index]):
        yield group(each.kind, each.name, {name: pooled.per_user[name] for name in shown}, each.members)

    by_items = [("item popularity", name, [(t, t.popularity[name]) for t in trials]) for name in trials[0].popularity]
    warmth = dict.fromkeys(name for trial in trials for name in trial.item_warmth)
    by_items += [
        ("item warmth", name, [(t, t.item_warmth[name]) for t in trials if name in t.item_warmth]) for name in warmth
    ]
    for kind, name, parts in by_items:
        values = pool_trials([PooledValues(trial.values.user_index, recall) for trial, recall in parts]).per_user
        users = np.isfinite(next(iter(values.values())))  # users with a test item in this part of the catalogue
        if users.any():
            yield group(kind, name, values, users)

    if all(trial.warm.all() for trial in trials):
        return
    for name, warm in (("warm users", True), ("cold users", False)):
        selected = [trial.select_users(trial.warm == warm) for trial in trials]
        selected = [part for part in selected if len(part.user_index)]
        if selected:
            part = pool_trials(selected)
            everyone = np.ones(len(part.user_index), dtype=bool)
            yield group("warmth", name, {key: part.per_user[key] for key in shown}, everyone)
    if any(trial.warm.any() for trial in trials):
        part = pool_trials([trial.values for trial in trials])
        everyone = np.ones(len(part.user_index), dtype=bool)
        yield group("all users", "warm and cold users", {key: part.per_user[key] for key in shown}, everyone)


def _compare_models(
    pooled: Mapping[str, PooledValues], baseline: str, config: EvaluationConfig, rng: np.random.Generator
) -> tuple[Difference, ...]:
    """Differences in each metric of accuracy, the headline first: each model minus the baseline, and the best model in
    that metric minus each other model."""
    names = [f"{metric.name}@{k}" for k in config.ks for metric in metrics_of("accuracy")]
    pairs: dict[str, list[tuple[str, str]]] = {}
    for metric in sorted(names, key=lambda name: name != config.headline):
        values = {name: float(np.nanmean(each.per_user[metric])) for name, each in pooled.items()}
        best = max(values, key=lambda name: values[name])
        pairs[metric] = [(name, baseline) for name in pooled if name != baseline]
        pairs[metric] += [(best, name) for name in pooled if name not in (best, baseline) and best != baseline]
    return compare_pairs(pooled, pairs, rng)
