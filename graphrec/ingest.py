"""Loading: the files of a source, fused with what the graph has, written to the store."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from graphrec import loading
from graphrec.errors import GraphrecError
from graphrec.fusion import FusionReport, fuse
from graphrec.schema import NodeType
from graphrec.store import Store
from graphrec.store.read import Progress, read_nodes, silent
from graphrec.store.write import Written, write_tables
from graphrec.tables import GraphTables, NodeTable, Source


@dataclass(frozen=True)
class Loaded:
    """What a load did: the source, the rows its files had per type, what was fused and what was written."""

    source: Source
    rows: dict[str, int]
    fusion: FusionReport
    written: list[Written]
    seconds: float


def load(store: Store, name: str, folder: Path | None, home: Path, progress: Progress = silent) -> Loaded:
    """Read a source whole, fuse it with what the graph has, then write what is new or changed.

    Everything that can be wrong with the files is found before the first write, so bad input leaves the graph
    as it was. Loads of one home wait for each other.

    Raises:
        UnknownNameError: there is no such source.
        DataError: the files do not hold what they must.
        StoreError: the database refuses or goes away.
    """
    start = time.perf_counter()
    progress(f"reading {name}", 0, 1)
    incoming = loading.get(name).load(folder)
    progress(f"reading {name}", 1, 1)
    with writing(home):
        existing = _existing(store, incoming)
        fused = fuse(existing, incoming)
        source = incoming.sources[0]
        written = write_tables(store, fused.tables, source.name, progress)
    return Loaded(source, _rows(incoming), fused.report, written, time.perf_counter() - start)


@contextmanager
def writing(home: Path) -> Iterator[None]:
    """One writer at a time among the commands of a home: two loads at once would both add what neither finds."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        lock = FileLock(home / "writing.lock").acquire()
    except OSError as error:
        raise GraphrecError(
            f"cannot write to {home}: {error.strerror}; set GRAPHREC_HOME to a folder of yours"
        ) from error
    with lock:
        yield


def _existing(store: Store, incoming: GraphTables) -> GraphTables:
    """The nodes that the graph has of the incoming labels, with their keys and the properties that may be completed."""
    kinds = (NodeType(t.type.label, ("keys", *t.type.properties), t.type.shared) for t in incoming.nodes)
    return GraphTables(tuple(NodeTable(kind, read_nodes(store, kind)) for kind in kinds), ())


def _rows(tables: GraphTables) -> dict[str, int]:
    """Rows per label and relationship type; a type between several labels is counted together."""
    rows: dict[str, int] = {}
    for nodes in tables.nodes:
        rows[nodes.type.label] = len(nodes.frame)
    for edges in tables.edges:
        rows[edges.type.relation] = rows.get(edges.type.relation, 0) + len(edges.frame)
    return rows
