"""Refuse loads that would delete a large share of the nodes or edges of their source."""

from collections.abc import Iterable
from dataclasses import dataclass

from graphrec.ingest.read import Options


@dataclass(frozen=True)
class Removal:
    """The number of a source's nodes of a label, or edges of a type, in the graph (`known`), and how many a load would
    delete (`gone`); `in_source` is False if the source no longer has the table."""

    name: str
    known: int
    gone: int
    in_source: bool = True


def explain_refusal(source: str, removals: Iterable[Removal], options: Options) -> str | None:
    """The message that refuses a load that would delete more than `options` allow; None if it is allowed."""
    if options.allow_removal:
        return None
    too_many = [each for each in removals if each.gone and each.gone > options.max_removal * each.known]
    if not too_many:
        return None
    parts = [
        f"{each.gone:,} of {each.known:,} {each.name}"
        + ("" if each.in_source else " (the source has no such table now)")
        for each in too_many
    ]
    return (
        f"a load of {source} would delete {', '.join(parts)}, more than {options.max_removal:.0%}; nothing is written. "
        "Check whether files, columns or names have changed; if the removal is intended, use --allow-removal (in "
        "Python allow_removal=True), and if the files have only new rows, --append"
    )
