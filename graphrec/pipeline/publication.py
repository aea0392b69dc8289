"""Publish a run: a list for every user, under the rules if there are any, as edges that become active at once."""

from dataclasses import dataclass, replace
from pathlib import Path

from graphrec import publishing
from graphrec.arguments import LATEST, count
from graphrec.config import Settings
from graphrec.errors import RefusedError, UnknownNameError
from graphrec.explanation import with_reasons
from graphrec.ingest import writing
from graphrec.pipeline.config import PublishConfig
from graphrec.progress import Progress, StageProgress, silent, stage_progress
from graphrec.publishing import Publication, PublishResult, publish
from graphrec.publishing.run_list import list_runs
from graphrec.ranking.similar_items import find_similar_items
from graphrec.ranking.topk import recommend
from graphrec.reranking import RerankedLists, RerankingRules, Trace, read_rules
from graphrec.reranking.batch import rerank_all_users
from graphrec.runs import Run, TrainedRun, list_saved
from graphrec.store import Store
from graphrec.store.connection import Fence


def require_publishable(run: Run, force: bool = False) -> None:
    """Raise RefusedError unless the run beats the baselines, was measured and passed the audit, or `force` is set."""
    if run.objections and not force:
        raise RefusedError(f"run {run.id} is not published: {run.advice}")


def publish_run(
    store: Store,
    trained: TrainedRun,
    k: int,
    home: Path,
    progress: StageProgress = silent,
    config: PublishConfig = PublishConfig(),  # frozen
    fence: Fence | None = None,
) -> PublishResult:
    """Write the k best items of every user of a run as RECOMMENDED edges, which replace those of earlier runs.

    A fence, if given, guards the write that makes the run active.

    Raises:
        RefusedError: the run does not beat the baselines, its evaluation leaked, or it was not measured.
        DataError: the graph has lost users or items of the run, an option is invalid, or a rule uses a name that is not
            in the graph.
        GraphrecError: similar items or vectors are requested of a model that has none.
        StoreError: the database refuses.
    """
    k, num_similar = count(k), count(config.similar, "similar", least=0)
    require_publishable(trained.run, config.force)
    vectors = trained.model.embeddings() if config.embeddings else None
    similar = None
    if num_similar:
        stage = stage_progress(progress, "finding similar items")
        similar = find_similar_items(trained, num_similar, config.memory_budget, stage)
    reranked = _recommend(store, trained, k, config, stage_progress(progress, "ranking"))
    recommendations = reranked.recommendations
    if config.reasons:
        recommendations = with_reasons(trained, recommendations, stage_progress(progress, "finding reasons"))
    publication = Publication(trained.run, recommendations, trained.users, trained.items, similar, vectors, k)
    with writing(store, home, f"publication of {trained.run.id}", progress=progress) as locked:
        return replace(publish(locked, publication, config.keep, progress, fence), ruled=reranked.trace.counts)


def _recommend(store: Store, trained: TrainedRun, k: int, config: PublishConfig, progress: Progress) -> RerankedLists:
    """The k best items of every user, reranked by the rules if there are any, and what these did."""
    rules = config.rules if isinstance(config.rules, RerankingRules | None) else read_rules(Path(config.rules))
    if rules is None:
        return RerankedLists(recommend(trained, k=k, memory_budget=config.memory_budget, progress=progress), Trace())
    return rerank_all_users(store, trained, rules, k, config.memory_budget, progress)


@dataclass(frozen=True)
class Rollback:
    """The run whose recommendations are read after a rollback, and the one that they replace."""

    run: str
    instead_of: str


def roll_back(
    store: Store,
    settings: Settings,
    run: str | None = None,
    progress: StageProgress = silent,
    fence: Fence | None = None,
) -> Rollback:
    """Make an earlier run the active one, by default the previous one; a fence, if given, guards that write.

    Raises UnknownNameError or DataError if there is no such run to return to.
    """
    if run is not None and run != LATEST:
        known = [each.run for each in list_runs(publishing.read_versions(store), list_saved(settings.runs))]
        if not any(each.startswith(run) for each in known):
            raise UnknownNameError("run", run, known)
    with writing(store, settings.home, "rollback", progress=progress) as locked:
        previous, active = publishing.roll_back(locked, run, fence)
    return Rollback(active.id, previous.id)
