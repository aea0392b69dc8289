"""One model on one split with one seed: tuned on validation, fitted to train and validation, tested once."""

import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from graphrec.arguments import count
from graphrec.evaluation.beyond_accuracy import beyond_accuracy
from graphrec.evaluation.environment import peak_mib
from graphrec.evaluation.example_users import examples
from graphrec.evaluation.metrics import PerUser, per_user
from graphrec.evaluation.preparation import PreparedSplit
from graphrec.evaluation.protocol import RankedLists, ranked_lists, validation_measure, warm_users
from graphrec.evaluation.result import Cost, Epoch, Example, TrialResult
from graphrec.evaluation.significance import Pooled
from graphrec.evaluation.slices import by_popularity
from graphrec.hetero import HeteroGraph
from graphrec.interactions import join
from graphrec.models import make, model_class
from graphrec.models.base import Model
from graphrec.ranking.memory import MEMORY_BUDGET
from graphrec.splitting import Split
from graphrec.train_view import restrict
from graphrec.tuning import Tuning, TuningBudget, choose

#: Cut-offs of the curves over k, as far as lists are long.
CURVE = (1, 2, 3, 5, 10, 20, 30, 50, 100)

#: Called with what is being done, steps done and steps in all.
Steps = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Contender:
    """A model that takes part: tuned, or with the settings of a run (`origin` then names it)."""

    model: str
    settings: Mapping[str, Any] | None = None
    origin: str = "tuned"

    @property
    def name(self) -> str:
        """How it is called in tables."""
        return self.model if self.settings is None else self.origin


@dataclass(frozen=True)
class EvaluationConfig:
    """How models are compared.

    split: a text such as `time(test=0.2)`; "": what `default_split` gives.
    ks: cut-offs; models are compared by NDCG at the first of them.
    seeds: one round for each of them on each split.
    effort: how settings are looked for; with a budget every model tries as many.
    baseline: what all others are compared with, where it takes part.
    num_examples: users whose lists are shown with reasons.
    memory_budget: bytes for scores at one time.

    Raises DataError if a cut-off is no integer from 1 on.
    """

    split: str = ""
    ks: tuple[int, ...] = (10, 20)
    seeds: tuple[int, ...] = (0,)
    effort: TuningBudget = TuningBudget(budget=20)
    baseline: str = "popularity"
    num_examples: int = 3
    memory_budget: int = MEMORY_BUDGET

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
class MeasuredRound:
    """A round with the values of its users.

    values: of all test users; warm: who of them is; scalars: what is a number for all measured users together, by
    `metric@k` (for the warm ones, or for cold ones where there are no others);
    popularity: recall of test items in the head, the middle and the tail.
    """

    round: TrialResult
    values: Pooled
    warm: npt.NDArray[np.bool_]
    scalars: Mapping[str, float]
    popularity: Mapping[str, PerUser]
    learning: tuple[Epoch, ...] = ()
    examples: tuple[Example, ...] = field(default=())

    def part(self, chosen: npt.NDArray[np.bool_]) -> Pooled:
        """The values of some of the users."""
        return Pooled(self.values.user_index[chosen], {k: v[chosen] for k, v in self.values.per_user.items()})


def tune(
    graph: HeteroGraph,
    parts: Split,
    name: str,
    rng: np.random.Generator,
    progress: Callable[[int, int], None] | None = None,
    effort: TuningBudget = TuningBudget(),  # frozen
) -> Tuning:
    """The config of a model that is best on the validation part, fitted to what lies before it; its default config,
    without a trial, if the validation part has nothing new for anybody."""
    warm, num_cold = warm_users(parts.train, parts.validation)
    if not len(warm) and not num_cold:
        return Tuning(asdict(model_class(name).candidates(graph)[0]), (), 0.0)
    measure = validation_measure(parts.train, parts.validation, rng, cold=True)
    visible = restrict(graph, parts.train, parts.cut, join(parts.validation, parts.test))
    return choose(name, visible, parts.train, measure, rng, progress, effort)


def measure_round(
    graph: HeteroGraph,
    prepared: PreparedSplit,
    entry: Contender,
    terms: EvaluationConfig,
    seed: int,
    progress: Steps | None = None,
) -> MeasuredRound:
    """The quality and the cost of one model on one split with one seed."""
    rng = np.random.default_rng([seed, prepared.num, zlib.crc32(entry.name.encode())])
    tuning = Tuning(entry.settings or {}, (), 0.0)
    if entry.settings is None:
        tuning = tune(graph, prepared.parts, entry.model, rng, _named(progress, f"tune {entry.model}"), terms.effort)
    model = make(entry.model, terms.effort.device, **tuning.config)
    began = time.perf_counter()
    model.fit(prepared.visible, prepared.known, rng, _named(progress, f"fit {entry.model}"))
    model.forget_variants()
    fitted = time.perf_counter()
    told = _named(progress, f"rank {entry.name}")
    lists = ranked_lists(model, prepared.known, prepared.parts.test, max(terms.ks), terms.memory_budget, told)
    seconds = (tuning.seconds, fitted - began, time.perf_counter() - fitted)
    return _measured(prepared, entry, terms, _Fitted(model, tuning, lists, seconds, seed))


@dataclass(frozen=True, eq=False)
class _Fitted:
    model: Model[Any]
    tuning: Tuning
    lists: RankedLists
    seconds: tuple[float, float, float]
    seed: int


def _measured(prepared: PreparedSplit, entry: Contender, terms: EvaluationConfig, fitted: _Fitted) -> MeasuredRound:
    lists, tuning = fitted.lists, fitted.tuning
    accuracy = per_user(lists.item_index, lists.wanted, terms.grid)
    measured = lists.warm if lists.warm.any() else ~lists.warm
    beyond = beyond_accuracy(lists.item_index, lists.user_index, prepared.catalogue, terms.ks, measured)
    values = {**accuracy, **beyond.per_user}
    means = {name: float(np.nanmean(value[measured])) for name, value in values.items() if _any(value[measured])}
    shown = {name: value for name, value in {**means, **beyond.scalars}.items() if int(name.split("@")[1]) in terms.ks}
    cost = Cost(*fitted.seconds, peak_mib())
    first = prepared.num == 0 and fitted.seed == terms.seeds[0]
    losses = getattr(fitted.model, "losses", ())
    return MeasuredRound(
        TrialResult(prepared.num, fitted.seed, fitted.model.config.__dict__, tuning.trials, shown, cost),
        Pooled(lists.user_index, values),
        lists.warm,
        beyond.scalars,
        by_popularity(lists.item_index, lists.wanted, prepared.known.item_degree(), terms.ks[:1]),
        tuple(Epoch(number, loss) for number, loss in enumerate(losses, start=1)),
        examples(fitted.model, prepared, lists, entry.name, terms.num_examples) if first else (),
    )


def _any(values: npt.NDArray[np.float64]) -> bool:
    return bool(np.isfinite(values).any())


def _named(progress: Steps | None, what: str) -> Callable[[int, int], None] | None:
    return None if progress is None else lambda done, total: progress(what, done, total)
