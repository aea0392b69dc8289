"""Recommendations for one user or many, online: from the published list, the run's model, or the graph alone."""

from graphrec.serving.answer import Answer, Recommended, Strategy, as_table
from graphrec.serving.list_files import ENDINGS, RecommendationFile, write_answers
from graphrec.serving.recommender import OnlineRecommender
from graphrec.store.active_run import ActiveRun, find_active_run

__all__ = [
    "ENDINGS",
    "ActiveRun",
    "Answer",
    "OnlineRecommender",
    "RecommendationFile",
    "Recommended",
    "Strategy",
    "as_table",
    "find_active_run",
    "write_answers",
]
