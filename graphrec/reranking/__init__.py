"""Rules before ranking: what may be recommended, what counts more, how many of a kind, and how different."""

from graphrec.reranking.rerank import Applied, apply
from graphrec.reranking.spec import Allow, Boost, Cap, Deny, Diversity, Recency, RerankingRules, parse_rules, read_rules
from graphrec.reranking.trace import Trace
from graphrec.reranking.validation import check

__all__ = [
    "Allow",
    "Applied",
    "Boost",
    "Cap",
    "Deny",
    "Diversity",
    "Recency",
    "RerankingRules",
    "Trace",
    "apply",
    "check",
    "parse_rules",
    "read_rules",
]
