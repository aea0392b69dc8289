"""The strongest reason of every recommendation of graph_filter, as `explain` has it."""

from dataclasses import replace

import numpy as np
import pytest

from graphrec.explanation import explain, with_reasons
from graphrec.hetero import HeteroGraph
from graphrec.models.graph_filter.model import GraphFilter
from graphrec.ranking.topk import recommend
from graphrec.runs import TrainedRun

from .worlds import FULL, run_of


@pytest.mark.parametrize("change", [{}, {"social_weight": 5.0}, {"rank": 0, "neighbours": 4}, {"sharpening": 1.0}])
def test_it_is_the_reason_with_the_greatest_amount(world: HeteroGraph, change: dict[str, float]) -> None:
    run = run_of(world, GraphFilter(replace(FULL, **change)))  # type: ignore[arg-type]  # fields are numbers
    found = with_reasons(run, recommend(run, k=4)).frame
    assert list(found.columns) == ["user_id", "item_id", "score", "rank", "because", "because_label"]
    for row in found.iloc[::3].itertuples():
        reasons = explain(run, str(row.user_id), str(row.item_id), 1).reasons
        best = reasons[0].amount if reasons else 0.0
        if best <= 0:
            assert row.because is None
            continue
        alike = [each for each in reasons if (each.node.id, each.node.label) == (row.because, row.because_label)]
        assert alike[0].amount == pytest.approx(best, rel=1e-4)
    labels = set(found["because_label"].dropna())
    assert labels == {"User"} | labels if "social_weight" in change else "Item" in labels


def test_rows_in_any_order_get_the_same_reasons(trained: TrainedRun) -> None:
    given = recommend(trained, k=4)
    mixed = replace(given, frame=given.frame.sample(frac=1, random_state=0))
    ordered, other = (with_reasons(trained, each).frame for each in (given, mixed))
    assert ordered["because"].equals(other["because"].loc[ordered.index])
    assert "because" not in given.frame


def test_progress_is_told(trained: TrainedRun) -> None:
    told: list[tuple[int, int]] = []
    given = recommend(trained, np.arange(3), k=2)
    with_reasons(trained, given, lambda done, total: told.append((done, total)))
    assert told[-1] == (len(given.frame), len(given.frame))
