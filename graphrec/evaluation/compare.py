"""Models side by side on one graph: tuned on validation, refitted, and tested once on each split with each seed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from graphrec.evaluation.audit import require_clean
from graphrec.evaluation.default_split import default_split, require_pairs, require_test_users
from graphrec.evaluation.environment import machine, versions
from graphrec.evaluation.metrics import METRICS, PerUser
from graphrec.evaluation.preparation import Aliases, described, divide, prepare, summary
from graphrec.evaluation.result import Comparison, Difference, Division, Estimate, Group, ModelResult, Setup
from graphrec.evaluation.significance import Pooled, differences, estimates, pool
from graphrec.evaluation.slices import by_activity
from graphrec.evaluation.trial import Contender, EvaluationConfig, MeasuredRound, Steps, measure_round
from graphrec.hetero import HeteroGraph, interactions
from graphrec.models import make, model_class
from graphrec.vocabulary import IndexArray

Rounds = Mapping[str, list[MeasuredRound]]


def compare(
    graph: HeteroGraph,
    entries: Iterable[Contender | str],
    terms: EvaluationConfig = EvaluationConfig(),  # frozen
    aliases: Aliases | None = None,
    progress: Steps | None = None,
) -> Comparison:
    """Every model with its config chosen on validation, fitted to train and validation, and tested once, on each split
    with each seed; what each model sees is audited first.

    `aliases` numbers nodes by label, the same number for the same person or thing, so that doubles do not tell.

    Raises:
        UnknownNameError: there is no such model, setting or split.
        DataError: the split needs times that are not there, or leaves nothing to measure.
        LeakError: what models see tells of the test part.
    """
    wanted = {entry.name: entry for entry in (Contender(e) if isinstance(e, str) else e for e in entries)}
    for entry in wanted.values():
        model_class(entry.model)
        make(entry.model, **(entry.settings or {}))
    require_pairs(interactions(graph))
    spec = terms.split or default_split(interactions(graph))
    found: dict[str, list[MeasuredRound]] = {name: [] for name in wanted}
    divisions: list[Division] = []
    degree: IndexArray | None = None
    total = 0
    for seed in terms.seeds:
        divided = divide(graph, spec, np.random.default_rng(seed))
        total = total or len(terms.seeds) * len(divided) * len(wanted)
        for num, parts in enumerate(divided):
            require_test_users(parts, spec, cold=True)
            prepared = prepare(graph, parts, spec, num, aliases)
            require_clean(prepared.audit)
            divisions += _new(described(prepared, seed), divisions)
            degree = prepared.known.user_degree() if degree is None else degree
            for name, entry in wanted.items():
                _told(progress, sum(len(rounds) for rounds in found.values()), total)
                found[name].append(measure_round(graph, prepared, entry, terms, seed, progress))
    _told(progress, total, total)
    assert degree is not None  # there are seeds, and a spec makes splits
    return _comparison(graph, list(wanted.values()), _Ground(tuple(divisions), degree), found, terms)


def _new(division: Division, known: Sequence[Division]) -> list[Division]:
    """The division where none with another seed is the same."""
    return [division] if all(division.record != other.record for other in known) else []


@dataclass(frozen=True, eq=False)
class _Ground:
    """What models were measured on: the splits, and on the first of them how many interactions each user [num_users]
    has in what models were fitted to."""

    divisions: tuple[Division, ...]
    degree: IndexArray


def _told(progress: Steps | None, done: int, total: int) -> None:
    if progress is not None:
        progress("comparing models", done, total)


def _comparison(
    graph: HeteroGraph, entries: Sequence[Contender], ground: _Ground, found: Rounds, terms: EvaluationConfig
) -> Comparison:
    rng = np.random.default_rng(terms.seeds[0])
    pooled = {name: _pooled(rounds) for name, rounds in found.items()}
    results = tuple(_result(entry, found[entry.name], ground.degree, terms, rng) for entry in entries)
    ordered = sorted(results, key=lambda result: -result.metrics[terms.headline].value)
    baseline = terms.baseline if terms.baseline in found else results[0].name
    told = [found[result.name][0].examples for result in ordered]
    with_reasons = [examples for examples in told if any(shown.reasons for e in examples for shown in e.shown)]
    return Comparison(
        terms.headline,
        baseline,
        terms.ks,
        summary(graph),
        ground.divisions,
        len(next(iter(pooled.values())).user_index),
        results,
        _differences(pooled, baseline, terms, rng),
        (with_reasons or told)[0],
        Setup("", terms.seeds, terms.effort.budget or terms.effort.num_trials or 0, versions(), machine()),
        {},
    )


def _pooled(rounds: Sequence[MeasuredRound]) -> Pooled:
    """The values of warm users over all rounds, of cold ones where no round has a warm one."""
    warm = any(measured.warm.any() for measured in rounds)
    return pool([measured.part(measured.warm == warm) for measured in rounds])


def _differences(
    pooled: Mapping[str, Pooled], baseline: str, terms: EvaluationConfig, rng: np.random.Generator
) -> tuple[Difference, ...]:
    """In each metric of accuracy, the headline first: each model minus the baseline, and the best in that metric minus
    each of the others."""
    names = [f"{metric}@{k}" for k in terms.ks for metric in METRICS]
    pairs: dict[str, list[tuple[str, str]]] = {}
    for metric in sorted(names, key=lambda name: name != terms.headline):
        values = {name: float(np.nanmean(found.per_user[metric])) for name, found in pooled.items()}
        best = max(values, key=lambda name: values[name])
        pairs[metric] = [(name, baseline) for name in pooled if name != baseline]
        pairs[metric] += [(best, name) for name in pooled if name not in (best, baseline) and best != baseline]
    return differences(pooled, pairs, rng)


def _result(
    entry: Contender,
    rounds: Sequence[MeasuredRound],
    degree: IndexArray,
    terms: EvaluationConfig,
    rng: np.random.Generator,
) -> ModelResult:
    pooled = _pooled(rounds)
    wanted = {name: value for name, value in pooled.per_user.items() if int(name.split("@")[1]) in terms.ks}
    scalars = {
        name: Estimate(float(np.nanmean([measured.scalars[name] for measured in rounds])))
        for name in rounds[0].scalars
        if any(np.isfinite(measured.scalars[name]) for measured in rounds)
    }
    curve = {
        metric: tuple((k, float(np.nanmean(pooled.per_user[f"{metric}@{k}"]))) for k in terms.grid)
        for metric in ("recall", "ndcg")
    }
    return ModelResult(
        entry.name,
        entry.model,
        entry.origin,
        {**estimates(wanted, rng), **scalars},
        curve,
        (*_by_activity(pooled, degree, terms, rng), *_by_popularity(rounds, rng), *_by_warmth(rounds, terms, rng)),
        rounds[0].learning,
        tuple(measured.round for measured in rounds),
    )


def _by_activity(
    pooled: Pooled, degree: IndexArray, terms: EvaluationConfig, rng: np.random.Generator
) -> Iterable[Group]:
    """Groups by the number of interactions [num_users] in what models were fitted to on the first split."""
    for group in by_activity(degree[pooled.user_index]):
        yield _group(group.kind, group.name, _headlines(pooled, terms), group.chosen, rng)


def _by_warmth(rounds: Sequence[MeasuredRound], terms: EvaluationConfig, rng: np.random.Generator) -> Iterable[Group]:
    """Users with and without interactions in training, where there are both or only cold ones."""
    for name, warm in (("warm users", True), ("cold users", False)):
        parts = [measured.part(measured.warm == warm) for measured in rounds]
        parts = [part for part in parts if len(part.user_index)]
        if parts and any(not measured.warm.all() for measured in rounds):
            pooled = pool(parts)
            yield _group("warmth", name, _headlines(pooled, terms), np.ones(len(pooled.user_index), dtype=bool), rng)


def _by_popularity(rounds: Sequence[MeasuredRound], rng: np.random.Generator) -> Iterable[Group]:
    """The recall of test items by how popular they are."""
    for name in rounds[0].popularity:
        values = pool([Pooled(m.values.user_index, m.popularity[name]) for m in rounds]).per_user
        metric = next(iter(values))
        chosen = np.isfinite(values[metric])
        if chosen.any():
            yield _group("item popularity", name, values, chosen, rng)


def _headlines(pooled: Pooled, terms: EvaluationConfig) -> PerUser:
    return {name: pooled.per_user[name] for name in (f"recall@{terms.ks[0]}", terms.headline)}


def _group(kind: str, name: str, values: PerUser, chosen: npt.NDArray[np.bool_], rng: np.random.Generator) -> Group:
    found = estimates({metric: value[chosen] for metric, value in values.items()}, rng)
    return Group(kind, name, int(chosen.sum()), found)
