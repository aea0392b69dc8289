"""Hyper-parameter search on a validation part: a model's candidates, a local search around the best one, and a
study file that resumes after a kill."""

from graphrec.tuning.trial import Measure, Quality, Trial
from graphrec.tuning.tune import Tuning, TuningBudget, choose, select

__all__ = ["Measure", "Quality", "Trial", "Tuning", "TuningBudget", "choose", "select"]
