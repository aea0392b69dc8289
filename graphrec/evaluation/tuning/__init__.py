"""The choice of a config on validation: candidates, a search around the best, and a study that outlives a kill."""

from graphrec.evaluation.tuning.choice import Effort, Tuning, choose, select
from graphrec.evaluation.tuning.quality import Measure, Quality, Trial

__all__ = ["Effort", "Measure", "Quality", "Trial", "Tuning", "choose", "select"]
