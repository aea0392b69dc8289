"""Refuse loads that would delete a large share of the nodes or edges of their source."""

from collections.abc import Iterable
from dataclasses import dataclass

from graphrec.ingest.read import LoadConfig


@dataclass(frozen=True)
class Removal:
    """The numbers of a source's nodes of a label, or edges of a type, that the graph has and that a load would delete.

    `in_source` is False if the source no longer has the table.
    """

    name: str
    num_stored: int
    num_deleted: int
    in_source: bool = True


def explain_refusal(source: str, removals: Iterable[Removal], options: LoadConfig) -> str | None:
    """The message that refuses a load that would delete more than `options` allow; None if it is allowed."""
    if options.allow_removal:
        return None
    share = options.max_removal
    too_many = [each for each in removals if each.num_deleted and each.num_deleted > share * each.num_stored]
    if not too_many:
        return None
    parts = [
        f"{each.num_deleted:,} of {each.num_stored:,} {each.name}"
        + ("" if each.in_source else " (the source has no such table now)")
        for each in too_many
    ]
    return (
        f"a load of {source} would delete {', '.join(parts)}, more than {share:.0%}; nothing is written. "
        "Check whether files, columns or names have changed; if the removal is intended, use --allow-removal (in "
        "Python allow_removal=True), and if the files have only new rows, --append"
    )
