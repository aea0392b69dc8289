"""Edges per second of a first load and of a repeated, unchanged load, compared with one row per edge in the same run.

python benchmarks/loading.py steam gowalla ciao generated     (on the Neo4j of NEO4J_URI, else on an embedded store)

"plain" is one row per edge, UNWIND … MATCH … MATCH … CREATE, 20,000 a batch, one writer. Each method writes between its
own nodes, so that no method finds the relationships of another; all are warmed up first, and nothing is deleted.
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

#: Batch size of the plain method, in edges.
BATCH = 20_000

#: Numbers of users, items and edges of the generated data.
GENERATED = (200_000, 50_000, 5_000_000)


def main() -> None:
    """Measure and print, for each data set and relation, edges per second of each method and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="*", default=["steam", "gowalla", "ciao", "generated"])
    parser.add_argument("--writers", type=int, default=1)
    parser.add_argument("--only-ours", action="store_true", help="skip the plain method, to measure peak memory")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as home, FileLock(Path(tempfile.gettempdir()) / "graphrec-benchmark.lock"):
        settings = Settings(graphrec_home=Path(home))
        with connect(settings.neo4j_address() or settings.embedded.start()) as store:
            print(f"{store.version()}, {os.cpu_count()} cores, writers {arguments.writers}")
            _warm_up(store)
            for name in arguments.data:
                for table in _load_tables(name):
                    _measure(store, name, table, arguments.writers, arguments.only_ours)
        settings.embedded.stop()


def _load_tables(name: str) -> list[EdgeTable]:
    if name == "generated":
        return [_generate(*GENERATED)]
    root = data_root(name)
    loader = "interactions" if name in ("gowalla", "douban-book-social") else name
    return [table for table in loader_registry.get(loader).load(root / name).edges if table.type.target != "Category"]


def _generate(users: int, items: int, edges: int) -> EdgeTable:
    """Distinct edges between users and items with skewed degrees."""
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
    table = _generate(2_000, 1_000, 60_000)
    for write in (_write_plain, _write_diff, _write_again):
        renamed = _rename_labels(table, "Warm_plain_" if write is _write_plain else "Warm_ours_")
        if write is not _write_again:
            _make_nodes(store, renamed)
        write(store, renamed, 1)


def _measure(store: Store, name: str, table: EdgeTable, writers: int, only_ours: bool) -> None:
    rates = {}
    methods = {"ours": _write_diff} if only_ours else {"plain": _write_plain, "ours": _write_diff}
    for method, write in methods.items():
        renamed = _rename_labels(table, f"{method}_{name}_{table.type.relation}_")
        _make_nodes(store, renamed)
        rates[method] = _measure_rate(write, store, renamed, writers)
    rates["again"] = _measure_rate(_write_again, store, renamed, writers)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    ratios = {method: rate / rates.get("plain", np.nan) for method, rate in rates.items()}
    print(
        f"{name} {table.type.relation}: {len(table.frame):,} edges; "
        + "; ".join(f"{method} {rate:,.0f}/s ({ratios[method]:.2f} ×)" for method, rate in rates.items())
        + f"; peak of this process {peak:,.0f} MiB",
        flush=True,
    )


def _measure_rate(
    write: Callable[[Store, EdgeTable, int], None], store: Store, table: EdgeTable, writers: int
) -> float:
    """Edges per second."""
    start = time.perf_counter()
    write(store, table, writers)
    return len(table.frame) / (time.perf_counter() - start)


def _rename_labels(table: EdgeTable, prefix: str) -> EdgeTable:
    """The same edges between nodes whose labels have a prefix."""
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


def _write_plain(store: Store, table: EdgeTable, _writers: int) -> None:
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


def _write_diff(store: Store, table: EdgeTable, writers: int) -> None:
    edges = SortedEdges.from_table(table)
    write_edges(store, edges, "benchmark", diff_to_empty(edges), writers)


def _write_again(store: Store, table: EdgeTable, writers: int) -> None:
    edges = SortedEdges.from_table(table)
    diff = diff_edges(store, edges, "benchmark")
    if len(diff.new) or len(diff.changed) or diff.removed:
        raise RuntimeError("the graph differs from the edges written")
    write_edges(store, edges, "benchmark", diff, writers)


if __name__ == "__main__":
    main()
