"""Run the whole round trip on two real sources, in a temporary store."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import _options, _terminal

if TYPE_CHECKING:
    from graphrec.evaluation.result import Comparison
    from graphrec.graph import Graph
    from graphrec.hetero import HeteroGraph
    from graphrec.ingest import Loaded
    from graphrec.progress import StageProgress

K = 10

#: Models compared, split, and number of settings tried for each model. Only 22 users rated items in the last tenth of
#: the time, too few to distinguish models, so the split is random. Four settings each gave the same result.
MODELS = ("popularity", "item_knn", "ease", "graph_filter")
SPLIT = "random"
TRIALS = 2


@dataclass
class Stopwatch:
    """The duration of each stage in seconds, in order."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Print the name of a stage and record its duration."""
        _terminal.note(f"• {name}")
        start = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - start


@click.command(epilog="Example: graphrec demo")
@click.option("--keep", is_flag=True, help="Keep the demo's home folder and print its path.")
@_options.seed_option
def command(keep: bool, seed: int) -> None:
    """Run the whole round trip on two real sources: load, fuse, export, compare, train, publish, recommend, explain.

    It runs in a temporary home folder with its own embedded store. If NEO4J_URI is set, the data is written into that
    Neo4j, and remains there.
    """
    watch = Stopwatch()
    with _open_graph(keep) as graph, _terminal.progress_bar() as progress:
        with watch.stage("start the store"):
            graph.store.read("RETURN 1 AS one")
        _run_stages(graph, watch, progress, seed)
    rows = [*watch.seconds.items(), ("all stages", sum(watch.seconds.values()))]
    _terminal.print_table("Seconds", ["stage", "seconds"], [[name, f"{seconds:.1f}"] for name, seconds in rows])


@contextmanager
def _open_graph(keep: bool) -> "Iterator[Graph]":
    """A graph with a temporary home folder; at the end its server is stopped and, without `keep`, its files deleted."""
    from graphrec.config import Settings
    from graphrec.graph import Graph

    home = Path(tempfile.mkdtemp(prefix="graphrec-demo-"))
    settings = Settings(graphrec_home=home)
    if settings.neo4j_uri is not None:
        _terminal.note(f"the data of the demo is written into the database at {settings.neo4j_uri} and remains there")
    try:
        with Graph(None, settings) as graph:
            yield graph
    finally:
        settings.embedded.stop()
        if keep:
            _terminal.note(f"kept: GRAPHREC_HOME={home} graphrec query list_runs")
        else:
            shutil.rmtree(home, ignore_errors=True)


def _run_stages(graph: "Graph", watch: Stopwatch, progress: "StageProgress", seed: int) -> None:
    """Run each stage, which is one method of `Graph`, and print its result."""
    for source, what in (("movielens", "load MovieLens"), ("imdb", "load IMDb and fuse the films of both")):
        with watch.stage(what):
            loaded = graph.load(source, progress=progress)
        _show_load(loaded)
    with watch.stage("export to a PyG HeteroData file"):
        exported = graph.export("RATED", progress, out=graph.settings.home / "graph.pt")
    from graphrec import EvaluationConfig, TrainConfig, TuningBudget

    with watch.stage("compare four models on held-out ratings"):
        config = EvaluationConfig(SPLIT, (K,), (seed,), TuningBudget(budget=TRIALS), num_examples=0)
        comparison = graph.compare(MODELS, exported, config=config, progress=progress)
    _show_comparison(comparison)
    best = max(comparison.results, key=lambda result: result.metrics[comparison.headline].value)
    with watch.stage("train the best of them on everything"):
        train_config = TrainConfig(best.rounds[0].config, SPLIT)
        run = graph.train(best.model, exported, seed, train_config, progress=progress)
    with watch.stage("publish recommendations as edges"):
        published = graph.publish(run, K, progress=progress)
    _terminal.note(f"  {published.edges:,} RECOMMENDED edges for {published.users:,} users")
    with watch.stage("ask the graph about one user"):
        _show_user(graph, _choose_user(exported))


def _choose_user(exported: "HeteroGraph") -> str:
    """The user whose number of ratings is nearest to 30: enough to show a taste, few enough to read."""
    from graphrec.hetero import interactions

    degree = interactions(exported).user_degree()
    return str(exported.users.ids[int(abs(degree - 30).argmin())])


def _show_load(loaded: "Loaded") -> None:
    counts = ", ".join(f"{number:,} {name}" for name, number in loaded.rows.items())
    _terminal.note(f"  {loaded.source.name}: {counts}")
    for label in loaded.fusion.labels:
        if label.label == "Item" and label.matched:
            rows = [[label.matched, label.ambiguous, label.unmatched, "\n".join(label.matched_examples[:3])]]
            columns = ["matched", "ambiguous", "unmatched", "for example"]
            _terminal.print_table("Films of both sources, linked by title and year", columns, rows)


def _show_comparison(comparison: "Comparison") -> None:
    names = ("ndcg@10", "recall@10", "hit_rate@10", "mrr@10", "coverage@10")
    rows = [[result.name, *(result.metrics[name].value for name in names)] for result in comparison.results]
    num_users = comparison.splits[0].num_warm
    title = f"Tested on a random tenth of the ratings, those of {num_users} users"
    _terminal.print_table(title, ["model", *names], rows)


def _show_user(graph: "Graph", user: str) -> None:
    def query(name: str, **parameters: object) -> list[dict[Any, Any]]:  # Any: names and values of records
        return graph.query(name, **parameters).to_dict("records")

    history = query("list_history", user_id=user, k="8")
    _terminal.print_table(
        f"What user {user} rated last", ["title", "rating"], [[r["title"], f"{r['rating']:g}"] for r in history]
    )
    recommended = query("recommend_for_user", user_id=user, k=str(K))
    rows = []
    for row in recommended:
        reasons = query("explain_recommendation", user_id=user, item_id=str(row["item"]), k="2")
        items = [reason for reason in reasons if reason["kind"] == "item"]
        because = "; ".join(f"{reason['title']} ({reason['shared']} users rated both)" for reason in items)
        rows.append([row["rank"], row["title"], row["score"], because])
    _terminal.print_table("What to watch next, and why", ["rank", "title", "score", "because of"], rows)
