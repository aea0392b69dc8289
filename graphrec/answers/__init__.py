"""An answer for every id, from the published list, the run's model on the live graph, or the graph alone."""

from graphrec.answers.answer import Answer, Recommended
from graphrec.answers.answering import Answers
from graphrec.answers.published import ActiveRun, active_run

__all__ = ["ActiveRun", "Answer", "Answers", "Recommended", "active_run"]
