"""What the order of events adds to graph_filter: sequence_filter alone, and blended with graph_filter.

    python benchmarks/order.py NAME… [--split global|last] [--part validation|test] [--hybrid] [--threads 1]

NAME is a data set in the folder of GRAPHREC_DATA: a folder whose interactions have times, such as ml-latest-small;
lastfm-tags, the first tag that a user of lastfm-hetrec gave an artist; or a sequence data set of `graphrec benchmark`,
such as beauty. By global time, test is the newest tenth of all interactions, and validation the newest tenth of the
rest; by last, test is the last item of each user, and validation the last but one. Sequence data sets have no global
time. The models have their default settings for the data; the blend learns its weights within the training part, and so
does, with `--hybrid`, the hybrid of the same two members its trees.

By global time, all test items of a user count (Recall@20, NDCG@20), then only the first of them, which is the next item
(HR@10, NDCG@10). Differences to graph_filter have 95 % intervals of a paired bootstrap over users.
"""

import argparse
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from graphrec.benchmark.datasets import DATASETS, Dataset, SplitKind, data_root, open_dataset, remove_test_edges
from graphrec.benchmark.own_splits import BY_TIME, RawData
from graphrec.benchmark.readers import TAGGED, PublishedSplit, assemble_graph
from graphrec.benchmark.results import format_table
from graphrec.evaluation.assembly import edges_of
from graphrec.evaluation.next_item import evaluate_next_items
from graphrec.evaluation.protocol import Evaluation, evaluate
from graphrec.evaluation.significance import PooledValues, compare_pairs
from graphrec.interactions import Interactions
from graphrec.models import make, settings_for
from graphrec.reading import find, read_table
from graphrec.splitting import by_time
from graphrec.splitting.held_out import hold_out_last

BASE, BLEND = "graph_filter", "graph_filter + sequence_filter"

#: The name of the tags of Last.fm as a data set.
TAGS = "lastfm-tags"

#: Share of the interactions, by global time, that validation and test have.
SHARE = 0.1

HEAD = ("data", "model", "metric", "users", "mean", "difference to graph_filter", "95 % interval", "fit s", "CPU s")


def main() -> None:
    """Measure all models on the data sets and print a Markdown table of each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+", metavar="NAME")
    parser.add_argument("--split", choices=("global", "last"), default="global")
    parser.add_argument("--part", choices=("validation", "test"), default="test")
    parser.add_argument("--hybrid", action="store_true")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    for name in arguments.names:
        dataset = split_dataset(name, arguments.split, arguments.part)
        print(format_table(HEAD, compare_models(dataset, arguments.hybrid)), flush=True)


def split_dataset(name: str, kind: str, part: str) -> Dataset:
    """The data set whose test part is the validation or the test part of NAME."""
    rng = np.random.default_rng(0)
    if name in DATASETS:
        dataset = open_dataset(name)
        if dataset.drawn != "next":
            raise SystemExit(f"{name} is no sequence data set; give the folder of its raw files instead")
        graph, behaviour, train, test = dataset.graph, dataset.graph.target, dataset.train, dataset.test
        kind = "last"
    else:
        raw = read_lastfm_tags(data_root(name) / "lastfm-hetrec") if name == TAGS else read_by_time(name)
        train, test = newest(raw.interactions, kind, rng)
        graph, behaviour = None, raw.behaviour
    if part == "validation":
        train, test = newest(train, kind, rng)
    if graph is None:
        graph = assemble_graph(train, [edges_of(behaviour, train), *raw.edges], raw.nodes)
    drawn: SplitKind = "time" if kind == "global" else "next"
    return remove_test_edges(name, PublishedSplit(graph, train, test), drawn=drawn)


def read_by_time(name: str) -> RawData:
    """The interactions with times of the folder NAME."""
    if name not in BY_TIME:
        raise SystemExit(f"no data set {name} has times; these have: {', '.join([*BY_TIME, TAGS])}")
    return BY_TIME[name](data_root(name) / name)


def read_lastfm_tags(folder: Path) -> RawData:
    """Artists that users of Last.fm gave a tag, with the time of the first one."""
    names = ["userID", "artistID", "year", "month", "day"]
    rows = read_table(find(folder, "user_taggedartists.dat"), dict.fromkeys(names, "int"), "\t")
    rows = rows.assign(time=pd.to_datetime(rows[names[2:]]).astype("datetime64[s]").astype("int64"))
    rows = rows.sort_values("time", kind="stable").drop_duplicates(names[:2])
    users, items = (pd.factorize(rows[name], sort=True)[0].astype(np.int64) for name in names[:2])
    pairs = Interactions(users, items, int(users.max()) + 1, int(items.max()) + 1, time=rows["time"].to_numpy())
    return RawData(pairs, TAGGED)


def newest(interactions: Interactions, kind: str, rng: np.random.Generator) -> tuple[Interactions, Interactions]:
    """The interactions without the newest tenth by global time or the last one of each user, and these."""
    if kind == "last":
        mask = hold_out_last(interactions, rng)
        return interactions.take(~mask), interactions.take(mask)
    split = by_time(interactions, rng, validation=0.0, test=SHARE)
    return split.train, split.test


def first_of_each_user(interactions: Interactions) -> Interactions:
    """The first interaction by time of each user."""
    assert interactions.time is not None
    order = np.lexsort((interactions.time, interactions.user_index))
    return interactions.take(order[np.unique(interactions.user_index[order], return_index=True)[1]])


def compare_models(dataset: Dataset, hybrid: bool = False) -> list[list[str]]:
    """The rows of a table: each model on each metric, with the difference to graph_filter."""
    measured: dict[str, list[Evaluation]] = {}
    costs: dict[str, tuple[float, float]] = {}
    validation = "last" if dataset.drawn == "next" else "latest"
    blend = {"members": "graph_filter, sequence_filter", "validation": validation}
    models: Mapping[str, tuple[str, Mapping[str, str]]] = {
        BASE: (BASE, {}),
        "sequence_filter": ("sequence_filter", {}),
        BLEND: ("ensemble", blend),
    }
    if hybrid:
        part = "last" if dataset.drawn == "next" else "auto"
        models = {**models, "hybrid": ("hybrid", {**blend, "validation": part})}
    notes = {}
    for label, (name, settings) in models.items():
        model = make(name, **(settings or settings_for(name, dataset.graph, {})))
        started = time.perf_counter(), time.process_time()
        model.fit(dataset.graph, dataset.train, np.random.default_rng(0))
        costs[label] = time.perf_counter() - started[0], time.process_time() - started[1]
        model.forget_variants()
        if name == "ensemble":
            weights = getattr(model, "weights")[0].tolist()  # noqa: B009  # of Ensemble only
            notes[label] = f"{label} ({model.config.blend}, {', '.join(f'{weight:.2f}' for weight in weights)})"
        nexts = dataset.test if dataset.drawn == "next" else first_of_each_user(dataset.test)
        evaluations = [evaluate_next_items(model, dataset.train, nexts)]
        if dataset.drawn != "next":
            evaluations.insert(0, evaluate(model, dataset.train, dataset.test, (20,)))
        measured[label] = evaluations
    rows = []
    for number, evaluation in enumerate(measured[BASE]):
        metrics = ("recall@20", "ndcg@20") if "recall@20" in evaluation.metrics else ("hit_rate@10", "ndcg@10")
        values = {
            label: PooledValues(all_of[number].user_index, {m: all_of[number].per_user[m] for m in metrics})
            for label, all_of in measured.items()
        }
        others = [label for label in models if label != BASE]
        pairs = {metric: [(label, BASE) for label in others] for metric in metrics}
        changes = {(c.metric, c.first): c.estimate for c in compare_pairs(values, pairs, np.random.default_rng(0))}
        for metric in metrics:
            for label in models:
                mean = f"{measured[label][number].metrics[metric]:.4f}"
                change = changes.get((metric, label))
                cells = ["–", "–"]
                if change is not None:
                    cells = [f"{change.value:+.4f}", f"{change.low:+.4f} to {change.high:+.4f}"]
                seconds = [f"{value:.1f}" for value in costs[label]]
                named = [dataset.name, notes.get(label, label), metric, f"{len(evaluation.user_index):,}"]
                rows.append([*named, mean, *cells, *seconds])
    return rows


if __name__ == "__main__":
    main()
