"""A metric is one function and one entry of the registry: comparison, reports and help find it there."""

from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner

from graphrec.evaluation import report
from graphrec.evaluation.compare import compare
from graphrec.evaluation.metric_registry import METRICS, Metric, metrics_of
from graphrec.evaluation.report import findings
from graphrec.evaluation.result import Comparison
from graphrec.evaluation.trial import EvaluationConfig
from graphrec.tuning import TuningBudget

from .timed import timed

#: The one file of two new metrics, besides their entries.
MODULE = '''
import numpy as np


def top_hit(hits):
    """1 if the first item is a test item."""
    return hits.is_hit[:, 0].astype(np.float64)


def compute_filled(lists, ks):
    """The share of places that are filled, per user by k."""
    return {k: (lists.item_index[:, :k] >= 0).mean(axis=1) for k in ks}
'''


@pytest.fixture
def registered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "two_metrics.py").write_text(MODULE, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    accuracy = Metric("top_hit", "Top hit", "whether the first item is a test item", "two_metrics:top_hit")
    other = Metric(
        "filled", "Filled", "share of places with an item", "two_metrics:compute_filled", "beyond_accuracy", None
    )
    for metric in (accuracy, other):
        monkeypatch.setitem(METRICS, metric.name, metric)


def compared() -> Comparison:
    config = EvaluationConfig(effort=TuningBudget(budget=1), num_examples=0)
    return compare(timed(), ["popularity", "item_knn"], config)


@pytest.mark.usefixtures("registered")
def test_a_registered_metric_is_in_the_comparison_and_in_every_report(tmp_path: Path) -> None:
    found = compared()
    for result in found.results:
        assert {"top_hit@10", "top_hit@20", "filled@10", "filled@20"} <= set(result.metrics)
    assert {d.metric for d in found.differences} >= {"top_hit@10", "top_hit@20"}
    assert "top_hit@10" in findings.list_accuracy(found)
    assert "filled@10" in findings.list_beyond_accuracy(found)

    report.write_all(found, tmp_path / "report.html", datetime(2026, 11, 29, tzinfo=UTC))
    page, markdown, json_ = ((tmp_path / f"report.{end}").read_text(encoding="utf-8") for end in ("html", "md", "json"))
    for text in (page, markdown):
        assert "Top hit" in text
        assert "Top hit: whether the first item is a test item" in text
        assert "Filled: share of places with an item" in text
    assert '"top_hit@10"' in json_
    assert '"filled@10"' in json_


@pytest.mark.usefixtures("registered")
def test_a_registered_metric_is_in_the_help_of_evaluate() -> None:
    command = import_module("graphrec.scripts.evaluate").command
    shown = " ".join(CliRunner().invoke(command, ["--help"]).output.split())
    assert "top_hit whether the first item is a test item" in shown
    assert "filled share of places with an item" in shown


def test_every_metric_has_a_function_a_label_and_a_description() -> None:
    for name, metric in METRICS.items():
        assert metric.name == name
        assert callable(metric.load())
        assert metric.label
        assert metric.description
    assert [metric.name for metric in metrics_of("accuracy")] == [
        "recall",
        "ndcg",
        "precision",
        "map",
        "mrr",
        "hit_rate",
    ]
    assert {metric.name for metric in metrics_of("rating")} == {"rmse", "mae"}


def test_models_are_ordered_by_the_direction_of_a_metric() -> None:
    assert [findings.sign(name) for name in ("ndcg@10", "rmse", "mae", "unknown@5", "novelty@10")] == [1, -1, -1, 1, 1]
    assert [findings.label(name) for name in ("ndcg@10", "hit_rate@5", "rmse", "my_metric@3")] == [
        "NDCG@10",
        "Hit rate@5",
        "RMSE",
        "My metric@3",
    ]
