"""Sentences that introduce the sections of a report; the same in the page and in Markdown."""

from graphrec.errors import join_words
from graphrec.evaluation.metric_registry import Kind, metrics_of
from graphrec.evaluation.report import findings, words
from graphrec.evaluation.result import Comparison, ExampleUser

#: Name of a split -> what it does and how to read its results.
SPLITS = {
    "time": "All interactions are divided at two times: those before the first are train, those after the second are "
    "test; everything that a model sees is earlier than all test interactions.",
    "rolling": "Several consecutive windows of time are test, each after everything that a model sees.",
    "leave-last-out": "Each user's last interaction is test, the one before validation; later interactions of other "
    "users stay visible, so the figures compare models and do not forecast quality on later data.",
    "next-item": "All interactions are divided at two times; the first interaction of each user after the second is "
    "test, and everything that a model sees is earlier than all test interactions.",
    "next-basket": "All interactions are divided at two times; the first basket of each user after the second is test, "
    "and everything that a model sees is earlier than all test interactions.",
    "leave-two-out": "Each user's last two interactions are test, the two before validation; later interactions of "
    "other users stay visible, so the figures compare models and do not forecast quality on later data.",
    "random": "Interactions are divided at random; a model may learn from interactions later than its test "
    "interactions, so the figures compare models and do not forecast quality on later data.",
    "random-by-user": "A random share of each user's interactions is held out; a model may learn from interactions "
    "later than its test interactions, so the figures compare models and do not forecast quality on later data.",
    "k-fold": "Interactions are divided at random into folds, each of which is test once.",
    "cold-items": "All interactions of some items are held out, so the test items have no interactions in training.",
    "cold-users": "All interactions of some users are held out, so the test users have no history in training.",
    "files": "The parts were given as files.",
}

#: How a scatter draws models whose value is far below that of the others.
FAR = "A model far below the others is drawn as a hollow marker at the lower edge, with its value."

#: Introduction of the figure of tuning.
SEARCH = "Lines show the quality on validation of the best settings so far."

#: Introduction of the table of rounds.
ROUNDS = "How much the result depends on the split and on the seed."


def title(comparison: Comparison) -> str:
    """The leading model and the target behaviour, as a title."""
    best, metric = findings.find_leader(comparison), comparison.headline
    if findings.has_no_hits(comparison):
        return f"no model has a hit on {comparison.data.relation}"
    if len(comparison.results) == 1:
        return f"{best.name} on {comparison.data.relation}"
    ties = findings.find_tied(comparison, metric)
    if len(ties) == 1:
        return f"{best.name} and {next(iter(ties))} lead on {comparison.data.relation}"
    if len(ties) == len(comparison.results) - 1:
        return f"no model is distinguishable from the others on {comparison.data.relation}"
    return f"{best.name} leads on {comparison.data.relation}"


def lead(comparison: Comparison) -> str:
    """The value of the leader, its gain with interval, the models it is not distinguishable from, and the audit."""
    best, metric = findings.find_leader(comparison), comparison.headline
    estimate = best.metrics.get(metric)
    if estimate is None:
        return f"No model has the metric {metric}. {audit(comparison)}"
    if findings.has_no_hits(comparison):
        return f"{no_hits(comparison)} {audit(comparison)}"
    interval = words.interval(estimate)
    value = f"{best.name} has {findings.label(metric)} {words.number(estimate.value)}"
    value += f" (95 % interval {interval})" if interval else ""
    users = words.count(comparison.num_users, "test users")
    return f"{value} over {users}{_gain(comparison)}. {_ties(comparison)}{audit(comparison)}"


def no_hits(comparison: Comparison) -> str:
    """A sentence that no model has a hit, with the number of test users and remedies."""
    k = findings.cutoff(comparison.headline)
    users = words.count(comparison.num_users, "test users")
    names = {summary.record.spec.partition("(")[0] for summary in comparison.splits}
    remedies = ["load more behaviour", f"measure longer lists (-k {10 * (k or 10)})"]
    if names & {"time", "rolling"}:
        remedies.append("split at random, which tests more users (--split random)")
    return (
        f"No model has any test item of the {users} among its first {k} items, so differences between models cannot be "
        f"measured. Remedies: {', or '.join(remedies)}."
    )


def _gain(comparison: Comparison) -> str:
    best = findings.find_leader(comparison)
    if best.name == comparison.baseline:
        return ", and is the baseline" if len(comparison.results) > 1 else ""
    gain = findings.find_difference(comparison, best.name, comparison.baseline, comparison.headline)
    if gain is None:
        return ""
    interval = words.interval(gain.estimate, signed=True)
    value = words.number(gain.estimate.value, signed=True)
    verdict = {"better": "better than", "worse": "worse than"}.get(gain.verdict, "not distinguishable from")
    return f", {verdict} {comparison.baseline} (difference {value}{f', {interval}' if interval else ''})"


def _ties(comparison: Comparison) -> str:
    ties = findings.find_tied(comparison, comparison.headline)
    names = [result.name for result in findings.rank_models(comparison) if result.name in ties]
    return f"It is not distinguishable from {join_words(names)}. " if names else ""


def audit(comparison: Comparison) -> str:
    """Whether the leak audit passed, in a sentence."""
    if not comparison.splits:
        return "No leak audit was made."
    if findings.passed_audit(comparison):
        return "The leak audit passed."
    num = sum(check.leaks for summary in comparison.splits for check in summary.audit.checks)
    return f"The leak audit failed with {words.count(num, 'leaks')}: no figure of this report can be trusted."


def models(comparison: Comparison) -> str:
    """How to read the table of models."""
    intro = "Means over test users, each above its 95 % bootstrap interval; all items are ranked."
    if len(comparison.results) < 2:
        return intro
    return f"{intro} ★ is the best of a column, ≈ not distinguishable from it."


def beyond() -> str:
    """How to read the table of metrics beyond accuracy."""
    return "Properties of lists besides accuracy; higher is not always better, so no value is marked."


def meanings(comparison: Comparison, kind: Kind = "beyond_accuracy") -> str:
    """Descriptions of the comparison's metrics of a kind."""
    names = {findings.family(metric) for metric in findings.list_metrics(comparison)}
    known = [f"{each.label}: {each.description}" for each in metrics_of(kind) if each.name in names]
    return "; ".join(known) + "." if known else ""


def differences(comparison: Comparison) -> str:
    """How to read differences."""
    return (
        f"Each model minus {comparison.baseline} over the same users, with 95 % interval. d is the mean difference in "
        "standard deviations; p has Holm's correction over all differences in a metric, including those to the best "
        "model; the verdict is “not significant” above 0.05."
    )


def curves() -> str:
    """How to read the curves."""
    return "Quality against the length k of the list; markers are at the values of k of the tables."


def cost(comparison: Comparison) -> str:
    """How to read the figures of quality against seconds."""
    several = any(len(result.rounds) > 1 for result in comparison.results)
    return (
        "Quality against seconds on a logarithmic axis"
        + (", means over rounds" if several else "")
        + "; up and to the left is better. Seconds and memory differ "
        f"between runs with the same seed, all other results are equal. {FAR}"
    )


def trade() -> str:
    """How to read the scatters of accuracy against other metrics."""
    return f"Accuracy (y axis) against other properties of lists (x axis); lines are 95 % intervals of accuracy. {FAR}"


def groups() -> str:
    """How to read the groups."""
    return (
        "Quality by the activity of users, by the popularity of test items, and by whether users and test items have "
        "training interactions (warm) or not (cold)."
    )


def learning(comparison: Comparison) -> str:
    """How to read the learning curves, or a sentence that no model has one."""
    if any(result.learning for result in comparison.results):
        return "The mean loss of each epoch; losses of different models are not comparable."
    return "None of these models learns in epochs, so there are no learning curves."


def split(comparison: Comparison, figures: bool = True) -> str:
    """What the split does, and how to read its figure."""
    names = list(dict.fromkeys(summary.record.spec.partition("(")[0] for summary in comparison.splits))
    known = " ".join(SPLITS.get(name, f"The split is {name}.") for name in names)
    if not figures:
        return known
    if any(summary.timeline for summary in comparison.splits):
        return f"{known} Bars show the number of interactions of each part over time."
    return f"{known} The interactions have no times; the bar shows the shares of the parts."


def examples(comparison: Comparison) -> str:
    """How to read the examples, with the numbers of users with and without a hit."""
    hits = {example.user: any(shown.hit for shown in example.shown) for example in comparison.examples}
    return (
        "Test users with their history, their test items and their recommendations, "
        f"{words.count(sum(hits.values()))} with a test item among the recommendations and "
        f"{words.count(len(hits) - sum(hits.values()))} without one. Reasons are the paths of the graph that "
        "contribute most to a score, with their share of it."
    )


def example(user: ExampleUser) -> str:
    """The number of hits among the recommendations of one model for one user."""
    hits = sum(shown.hit for shown in user.shown)
    return f"{user.model}: {hits} of {words.count(len(user.shown), 'items')} are in the test part"


def repeat(comparison: Comparison) -> str:
    """The introduction of the command that repeats a comparison."""
    setup = comparison.setup
    seeds = f"{'seed' if len(setup.seeds) == 1 else 'seeds'} {join_words(list(map(str, setup.seeds)))}"
    return (
        f"The command below with {seeds} and {words.count(setup.num_trials, 'trials')} for each model; settings are "
        "selected on validation, the model is fitted again to train and validation, and test is used once."
    )


def test_users(num_warm: int, num_cold: int) -> str:
    """The numbers of test users, with and without training interactions."""
    if not num_warm:
        return f"{words.count(num_cold, 'test users')} without training interactions"
    more = f", and {num_cold:,} more without training interactions" if num_cold else ""
    return f"{words.count(num_warm, 'test users')}{more}"
