"""The last report of each source, saved beside its links with others and the rows that its cleaning rejected."""

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from graphrec.defects import CleaningReport
from graphrec.errors import GraphrecError
from graphrec.home import private_folder, written_privately

REPORT, REJECTED, LINKS = "report.json", "rejected.csv", "links.csv"


def save_report(
    folder: Path, source: str, report: Mapping[str, Any], cleaning: CleaningReport, links: pd.DataFrame | None = None
) -> Path:
    """The folder of a source's report in `folder`, after writing the files there, in the place of those of last time.

    report.json always; rejected.csv (table, rule, reason, row) where rows were rejected; links.csv (label, decision,
    the two keys, rule, confidence, evidence) where links with other sources were made, proposed, refused or ambiguous.
    """
    place = _place(folder, source)
    try:
        private_folder(place)
    except OSError as error:
        raise GraphrecError(
            f"cannot write to {place}: {error.strerror}; set GRAPHREC_HOME to a folder of yours"
        ) from error
    with written_privately(place / REPORT) as path:
        path.write_text(json.dumps(report, indent=2, ensure_ascii=False, default=str), encoding="utf-8")
    for name, frame in ((REJECTED, cleaning.rejected), (LINKS, links)):
        (place / name).unlink(missing_ok=True)
        if frame is not None and len(frame):
            with written_privately(place / name) as path:
                frame.to_csv(path, index=False)
    return place


def forget_report(folder: Path, source: str) -> bool:
    """Delete the reports of a source, with its rejected rows and links; whether there were any.

    Raises GraphrecError where they cannot be deleted.
    """
    place = _place(folder, source)
    if not place.is_dir() or place.is_symlink():
        return False
    try:
        shutil.rmtree(place)
    except OSError as error:
        raise GraphrecError(f"cannot delete {place}: {error.strerror}; delete this folder yourself") from error
    return True


def _place(folder: Path, source: str) -> Path:
    return folder / re.sub(r"[/\\]|^\.+", "_", source)  # a source may be called ".."
