"""Publish the recommendations of a run as edges: versioned, activated atomically, with rollback."""

from graphrec.publishing.publish import KEEP, Change, Publication, PublishResult, publish
from graphrec.publishing.versions import Version, Versions, read_versions, roll_back

__all__ = [
    "KEEP",
    "Change",
    "Publication",
    "PublishResult",
    "Version",
    "Versions",
    "publish",
    "read_versions",
    "roll_back",
]
