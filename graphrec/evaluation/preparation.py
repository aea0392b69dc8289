"""A graph split for an evaluation: its parts, the graph that models may see, the leak audit, and summaries."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from graphrec.evaluation.assembly import num_edges
from graphrec.evaluation.audit import Audit, audit
from graphrec.evaluation.beyond_accuracy import CatalogueStats, catalogue_stats
from graphrec.evaluation.default_split import default_split
from graphrec.evaluation.protocol import warm_users
from graphrec.evaluation.result import Bin, DataSummary, SplitSummary
from graphrec.hetero import HeteroGraph, interactions
from graphrec.interactions import Interactions, join
from graphrec.relations import build_relations
from graphrec.splitting import Split, parse_split, record, splits
from graphrec.train_view import restrict
from graphrec.vocabulary import IndexArray

#: Number of bins of the timeline of a split.
BINS = 40

#: Label -> group numbers [num_nodes]: nodes of one group are the same user or item.
Aliases = dict[str, IndexArray]


@dataclass(frozen=True, eq=False)
class PreparedSplit:
    """One split, ready for models to be fitted and tested on.

    num: number of the split, from 0.
    train_validation: the interactions that a model is fitted to before the test.
    visible: the graph that a model may see at that time.
    audit: whether `visible` reveals test interactions.
    """

    num: int
    spec: str
    parts: Split
    train_validation: Interactions
    visible: HeteroGraph
    audit: Audit
    catalogue: CatalogueStats


def split_graph(graph: HeteroGraph, spec: str, rng: np.random.Generator) -> tuple[Split, ...]:
    """The target behaviour of a graph in train, validation and test; several splits for rolling windows and folds.

    `spec` is a text such as `time(test=0.2)`, "" for `default_split`. Raises UnknownNameError for an unknown split,
    DataError if these interactions cannot be split that way.
    """
    return splits(spec or default_split(interactions(graph)), interactions(graph), rng, graph.users, graph.items)


def prepare_split(
    graph: HeteroGraph, parts: Split, spec: str, num: int = 0, aliases: Aliases | None = None
) -> PreparedSplit:
    """A split with the graph restricted to what a model may see before the test, audited for leaks."""
    train_validation = join(parts.train, parts.validation)

    # In a split by time no relation may reach the time of the first test interaction.
    timed = parts.cut is not None and parts.test.time is not None and len(parts.test)
    cut = int(parts.test.time.min()) if timed and parts.test.time is not None else None
    visible = restrict(graph, train_validation, cut, parts.test)
    leaks = audit(visible, train_validation, parts.test, cut, aliases, graph)

    attributes = list(build_relations(visible).item_attributes.values())
    columns = sparse.csr_array(sparse.hstack(attributes)) if attributes else None
    catalogue = catalogue_stats(train_validation.matrix(), columns)
    return PreparedSplit(num, spec, parts, train_validation, visible, leaks, catalogue)


def summarise_split(prepared: PreparedSplit, seed: int, repeats: bool = False) -> SplitSummary:
    """The summary of a split made with a seed, with a histogram of its parts over time; with `repeats`, test users need
    no new item."""
    parts = prepared.parts
    warm, num_cold = warm_users(prepared.train_validation, parts.test, repeats)
    in_order = (parts.train, parts.validation, parts.test)
    times = [part.time for part in in_order if part.time is not None and len(part)]
    timeline: tuple[Bin, ...] = ()
    if times:
        first, last = min(int(time.min()) for time in times), max(int(time.max()) for time in times)
        edges = np.unique(np.linspace(first, last + 1, BINS + 1).astype(np.int64))
        counts = [np.histogram([] if part.time is None else part.time, edges)[0].tolist() for part in in_order]
        bins = zip(edges[:-1], edges[1:], *counts, strict=True)
        timeline = tuple(Bin(int(start), int(end), *numbers) for start, end, *numbers in bins)
    split_record = record(parts, parse_split(prepared.spec))
    return SplitSummary(prepared.num, seed, split_record, prepared.audit, timeline, len(warm), num_cold)


def summarise_data(graph: HeteroGraph) -> DataSummary:
    """Sizes, time range and degree quartiles of a graph."""

    def quartiles(degree: IndexArray) -> tuple[int, ...]:
        if not len(degree):
            return ()
        return tuple(int(value) for value in np.quantile(degree, [0, 0.25, 0.5, 0.75, 1], method="nearest"))

    everything = interactions(graph)
    pairs, time = everything.matrix(), everything.time
    timed = time is not None and len(time)
    return DataSummary(
        graph.target[1],
        everything.num_users,
        everything.num_items,
        len(everything),
        int(time.min()) if timed and time is not None else None,
        int(time.max()) if timed and time is not None else None,
        num_edges(graph),
        quartiles(np.diff(pairs.indptr)),
        quartiles(np.bincount(pairs.indices, minlength=pairs.shape[1])),
    )
