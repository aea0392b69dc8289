"""Edges per second of a publication, compared with one row per edge in the same run, and the time to read a list.

python benchmarks/publishing.py FOLDER     (Gowalla of LightGCN's repository; on the Neo4j of NEO4J_URI if it is set)

The lists are random: 20 distinct items for each user, seeded, so that no model is needed. "plain" is one row per edge,
UNWIND … MATCH … MATCH … CREATE, 20,000 a batch, under another relationship type. Both are warmed up first.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from filelock import FileLock

from graphrec import ingest
from graphrec.benchmark.datasets import data_root
from graphrec.config import Settings
from graphrec.publishing import Publication, publish
from graphrec.ranking.topk import Recommendations
from graphrec.runs import Run
from graphrec.store import Store, connect, queries
from graphrec.store.read import read_ids
from graphrec.vocabulary import Vocabulary

#: Batch size of the plain method, in edges.
BATCH = 20_000

#: Number of lists read.
READS = 2_000


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "folder", type=Path, nargs="?", help="folder of interactions; by default gowalla in the folder GRAPHREC_DATA"
    )
    parser.add_argument("--users", type=int, help="number of users to publish for, for a quick check")
    parser.add_argument("-k", type=int, default=20)
    arguments = parser.parse_args()
    folder = arguments.folder or data_root("gowalla") / "gowalla"
    with tempfile.TemporaryDirectory() as home, FileLock(Path(tempfile.gettempdir()) / "graphrec-benchmark.lock"):
        settings = Settings(graphrec_home=Path(home))
        try:
            with connect(settings.neo4j_address() or settings.embedded.start()) as store:
                ingest.load(store, "interactions", folder, settings.home)
                server = "embedded ArcadeDB" if store.embedded else store.version()
                print(f"{server}, {os.cpu_count()} cores\n")
                print("| what | lists | edges | seconds | edges/s |\n|---|---|---|---|---|")
                _measure(store, arguments.users, arguments.k)
        finally:
            settings.embedded.stop()


def _measure(store: Store, num_users: int | None, k: int) -> None:
    users, items = (Vocabulary.of(label, sorted(read_ids(store, label))) for label in ("User", "Item"))
    known = users.ids[:num_users]
    first = _make_lists(known, items.ids, k, np.random.default_rng(0))
    warm = _make_lists(known[:1_000], items.ids, k, np.random.default_rng(3))
    _write_plain(store, warm, "WARM")
    publish(store, _make_publication("warm", warm, users, items))
    plain = _write_plain(store, first, "PLAIN")
    print(_format_row("plain", len(known), len(first), plain), flush=True)
    ours = _publish(store, "first", first, users, items)
    print(f"| times as fast as plain | | | {plain / ours:.2f} | |", flush=True)
    rng = np.random.default_rng(1)
    changed = rng.random(len(known)) < 0.05
    second = _make_lists(known, items.ids, k, rng)
    kept = ~np.repeat(changed, k)
    second = second.assign(**{name: second[name].mask(kept, first[name]) for name in ("item_id", "score")})
    _publish(store, "second", second, users, items)
    _publish(store, "third", second, users, items)
    for number, percentile in zip((50, 99), _measure_reads(store, known), strict=True):
        print(f"| reading one user, p{number} of {READS:,} | | | {percentile:.4f} | |")


def _make_lists(users: "pd.Index[str]", items: "pd.Index[str]", k: int, rng: np.random.Generator) -> pd.DataFrame:
    """k distinct items for each user, with decreasing scores."""
    chosen = np.stack([rng.choice(len(items), k, replace=False) for _ in users])
    score = -np.sort(-rng.random(chosen.shape).astype(np.float32), axis=1)
    columns = {"user_id": np.repeat(users.to_numpy(), k), "item_id": items.to_numpy()[chosen.ravel()]}
    frame = pd.DataFrame({**columns, "score": score.ravel(), "rank": np.tile(np.arange(1, k + 1), len(users))})
    return frame.astype({"user_id": "str", "item_id": "str"})


def _make_publication(name: str, frame: pd.DataFrame, users: Vocabulary, items: Vocabulary) -> Publication:
    run = Run(_make_id(name), "random", {}, {}, "2026-01-01T00:00:00Z", ("User", "INTERACTED", "Item"), 0.0)
    return Publication(run, Recommendations(frame, "random", run.id), users, items)


def _make_id(name: str) -> str:
    """An id as long as those of real runs."""
    return f"graph_filter-20261124-181500-{name}"


def _publish(store: Store, name: str, frame: pd.DataFrame, users: Vocabulary, items: Vocabulary) -> float:
    """Publish, print a row, and return the seconds."""
    began = time.perf_counter()
    change = publish(store, _make_publication(name, frame, users, items)).recommended
    seconds = time.perf_counter() - began
    print(_format_row(f"publishing, {name}", change.lists_written, change.edges_written, seconds), flush=True)
    return seconds


def _write_plain(store: Store, frame: pd.DataFrame, relation: str) -> float:
    """Write one row per edge, and return the seconds."""
    statement = (
        "UNWIND $rows AS row MATCH (a:User {id: row.user_id}) MATCH (b:Item {id: row.item_id}) "
        f"CREATE (a)-[:{relation} {{score: row.score, rank: row.rank, run: $run}}]->(b)"
    )
    began = time.perf_counter()
    for rows in _split_rows(frame):
        store.write(statement, {"rows": rows, "run": _make_id("plain")})
    return time.perf_counter() - began


def _split_rows(frame: pd.DataFrame) -> Iterator[list[dict[str, object]]]:
    """The records of the frame in batches."""
    for begin in range(0, len(frame), BATCH):
        part = frame.iloc[begin : begin + BATCH]
        columns = [part[name].tolist() for name in part.columns]
        yield [dict(zip(part.columns, row, strict=True)) for row in zip(*columns, strict=True)]


def _measure_reads(store: Store, users: "pd.Index[str]") -> tuple[float, float]:
    """The median and the 99th percentile of the seconds to read the list of a user."""
    statement, seconds = queries.get("recommend_for_user").statement, []
    for user in np.random.default_rng(2).permutation(users.to_numpy())[: READS + 100].tolist():
        began = time.perf_counter()
        found = store.read(statement, {"user_id": user, "k": 10})
        seconds.append(time.perf_counter() - began)
        if len(found) < 5:
            raise RuntimeError(f"user {user} has {len(found)} recommendations")
    median, slow = np.percentile(seconds[100:], [50, 99])
    return float(median), float(slow)


def _format_row(name: str, lists: int, edges: int, seconds: float) -> str:
    return f"| {name} | {lists:,} | {edges:,} | {seconds:.1f} | {edges / seconds:,.0f} |"


if __name__ == "__main__":
    main()
