"""What a load would take away of what its source brought before, and whether that is too much."""

from collections.abc import Iterable
from dataclasses import dataclass

from graphrec.ingest.read import LoadConfig


@dataclass(frozen=True)
class Vanishing:
    """Of a label or a relationship type, how many nodes or edges of a source the graph has, and how many would go.

    `in_source` says whether the source still has the table.
    """

    name: str
    known: int
    gone: int
    in_source: bool = True


def refusal(source: str, vanishing: Iterable[Vanishing], options: LoadConfig) -> str | None:
    """The sentence that refuses a load that takes away more of a label or type than `options` allow, else None."""
    if options.allow_removal:
        return None
    too_many = [each for each in vanishing if each.gone and each.gone > options.max_removal * each.known]
    if not too_many:
        return None
    parts = [
        f"{each.gone:,} of {each.known:,} {each.name}"
        + ("" if each.in_source else " (the source has no such table now)")
        for each in too_many
    ]
    return (
        f"a load of {source} would delete {', '.join(parts)}, more than {options.max_removal:.0%}; nothing is written. "
        "Look whether files, columns or names have changed; if this is meant, say --allow-removal (in Python "
        "allow_removal=True), and if the files have only what is new, --append"
    )
