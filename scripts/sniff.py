"""Propose a TOML file that describes your own files for `graphrec load`."""

import re
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import _options, _terminal

if TYPE_CHECKING:
    from graphrec.tabular.proposal import Proposal
    from graphrec.tabular.toml_builder import TableReport

#: Cap on the columns of a table in the report.
_MOST_COLUMNS = 25

#: Beginnings of addresses of files to download, which are not databases.
_DOWNLOAD = re.compile(r"(https?|ftps?|sftp|s3|gs|hdfs|file)://", re.IGNORECASE)


@click.command(
    epilog="Example: graphrec sniff ratings.csv movies.csv --out films.toml && graphrec load films.toml --check"
)
@click.argument("files", nargs=-1, required=True)
@click.option("--out", type=_options.OutPath(dir_okay=False), help="File to write, instead of stdout.")
@_options.json_option
def command(files: tuple[str, ...], out: Path | None, as_json: bool) -> None:
    """Propose a TOML file that describes FILES for `graphrec load`.

    FILES are files (CSV and other separated text, JSON, Parquet, Excel; compressed or not), folders, patterns such as
    'day*.csv', or the address of a database such as sqlite:///shop.db.

    The first rows of each are read. The inferred role of each column, with its evidence and confidence, and open
    questions are printed to stderr; the TOML file is printed to stdout and has the questions as comments.
    """
    _options.check_ending(out, (".toml",), "--out", "a proposal")
    if any(_DOWNLOAD.match(name) for name in files):  # not shown, as there may be a password in it
        raise click.UsageError("this is an address, not a file; download it first, and give the file.")
    from graphrec.atomic_write import atomic_write, is_stdout
    from graphrec.errors import GraphrecError
    from graphrec.graph import Graph

    if out is not None and (out.is_file() or out.is_dir()) and not is_stdout(out):
        raise GraphrecError(f"{out} exists already; choose another name, or remove it first")
    if out is not None and not out.absolute().parent.is_dir():
        raise GraphrecError(f"there is no folder {out.absolute().parent} to write {out.name} into; create it first")
    found = Graph.propose(files, None if out is None else out.absolute().parent)
    if out is not None:
        with atomic_write(out) as path:
            path.write_text(found.toml, encoding="utf-8")
    if as_json:
        _terminal.print_json({"file": str(out) if out else None, **asdict(found)})
        return
    _terminal.note("\n".join(_format_report(found)))
    if out is None:
        _terminal.say(found.toml, end="")
    elif all(table.confidence == 0 for table in found.tables):
        _terminal.note(f"{out} written, with no table yet: its comments explain what to fill in")
    else:
        _terminal.note(f"{out} written; review it, then run: graphrec load table {out} --check")


def _format_report(found: "Proposal") -> Iterator[str]:
    """The lines of the report: each table with its columns, then the questions."""
    for table in found.tables:
        yield from _describe_table(table)
        yield ""
    yield from (f"Not read: {reason}" for reason in found.unread)
    if found.questions:
        yield "Questions"
        yield from (f"  {number}. {question}" for number, question in enumerate(found.questions, 1))
        yield ""


def _describe_table(table: "TableReport") -> Iterator[str]:
    reason = f" ({table.reason})" if table.reason else ""
    yield f"{table.name}  {table.what}  {table.confidence:.0%}{reason}"
    shown = table.findings[:_MOST_COLUMNS]
    widths = [
        max((len(cell) for cell in cells), default=0)
        for cells in zip(*((f.column, f.role) for f in shown), strict=True)
    ]
    for finding in shown:
        cells = zip((finding.column, finding.role), widths, strict=True)
        padded = "  ".join(f"{cell:{width}}" for cell, width in cells)
        yield f"    {padded}  {finding.confidence:4.0%}  {finding.reason}".rstrip()
    if len(table.findings) > _MOST_COLUMNS:
        yield f"    … and {len(table.findings) - _MOST_COLUMNS:,} more columns"
    unused = [f"{column} ({why})" for column, why in table.left_out]
    if unused:
        more = f" … and {len(unused) - 10:,} more" if len(unused) > 10 else ""
        yield f"    left out: {', '.join(unused[:10])}{more}"
    yield from (f"    note: {note}" for note in table.notes)
