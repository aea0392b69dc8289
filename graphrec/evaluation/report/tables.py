"""The tables about models, as values that a page and a Markdown file write out each in its own way."""

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
    """A title (empty where the heading above says all), the head, and rows of as many cells, the first with a name."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def table(title: str, head: Iterable[str], rows: Iterable[Iterable[object]]) -> Table:
    """A Table; what is no Cell yet becomes the text of one."""
    cells = (tuple(cell if isinstance(cell, Cell) else Cell(str(cell)) for cell in row) for row in rows)
    return Table(title, tuple(head), tuple(cells))


def accuracy(comparison: Comparison) -> tuple[Table, ...]:
    """For each k the metrics of accuracy with intervals, the best and models not distinguishable from it marked."""
    return _by_cutoff(comparison, findings.accuracy(comparison), marked=True)


def beyond(comparison: Comparison) -> tuple[Table, ...]:
    """For each k, that of the headline first, the metrics beyond accuracy; none is best: more is not always better."""
    first = findings.cutoff(comparison.headline)
    found = _by_cutoff(comparison, findings.beyond(comparison), marked=False)
    return tuple(sorted(found, key=lambda entry: entry.title != _at(first)))


def _at(k: int | None) -> str:
    return f"k = {k}" if k is not None else "Without k"


def _by_cutoff(comparison: Comparison, names: Sequence[str], marked: bool) -> tuple[Table, ...]:
    found = []
    for k in findings.cutoffs(names):
        here = [name for name in names if findings.cutoff(name) == k]
        marks = {name: _marks(comparison, name) if marked else {} for name in here}
        rows = (
            [result.name, *(_estimate(result, name, marks[name]) for name in here)]
            for result in findings.ranked(comparison)
        )
        heads = [findings.label(findings.family(name)) for name in here]
        found.append(table(_at(k), ["model", *heads], rows))
    return tuple(found)


def _marks(comparison: Comparison, metric: str) -> dict[str, str]:
    if len(comparison.results) < 2:
        return {}  # a single model is not marked as the best
    marks = dict.fromkeys(findings.tied(comparison, metric), "tied")
    best = findings.best(comparison, metric)
    return marks if best is None else marks | {best: "best"}


def _estimate(result: ModelResult, metric: str, marks: dict[str, str]) -> Cell:
    estimate = result.metrics.get(metric)
    if estimate is None:
        return Cell(words.NOTHING)
    return Cell(words.number(estimate.value), words.interval(estimate), marks.get(result.name, ""))


def differences(comparison: Comparison, metric: str, against: str) -> Table | None:
    """What each model has more than one of them in a metric, with the evidence; None where nothing is known of it."""
    pairs = ((r.name, findings.difference(comparison, r.name, against, metric)) for r in findings.ranked(comparison))
    rows = [_difference(name, found) for name, found in pairs if found is not None and name != against]
    if not rows:
        return None
    title = f"{findings.label(metric)}, difference to {against}"
    return table(title, ["model", "difference", "effect size d", "p after Holm", "verdict"], rows)


def _difference(name: str, found: Difference) -> tuple[Cell, Cell, Cell, Cell, Cell]:
    mark = {"better": "better", "worse": "worse"}.get(found.verdict, "same")
    shown = words.number(found.estimate.value, signed=True)
    return (
        Cell(name),
        Cell(shown, words.interval(found.estimate, signed=True), mark),
        Cell(words.effect(found.effect)),
        Cell(words.probability(found.p_holm)),
        Cell(found.verdict, mark=mark),
    )


def all_differences(comparison: Comparison, against: str) -> tuple[Table, ...]:
    """For each k what each model has more than one of them in every metric that it was compared by; nothing where that
    is the headline alone."""
    known = {found.metric for found in comparison.differences}
    if known <= {comparison.headline}:
        return ()

    def cell(result: ModelResult, metric: str) -> Cell:
        found = findings.difference(comparison, result.name, against, metric)
        return Cell(words.NOTHING) if found is None else _difference(result.name, found)[1]

    made = []
    for k in findings.cutoffs(known):
        here = [name for name in findings.accuracy(comparison) if name in known and findings.cutoff(name) == k]
        others = (result for result in findings.ranked(comparison) if result.name != against)
        rows = ([result.name, *(cell(result, name) for name in here)] for result in others)
        heads = [findings.label(findings.family(name)) for name in here]
        made.append(table(f"{_at(k)}, difference to {against}", ["model", *heads], rows))
    return tuple(made)


def costs(comparison: Comparison) -> Table | None:
    """Seconds and memory of each model, the mean over rounds; None where no model has rounds."""
    results = [result for result in findings.ranked(comparison) if result.rounds]
    rows = (
        [
            result.name,
            *(words.seconds(findings.cost(result, part)) for part in ("tune", "fit", "recommend")),
            f"{max(done.cost.peak_mib for done in result.rounds):,} MiB",
        ]
        for result in results
    )
    head = ["model", "choosing settings", "fitting", "ranking all test users", "most memory"]
    return table("", head, rows) if results else None


def groups(comparison: Comparison, kind: str, metric: str) -> Table:
    """One metric of each model in each group of a kind, with how many users the group has."""
    found = {(r.name, g.name): g for r in comparison.results for g in r.groups if g.kind == kind}
    names = list(dict.fromkeys(name for _, name in found))
    users = {name: words.count(group.num_users, "users") for (_, name), group in found.items()}
    models = [result.name for result in findings.ranked(comparison)]

    def cell(model: str, name: str) -> Cell:
        group = found.get((model, name))
        if group is None or metric not in group.metrics:
            return Cell(words.NOTHING)
        return Cell(words.number(group.metrics[metric].value), words.interval(group.metrics[metric]))

    rows = (
        [model, *(cell(model, name) for name in names)] for model in models if any((model, n) in found for n in names)
    )
    title = f"{findings.label(metric)} by {kind}"
    return table(title, ["model", *(f"{name} ({users[name]})" for name in names)], rows)


def kinds(comparison: Comparison) -> tuple[str, ...]:
    """The kinds of groups that any model has, in their order."""
    return tuple(dict.fromkeys(group.kind for result in comparison.results for group in result.groups))


def curves(comparison: Comparison, kind: str) -> Table | None:
    """A curve's values at the values of k that were asked for; None where no model has it."""
    rows = []
    for result in findings.ranked(comparison):
        known = dict(result.curve.get(kind, ()))
        if known:
            rows.append(
                [result.name, *(words.number(known[k]) if k in known else words.NOTHING for k in comparison.ks)]
            )
    return table(f"{findings.label(kind)} against k", ["model", *map(str, comparison.ks)], rows) if rows else None


def curve_kinds(comparison: Comparison) -> tuple[str, ...]:
    """The kinds of curves that any model has: recall first."""
    names = {kind for result in comparison.results for kind, points in result.curve.items() if points}
    return tuple(sorted(names, key=lambda name: (name != "recall", name)))


def rounds(comparison: Comparison) -> Table | None:
    """The headline metric in each round, with mean and standard deviation; None where each model has one only."""
    keys = sorted({(done.split, done.seed) for result in comparison.results for done in result.rounds})
    if len(keys) < 2:
        return None
    metric = comparison.headline

    def row(result: ModelResult) -> list[str]:
        found = {(done.split, done.seed): done.metrics[metric] for done in result.rounds if metric in done.metrics}
        values = list(found.values())
        spread = [words.number(fmean(values)) if values else words.NOTHING]
        spread.append(words.number(stdev(values)) if len(values) > 1 else words.NOTHING)
        return [result.name, *(words.number(found[key]) if key in found else words.NOTHING for key in keys), *spread]

    head = [f"split {split + 1}, seed {seed}" for split, seed in keys]
    title = f"{findings.label(metric)} in each round"
    return table(title, ["model", *head, "mean", "deviation"], map(row, findings.ranked(comparison)))


def learning(result: ModelResult) -> str:
    """The loss of the first and the last epoch in words."""
    first, last = result.learning[0], result.learning[-1]
    return (
        f"{result.name}: loss {words.number(first.loss)} in epoch {first.number}, {words.number(last.loss)} in epoch "
        f"{last.number}"
    )


def trials(done: TrialResult) -> Table | None:
    """The trials of a round: settings that were varied, quality on validation, time; None where nothing was tried."""
    if not done.trials:
        return None
    names = dict.fromkeys(name for trial in done.trials for name in trial.config)
    varied = [name for name in names if len({str(trial.config.get(name)) for trial in done.trials}) > 1]
    top = max(trial.quality.ndcg for trial in done.trials)
    rows = (
        [
            str(number),
            Cell(words.number(trial.quality.ndcg), mark="best" if trial.quality.ndcg == top else ""),
            words.number(trial.quality.ndcg_popularity_weighted),
            words.seconds(trial.seconds) + (", given up" if trial.pruned else ""),
            *(Cell(words.setting(trial.config.get(name, words.NOTHING))) for name in varied),
        ]
        for number, trial in enumerate(done.trials, 1)
    )
    return table("", ["trial", "NDCG@20 on validation", "weighted to popular items", "time", *varied], rows)
