"""Scores become recommendation edges: versioned by run, switched at one instant, and switched back."""

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
