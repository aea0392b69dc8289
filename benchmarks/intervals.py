"""Differences between tuned models on the data sets of `graphrec benchmark`, with intervals.

    python benchmarks/intervals.py NAME… [--models graph_filter slim ease] [--combine hybrid] [--trials 6] [--threads 1]

Each model is tuned on held-out parts of train, fitted to all of train and measured on test once, as by `graphrec
benchmark`. Models that combine others (`--combine hybrid ensemble`) have the tuned models as members. Differences are
those to the first model, of the combining ones if there are any, with 95 % intervals of a paired bootstrap over the
test users.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from graphrec.benchmark.datasets import Dataset, open_dataset
from graphrec.benchmark.results import format_table
from graphrec.benchmark.run import Conditions, Result, measure
from graphrec.evaluation.significance import PooledValues, compare_pairs
from graphrec.models.ensemble.members import write_members

HEAD = ("data", "model", "metric", "users", "mean", "difference to the first", "95 % interval", "tune s", "fit s")


def main() -> None:
    """Print a Markdown table for each data set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+", metavar="NAME")
    parser.add_argument("--models", nargs="+", default=["graph_filter", "slim", "ease"])
    parser.add_argument("--combine", nargs="+", default=[])
    parser.add_argument("--trials", type=int, default=6)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    conditions = Conditions(num_trials=arguments.trials, seed=arguments.seed)
    for name in arguments.names:
        rows = compare_models(open_dataset(name), arguments.models, conditions, arguments.combine)
        print(format_table(HEAD, rows), flush=True)


def compare_models(
    dataset: Dataset, models: list[str], conditions: Conditions, combine: Sequence[str] = ()
) -> list[list[str]]:
    """The rows of a table: each model on each metric, with the difference to the first model."""
    if dataset.task == "rating":
        raise SystemExit(f"{dataset.name} is measured by errors of ratings; give a data set that ranks items")
    results: dict[str, Result] = {}
    values: dict[str, PooledValues] = {}
    for model in [*models, *combine]:
        settings = None
        if model in combine:
            settings = {"members": write_members((name, results[name].config) for name in models)}
        measured = measure(dataset, model, replace(conditions, settings=settings))
        assert measured.evaluation is not None  # of a data set that ranks items
        results[model] = measured.result
        values[model] = PooledValues(measured.evaluation.user_index, measured.evaluation.per_user)
        print(f"{dataset.name}, {model}: {dict(measured.result.config)}", flush=True)
    first, *others = models = [*combine, *models]
    metrics = ("hit_rate@10", "ndcg@10") if dataset.drawn == "next" else ("recall@20", "ndcg@20")
    pairs = {metric: [(other, first) for other in others] for metric in metrics}
    changes = compare_pairs(values, pairs, np.random.default_rng(conditions.seed))
    effects = {(change.metric, change.first): change.estimate for change in changes}
    rows = []
    for metric in metrics:
        for model in models:
            estimate = effects.get((metric, model))
            cells = ["–", "–"]
            if estimate is not None:
                cells = [f"{estimate.value:+.4f}", f"{estimate.low:+.4f} to {estimate.high:+.4f}"]
            mean = f"{values[model].per_user[metric].mean():.4f}"
            seconds = [f"{results[model].seconds[stage]:.1f}" for stage in ("tune", "fit")]
            rows.append([dataset.name, model, metric, f"{len(values[model].user_index):,}", mean, *cells, *seconds])
    return rows


if __name__ == "__main__":
    main()
