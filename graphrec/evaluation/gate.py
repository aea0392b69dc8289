"""Publish gate: the run must beat popularity and item_knn on a leak-free split."""

import numpy as np

from graphrec.errors import LeakError
from graphrec.evaluation.audit import require_clean
from graphrec.evaluation.preparation import PreparedSplit
from graphrec.evaluation.protocol import Evaluation, evaluate
from graphrec.evaluation.significance import compare_pairs
from graphrec.evaluation.trial import tune
from graphrec.hetero import HeteroGraph
from graphrec.models import make
from graphrec.runs import BASELINES, Verdict
from graphrec.tuning import TuningBudget

#: Number of configs tried for each baseline.
NUM_CONFIGS = 4

#: Metric of the comparison.
METRIC = "ndcg@10"


def judge(graph: HeteroGraph, prepared: PreparedSplit, model_name: str, measured: Evaluation, seed: int) -> Verdict:
    """The verdict on a model with the test metrics `measured`; baselines are tuned and tested on the same split."""
    evaluations = {"run": measured}
    others = [name for name in BASELINES if name != model_name]
    for name in others:
        rng = np.random.default_rng(seed)
        config = tune(graph, prepared.parts, name, rng, effort=TuningBudget(budget=NUM_CONFIGS)).config
        model = make(name, **config)
        model.fit(prepared.visible, prepared.train_validation, rng)
        evaluations[name] = evaluate(model, prepared.train_validation, prepared.parts.test)
    differences = compare_pairs(evaluations, {METRIC: [("run", name) for name in others]}, np.random.default_rng(seed))
    estimates = {difference.second: difference.estimate for difference in differences}
    gains = {name: (e.value, e.low or 0.0, e.high or 0.0) for name, e in estimates.items()}
    return Verdict(
        METRIC, gains, len(measured.user_index), describe_leaks(prepared), model_name, measured.metrics[METRIC]
    )


def describe_leaks(prepared: PreparedSplit) -> str:
    """The finding of the leak audit of a split as a sentence, empty without leaks."""
    try:
        require_clean(prepared.audit)
    except LeakError as error:
        return str(error)
    return ""
