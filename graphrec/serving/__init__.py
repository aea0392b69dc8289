"""Recommendations for one user or many, online: from the published list, the run's model, or the graph alone."""

from graphrec.serving.answer import Answer, Recommended, Strategy, as_table
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
    "Strategy",
    "active_run",
    "as_table",
    "write_answers",
]
