"""Whether a run is good enough to be published: better than simple baselines on a split that tells nothing."""

import numpy as np

from graphrec.errors import LeakError
from graphrec.evaluation.audit import require_clean
from graphrec.evaluation.preparation import PreparedSplit
from graphrec.evaluation.protocol import Evaluation, evaluate
from graphrec.evaluation.trial import tune
from graphrec.hetero import HeteroGraph
from graphrec.models import make
from graphrec.runs import BASELINES, Verdict
from graphrec.tuning import TuningBudget

#: Configs tried for each baseline.
TRIED = 4

#: What they are compared by.
METRIC = "ndcg@10"


def judge(graph: HeteroGraph, prepared: PreparedSplit, model_name: str, measured: Evaluation, seed: int) -> Verdict:
    """The verdict about a model that was measured on the test part of a split, like the other baselines here."""
    evaluations = {"run": measured}
    others = [name for name in BASELINES if name != model_name]
    for name in others:
        rng = np.random.default_rng(seed)
        config = tune(graph, prepared.parts, name, rng, effort=TuningBudget(budget=TRIED)).config
        model = make(name, **config)
        model.fit(prepared.visible, prepared.train_validation, rng)
        evaluations[name] = evaluate(model, prepared.train_validation, prepared.parts.test)
    found = compare_pairs(evaluations, {METRIC: [("run", name) for name in others]}, np.random.default_rng(seed))
    estimates = {difference.second: difference.estimate for difference in found}
    gains = {name: (e.value, e.low or 0.0, e.high or 0.0) for name, e in estimates.items()}
    return Verdict(METRIC, gains, len(measured.user_index), leaks(prepared), model_name, measured.metrics[METRIC])


def leaks(prepared: PreparedSplit) -> str:
    """What the audit of a split found, in a sentence; empty where it is clean."""
    try:
        require_clean(prepared.audit)
    except LeakError as error:
        return str(error)
    return ""
