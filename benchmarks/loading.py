"""How fast relationships are loaded, beside the plain way in the same run: first load, and loading again unchanged.

python benchmarks/loading.py steam gowalla ciao generated     (NEO4J_URI set: on that Neo4j, else on an embedded store)

The plain way is one row per edge, UNWIND … MATCH … MATCH … CREATE, 20,000 a batch, one writer. Each way writes between
nodes of its own, so that no way finds long lists of another; both are warmed up first, and nothing is deleted between.
"""

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from filelock import FileLock

from graphrec import loader_registry
from graphrec.benchmark.datasets import data_root
from graphrec.config import Settings
from graphrec.schema import EdgeType
from graphrec.store import Store, connect
from graphrec.store.connection import quote
from graphrec.store.diff import diff_edges, diff_to_empty
from graphrec.store.edges import SortedEdges, to_python
from graphrec.store.nodes import ensure_constraint
from graphrec.store.write import write_edges
from graphrec.tables import ENDS, EdgeTable

BATCH = 20_000
GENERATED = (200_000, 50_000, 5_000_000)  # users, items, edges


def main() -> None:
    """Measure and print, for each data set and relation, edges per second of each way and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="*", default=["steam", "gowalla", "ciao", "generated"])
    parser.add_argument("--writers", type=int, default=1)
    parser.add_argument("--only-ours", action="store_true", help="leave the plain way out (to see the peak of memory)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as home, FileLock(Path(tempfile.gettempdir()) / "graphrec-benchmark.lock"):
        settings = Settings(graphrec_home=Path(home))
        with connect(settings.neo4j_address() or settings.embedded.start()) as store:
            print(f"{store.version()}, {os.cpu_count()} cores, writers {arguments.writers}")
            _warm_up(store)
            for name in arguments.data:
                for table in _tables(name):
                    _measure(store, name, table, arguments.writers, arguments.only_ours)
        settings.embedded.stop()


def _tables(name: str) -> list[EdgeTable]:
    if name == "generated":
        return [_generated(*GENERATED)]
    root = data_root(name)
    loader = "interactions" if name in ("gowalla", "douban-book-social") else name
    return [table for table in loader_registry.get(loader).load(root / name).edges if table.type.target != "Category"]


def _generated(users: int, items: int, edges: int) -> EdgeTable:
    """Edges without repeats, whose users and items differ in activity as people's do."""
    rng = np.random.default_rng(0)
    codes = np.array([], dtype=np.int64)
    while len(codes) < edges:
        user, item = ((rng.random(edges) ** 2 * size).astype(np.int64) for size in (users, items))
        codes = np.unique(np.concatenate([codes, user * items + item]))
    user, item = np.divmod(rng.permutation(codes)[:edges], items)
    frame = pd.DataFrame({"source_id": pd.Series(user).astype("str"), "target_id": pd.Series(item).astype("str")})
    frame["timestamp"] = rng.integers(1_500_000_000, 1_600_000_000, edges)
    return EdgeTable(EdgeType("User", "VIEWED", "Item", ("timestamp",)), frame)


def _warm_up(store: Store) -> None:
    table = _generated(2_000, 1_000, 60_000)
    for way in (_plain, _ours, _again):
        between = _between(table, f"Warm{_plain.__name__ if way is _plain else _ours.__name__}_")
        if way is not _again:
            _make_nodes(store, between)
        way(store, between, 1)


def _measure(store: Store, name: str, table: EdgeTable, writers: int, only_ours: bool) -> None:
    rates = {}
    ways = {"ours": _ours} if only_ours else {"plain": _plain, "ours": _ours}
    for way, write in ways.items():
        between = _between(table, f"{way}_{name}_{table.type.relation}_")
        _make_nodes(store, between)
        rates[way] = _rate(write, store, between, writers)
    rates["again"] = _rate(_again, store, between, writers)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    ratios = {way: rate / rates.get("plain", np.nan) for way, rate in rates.items()}
    print(
        f"{name} {table.type.relation}: {len(table.frame):,} edges; "
        + "; ".join(f"{way} {rate:,.0f}/s ({ratios[way]:.2f} ×)" for way, rate in rates.items())
        + f"; peak of this process {peak:,.0f} MiB",
        flush=True,
    )


def _rate(work: Callable[[Store, EdgeTable, int], None], store: Store, table: EdgeTable, writers: int) -> float:
    start = time.perf_counter()
    work(store, table, writers)
    return len(table.frame) / (time.perf_counter() - start)


def _between(table: EdgeTable, prefix: str) -> EdgeTable:
    """The same edges between nodes of labels of their own."""
    kind = table.type
    return EdgeTable(replace(kind, source=prefix + kind.source, target=prefix + kind.target), table.frame)


def _make_nodes(store: Store, table: EdgeTable) -> None:
    ids: dict[str, set[str]] = {}
    for end, label in zip(ENDS, (table.type.source, table.type.target), strict=True):
        ids.setdefault(label, set()).update(table.frame[end].unique())
    for label, names in ids.items():
        ensure_constraint(store, label)
        rows = sorted(names)
        for begin in range(0, len(rows), 10_000):
            store.write(f"UNWIND $ids AS id CREATE (:{quote(label)} {{id: id}})", {"ids": rows[begin : begin + 10_000]})


def _plain(store: Store, table: EdgeTable, _writers: int) -> None:
    kind = table.type
    pairs = "".join(f", {quote(name)}: row.{quote(name)}" for name in kind.properties)
    statement = (
        f"UNWIND $rows AS row MATCH (a:{quote(kind.source)} {{id: row.source_id}}) "
        f"MATCH (b:{quote(kind.target)} {{id: row.target_id}}) "
        f"CREATE (a)-[:{quote(kind.relation)} {{source: row.source{pairs}}}]->(b)"
    )
    names = [*ENDS, *kind.properties]
    for begin in range(0, len(table.frame), BATCH):
        part = table.frame.iloc[begin : begin + BATCH]
        columns = [to_python(part[name]) for name in names]
        rows = [{**dict(zip(names, row, strict=True)), "source": "benchmark"} for row in zip(*columns, strict=True)]
        store.write(statement, {"rows": rows})


def _ours(store: Store, table: EdgeTable, writers: int) -> None:
    edges = SortedEdges.from_table(table)
    write_edges(store, edges, "benchmark", diff_to_empty(edges), writers)


def _again(store: Store, table: EdgeTable, writers: int) -> None:
    edges = SortedEdges.from_table(table)
    found = diff_edges(store, edges, "benchmark")
    if len(found.new) or len(found.changed) or found.removed:
        raise RuntimeError("the graph is not as it was written")
    write_edges(store, edges, "benchmark", found, writers)


if __name__ == "__main__":
    main()
