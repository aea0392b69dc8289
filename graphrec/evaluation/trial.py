"""One model on one split with one seed: tuned on validation, fitted to train and validation, tested once."""

import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from graphrec.arguments import count
from graphrec.evaluation.beyond_accuracy import beyond_accuracy
from graphrec.evaluation.environment import peak_mib
from graphrec.evaluation.example_users import pick_examples
from graphrec.evaluation.metrics import PerUser, per_user
from graphrec.evaluation.preparation import PreparedSplit
from graphrec.evaluation.protocol import rank_test_users, validation_measure, warm_users
from graphrec.evaluation.result import Cost, Epoch, ExampleUser, TrialResult
from graphrec.evaluation.significance import PooledValues
from graphrec.evaluation.slices import recall_by_item_warmth, recall_by_popularity
from graphrec.hetero import HeteroGraph
from graphrec.interactions import join
from graphrec.models import make, model_class, settings_for
from graphrec.progress import Progress, StageProgress, stage_progress
from graphrec.ranking.memory import MEMORY_BUDGET
from graphrec.splitting import Split
from graphrec.train_view import restrict
from graphrec.tuning import Tuning, TuningBudget, Validation, choose

#: Cut-offs of the curves over k, used up to the length of the lists.
CURVE = (1, 2, 3, 5, 10, 20, 30, 50, 100)


@dataclass(frozen=True)
class Contender:
    """A model in a comparison: tuned if `settings` is None, else with these settings, which `origin` names (a run)."""

    model: str
    settings: Mapping[str, Any] | None = None
    origin: str = "tuned"

    @property
    def name(self) -> str:
        """Its name in tables."""
        return self.model if self.settings is None else self.origin


@dataclass(frozen=True)
class EvaluationConfig:
    """How models are compared.

    split: a text such as `time(test=0.2)`; "" for `default_split`.
    ks: cut-offs; models are ordered and compared by NDCG at the first of them.
    seeds: every model is tuned, fitted and tested once per split and seed.
    effort: the tuning budget; with `TuningBudget.budget` every model tries the same number of configs.
    baseline: the contender that all others are compared with; the first one if it does not take part.
    num_examples: users whose lists are shown with reasons.
    memory_budget: bytes for scores in memory at once.
    repeats: whether items that users had are ranked and count as test items, such as goods that are bought again.

    Raises DataError if a cut-off is not an integer from 1 on.
    """

    split: str = ""
    ks: tuple[int, ...] = (10, 20)
    seeds: tuple[int, ...] = (0,)
    effort: TuningBudget = TuningBudget(budget=20)
    baseline: str = "popularity"
    num_examples: int = 3
    memory_budget: int = MEMORY_BUDGET
    repeats: bool = False

    def __post_init__(self) -> None:
        for k in self.ks:
            count(k, "a cut-off k")

    @property
    def headline(self) -> str:
        """The metric that models are ordered and compared by."""
        return f"ndcg@{self.ks[0]}"

    @property
    def grid(self) -> tuple[int, ...]:
        """All cut-offs that are measured: those of the tables and those of the curves."""
        return tuple(sorted({*self.ks, *(k for k in CURVE if k <= max(self.ks))}))


@dataclass(frozen=True, eq=False)
class MeasuredTrial:
    """A TrialResult with the values per user behind it.

    values: of all test users.
    warm: which of them [num_users] have training interactions.
    scalars: metrics over all lists together by `metric@k`, of warm users (of cold ones if no user is warm).
    popularity: recall per user of test items in the head, the middle and the tail.
    item_warmth: recall per user of test items with and without training interactions; empty if none is without.
    """

    result: TrialResult
    values: PooledValues
    warm: npt.NDArray[np.bool_]
    scalars: Mapping[str, float]
    popularity: Mapping[str, PerUser]
    item_warmth: Mapping[str, PerUser]
    learning: tuple[Epoch, ...]
    examples: tuple[ExampleUser, ...]

    def select_users(self, mask: npt.NDArray[np.bool_]) -> PooledValues:
        """The values of the users in a mask [num_users]."""
        return PooledValues(self.values.user_index[mask], {k: v[mask] for k, v in self.values.per_user.items()})


def tune(
    graph: HeteroGraph,
    parts: Split,
    name: str,
    rng: np.random.Generator,
    progress: Callable[[int, int], None] | None = None,
    effort: TuningBudget = TuningBudget(),  # frozen
    repeats: bool = False,
) -> Tuning:
    """The config of a model that is best on the validation part when fitted to the training part; with `repeats`, items
    that users had count too.

    If no user has a new item in the validation part, it is the default config, without a trial.
    """
    measured = parts.validation if parts.measured is None else parts.measured
    warm, num_cold = warm_users(parts.train, measured, repeats)
    if not len(warm) and not num_cold:
        return Tuning(asdict(model_class(name).candidates(graph)[0]), (), 0.0)
    measure = validation_measure(parts.train, measured, rng, cold=True, repeats=repeats)
    visible = restrict(graph, parts.train, parts.cut, join(parts.validation, parts.test))
    return choose(name, [Validation(visible, parts.train, {"validation": measure})], rng, progress, effort)


def run_trial(
    graph: HeteroGraph,
    prepared: PreparedSplit,
    contender: Contender,
    config: EvaluationConfig,
    seed: int,
    progress: StageProgress | None = None,
) -> MeasuredTrial:
    """The quality and the cost of one model on one split with one seed."""

    def step(stage: str) -> Progress | None:
        return None if progress is None else stage_progress(progress, stage)

    # Tune on validation, then fit to train and validation and rank for the test users.
    rng = np.random.default_rng([seed, prepared.num, zlib.crc32(contender.name.encode())])
    if contender.settings is not None:
        tuning = Tuning(settings_for(contender.model, prepared.visible, contender.settings), (), 0.0)
    else:
        searching = step(f"tune {contender.model}")
        tuning = tune(graph, prepared.parts, contender.model, rng, searching, config.effort, config.repeats)
    model = make(contender.model, config.effort.device, **tuning.config)
    train = prepared.train_validation
    started = time.perf_counter()
    model.fit(prepared.visible, train, rng, step(f"fit {contender.model}"))
    model.forget_variants()
    fitted = time.perf_counter()
    test, budget, ranking = prepared.parts.test, config.memory_budget, step(f"rank {contender.name}")
    lists = rank_test_users(model, train, test, max(config.ks), budget, ranking, config.repeats)
    cost = Cost(tuning.seconds, fitted - started, time.perf_counter() - fitted, peak_mib())

    # Values per user, and means over warm users (cold ones if no user is warm) at the cut-offs of the tables.
    counted = lists.warm if lists.warm.any() else ~lists.warm
    beyond = beyond_accuracy(lists.item_index, lists.user_index, prepared.catalogue, config.ks, counted)
    values = {**per_user(lists.item_index, lists.test, config.grid), **beyond.per_user}
    means = {
        name: float(np.nanmean(value[counted])) for name, value in values.items() if np.isfinite(value[counted]).any()
    }
    metrics = {k: v for k, v in {**means, **beyond.scalars}.items() if int(k.split("@")[1]) in config.ks}

    examples: tuple[ExampleUser, ...] = ()
    if prepared.num == 0 and seed == config.seeds[0]:
        examples = pick_examples(model, prepared, lists, contender.name, config.num_examples)
    losses = getattr(model, "losses", ())
    return MeasuredTrial(
        TrialResult(prepared.num, seed, model.config.__dict__, tuning.trials, metrics, cost),
        PooledValues(lists.user_index, values),
        lists.warm,
        beyond.scalars,
        recall_by_popularity(lists.item_index, lists.test, train.item_degree(), config.ks[:1]),
        recall_by_item_warmth(lists.item_index, lists.test, train.item_degree(), config.ks[:1]),
        tuple(Epoch(number, loss) for number, loss in enumerate(losses, start=1)),
        examples,
    )
