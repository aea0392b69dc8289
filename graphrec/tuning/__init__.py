"""Hyper-parameter search on held-out parts: a model's candidates, a local search around the best one, and a
study file that resumes after a kill."""

from graphrec.tuning.trial import Measure, Quality, Trial, Validation
from graphrec.tuning.tune import Tuning, TuningBudget, choose, select

__all__ = ["Measure", "Quality", "Trial", "Tuning", "TuningBudget", "Validation", "choose", "select"]
