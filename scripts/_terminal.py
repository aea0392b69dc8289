"""Print results to stdout, notes and progress to stderr, and open the graph that the environment names."""

import csv
import json
import logging
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from . import _streams

if TYPE_CHECKING:
    from rich.console import Console

    from graphrec.graph import Graph
    from graphrec.progress import StageProgress


def print_json(value: object) -> None:
    """Print a value as JSON that is valid in any encoding, with null for NaN and infinity."""
    try:
        text = json.dumps(value, indent=2, ensure_ascii=False, default=str, allow_nan=False)
    except ValueError:  # NaN or infinity
        value = json.loads(json.dumps(value, default=str), parse_constant=lambda _: None)
        text = json.dumps(value, indent=2, ensure_ascii=False)
    click.echo(text if _streams.can_encode(text) else json.dumps(value, indent=2, default=str))


def say(text: str, end: str = "\n") -> None:
    """Print a text on stdout, its control characters escaped."""
    from graphrec.characters import escape_controls

    click.echo(escape_controls(text, lines=True) + end, nl=False)


def note(text: str) -> None:
    """Print a sentence on stderr, if that can be written, with passwords replaced."""
    from graphrec.characters import escape_controls
    from graphrec.redaction import redact

    try:
        click.echo(escape_controls(redact(text), lines=True), err=True)
    except (OSError, ValueError):
        _streams.silence(sys.stderr)


def console(stderr: bool = False) -> "Console":
    """A rich console, 100 columns wide if the output is not a terminal, so that tables keep their shape."""
    from rich.console import Console

    class PipeConsole(Console):
        """A console that raises the error of a broken pipe, which `_failures` handles."""

        def on_broken_pipe(self) -> None:
            raise  # the BrokenPipeError that rich is handling

    found = PipeConsole(stderr=stderr, highlight=False)
    return found if found.is_terminal else PipeConsole(stderr=stderr, highlight=False, width=100)


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], stderr: bool = False) -> None:
    """Print a table under its title; columns of numbers are right-aligned."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    from graphrec.characters import escape_controls

    rows = [list(row) for row in rows]
    table = Table(box=SIMPLE_HEAD)
    for position, name in enumerate(columns):
        numeric = bool(rows) and all(_is_number(row[position]) for row in rows)
        heading = Text(_streams.fit_to_encoding(escape_controls(name, lines=True)))
        table.add_column(heading, justify="right" if numeric else "left", overflow="fold")
    for row in rows:  # as Text, since a title such as [REC] would be read as markup
        table.add_row(*(Text(_streams.fit_to_encoding(format_cell(value))) for value in row))
    out = console(stderr)
    if title:
        out.print(Text(_streams.fit_to_encoding(escape_controls(title)), style="bold"))
    out.print(table)


def _is_number(value: object) -> bool:
    """Whether a cell shows a number, or is empty."""
    return value is None or isinstance(value, int | float) or str(value).replace(".", "", 1).isdigit()


def format_cell(value: object) -> str:
    """A cell of a table, its control characters escaped."""
    from graphrec.characters import escape_controls

    return escape_controls(_format_value(value), lines=True)


def _format_value(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.4f}" if abs(value) < 1 else f"{value:,.2f}"
    if isinstance(value, list):
        return ", ".join(str(part) for part in value)
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def print_rows(title: str, rows: Sequence[Mapping[str, Any]], as_json: bool) -> None:
    """Print records as JSON or as a table."""
    if as_json:
        print_json(list(rows))
    elif not rows:
        note("nothing found")
    else:
        names = list(rows[0])
        print_table(title, names, ([_format_record_value(name, row[name]) for name in names] for row in rows))


def _format_record_value(name: str, value: object) -> object:
    """A cell of a record; Unix seconds are shown as a time."""
    from graphrec.time_format import moment_text

    whole = isinstance(value, int) and not isinstance(value, bool)
    return moment_text(value) if whole and name == "timestamp" else value  # type: ignore[arg-type]  # whole says so


def print_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]], safe: bool = False) -> None:
    """Print records as CSV under a header; the parts of a list are separated by semicolons.

    `safe` escapes texts that a spreadsheet would run as formulas. A note counts the cells that stdout's encoding cannot
    represent.
    """
    from graphrec.characters import disarm

    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(columns)
    replaced = 0
    for row in rows:
        values = ["; ".join(map(str, cell)) if isinstance(cell, list) else cell for cell in (row[c] for c in columns)]
        replaced += sum(not _streams.can_encode(value) for value in values if isinstance(value, str))
        out.writerow([disarm(value) for value in values] if safe else values)
    if replaced:
        note(f"{replaced:,} cells have characters that {sys.stdout.encoding} lacks, replaced; PYTHONUTF8=1 keeps them")


@contextmanager
def open_graph() -> "Iterator[Graph]":
    """The graph that the environment names, in a `with` block; its database is opened when a method first needs it."""
    from graphrec.config import Settings
    from graphrec.graph import Graph

    logging.getLogger("neo4j").setLevel(logging.CRITICAL)  # its log repeats the errors that it raises
    with Graph(None, Settings(), note) as graph:
        yield graph


@contextmanager
def progress_bar() -> "Iterator[StageProgress]":
    """A StageProgress that draws one bar per stage on stderr, if that is a terminal."""
    from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    bars = Bars(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[speed]}"),
        TimeElapsedColumn(),
        console=console(stderr=True),
        disable=not console(stderr=True).is_terminal,
    )
    tasks: dict[str, TaskID] = {}

    def show(what: str, done: int, total: int) -> None:
        if what not in tasks:
            tasks[what] = bars.add_task(what, total=total, speed="")
        task = next(task for task in bars.tasks if task.id == tasks[what])
        speed = f"{done / task.elapsed:,.0f}/s" if task.elapsed and done > 1000 else ""
        bars.update(tasks[what], completed=done, total=total, speed=speed)

    with bars:
        yield show
