"""Progress of long work, reported to a callback; the library itself draws nothing."""

from collections.abc import Callable

#: Called with (steps done, steps in all).
Progress = Callable[[int, int], None]

#: Called with (name of the stage, steps done, steps in all).
StageProgress = Callable[[str, int, int], None]


def silent(_stage: str, _done: int, _total: int) -> None:
    """Report nothing."""


def stage_progress(progress: StageProgress, stage: str) -> Progress:
    """The callback for the steps of one stage."""
    return lambda done, total: progress(stage, done, total)
