"""The choice of a config on validation: candidates, a search around the best, and a study that outlives a kill."""

from graphrec.tuning.trial import Measure, Quality, Trial
from graphrec.tuning.tune import Tuning, TuningBudget, choose, select

__all__ = ["Measure", "Quality", "Trial", "Tuning", "TuningBudget", "choose", "select"]
