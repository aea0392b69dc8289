"""The last report of each source, saved beside the rows that its cleaning rejected."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from graphrec.defects import CleaningReport
from graphrec.errors import GraphrecError
from graphrec.files import written_whole

REPORT, REJECTED = "report.json", "rejected.csv"


def save_report(folder: Path, source: str, report: Mapping[str, Any], cleaning: CleaningReport) -> Path:
    """The folder of a source's report in `folder`, after writing report.json and, where rows were rejected,
    rejected.csv with their table, rule, reason and row. Both replace those of the last time."""
    place = folder / source.replace("/", "_")
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise GraphrecError(
            f"cannot write to {place}: {error.strerror}; set GRAPHREC_HOME to a folder of yours"
        ) from error
    with written_whole(place / REPORT) as path:
        path.write_text(json.dumps(report, indent=2, ensure_ascii=False, default=str), encoding="utf-8")
    (place / REJECTED).unlink(missing_ok=True)
    if cleaning.rejected is not None and len(cleaning.rejected):
        with written_whole(place / REJECTED) as path:
            cleaning.rejected.to_csv(path, index=False)
    return place
