"""Operation: a process that retrains, gates, publishes, watches clicks and rolls back, and keeps a journal of it."""

from graphrec.operation.journal import Decision, read_decisions
from graphrec.operation.policy import OperationPolicy, PublishPolicy, RetrainPolicy, SearchPolicy, WatchPolicy

__all__ = [
    "Decision",
    "OperationPolicy",
    "PublishPolicy",
    "RetrainPolicy",
    "SearchPolicy",
    "WatchPolicy",
    "read_decisions",
]
