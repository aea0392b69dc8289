"""Callbacks for the progress of long tasks; the library itself prints nothing."""

from collections.abc import Callable

#: Called with (steps done, total steps).
Progress = Callable[[int, int], None]

#: Called with (name of the stage, steps done, total steps).
StageProgress = Callable[[str, int, int], None]


def silent(_stage: str, _done: int, _total: int) -> None:
    """Report nothing."""


def stage_progress(progress: StageProgress, stage: str) -> Progress:
    """The callback for the steps of one stage."""
    return lambda done, total: progress(stage, done, total)
