"""Options of reading a stream."""

from dataclasses import dataclass

#: Default batch size: records that are written in one transaction.
BATCH = 1_000


@dataclass(frozen=True)
class ConsumeOptions:
    """How a stream is read.

    once: end when all records that are there are written.
    from_start: forget the positions, and read all records again; those that have an id of their own are not doubled.
    skip_lost: read on from the oldest record where records were deleted before they were read.
    batch: records that are written in one transaction, at most.
    metrics_port: port on loopback for metrics; None serves none.
    """

    once: bool = False
    from_start: bool = False
    skip_lost: bool = False
    batch: int = BATCH
    metrics_port: int | None = None


DEFAULT_OPTIONS = ConsumeOptions()
