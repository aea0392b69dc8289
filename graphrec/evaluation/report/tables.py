"""Tables of models, independent of the format (HTML or Markdown)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from graphrec.evaluation.report import findings, words
from graphrec.evaluation.result import Comparison, Difference, ModelResult, TrialResult


@dataclass(frozen=True)
class Cell:
    """A text, a smaller note below it, and a mark: `best`, `tied`, `better`, `worse`, `same` or `code`."""

    text: str
    note: str = ""
    mark: str = ""


@dataclass(frozen=True)
class Table:
    """A title (may be empty), the head, and rows of as many cells, the first of which has the name of the row."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def make_table(title: str, head: Iterable[str], rows: Iterable[Iterable[object]]) -> Table:
    """A Table; values that are not cells are converted to text."""
    cells = (tuple(cell if isinstance(cell, Cell) else Cell(str(cell)) for cell in row) for row in rows)
    return Table(title, tuple(head), tuple(cells))


def accuracy(comparison: Comparison) -> tuple[Table, ...]:
    """The metrics of accuracy for each k with intervals; the best model and those not distinguishable are marked."""
    return _by_cutoff(comparison, findings.list_accuracy(comparison), marked=True)


def beyond(comparison: Comparison) -> tuple[Table, ...]:
    """The metrics beyond accuracy for each k, the k of the headline first, without marks."""
    first = findings.cutoff(comparison.headline)
    made = _by_cutoff(comparison, findings.list_beyond_accuracy(comparison), marked=False)
    return tuple(sorted(made, key=lambda entry: entry.title != _title_cutoff(first)))


def _title_cutoff(k: int | None) -> str:
    return f"k = {k}" if k is not None else "Without k"


def _by_cutoff(comparison: Comparison, names: Sequence[str], marked: bool) -> tuple[Table, ...]:
    made = []
    for k in findings.list_cutoffs(names):
        at_k = [name for name in names if findings.cutoff(name) == k]
        marks = {name: _mark_best(comparison, name) if marked else {} for name in at_k}
        rows = (
            [result.name, *(_estimate_cell(result, name, marks[name]) for name in at_k)]
            for result in findings.rank_models(comparison)
        )
        heads = [findings.label(findings.family(name)) for name in at_k]
        made.append(make_table(_title_cutoff(k), ["model", *heads], rows))
    return tuple(made)


def _mark_best(comparison: Comparison, metric: str) -> dict[str, str]:
    if len(comparison.results) < 2:
        return {}  # a single model is not marked as the best
    marks = dict.fromkeys(findings.find_tied(comparison, metric), "tied")
    best = findings.find_best(comparison, metric)
    return marks if best is None else marks | {best: "best"}


def _estimate_cell(result: ModelResult, metric: str, marks: dict[str, str]) -> Cell:
    estimate = result.metrics.get(metric)
    if estimate is None:
        return Cell(words.MISSING)
    return Cell(words.number(estimate.value), words.interval(estimate), marks.get(result.name, ""))


def differences(comparison: Comparison, metric: str, against: str) -> Table | None:
    """Each model minus the model `against` in a metric, with effect size and p; None if no difference is known."""
    ranked = findings.rank_models(comparison)
    pairs = ((r.name, findings.find_difference(comparison, r.name, against, metric)) for r in ranked)
    rows = [_difference_cells(name, change) for name, change in pairs if change is not None and name != against]
    if not rows:
        return None
    title = f"{findings.label(metric)}, difference to {against}"
    return make_table(title, ["model", "difference", "effect size d", "p after Holm", "verdict"], rows)


def _difference_cells(name: str, change: Difference) -> tuple[Cell, Cell, Cell, Cell, Cell]:
    mark = {"better": "better", "worse": "worse"}.get(change.verdict, "same")
    value = words.number(change.estimate.value, signed=True)
    return (
        Cell(name),
        Cell(value, words.interval(change.estimate, signed=True), mark),
        Cell(words.effect(change.effect)),
        Cell(words.probability(change.p_holm)),
        Cell(change.verdict, mark=mark),
    )


def all_differences(comparison: Comparison, against: str) -> tuple[Table, ...]:
    """For each k, each model minus the model `against` in every metric with differences; empty if only the headline has
    differences."""
    known = {found.metric for found in comparison.differences}
    if known <= {comparison.headline}:
        return ()

    def cell(result: ModelResult, metric: str) -> Cell:
        change = findings.find_difference(comparison, result.name, against, metric)
        return Cell(words.MISSING) if change is None else _difference_cells(result.name, change)[1]

    made = []
    for k in findings.list_cutoffs(known):
        at_k = [name for name in findings.list_accuracy(comparison) if name in known and findings.cutoff(name) == k]
        others = (result for result in findings.rank_models(comparison) if result.name != against)
        rows = ([result.name, *(cell(result, name) for name in at_k)] for result in others)
        heads = [findings.label(findings.family(name)) for name in at_k]
        made.append(make_table(f"{_title_cutoff(k)}, difference to {against}", ["model", *heads], rows))
    return tuple(made)


def costs(comparison: Comparison) -> Table | None:
    """Mean seconds and peak memory of each model over rounds; None if no model has rounds."""
    results = [result for result in findings.rank_models(comparison) if result.rounds]
    rows = (
        [
            result.name,
            *(words.seconds(findings.mean_cost(result, part)) for part in ("tune", "fit", "recommend")),
            f"{max(round_.cost.peak_mib for round_ in result.rounds):,} MiB",
        ]
        for result in results
    )
    head = ["model", "tuning", "fitting", "ranking all test users", "peak memory"]
    return make_table("", head, rows) if results else None


def groups(comparison: Comparison, kind: str, metric: str) -> Table:
    """One metric of each model in each group of a kind, with the number of users of the group."""
    by_name = {(r.name, g.name): g for r in comparison.results for g in r.groups if g.kind == kind}
    names = list(dict.fromkeys(name for _, name in by_name))
    users = {name: words.count(group.num_users, "users") for (_, name), group in by_name.items()}
    models = [result.name for result in findings.rank_models(comparison)]

    def cell(model: str, name: str) -> Cell:
        group = by_name.get((model, name))
        if group is None or metric not in group.metrics:
            return Cell(words.MISSING)
        return Cell(words.number(group.metrics[metric].value), words.interval(group.metrics[metric]))

    rows = (
        [model, *(cell(model, name) for name in names)] for model in models if any((model, n) in by_name for n in names)
    )
    title = f"{findings.label(metric)} by {kind}"
    return make_table(title, ["model", *(f"{name} ({users[name]})" for name in names)], rows)


def kinds(comparison: Comparison) -> tuple[str, ...]:
    """The kinds of groups that any model has."""
    return tuple(dict.fromkeys(group.kind for result in comparison.results for group in result.groups))


def curves(comparison: Comparison, kind: str) -> Table | None:
    """The values of a curve at the requested k; None if no model has the curve."""
    rows = []
    for result in findings.rank_models(comparison):
        known = dict(result.curve.get(kind, ()))
        if known:
            rows.append(
                [result.name, *(words.number(known[k]) if k in known else words.MISSING for k in comparison.ks)]
            )
    return make_table(f"{findings.label(kind)} against k", ["model", *map(str, comparison.ks)], rows) if rows else None


def curve_kinds(comparison: Comparison) -> tuple[str, ...]:
    """The kinds of curves that any model has: recall first."""
    names = {kind for result in comparison.results for kind, points in result.curve.items() if points}
    return tuple(sorted(names, key=lambda name: (name != "recall", name)))


def rounds(comparison: Comparison) -> Table | None:
    """The headline metric in each round, with mean and standard deviation; None if there is only one round."""
    keys = sorted({(round_.split, round_.seed) for result in comparison.results for round_ in result.rounds})
    if len(keys) < 2:
        return None
    metric = comparison.headline

    def row(result: ModelResult) -> list[str]:
        measured = [round_ for round_ in result.rounds if metric in round_.metrics]
        by_round = {(round_.split, round_.seed): round_.metrics[metric] for round_ in measured}
        values = list(by_round.values())
        spread = [words.number(fmean(values)) if values else words.MISSING]
        spread.append(words.number(stdev(values)) if len(values) > 1 else words.MISSING)
        return [
            result.name,
            *(words.number(by_round[key]) if key in by_round else words.MISSING for key in keys),
            *spread,
        ]

    head = [f"split {split + 1}, seed {seed}" for split, seed in keys]
    title = f"{findings.label(metric)} in each round"
    return make_table(title, ["model", *head, "mean", "deviation"], map(row, findings.rank_models(comparison)))


def learning(result: ModelResult) -> str:
    """A sentence with the loss of the first and of the last epoch."""
    first, last = result.learning[0], result.learning[-1]
    return (
        f"{result.name}: loss {words.number(first.loss)} in epoch {first.number}, {words.number(last.loss)} in epoch "
        f"{last.number}"
    )


def trials(round_: TrialResult) -> Table | None:
    """The trials of a round: quality on validation, time, and the settings that were varied; None without trials."""
    if not round_.trials:
        return None
    names = dict.fromkeys(name for trial in round_.trials for name in trial.config)
    varied = [name for name in names if len({str(trial.config.get(name)) for trial in round_.trials}) > 1]
    top = max(trial.quality.ndcg for trial in round_.trials)
    rows = (
        [
            str(number),
            Cell(words.number(trial.quality.ndcg), mark="best" if trial.quality.ndcg == top else ""),
            words.seconds(trial.seconds) + (", pruned" if trial.pruned else ""),
            *(Cell(words.setting(trial.config.get(name, words.MISSING))) for name in varied),
        ]
        for number, trial in enumerate(round_.trials, 1)
    )
    return make_table("", ["trial", "NDCG@20 on validation", "time", *varied], rows)
