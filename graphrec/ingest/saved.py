"""The last report of each source, saved beside its links with others and the rows that its cleaning rejected."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from graphrec.defects import CleaningReport
from graphrec.errors import GraphrecError
from graphrec.files import folder_name, written_whole

REPORT, REJECTED, LINKS = "report.json", "rejected.csv", "links.csv"


def save_report(
    folder: Path, source: str, report: Mapping[str, Any], cleaning: CleaningReport, links: pd.DataFrame | None = None
) -> Path:
    """The folder of a source's report in `folder`, after writing the files there, in the place of those of last time.

    report.json always; rejected.csv (table, rule, reason, row) where rows were rejected; links.csv (label, decision,
    the two keys, rule, confidence, evidence) where links with other sources were made, proposed, refused or ambiguous.
    """
    place = folder / folder_name(source)
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise GraphrecError(
            f"cannot write to {place}: {error.strerror}; set GRAPHREC_HOME to a folder of yours"
        ) from error
    with written_whole(place / REPORT) as path:
        path.write_text(json.dumps(report, indent=2, ensure_ascii=False, default=str), encoding="utf-8")
    for name, frame in ((REJECTED, cleaning.rejected), (LINKS, links)):
        (place / name).unlink(missing_ok=True)
        if frame is not None and len(frame):
            with written_whole(place / name) as path:
                frame.to_csv(path, index=False)
    return place
