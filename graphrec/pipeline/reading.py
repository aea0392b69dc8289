"""The whole graph of a store as a HeteroGraph."""

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from graphrec import preconditions
from graphrec.progress import StageProgress
from graphrec.schema import TEXT_EMBEDDING
from graphrec.store import Store
from graphrec.store.read import read_schema, read_tables, read_vectors

if TYPE_CHECKING:
    from graphrec.hetero import HeteroGraph
    from graphrec.tables import GraphTables


def read_graph(store: Store, relation: str | None, progress: StageProgress) -> "HeteroGraph":
    """The whole graph of a store; torch, which takes seconds to load, is loaded while the database answers.

    Raises DataError or UnknownNameError, before any row is read, if there is no behaviour to learn from.
    """
    with ThreadPoolExecutor(1) as pool:
        tables = pool.submit(_read_tables, store, relation, progress)
        from graphrec import hetero

        return _add_text_vectors(store, hetero.build(tables.result(), relation), progress)


def _add_text_vectors(store: Store, graph: "HeteroGraph", progress: StageProgress) -> "HeteroGraph":
    """The graph with the vectors of texts of each label that has some."""
    from graphrec import hetero

    for label in graph.data.node_types:
        ids, vectors = read_vectors(store, label, TEXT_EMBEDDING, progress)
        if ids:
            graph = hetero.with_vectors(graph, label, TEXT_EMBEDDING, ids, vectors)
    return graph


def _read_tables(store: Store, relation: str | None, progress: StageProgress) -> "GraphTables":
    schema = read_schema(store)
    preconditions.require_behaviour(schema, relation)
    return read_tables(store, schema, progress)
