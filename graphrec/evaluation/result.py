"""Results of a comparison of models: metrics on test with intervals, costs, and the data they were measured on.

The fields are also the keys of the JSON report.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphrec.evaluation.audit import Audit
from graphrec.splitting import SplitRecord
from graphrec.tuning.trial import Trial


@dataclass(frozen=True)
class Estimate:
    """A mean over users with its 95 % bootstrap interval; the bounds are None for a value that has no interval."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Group:
    """Metrics on a subset of the test users or of their test items.

    kind: `user activity`, `item popularity`, `item warmth`, `warmth` (of users) or `all users`, warm and cold.
    name: such as `1 to 5 interactions`.
    metrics: by `metric@k`.
    """

    kind: str
    name: str
    num_users: int
    metrics: Mapping[str, Estimate]


@dataclass(frozen=True)
class Epoch:
    """One point of a learning curve: the number of the epoch (from 1) and its mean loss."""

    number: int
    loss: float


@dataclass(frozen=True)
class Cost:
    """Seconds of tuning, fitting and ranking for all test users, and the peak memory of the process in MiB.

    The only part of a comparison that differs between two runs with the same seed.
    """

    tune: float
    fit: float
    recommend: float
    peak_mib: int


@dataclass(frozen=True)
class TrialResult:
    """One model on one split with one seed.

    split: number of the split, from 0.
    config: the settings used.
    trials: the trials of tuning, measured on validation.
    metrics: means over test users by `metric@k`.
    """

    split: int
    seed: int
    config: Mapping[str, Any]  # int, float, str or bool, as the model's config has it
    trials: tuple[Trial, ...]
    metrics: Mapping[str, float]
    cost: Cost


@dataclass(frozen=True)
class ModelResult:
    """One contender of a comparison over all its trials.

    name: its name in tables.
    model: its name in the model registry.
    origin: `tuned`, or the id of the run whose settings it has.
    metrics: by `metric@k`, over all users of all trials.
    curve: `recall` and `ndcg` as pairs (k, value), k up to the largest requested cut-off.
    rounds: one TrialResult per split and seed.
    """

    name: str
    model: str
    origin: str
    metrics: Mapping[str, Estimate]
    curve: Mapping[str, tuple[tuple[int, float], ...]]
    groups: tuple[Group, ...]
    learning: tuple[Epoch, ...]
    rounds: tuple[TrialResult, ...]


@dataclass(frozen=True)
class Difference:
    """`first` minus `second` in one metric, paired over the same users.

    effect: Cohen's d of the paired differences, mean / standard deviation.
    p: two-sided bootstrap p-value.
    p_holm: p after Holm's correction over all differences of the comparison in that metric.
    verdict: better, worse or not significant (p_holm above 0.05).
    """

    first: str
    second: str
    metric: str
    estimate: Estimate
    effect: float
    p: float
    p_holm: float
    verdict: str


@dataclass(frozen=True)
class Bin:
    """Number of interactions of each part between two times (Unix seconds, the end excluded)."""

    start: int
    end: int
    train: int
    validation: int
    test: int


@dataclass(frozen=True)
class SplitSummary:
    """One split of the data.

    num: its number, from 0.
    seed: the seed that it was made with.
    audit: the result of the leak audit.
    timeline: histogram of the parts over time, empty for data without times.
    num_warm, num_cold: test users with and without training interactions.
    """

    num: int
    seed: int
    record: SplitRecord
    audit: Audit
    timeline: tuple[Bin, ...]
    num_warm: int
    num_cold: int


@dataclass(frozen=True)
class DataSummary:
    """The data that models were measured on.

    relation: the behaviour to predict.
    first, last: Unix seconds of the first and the last interaction, None for data without times.
    relations: number of edges by relationship type.
    user_degree, item_degree: minimum, quartiles and maximum of the interactions of a user and of an item.
    """

    relation: str
    num_users: int
    num_items: int
    num_interactions: int
    first: int | None
    last: int | None
    relations: Mapping[str, int]
    user_degree: tuple[int, ...]
    item_degree: tuple[int, ...]


@dataclass(frozen=True)
class ReasonPath:
    """A path from a user to a recommended item.

    steps: alternating nodes and relations, such as (`Ann`, `LISTENED`, `Abba`, …).
    share: of the positive part of the item's score.
    items: which of the steps are items: another node may have the same id.
    """

    steps: tuple[str, ...]
    share: float
    items: tuple[int, ...]


@dataclass(frozen=True)
class RecommendedItem:
    """A recommended item: its id, whether it is a test item, and the paths that explain it (empty for a model without
    exact explanations)."""

    item: str
    hit: bool
    reasons: tuple[ReasonPath, ...]


@dataclass(frozen=True)
class ExampleUser:
    """A test user with the first items of the history and of the test part, and the list of one model.

    wanted: test items; shown: recommended items; num_history, num_wanted: sizes before they were cut for display.
    """

    user: str
    model: str
    history: tuple[str, ...]
    wanted: tuple[str, ...]
    shown: tuple[RecommendedItem, ...]
    num_history: int
    num_wanted: int


@dataclass(frozen=True)
class Setup:
    """What is needed to repeat a comparison: the command, seeds, tuning trials per model, versions and the machine."""

    command: str
    seeds: tuple[int, ...]
    num_trials: int
    versions: Mapping[str, str]
    machine: str


@dataclass(frozen=True)
class Comparison:
    """Results of all models, in the order requested, and the data they were measured on.

    headline: the metric that models are ordered and compared by.
    baseline: the contender that all others are compared with.
    splits: each split once; those of further seeds only if they differ.
    num_users: distinct users that means are over.
    titles: titles of items by id, for the items that have one.
    """

    headline: str
    baseline: str
    ks: tuple[int, ...]
    data: DataSummary
    splits: tuple[SplitSummary, ...]
    num_users: int
    results: tuple[ModelResult, ...]
    differences: tuple[Difference, ...]
    examples: tuple[ExampleUser, ...]
    setup: Setup
    titles: Mapping[str, str]
