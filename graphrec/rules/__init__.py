"""Rules before ranking: what may be recommended, what counts more, how many of a kind, and how different."""

from graphrec.rules.apply import Applied, apply
from graphrec.rules.check import check
from graphrec.rules.spec import Allow, Boost, Cap, Deny, Diversity, Recency, Rules, parse_rules, read_rules
from graphrec.rules.trace import Trace

__all__ = [
    "Allow",
    "Applied",
    "Boost",
    "Cap",
    "Deny",
    "Diversity",
    "Recency",
    "Rules",
    "Trace",
    "apply",
    "check",
    "parse_rules",
    "read_rules",
]
