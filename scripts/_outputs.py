"""Files that commands write: their endings, checked before any work."""

from collections.abc import Collection
from pathlib import Path

import click


def check_ending(path: Path | None, endings: Collection[str], option: str, what: str, needed: bool = False) -> None:
    """Raise wrong usage if the ending of a file is not among `endings`, the first of which is offered.

    A name without an ending (the 2 of `v1.2` is none) says nothing wrong, unless the ending is `needed` to know the
    format. A pipe or a device is written to whatever it is called.
    """
    if path is None or path.suffix.lower() in endings:
        return
    if not needed and (not path.suffix or path.suffix[1:].isdigit()):
        return
    if path.is_relative_to("/dev") or (path.exists() and not path.is_file() and not path.is_dir()):
        return
    known = ", ".join(endings)
    found = f"ends in {path.suffix}" if path.suffix else "has no ending"
    raise click.UsageError(
        f"{option} {path.name} {found}, but {what} is written as {known}; "
        f"choose {path.with_suffix(next(iter(endings))).name}"
    )
