"""The stages after export, as functions: train a model on a graph, publish a run."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from graphrec.arguments import count, name_of_run
from graphrec.errors import DataError, RefusedError, first_few
from graphrec.evaluation.default_split import LEAST_PAIRS, default_split, require_pairs, require_test_users
from graphrec.evaluation.gate import judge
from graphrec.evaluation.preparation import Aliases, PreparedSplit, divide, prepare
from graphrec.evaluation.protocol import Evaluation, evaluate
from graphrec.evaluation.trial import tune
from graphrec.explanation import with_reasons
from graphrec.hetero import HeteroGraph, interactions
from graphrec.ingest import writing
from graphrec.interactions import Interactions
from graphrec.models import make, model_class
from graphrec.models.base import Model
from graphrec.models.base import Progress as Step
from graphrec.models.ensemble.members import write_members
from graphrec.publishing import KEEP, Publication, Published, publish
from graphrec.ranking.memory import MEMORY_BUDGET
from graphrec.ranking.similar_items import find_similar_items
from graphrec.ranking.topk import recommend
from graphrec.relations import origins
from graphrec.reranking import RerankedLists, RerankingRules, Trace
from graphrec.reranking.batch import rerank_all_users
from graphrec.runs import Run, TrainedRun, describe
from graphrec.splitting import Split, parse_split, record
from graphrec.store import Store
from graphrec.store.read import Progress, silent
from graphrec.training.checkpoints import Checkpoints
from graphrec.tuning import Tuning, TuningBudget
from graphrec.tuning.study import fingerprint


@dataclass(frozen=True)
class TrainConfig:
    """How a model is trained.

    settings: kept as they are, and then nothing is tuned; without any (None) they are chosen on validation.
    split: how interactions are divided for that, and for metrics; None: what `default_split` gives.
    measured: whether a fit without the test part gives metrics.
    effort: how settings are looked for, and on which device all is done.
    checkpoint: a file that a trained model writes its progress to and goes on from.
    aliases: numbers of nodes by label, the same for one person or thing, so that copies of test interactions are found.
    """

    settings: Mapping[str, object] | None = None
    split: str | None = None
    measured: bool = True
    effort: TuningBudget = TuningBudget()  # frozen
    checkpoint: Path | None = None
    aliases: Aliases | None = None


def train(
    graph: HeteroGraph,
    name: str,
    rng: np.random.Generator,
    how: TrainConfig = TrainConfig(),  # frozen
    progress: Progress = silent,
) -> TrainedRun:
    """A model fitted to all interactions of a graph, ready to be saved; its metrics come from a fit without test.

    Raises:
        UnknownNameError: there is no such model, setting or split.
        DataError: there are no interactions, a setting is impossible, or there is too little to measure.
    """
    settings, device = how.settings, how.effort.device
    make(name, device, **(settings or {}))  # a wrong name or setting is found before any work
    everything = interactions(graph)
    if not len(everything):
        raise DataError(f"the graph has no {graph.target[1]} edges, so there is nothing to learn from; load some first")
    seed = int(rng.integers(1 << 62))
    config: Mapping[str, object] = settings or {}
    verdict, split = None, None
    metrics: Mapping[str, float] = {}
    kind = model_class(name)
    chooses = settings is None and (len(kind.candidates(graph)) > 1 or bool(kind.space(graph)))
    if chooses and not how.measured and everything.matrix().nnz < LEAST_PAIRS:
        config, chooses = asdict(kind.candidates(graph)[0]), False
    if chooses or how.measured:
        require_pairs(everything)
        spec = how.split or default_split(everything)
        parts = _one(divide(graph, spec, rng), spec)
        if how.measured:
            require_test_users(parts, spec)
        if chooses:
            config = tune(graph, parts, name, rng, _named(progress, "tune"), how.effort).config
        if how.measured:
            prepared, again = prepare(graph, parts, spec, aliases=how.aliases), np.random.default_rng(seed)
            found = measure(prepared, make(name, device, **config), again, _named(progress, "measure"))
            metrics, split = found.metrics, record(parts, parse_split(spec))
            verdict = judge(graph, prepared, name, found, seed)
    model = make(name, device, **config)
    if how.checkpoint is not None:
        model.keep_checkpoints(Checkpoints(how.checkpoint))
    started = time.perf_counter()
    model.fit(graph, everything, np.random.default_rng(seed), _named(progress, "fit"))
    model.forget_variants()
    run = describe(name, model, graph.target, metrics, time.perf_counter() - started)
    run = replace(run, verdict=verdict, split=split, sources=graph.sources)
    return TrainedRun(run, model, graph.users, graph.items, _pairs(everything), origins(graph))


#: Trials of a search for the settings of a model whose fits take long, unless the caller says otherwise.
TRIALS = 20


@dataclass(frozen=True)
class TuneConfig:
    """What settings are searched on: a split (None: what `default_split` gives), made with a seed."""

    split: str | None = None
    seed: int = 0


def search(
    graph: HeteroGraph,
    name: str,
    place: TuneConfig = TuneConfig(),  # frozen
    effort: TuningBudget = TuningBudget(),  # frozen
    progress: Progress = silent,
) -> Tuning:
    """The settings of a model that are best on the validation part of a split; the test part is not touched.

    Raises:
        UnknownNameError: there is no such model or split.
        DataError: there is nothing to choose or to measure, or the study is of another search.
    """
    kind = model_class(name)
    if len(kind.candidates(graph)) == 1 and not kind.space(graph):
        raise DataError(f"{name} has nothing to choose: no setting of it is searched; train it as it is")
    rng = np.random.default_rng(place.seed)
    require_pairs(interactions(graph))
    spec = place.split or default_split(interactions(graph))
    tuning = tune(graph, _one(divide(graph, spec, rng), spec), name, rng, _named(progress, f"tune {name}"), effort)
    if not tuning.trials:
        raise DataError(
            f"split {spec} has nothing to choose settings by: no user meets anything new in its validation part; load "
            f"more behaviour, or train {name} with the settings that it has"
        )
    return tuning


def study_path(folder: Path, graph: HeteroGraph, name: str, place: TuneConfig = TuneConfig()) -> Path:  # frozen
    """The file in a folder that keeps the search for a model's settings on these data and this split."""
    digest = fingerprint(name, graph, interactions(graph), place.split or "", place.seed)
    return folder / f"{name}-{digest[:8]}.journal"


def blended(saved: Sequence[Run], names: Sequence[Run | str]) -> list[Run]:
    """The runs that a blend is made from, by their names as in `runs.find`; `saved` has the oldest first.

    Raises:
        UnknownNameError: there is no such run.
        DataError: there are fewer than two, one stands twice, is a blend, or they predict different behaviours.
    """
    by_id = {run.id: run for run in saved}
    newest = [run.id for run in reversed(saved)]
    texts = [name.id if isinstance(name, Run) else name for name in names]
    ids = [name_of_run(text, newest, hint="`graphrec train` makes one") for text in texts]
    if len(set(ids)) < 2 or len(set(ids)) < len(ids):
        raise DataError(f"a blend needs two or more different runs, not {first_few(ids)}; name others")
    chosen = [by_id[id_] for id_ in ids]
    blends = [run.id for run in chosen if run.model == "ensemble"]
    if blends:
        raise DataError(f"{first_few(blends)} is a blend already; name the runs that it was made from")
    targets = {run.target: " ".join(run.target) for run in chosen}
    if len(targets) > 1:
        raise DataError(f"the runs predict different behaviours ({first_few(targets.values())}); blend runs of one")
    return chosen


def members(chosen: Sequence[Run]) -> dict[str, object]:
    """The setting of an ensemble that says which models with which settings are in it."""
    return {"members": write_members((run.model, run.config) for run in chosen)}


def _one(parts: tuple[Split, ...], spec: str) -> Split:
    if len(parts) > 1:
        raise DataError(f"{spec} makes {len(parts)} splits, and one is needed here; `graphrec evaluate` takes them all")
    return parts[0]


def measure(
    prepared: PreparedSplit, model: Model[Any], rng: np.random.Generator, progress: Step | None = None
) -> Evaluation:
    """The quality on test of a model that is fitted here to train and validation."""
    model.fit(prepared.visible, prepared.known, rng, progress)
    model.forget_variants()
    return evaluate(model, prepared.known, prepared.parts.test)


@dataclass(frozen=True)
class PublishConfig:
    """How a run is published.

    memory_budget: bytes for scores at one time.
    force: whether it is published without a good verdict.
    keep: how many earlier runs stay to go back to.
    similar: how many similar items of each item are published; 0: none, and those that are published stay.
    embeddings: whether the model's vectors are written on users and items.
    reasons: whether each edge says which node speaks most for it.
    rules: what may be recommended, and what counts more; None: everything, as the model has it.
    """

    memory_budget: int = MEMORY_BUDGET
    force: bool = False
    keep: int = KEEP
    similar: int = 0
    embeddings: bool = False
    reasons: bool = False
    rules: RerankingRules | None = None


def require_worth(run: Run, force: bool = False) -> None:
    """Raise RefusedError if a run does not beat the baselines, its evaluation leaked, or it was not measured."""
    if run.objections and not force:
        raise RefusedError(
            f"run {run.id} is not published: {'; '.join(run.objections)}. What helps: {', or '.join(run.remedies)}"
        )


def _named(progress: Progress, what: str) -> Step:
    return lambda done, total: progress(what, done, total)


def _pairs(everything: Interactions) -> Interactions:
    """Each pair once, without weight and time."""
    matrix = everything.matrix()
    users = np.repeat(np.arange(everything.num_users, dtype=np.int64), np.diff(matrix.indptr))
    return Interactions(users, matrix.indices.astype(np.int64), everything.num_users, everything.num_items)


def publish_run(
    store: Store,
    trained: TrainedRun,
    k: int,
    home: Path,
    progress: Progress = silent,
    terms: PublishConfig = PublishConfig(),  # frozen
) -> Published:
    """The k best items of every user of a run as RECOMMENDED edges, in the place of those of earlier runs.

    Raises:
        RefusedError: the run does not beat the baselines, its evaluation leaked, or it was not measured.
        DataError: the graph has lost users or items of the run, the terms are impossible, or a rule asks for what is
            not in the graph.
        GraphrecError: similar items or vectors are asked of a model that has none.
        StoreError: the database refuses.
    """
    k, similar_k = count(k), count(terms.similar, "similar", least=0)
    require_worth(trained.run, terms.force)
    budget = terms.memory_budget
    vectors = trained.model.embeddings() if terms.embeddings else None
    similar = None
    if similar_k:
        similar = find_similar_items(trained, similar_k, budget, _named(progress, "finding similar items"))
    applied = _recommended(store, trained, k, terms, progress)
    found = applied.recommendations
    if terms.reasons:
        found = with_reasons(trained, found, _named(progress, "finding reasons"))
    publication = Publication(trained.run, found, trained.users, trained.items, similar, vectors, k)
    with writing(store, home, f"publication of {trained.run.id}", progress=progress) as held:
        return replace(publish(held, publication, terms.keep, progress), ruled=applied.trace.counts)


def _recommended(store: Store, trained: TrainedRun, k: int, terms: PublishConfig, progress: Progress) -> RerankedLists:
    """The k best items of every user, under the rules if there are any, and what these did."""
    told = _named(progress, "ranking")
    if terms.rules is None:
        return RerankedLists(recommend(trained, k=k, memory_budget=terms.memory_budget, progress=told), Trace())
    return rerank_all_users(store, trained, terms.rules, k, terms.memory_budget, told)
