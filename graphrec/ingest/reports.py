"""Save the report of the last load of each source, with its links to other sources and its rejected rows."""

import csv
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from graphrec.atomic_write import folder_name
from graphrec.characters import disarm
from graphrec.cleaning_report import CleaningReport
from graphrec.errors import GraphrecError
from graphrec.home import private_folder, write_privately

REPORT, REJECTED, LINKS = "report.json", "rejected.csv", "links.csv"

#: The columns of rejected.csv before those of the row itself. A line that could not be split is in a column `text`.
REJECTED_COLUMNS = ("file", "line", "table", "rule", "reason")


def save_report(
    folder: Path,
    source: str,
    report: Mapping[str, Any],
    cleaning: CleaningReport,
    links: pd.DataFrame | None = None,
    csv_safe: bool = False,
) -> Path:
    """Write the report of a source, replacing the previous one; return its folder, a subfolder of `folder`.

    Files: report.json always; rejected.csv (`REJECTED_COLUMNS`, then the columns of the source's files) if rows were
    rejected; links.csv (label, decision, the two keys, rule, confidence, evidence) if links with other sources were
    made, proposed, refused or ambiguous. The CSV files have unchanged values, so that corrected rows can be loaded;
    with `csv_safe`, values that a spreadsheet would execute as formulas get an apostrophe in front.
    """
    place = folder / folder_name(source)
    try:
        private_folder(place)
    except OSError as error:
        raise GraphrecError(
            f"cannot write to {place}: {error.strerror}; set GRAPHREC_HOME to a folder of yours"
        ) from error
    with write_privately(place / REPORT) as path:
        path.write_text(json.dumps(report, indent=2, ensure_ascii=False, default=str), encoding="utf-8")
    for name in (REJECTED, LINKS):
        (place / name).unlink(missing_ok=True)
    if cleaning.rejected is not None and len(cleaning.rejected):
        with write_privately(place / REJECTED) as path:
            _write_rejected(path, cleaning.rejected, csv_safe)
    if links is not None and len(links):
        with write_privately(place / LINKS) as path:
            (links.map(disarm) if csv_safe else links).to_csv(path, index=False)
    return place


def delete_report(folder: Path, source: str) -> bool:
    """Delete the report of a source with its rejected rows and links; return whether it had one.

    Raises GraphrecError if it cannot be deleted.
    """
    place = folder / folder_name(source)
    if not place.is_dir() or place.is_symlink():
        return False
    try:
        shutil.rmtree(place)
    except OSError as error:
        raise GraphrecError(f"cannot delete {place}: {error.strerror}; delete this folder yourself") from error
    return True


def _write_rejected(path: Path, rejected: pd.DataFrame, csv_safe: bool) -> None:
    """Write a CSV file of the rejected rows with the columns of all files of the source."""
    lines = rejected["row"].str.startswith('"')
    kinds = rejected.assign(lines=lines)[["file", "table", "lines"]].drop_duplicates().index
    names = [name for at in kinds for name in _parse_row(rejected["row"][at])]
    columns = {name: name if name not in REJECTED_COLUMNS else f"{name} of the source" for name in names}
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)

        def write(cells: list[Any]) -> None:  # Any: cells of JSON
            writer.writerow(map(disarm, cells) if csv_safe else cells)

        write([*REJECTED_COLUMNS, *columns.values()])
        places = (rejected[name].astype(object).where(rejected[name].notna(), "") for name in REJECTED_COLUMNS)
        for *place, row in zip(*places, rejected["row"], strict=True):
            cells = _parse_row(row)
            write([*place, *(cells.get(name) for name in columns)])


def _parse_row(row: str) -> dict[str, Any]:  # Any: a cell of JSON
    """The cells of a rejected row by column; a line without columns has a single cell, called text."""
    cells = json.loads(row)
    return cells if isinstance(cells, dict) else {"text": cells}
