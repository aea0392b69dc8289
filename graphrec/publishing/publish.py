"""Publish a run: its lists replace the current ones for all readers in one atomic write.

The new lists are written next to the old ones, invisible to readers. One small write makes the run active
(`versions.activate`). Then the lists that no kept version shows are removed. A publication that is killed leaves the
old version or the new one complete, and the next publication removes the rest.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import pandas as pd

from graphrec.errors import DataError, first_few
from graphrec.models.base import Embeddings
from graphrec.progress import StageProgress, silent
from graphrec.publishing import versions
from graphrec.publishing.embeddings import write_embeddings
from graphrec.publishing.layers import LayeredLists
from graphrec.publishing.lists import RECOMMENDATIONS, SIMILAR_ITEMS, TargetLists
from graphrec.publishing.versions import Versions
from graphrec.publishing.write import ElementIds, remove_old_format, remove_withdrawals
from graphrec.ranking.topk import Recommendations
from graphrec.runs import Run
from graphrec.store import Store
from graphrec.store.connection import Fence
from graphrec.store.read import read_element_ids
from graphrec.vocabulary import Vocabulary

#: Default number of earlier versions that are kept for a rollback.
KEEP = 1


@dataclass(frozen=True, eq=False)
class Publication:
    """The part of a run that is published.

    Attributes:
        recommendations: user_id, item_id, score and rank; other columns (`because`) become properties of the edges.
        users, items: all users and items that the run knows.
        similar: item_id, similar_id, score and rank; None keeps the published similar items.
        embeddings: vectors in the order of `users` and `items`, written on the nodes; None writes no vectors.
        k: the maximum number of recommendations of a user, saved on the `Run` node; None saves no number.
    """

    run: Run
    recommendations: Recommendations
    users: Vocabulary
    items: Vocabulary
    similar: pd.DataFrame | None = None
    embeddings: Embeddings | None = None
    k: int | None = None


@dataclass(frozen=True)
class Change:
    """Numbers of lists and edges that were written and removed, of lists that stayed, and of nodes that lost their
    list (withdrawn)."""

    lists_written: int
    edges_written: int
    lists_unchanged: int
    lists_withdrawn: int
    lists_removed: int
    edges_removed: int


@dataclass(frozen=True)
class PublishResult:
    """The result of a publication.

    Attributes:
        run: the id of the version.
        users, edges: the number of users with recommendations, and of recommendations.
        recommended, similar: changes of the lists of each type.
        embeddings: the number of nodes that got a vector.
        unknown: the number of users and items of the graph that the run does not know, by label.
        kept: the versions kept for a rollback, the newest first.
        ruled: the number of items that each rule removed or moved, by its title.
        example: a user who has recommendations; empty if no user has.
    """

    run: str
    users: int
    edges: int
    recommended: Change
    similar: Change
    embeddings: int
    unknown: Mapping[str, int]
    kept: tuple[str, ...]
    ruled: Mapping[str, int] = field(default_factory=dict)
    example: str = ""


def publish(
    store: Store,
    publication: Publication,
    keep: int = KEEP,
    progress: StageProgress = silent,
    fence: Fence | None = None,
) -> PublishResult:
    """Make a run the active one and keep `keep` earlier versions, at least one, for a rollback.

    A fence, if given, guards the write that makes the run active.

    At least one is kept so that readers who began with the old version can finish. If the active version already has
    the same run and lists, nothing is written.

    Raises:
        DataError: users or items of the run are no longer in the graph, or `keep` is less than one.
        StoreError: the database refuses or goes away.
    """
    if keep < 1:
        raise DataError(
            "at least one earlier run must be kept, since readers may still be reading its lists; keep is 1 or more"
        )
    vocabularies = (publication.users, publication.items)
    nodes = {vocabulary.label: _require_nodes(store, vocabulary) for vocabulary in vocabularies}
    all_versions = versions.read_versions(store)
    layered = _compare_lists(store, publication, all_versions, nodes, progress)
    version, written = _write_version(store, publication, all_versions, layered, fence)
    kept = versions.read_versions(store).complete[: keep + 1]
    versions.mark_replaced(store, kept)
    removed = [lists.remove(kept) for lists in layered]  # including those of a killed publication
    remove_withdrawals(store, [each.id for each in kept])
    versions.delete_unfinished(store)
    if versions.has_old_format(store):
        for kind in (RECOMMENDATIONS, SIMILAR_ITEMS):
            remove_old_format(store, kind.relation)
        versions.clear_old_format(store)
    vectors = 0
    if publication.embeddings is not None:
        vectors = write_embeddings(store, vocabularies, publication.embeddings, version, progress)
    frame = publication.recommendations.frame
    recommended, similar = map(_summarise, layered, written, removed)
    return PublishResult(
        version,
        int(frame["user_id"].nunique()),
        len(frame),
        recommended,
        similar,
        vectors,
        {vocabulary.label: len(nodes[vocabulary.label]) - len(vocabulary) for vocabulary in vocabularies},
        tuple(each.id for each in kept if each.id != version),
        example="" if frame.empty else str(frame["user_id"].iloc[0]),
    )


def _summarise(lists: LayeredLists, edges: int, removed: tuple[int, int]) -> Change:
    return Change(len(lists.changed), edges, int(lists.diff.unchanged.sum()), lists.diff.num_withdrawn, *removed)


def _compare_lists(
    store: Store, publication: Publication, all_versions: Versions, nodes: ElementIds, progress: StageProgress
) -> tuple[LayeredLists, LayeredLists]:
    names = {"user_id": "source_id", "item_id": "target_id"}
    recommended = TargetLists.from_frame(RECOMMENDATIONS, publication.recommendations.frame.rename(columns=names))
    similar = None
    if publication.similar is not None:
        names = {"item_id": "source_id", "similar_id": "target_id"}
        similar = TargetLists.from_frame(SIMILAR_ITEMS, publication.similar.rename(columns=names))
    current = all_versions.active
    return (
        LayeredLists(store, RECOMMENDATIONS, recommended, current, nodes, progress),
        LayeredLists(store, SIMILAR_ITEMS, similar, current, nodes, progress),
    )


def _write_version(
    store: Store,
    publication: Publication,
    all_versions: Versions,
    layered: tuple[LayeredLists, ...],
    fence: Fence | None,
) -> tuple[str, list[int]]:
    """Write the changed lists and activate the new version; return its id, and the number of edges of each type."""
    run, current = publication.run, all_versions.active
    if current is not None and current.trained == run.id and not any(lists.has_changes for lists in layered):
        return current.id, [0 for _ in layered]
    version = all_versions.free_id(run.id)
    number = all_versions.free_number({*chain(*(lists.layers for lists in layered))})
    read = {*chain(*(lists.layers_read for lists in layered))}
    layers = [number, *(layer for layer in (current.layers if current else ()) if layer in read)]
    versions.create_version(store, version, number, {**_run_properties(run), "k": publication.k, "layers": layers})
    written = [lists.write(version, layers) for lists in layered]
    versions.activate(store, version, all_versions, fence)
    return version, written


def _run_properties(run: Run) -> Mapping[str, Any]:
    return {
        "trained": run.id,
        "model": run.model,
        "config": json.dumps(dict(run.config)),
        "metrics": json.dumps(dict(run.metrics)),
        "created_at": run.created_at,
        "relation": run.relation,
        "verdict": _format_verdict(run),
        "split": None if run.split is None else run.split.spec,
    }


def _format_verdict(run: Run) -> str:
    """`passed`, or the objections despite which the run was published."""
    return f"forced: {'; '.join(run.objections)}" if run.objections else "passed"


def _require_nodes(store: Store, vocabulary: Vocabulary) -> dict[str, str]:
    """The element ids of all nodes of a label by id; DataError if nodes that the run knows are missing."""
    present = read_element_ids(store, vocabulary.label)
    missing = sorted(id_ for id_ in vocabulary.ids if id_ not in present)
    if missing:
        raise DataError(
            f"{len(missing):,} of the run's {len(vocabulary):,} {vocabulary.label.lower()}s are not in this graph "
            f"({first_few(missing)}); train again on this graph, or open the store that the run was trained on"
        )
    return present
