"""What a comparison found: models on test with intervals and costs, and what they were measured on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphrec.evaluation.audit import Audit
from graphrec.splitting import SplitRecord
from graphrec.tuning.trial import Trial


@dataclass(frozen=True)
class Estimate:
    """A mean over users with its 95 % interval by the bootstrap; the bounds are None where a value is no such mean."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Group:
    """The quality on a part of the users, or of what they are to find.

    kind: `user activity`, `item popularity` or `warmth`; name: such as `1 to 5 interactions`; metrics: by `metric@k`.
    """

    kind: str
    name: str
    num_users: int
    metrics: Mapping[str, Estimate]


@dataclass(frozen=True)
class Epoch:
    """One point of a learning curve: the mean loss of an epoch (counted from 1)."""

    number: int
    loss: float


@dataclass(frozen=True)
class Cost:
    """Seconds of choosing settings, of the fit, and of ranking all test users; memory of the process at most, MiB.

    The only part of a comparison that another run with the same seed does not repeat.
    """

    tune: float
    fit: float
    recommend: float
    peak_mib: int


@dataclass(frozen=True)
class TrialResult:
    """One model on one split with one seed: the number of the split (from 0), the seed, what was chosen and found."""

    split: int
    seed: int
    config: Mapping[str, Any]  # int, float, str or bool, as the model's config has it
    trials: tuple[Trial, ...]
    metrics: Mapping[str, float]
    cost: Cost


@dataclass(frozen=True)
class ModelResult:
    """One entry of a comparison over all its rounds.

    name: as it stands in tables; model: its name in the registry; origin: `tuned`, or the run that the settings are of.
    metrics: by `metric@k`, over all users of all rounds.
    curve: `recall` and `ndcg` as pairs (k, value), k up to the largest that was asked for.
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
    """`first` minus `second` in one metric, over the same users.

    effect: Cohen's d of paired differences, mean / standard deviation; p: of the bootstrap, two-sided; p_holm: the same
    after Holm's correction over all differences of a comparison in that metric; verdict: better, worse, or not told
    apart (p_holm above 0.05).
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
    """How many interactions of each part lie between two times (Unix seconds, the end excluded)."""

    start: int
    end: int
    train: int
    validation: int
    test: int


@dataclass(frozen=True)
class Division:
    """One split: its number (from 0) and the seed that it was made with, its record, what the audit of it found, where
    interactions lie in time (none where they have no times), and how many test users there are, warm and cold."""

    num: int
    seed: int
    record: SplitRecord
    audit: Audit
    timeline: tuple[Bin, ...]
    num_warm: int
    num_cold: int


@dataclass(frozen=True)
class DataSummary:
    """What was measured on: the behaviour, sizes, first and last time (Unix seconds, None without times), edges by
    relationship type, and quartiles (minimum, quartiles, maximum) of the interactions of a user and of an item."""

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
class Reason:
    """A path from a user to an item as alternating nodes and relations, such as (`Ann`, `LISTENED`, `Abba`, …), its
    share of all that speaks for the item, of 1, and which of the steps are items: another node may have the same id."""

    steps: tuple[str, ...]
    share: float
    items: tuple[int, ...]


@dataclass(frozen=True)
class Shown:
    """A recommended item: its id, whether it is in the test part, and why it is there (nothing where a model has no
    exact reasons)."""

    item: str
    hit: bool
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Example:
    """A user of the test part with what it had, what it was to find (of both the first few, and how many there are),
    and what one model gave it."""

    user: str
    model: str
    history: tuple[str, ...]
    wanted: tuple[str, ...]
    shown: tuple[Shown, ...]
    num_history: int
    num_wanted: int


@dataclass(frozen=True)
class Setup:
    """What a reader needs to repeat a comparison: the command, seeds, trials of each model, versions and machine."""

    command: str
    seeds: tuple[int, ...]
    num_trials: int
    versions: Mapping[str, str]
    machine: str


@dataclass(frozen=True)
class Comparison:
    """The results of all models in the order asked for, and what they were measured on.

    headline: the metric that models are ordered and compared by; baseline: what all others are compared with;
    divisions: each split once, those of further seeds where they differ; num_users: those that means are over, each
    once however many splits have them.
    """

    headline: str
    baseline: str
    ks: tuple[int, ...]
    data: DataSummary
    divisions: tuple[Division, ...]
    num_users: int
    results: tuple[ModelResult, ...]
    differences: tuple[Difference, ...]
    examples: tuple[Example, ...]
    setup: Setup
    titles: Mapping[str, str]  # of items by id, where the graph has any
