"""Publishing: the lists of a run become the ones that everybody reads, at one instant.

The new lists are written beside the old ones, where nobody reads them yet; one small write makes the run the active one
(`versions.activate`); then what no kept version shows is removed. A publication that is killed leaves the old version
or the new one, whole, and the next one removes what it left behind.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import pandas as pd

from graphrec.errors import DataError, first_few
from graphrec.models.base import Embeddings
from graphrec.publishing import versions as v
from graphrec.publishing.embeddings import write_embeddings
from graphrec.publishing.layers import LayeredLists
from graphrec.publishing.lists import RECOMMENDATIONS, SIMILAR_ITEMS, TargetLists
from graphrec.publishing.versions import Versions
from graphrec.publishing.write import Nodes, remove_old_format, remove_withdrawals
from graphrec.ranking.topk import Recommendations
from graphrec.runs import Run
from graphrec.store import Store
from graphrec.store.read import Progress, read_element_ids, silent
from graphrec.vocabulary import Vocabulary

#: Earlier versions that can be gone back to, unless the caller says otherwise.
KEEP = 1


@dataclass(frozen=True, eq=False)
class Publication:
    """What is published of a run.

    recommendations: user_id, item_id, score and rank, and further columns that its edges are to have (`because`).
    users, items: all that the run knows.
    similar: item_id, similar_id, score and rank; None: those of the version below stay.
    embeddings: vectors by the positions in users and items, written on the nodes; None: none are.
    k: how many recommendations each user may have, noted on the run's node; None: not noted.
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
    """How many lists, and edges in them, were written and removed, how many lists stayed as they were, and how many
    nodes that had a list have none now."""

    lists_written: int
    edges_written: int
    lists_unchanged: int
    lists_withdrawn: int
    lists_removed: int
    edges_removed: int


@dataclass(frozen=True)
class PublishResult:
    """What publishing did: the version, how many users have how many recommendations in it, and what was written.

    `embeddings` counts the nodes that got a vector, `unknown` the users and items of the graph that the run does not
    know, by label; `kept` has the versions that can be gone back to, the newest first; `ruled` counts the items that
    each rule removed or moved, by its title; `example` is a user who has recommendations, empty if none has.
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


def publish(store: Store, publication: Publication, keep: int = KEEP, progress: Progress = silent) -> PublishResult:
    """Make the lists of a run the ones that are read; `keep` versions before it stay to go back to, at least one.

    One always stays, so that a reader who began with the old version finds all of it while the new one takes over. A
    run whose lists are read already is not published once more.

    Raises:
        DataError: users or items of the run are no longer in the graph, or `keep` is less than one.
        StoreError: the database refuses or goes away.
    """
    if keep < 1:
        raise DataError(
            "at least one earlier run stays, as readers may be in the middle of its lists; --keep 1 or more"
        )
    vocabularies = (publication.users, publication.items)
    nodes = {vocabulary.label: _require_nodes(store, vocabulary) for vocabulary in vocabularies}
    versions = v.read_versions(store)
    layered = _compare_lists(store, publication, versions, nodes, progress)
    version, written = _write_version(store, publication, versions, layered)
    kept = v.read_versions(store).whole[: keep + 1]
    v.mark_replaced(store, kept)
    removed = [lists.remove(kept) for lists in layered]  # also what a killed publication left
    remove_withdrawals(store, [each.id for each in kept])
    v.delete_unfinished(store)
    if v.has_old_format(store):
        for kind in (RECOMMENDATIONS, SIMILAR_ITEMS):
            remove_old_format(store, kind.relation)
        v.clear_old_format(store)
    vectors = 0
    if publication.embeddings is not None:
        vectors = write_embeddings(store, vocabularies, publication.embeddings, version, progress)
    frame = publication.recommendations.frame
    recommended, similar = map(_change, layered, written, removed)
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


def _change(lists: LayeredLists, edges: int, removed: tuple[int, int]) -> Change:
    return Change(len(lists.changed), edges, int(lists.diff.same.sum()), lists.diff.num_withdrawn, *removed)


def _compare_lists(
    store: Store, publication: Publication, versions: Versions, nodes: Nodes, progress: Progress
) -> tuple[LayeredLists, LayeredLists]:
    names = {"user_id": "source_id", "item_id": "target_id"}
    recommended = TargetLists.of(RECOMMENDATIONS, publication.recommendations.frame.rename(columns=names))
    similar = None
    if publication.similar is not None:
        names = {"item_id": "source_id", "similar_id": "target_id"}
        similar = TargetLists.of(SIMILAR_ITEMS, publication.similar.rename(columns=names))
    below = versions.active
    return (
        LayeredLists(store, RECOMMENDATIONS, recommended, below, nodes, progress),
        LayeredLists(store, SIMILAR_ITEMS, similar, below, nodes, progress),
    )


def _write_version(
    store: Store, publication: Publication, versions: Versions, layered: tuple[LayeredLists, ...]
) -> tuple[str, list[int]]:
    """Write what the version below lacks and send readers to the new one; its id, and how many edges of each kind."""
    run, below = publication.run, versions.active
    if below is not None and below.trained == run.id and not any(lists.has_changes for lists in layered):
        return below.id, [0 for _ in layered]
    version, number = versions.free_id(run.id), versions.free_number({*chain(*(lists.layers for lists in layered))})
    read = {*chain(*(lists.layers_read for lists in layered))}
    layers = [number, *(layer for layer in (below.layers if below else ()) if layer in read)]
    v.create_version(store, version, number, {**_properties(run), "k": publication.k, "layers": layers})
    written = [lists.write(version, layers) for lists in layered]
    v.activate(store, version, versions)
    return version, written


def _properties(run: Run) -> Mapping[str, Any]:
    return {
        "trained": run.id,
        "model": run.model,
        "config": json.dumps(dict(run.config)),
        "metrics": json.dumps(dict(run.metrics)),
        "created_at": run.created_at,
        "relation": run.relation,
        "verdict": _verdict(run),
        "split": None if run.split is None else run.split.spec,
    }


def _verdict(run: Run) -> str:
    """`passed`, or why the run should not have been published but was."""
    return f"forced: {'; '.join(run.objections)}" if run.objections else "passed"


def _require_nodes(store: Store, vocabulary: Vocabulary) -> dict[str, str]:
    """The element ids of all nodes of a label by id; DataError where the graph lacks some that the run knows."""
    present = read_element_ids(store, vocabulary.label)
    missing = sorted(id_ for id_ in vocabulary.ids if id_ not in present)
    if missing:
        raise DataError(
            f"{len(missing):,} of the run's {len(vocabulary):,} {vocabulary.label.lower()}s are not in this graph "
            f"({first_few(missing)}); train again on this graph, or open the store that the run was trained on"
        )
    return present
