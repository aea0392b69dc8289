"""Business rules for recommendations: deny, allow, boost, recency, caps per category and diversity."""

from graphrec.reranking.rerank import RerankedLists, rerank_lists
from graphrec.reranking.spec import Allow, Boost, Cap, Deny, Diversity, Recency, RerankingRules, parse_rules, read_rules
from graphrec.reranking.trace import Trace
from graphrec.reranking.validation import require_applicable

__all__ = [
    "Allow",
    "Boost",
    "Cap",
    "Deny",
    "Diversity",
    "Recency",
    "RerankedLists",
    "RerankingRules",
    "Trace",
    "parse_rules",
    "read_rules",
    "require_applicable",
    "rerank_lists",
]
