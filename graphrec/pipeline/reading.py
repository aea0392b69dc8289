"""The whole graph of a store as a HeteroGraph."""

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from graphrec import preconditions
from graphrec.progress import StageProgress
from graphrec.store import Store
from graphrec.store.read import read_schema, read_tables

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

        return hetero.build(tables.result(), relation)


def _read_tables(store: Store, relation: str | None, progress: StageProgress) -> "GraphTables":
    schema = read_schema(store)
    preconditions.require_behaviour(schema, relation)
    return read_tables(store, schema, progress)
