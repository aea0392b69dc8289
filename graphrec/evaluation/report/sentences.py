"""What the parts of a report show, each in a sentence; the same in the page and in Markdown."""

from graphrec.errors import join_words
from graphrec.evaluation.metric_registry import Kind, metrics_of
from graphrec.evaluation.report import findings, words
from graphrec.evaluation.result import Comparison, ExampleUser

#: What a split does and what it means for a reader, by the name of the split.
SPLITS = {
    "time": "All interactions are cut at two points in time: what is before the first is train, what is after the "
    "second is test; nothing that a model sees is as late as what it is tested on.",
    "rolling": "Several windows of time one after the other are test, each after everything that a model sees.",
    "leave-last-out": "Each user's last interaction is test, the one before validation; interactions of others that "
    "are later stay visible, so the figures compare models and forecast nothing.",
    "random": "Interactions are divided at random; a model may learn from the future of what it is tested on, so the "
    "figures compare models and forecast nothing.",
    "random-by-user": "A random share of each user's interactions is held out; a model may learn from the future of "
    "what it is tested on, so the figures compare models and forecast nothing.",
    "k-fold": "Interactions are divided at random into folds, each of which is test once.",
    "cold-items": "All interactions of some items are held out, so the test items have no interactions in training.",
    "cold-users": "All interactions of some users are held out, so that test asks for users without a history.",
    "files": "The parts were given as files.",
}

#: How a scatter draws models that would leave no room for the others.
FAR = "A model far below the others is drawn hollow at the lower edge, with its value."

#: What the picture of the choice of settings shows.
SEARCH = "Lines show the best of the settings tried so far, on validation."


def title(comparison: Comparison) -> str:
    """Who leads on what, in a few words."""
    best, metric = findings.leader(comparison), comparison.headline
    if findings.nothing_found(comparison):
        return f"no model finds anything on {comparison.data.relation}"
    if len(comparison.results) == 1:
        return f"{best.name} on {comparison.data.relation}"
    ties = findings.tied(comparison, metric)
    if len(ties) == 1:
        return f"{best.name} and {next(iter(ties))} lead on {comparison.data.relation}"
    if len(ties) == len(comparison.results) - 1:
        return f"no model is distinguishable from the others on {comparison.data.relation}"
    return f"{best.name} leads on {comparison.data.relation}"


def lead(comparison: Comparison) -> str:
    """The value of the leader, its gain with interval, whom it does not outdo, and whether the audit passed."""
    best, metric = findings.leader(comparison), comparison.headline
    estimate = best.metrics.get(metric)
    if estimate is None:
        return f"No model has the metric {metric}. {audit(comparison)}"
    if findings.nothing_found(comparison):
        return f"{nothing_found(comparison)} {audit(comparison)}"
    shown = words.interval(estimate)
    known = f"{best.name} has {findings.label(metric)} {words.number(estimate.value)}"
    known += f" (95 % interval {shown})" if shown else ""
    users = words.count(comparison.num_users, "test users")
    return f"{known} over {users}{_gain(comparison)}. {_ties(comparison)}{audit(comparison)}"


def nothing_found(comparison: Comparison) -> str:
    """That no model finds a test item, of how many users, and what to do."""
    k = findings.cutoff(comparison.headline)
    users = words.count(comparison.num_users, "test users")
    names = {division.record.spec.partition("(")[0] for division in comparison.splits}
    remedies = ["load more behaviour", f"look at longer lists (-k {10 * (k or 10)})"]
    if names & {"time", "rolling"}:
        remedies.append("split at random, which tests more users (--split random)")
    return (
        f"No model has any test item of the {users} among its first {k}, too little to measure: no difference between "
        f"models can be seen. What helps: {', or '.join(remedies)}."
    )


def _gain(comparison: Comparison) -> str:
    best = findings.leader(comparison)
    if best.name == comparison.baseline:
        return ", and is itself the baseline" if len(comparison.results) > 1 else ""
    found = findings.difference(comparison, best.name, comparison.baseline, comparison.headline)
    if found is None:
        return ""
    shown = words.interval(found.estimate, signed=True)
    value = words.number(found.estimate.value, signed=True)
    verdict = {"better": "better than", "worse": "worse than"}.get(found.verdict, "not distinguishable from")
    return f", {verdict} {comparison.baseline} (difference {value}{f', {shown}' if shown else ''})"


def _ties(comparison: Comparison) -> str:
    ties = findings.tied(comparison, comparison.headline)
    names = [result.name for result in findings.ranked(comparison) if result.name in ties]
    return f"It is not distinguishable from {join_words(names)}. " if names else ""


def audit(comparison: Comparison) -> str:
    """Whether the leak audit passed, in a sentence."""
    if not comparison.splits:
        return "No leak audit was made."
    if findings.passed(comparison):
        return "The leak audit passed."
    num = sum(check.leaks for division in comparison.splits for check in division.audit.checks)
    return f"The leak audit failed with {words.count(num, 'leaks')}: no figure of this report can be trusted."


def models(comparison: Comparison) -> str:
    """How to read the table of models."""
    read = "Means over test users, below each its 95 % interval by the bootstrap; all items are ranked."
    if len(comparison.results) < 2:
        return read
    return f"{read} ★ is the best of a column, ≈ not distinguishable from it."


def beyond() -> str:
    """What the second table is about."""
    return "What lists are like besides accurate; more is not always better, so nothing is marked."


def meanings(comparison: Comparison, kind: Kind = "beyond_accuracy") -> str:
    """Descriptions of the comparison's metrics of a kind."""
    names = {findings.family(metric) for metric in findings.metrics(comparison)}
    known = [f"{each.label}: {each.description}" for each in metrics_of(kind) if each.name in names]
    return "; ".join(known) + "." if known else ""


def differences(comparison: Comparison) -> str:
    """How to read differences."""
    return (
        f"Each model minus {comparison.baseline} over the same users, with 95 % interval. d is the mean difference in "
        "standard deviations; p is corrected by Holm over all differences in a metric, those to the best model "
        "included; the verdict is “not distinguishable” above 0.05."
    )


def curves() -> str:
    """What the curves show."""
    return "How quality grows with the length k of the list; points mark the values of k of the tables."


def cost(comparison: Comparison) -> str:
    """What the pictures of seconds show."""
    several = any(len(result.rounds) > 1 for result in comparison.results)
    return (
        "What quality costs: seconds on a logarithmic axis"
        + (", the mean over rounds" if several else "")
        + "; up and to the left is better. Seconds and memory differ "
        f"between runs, everything else repeats with the seed. {FAR}"
    )


def trade() -> str:
    """What the scatters show."""
    return (
        "Accuracy, upwards, against what else lists are like, to the right; lines are 95 % intervals of accuracy. "
        f"{FAR}"
    )


def groups() -> str:
    """What the groups show."""
    return (
        "For whom and for what a model works: quality by how active users are, how popular is what they are to find, "
        "and whether they were known."
    )


def learning(comparison: Comparison) -> str:
    """The finding of the learning curves, or a sentence that no model has one."""
    if any(result.learning for result in comparison.results):
        return "The mean loss of each epoch; losses of different models are not comparable."
    return "None of these models learns in epochs, so there are no learning curves."


def split(comparison: Comparison, pictures: bool = True) -> str:
    """What the split does, and what its picture shows."""
    names = list(dict.fromkeys(division.record.spec.partition("(")[0] for division in comparison.splits))
    known = " ".join(SPLITS.get(name, f"The split is {name}.") for name in names)
    if not pictures:
        return known
    if any(division.timeline for division in comparison.splits):
        return f"{known} Bars show how many interactions of each part lie where in time."
    return f"{known} The interactions have no times; the bar shows the shares of the parts."


def examples(comparison: Comparison) -> str:
    """What the examples show, and for how many of their users something was found."""
    hits = {example.user: any(shown.hit for shown in example.shown) for example in comparison.examples}
    return (
        "Users of the test part: what they had, what they are to find, and what models gave them. They are chosen so "
        f"that both kinds are seen: {words.count(sum(hits.values()))} for whom an item of the test part is shown, "
        f"{words.count(len(hits) - sum(hits.values()))} for whom none is. Reasons are the paths of the graph that add "
        "most to a score, with their share of it."
    )


def example(found: ExampleUser) -> str:
    """What one model gave one user, in a few words."""
    hits = sum(shown.hit for shown in found.shown)
    return f"{found.model}: {hits} of {words.count(len(found.shown), 'items')} are in the test part"


def repeat(comparison: Comparison) -> str:
    """The text below the command that repeats a comparison."""
    setup = comparison.setup
    seeds = f"{'seed' if len(setup.seeds) == 1 else 'seeds'} {join_words(list(map(str, setup.seeds)))}"
    return (
        f"The command below with {seeds} and {words.count(setup.num_trials, 'trials')} for each model; settings are "
        "chosen on validation, the model is fitted again to train and validation, and test is used once."
    )
