"""The report of a comparison: an HTML page, the same as Markdown, and as JSON for programs."""

import json
from datetime import UTC, datetime
from pathlib import Path

from graphrec.atomic_write import atomic_write, make_folder
from graphrec.errors import DataError, GraphrecError
from graphrec.evaluation.report import markdown, page
from graphrec.evaluation.report.serialise import as_json, costs_as_json
from graphrec.evaluation.result import Comparison

__all__ = ["as_json", "costs_as_json", "write", "write_all"]

ENDINGS = (".html", ".md", ".json", ".costs.json")


def write(comparison: Comparison, path: Path, now: datetime | None = None) -> None:
    """Write the report atomically in the format of its ending: .html, .md, .json, or .costs.json.

    The JSON is the same for two runs with one seed; seconds, memory, machine and date, which differ between them, are
    in .costs.json, and also in the page and in Markdown.

    Raises:
        DataError: the comparison has no results.
        GraphrecError: the ending is unknown, or the file cannot be written.
    """
    with atomic_write(path) as partial:
        partial.write_text(_render(comparison, path, now or datetime.now(UTC)), encoding="utf-8")


def write_all(comparison: Comparison, path: Path, now: datetime | None = None) -> tuple[Path, ...]:
    """Write the page, Markdown, JSON and costs to one folder, and return their paths.

    `path` is the page (`x.html` adds x.md, x.json and x.costs.json), a single other file (`x.md` or `x.json`), or a
    folder, in which the files are named report. Raises as `write`.
    """
    now = now or datetime.now(UTC)
    if path.suffix in (".md", ".json"):
        write(comparison, path, now)
        return (path,)
    stem = path.with_suffix("") if path.suffix == ".html" else path / "report"
    if stem.parent == path:
        make_folder(path)
    paths = tuple(stem.with_name(stem.name + ending) for ending in ENDINGS)
    for target in paths:
        write(comparison, target, now)
    return paths


def _render(comparison: Comparison, path: Path, now: datetime) -> str:
    if not comparison.results:
        raise DataError("the comparison has no results to report; compare at least one model")
    if path.name.endswith(".costs.json"):
        return _dump_json(costs_as_json(comparison, now))
    if path.suffix == ".json":
        return _dump_json(as_json(comparison))
    if path.suffix == ".md":
        return markdown.render(comparison, now)
    if path.suffix == ".html":
        return page.render(comparison, now)
    raise GraphrecError(f"cannot choose a format for {path.name}: it must end in .html, .md or .json; rename it")


def _dump_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
