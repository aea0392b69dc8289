"""A graph divided for an evaluation: what models may see, the audit of that, and the record of it."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from graphrec.evaluation.assembly import num_edges
from graphrec.evaluation.audit import Audit, audit
from graphrec.evaluation.beyond_accuracy import CatalogueStats, catalogue
from graphrec.evaluation.default_split import default_split
from graphrec.evaluation.protocol import warm_users
from graphrec.evaluation.result import Bin, DataSummary, Division
from graphrec.hetero import HeteroGraph, interactions
from graphrec.interactions import Interactions, join
from graphrec.relations import relations
from graphrec.splitting import Split, parse_split, record, splits
from graphrec.train_view import restrict
from graphrec.vocabulary import IndexArray

#: Stretches of time in the picture of a split.
BINS = 40

#: Node labels to numbers of groups [num_nodes]: nodes of one group are the same person or thing.
Aliases = dict[str, IndexArray]


@dataclass(frozen=True, eq=False)
class PreparedSplit:
    """One split with all that follows from it.

    known: train and validation, what a model is fitted to before it is tested; visible: the graph that goes with it;
    audit: whether that tells anything of the test part; num: which of the splits it is, from 0.
    """

    num: int
    spec: str
    parts: Split
    known: Interactions
    visible: HeteroGraph
    audit: Audit
    catalogue: CatalogueStats


def divide(graph: HeteroGraph, spec: str, rng: np.random.Generator) -> tuple[Split, ...]:
    """The target behaviour of a graph in three parts, several times for rolling windows and folds.

    Raises UnknownNameError or DataError where there is no such split, or it cannot be made of these interactions.
    """
    return splits(spec or default_split(interactions(graph)), interactions(graph), rng, graph.users, graph.items)


def prepare(graph: HeteroGraph, parts: Split, spec: str, num: int = 0, aliases: Aliases | None = None) -> PreparedSplit:
    """A split with what a model may see when it is tested, audited."""
    known, cut = join(parts.train, parts.validation), cut_of_test(parts)
    visible = restrict(graph, known, cut, parts.test)
    found = audit(visible, known, parts.test, cut, aliases, graph)
    attributes = list(relations(visible).item_attributes.values())
    columns = sparse.csr_array(sparse.hstack(attributes)) if attributes else None
    return PreparedSplit(num, spec, parts, known, visible, found, catalogue(known.matrix(), columns))


def cut_of_test(parts: Split) -> int | None:
    """The time of the first test interaction, from which on no relation may be seen; None without a split by time."""
    if parts.cut is None or parts.test.time is None or not len(parts.test):
        return None
    return int(parts.test.time.min())


def described(prepared: PreparedSplit, seed: int) -> Division:
    """What a reader is told of a split that was made with a seed."""
    warm, num_cold = warm_users(prepared.known, prepared.parts.test)
    made = record(prepared.parts, parse_split(prepared.spec))
    return Division(prepared.num, seed, made, prepared.audit, _timeline(prepared.parts), len(warm), num_cold)


def summary(graph: HeteroGraph) -> DataSummary:
    """What a reader is told of the data."""
    everything = interactions(graph)
    pairs = everything.matrix()
    time = everything.time
    return DataSummary(
        graph.target[1],
        everything.num_users,
        everything.num_items,
        len(everything),
        int(time.min()) if time is not None and len(time) else None,
        int(time.max()) if time is not None and len(time) else None,
        num_edges(graph),
        _quartiles(np.diff(pairs.indptr)),
        _quartiles(np.bincount(pairs.indices, minlength=pairs.shape[1])),
    )


def _quartiles(degree: IndexArray) -> tuple[int, ...]:
    if not len(degree):
        return ()
    return tuple(int(value) for value in np.quantile(degree, [0, 0.25, 0.5, 0.75, 1], method="nearest"))


def _timeline(parts: Split) -> tuple[Bin, ...]:
    named = (parts.train, parts.validation, parts.test)
    times = [part.time for part in named if part.time is not None and len(part)]
    if not times:
        return ()
    first, last = min(int(time.min()) for time in times), max(int(time.max()) for time in times)
    edges = np.unique(np.linspace(first, last + 1, BINS + 1).astype(np.int64))
    counts = [np.histogram([] if part.time is None else part.time, edges)[0].tolist() for part in named]
    return tuple(
        Bin(int(start), int(end), *numbers) for start, end, *numbers in zip(edges[:-1], edges[1:], *counts, strict=True)
    )
