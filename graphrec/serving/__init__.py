"""An answer for every id, from the published list, the run's model on the live graph, or the graph alone."""

from graphrec.serving.answer import Answer, Recommended, as_table
from graphrec.serving.list_files import ENDINGS, RecommendationFile, write_answers
from graphrec.serving.published_list import ActiveRun, active_run
from graphrec.serving.recommender import OnlineRecommender

__all__ = [
    "ENDINGS",
    "ActiveRun",
    "Answer",
    "OnlineRecommender",
    "RecommendationFile",
    "Recommended",
    "active_run",
    "as_table",
    "write_answers",
]
