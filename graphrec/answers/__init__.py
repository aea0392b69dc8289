"""An answer for every id, from the published list, the run's model on the live graph, or the graph alone."""

from graphrec.answers.answer import Answer, Recommended, as_table
from graphrec.answers.answering import Answers
from graphrec.answers.published import ActiveRun, active_run
from graphrec.answers.table_file import ENDINGS, RecommendationFile, write_answers

__all__ = [
    "ENDINGS",
    "ActiveRun",
    "Answer",
    "Answers",
    "RecommendationFile",
    "Recommended",
    "active_run",
    "as_table",
    "write_answers",
]
