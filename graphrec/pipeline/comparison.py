"""Comparing models and saved runs on held-out behaviour of a graph."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from graphrec import runs as saved
from graphrec.evaluation.result import Comparison
from graphrec.evaluation.trial import Contender
from graphrec.models import model_class
from graphrec.runs import Run

#: Models compared by default: without runs, and next to given runs.
DEFAULT_MODELS = ("popularity", "item_knn", "graph_filter")
BASELINES = ("popularity", "item_knn")


def list_contenders(
    models: str | Iterable[str], runs: str | Run | Iterable[str | Run], folder: Path
) -> list[Contender]:
    """The models to tune, and the saved runs, which keep their settings.

    Raises UnknownNameError if there is no such model or run.
    """
    names: Sequence[str] = list(models) if isinstance(models, Iterable) and not isinstance(models, str) else [models]
    chosen = [runs] if isinstance(runs, str | Run) else list(runs)
    names = names or (BASELINES if chosen else DEFAULT_MODELS)
    for name in names:
        model_class(name)
    known = {run.id: run for run in saved.list_saved(folder)} if chosen else {}
    ids = [saved.find(folder, run) for run in chosen]
    return [*map(Contender, names), *(Contender(known[id_].model, known[id_].config, id_) for id_ in ids)]


def as_frame(comparison: Comparison) -> pd.DataFrame:
    """A row for each model: model, then its metrics (`ndcg@10` …)."""
    rows = {each.name: {name: value.value for name, value in each.metrics.items()} for each in comparison.results}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("model").reset_index()
