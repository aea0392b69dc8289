"""What the commands share: results to stdout, notes and progress to stderr, the store that the settings ask for."""

import csv
import json
import logging
import math
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import _streams

if TYPE_CHECKING:
    from rich.console import Console

    from graphrec.config import Settings
    from graphrec.graph import Graph
    from graphrec.hetero import HeteroGraph
    from graphrec.runs import Run
    from graphrec.store import Store

Progress = Callable[[str, int, int], None]

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print the result as JSON on stdout, and nothing else."
)


def _memory(_context: click.Context, _option: click.Parameter, text: str) -> int:
    """The bytes that --memory names."""
    from graphrec.errors import DataError
    from graphrec.ranking.memory import parse_memory

    try:
        return parse_memory(text)
    except DataError as error:
        raise click.BadParameter(str(error)) from error


#: The largest number of things that an option may ask for: it fits into 32 bits, and so do sums of a few of them.
LARGEST = 2**31 - 1


class Number(click.IntRange):
    """A whole number from `least` to at most LARGEST, so that no library below meets one that it cannot hold."""

    min: int
    max: int

    def __init__(self, least: int = 1, most: int = LARGEST) -> None:
        super().__init__(least, most)

    def _describe_range(self) -> str:
        """As click does, without the upper bound that is only technical."""
        return super()._describe_range() if self.max != LARGEST else f"x>={self.min}"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # click's signature
        """The number; wrong usage if there are thousands of digits, which Python does not read, or other signs."""
        text = str(value).strip()
        if not re.fullmatch(r"[+-]?[0-9]{1,20}", text) or not self.min <= int(text) <= self.max:
            self.fail(f"{text[:60]!r} is not a whole number from {self.min} to {self.max}.", param, ctx)
        return int(text)


class Decimal(click.FloatRange):
    """A finite number: nan and inf pass click's own checks."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # click's signature
        """The number; wrong usage if it is none or not finite."""
        found = super().convert(value, param, ctx)
        if not math.isfinite(found):
            self.fail(f"{value!r} is not a finite number.", param, ctx)
        return found


class InPath(click.Path):
    """A path that is read; wrong usage if it is empty."""

    def __init__(self, file_okay: bool = True, dir_okay: bool = True) -> None:
        super().__init__(file_okay=file_okay, dir_okay=dir_okay, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # click's signature
        """The path."""
        if not str(value) or "\0" in str(value):
            self.fail("a path must not be empty.", param, ctx)
        if re.match(r"[A-Za-z][\w+.-]*://", str(value)):  # not shown, as there may be a password in it
            self.fail("an address is no file; download it first, and give the file.", param, ctx)
        return super().convert(value, param, ctx)


class OutPath(InPath):
    """A path that is written; wrong usage if a name in it has control characters, such as a line feed."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # click's signature
        """The path."""
        from graphrec.characters import escaped

        if str(value) == "-":
            self.fail("- is no file; name one, such as /dev/stdout, or ./- for a file of this name.", param, ctx)
        known = str(value).encode(errors="replace").decode()  # other bytes than UTF-8 may be in the name of a folder
        if escaped(known) != known:
            self.fail(f"'{escaped(known)}' has control characters in it; choose another name.", param, ctx)
        return super().convert(value, param, ctx)


def _device(_context: click.Context, _option: click.Parameter, text: str) -> str:
    """The device that --device names, if this machine has it."""
    if text == "cpu":
        return text
    match = re.fullmatch(r"(cpu|cuda|mps|xpu)(?::(\d{1,4}))?", text)
    if match is None:
        raise click.BadParameter(f"{text[:60]!r} is no device; give cpu, cuda or cuda:1")
    import torch

    kind, number = match[1], int(match[2] or 0)
    counts = {
        "cpu": 1,
        "cuda": torch.cuda.device_count() if torch.cuda.is_available() else 0,
        "mps": int(torch.backends.mps.is_available()),
        "xpu": torch.xpu.device_count() if torch.xpu.is_available() else 0,
    }
    if number >= counts[kind]:
        there = f"{counts[kind]} of the kind" if counts[kind] else f"no {kind} that torch can use"
        raise click.BadParameter(f"there is no device {text}: this machine has {there}; give cpu, or another")
    return text


seed_option = click.option("--seed", type=Number(0), default=0, show_default=True, help="Same seed, same numbers.")


device_option = click.option(
    "--device",
    default="cpu",
    show_default=True,
    callback=_device,
    help="Where models are fitted: cpu, cuda, cuda:1.",
)
memory_option = click.option(
    "--memory",
    default="1GiB",
    show_default=True,
    callback=_memory,
    help="Memory for scores at one time, such as 256MiB.",
)
trials_option = click.option(
    "--trials",
    type=Number(0, 100_000),
    help="Settings tried beyond a model's own candidates; by default eight for each setting, at most 40.",
)
csv_safe_option = click.option(
    "--csv-safe",
    is_flag=True,
    help="In CSV, put an apostrophe before texts that a spreadsheet would carry out as formulas.",
)


SPLIT_HELP = (
    "How held-out interactions are chosen, such as time(test=0.2), random or leave-last-out; by default time if the "
    "behaviour has times and its last tenth tests enough users, else random."
)


def look_ahead(graph: "HeteroGraph", models: Iterable[str], workers: int = 1) -> None:
    """Notes before a training begins: zeros that are no ratings, and memory that the machine does not have."""
    import psutil

    from graphrec.evaluation import zero_ratings
    from graphrec.evaluation.memory_estimate import bytes_to_train, shape_of

    if zeros := zero_ratings.of_graph(graph):
        note(zeros)

    shape, available, names = shape_of(graph), psutil.virtual_memory().available, list(models)
    need = bytes_to_train(shape, names, workers)
    if need <= available:
        return
    ways = ["end other programs"]
    ways += ["take --workers 1"] if workers > 1 and bytes_to_train(shape, names) <= available else []
    if bytes_to_train(shape, ["popularity"]) < min(need, available):
        ways.append("take popularity or item_knn")
    note(
        f"training may take {need / 1e9:,.1f} GB and {available / 1e9:,.1f} GB are free, so the system may end it; "
        + ", or ".join(ways)
    )


def chosen_split(given: str | None, graph: "HeteroGraph") -> str:
    """The split to measure on, by default the one that can tell models apart; a note says why it is not by time."""
    from graphrec.evaluation.default_split import choose_split
    from graphrec.hetero import interactions

    choice = choose_split(interactions(graph))
    if given is None and choice.reason:
        note(f"{graph.target[1]}: {choice.reason}")
    return given or choice.split


def say_verdict(run: "Run") -> None:
    """What a run gains over the baselines, and how it is published."""
    if run.verdict is not None:
        gains = run.verdict.gains.items()
        rows = [[name, f"{gain:+.4f}", f"{low:+.4f} to {high:+.4f}"] for name, (gain, low, high) in gains]
        print_table("", [f"{run.verdict.metric} minus that of", "", "95 % interval"], rows)
    if run.verdict is not None and run.verdict.finds_nothing and not run.objections:
        users = f"{run.verdict.num_users:,} test {'user' if run.verdict.num_users == 1 else 'users'}"
        note(f"no model finds anything for the {users}, too little to measure")
    if run.objections:
        note(f"{'; '.join(run.objections)}. What helps: {', or '.join(run.remedies)}")
    forced = " --force" if run.objections else ""
    note(f"`graphrec publish {run.id}{forced}` writes its recommendations into the graph")


def print_json(value: object) -> None:
    """A value as JSON on stdout: valid in any encoding, and null for a number that JSON does not have."""
    try:
        text = json.dumps(value, indent=2, ensure_ascii=False, default=str, allow_nan=False)
    except ValueError:  # NaN or infinity
        value = json.loads(json.dumps(value, default=str), parse_constant=lambda _: None)
        text = json.dumps(value, indent=2, ensure_ascii=False)
    click.echo(text if _streams.takes(text) else json.dumps(value, indent=2, default=str))


def say(text: str, end: str = "\n") -> None:
    """A text on stdout, its control characters escaped."""
    from graphrec.characters import escaped

    click.echo(escaped(text, lines=True) + end, nl=False)


def note(text: str) -> None:
    """A sentence for the person at the terminal, on stderr if that can be written; without secrets."""
    from graphrec.characters import escaped
    from graphrec.redaction import redacted

    try:
        click.echo(escaped(redacted(text), lines=True), err=True)
    except (OSError, ValueError):
        _streams.silence(sys.stderr)


def console(stderr: bool = False) -> "Console":
    """A rich console; 100 columns wide where the output is no terminal, so that tables keep their shape."""
    from rich.console import Console

    class Ours(Console):
        """A console that leaves a broken pipe to the command line."""

        def on_broken_pipe(self) -> None:
            raise  # the BrokenPipeError that rich is at work on

    made = Ours(stderr=stderr, highlight=False)
    return made if made.is_terminal else Ours(stderr=stderr, highlight=False, width=100)


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], stderr: bool = False) -> None:
    """A table on stdout, or on stderr, under its title; columns of numbers are right-aligned."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    from graphrec.characters import escaped

    rows = [list(row) for row in rows]
    made = Table(box=SIMPLE_HEAD)
    for position, name in enumerate(columns):
        numeric = bool(rows) and all(_is_number(row[position]) for row in rows)
        made.add_column(
            Text(_streams.fitted(escaped(name, lines=True))), justify="right" if numeric else "left", overflow="fold"
        )
    for row in rows:
        made.add_row(*(Text(_streams.fitted(text(value))) for value in row))  # a title such as [REC] is no markup
    out = console(stderr)
    if title:
        out.print(Text(_streams.fitted(escaped(title)), style="bold"))
    out.print(made)


def _is_number(value: object) -> bool:
    """Whether a cell shows a number, or nothing."""
    return value is None or isinstance(value, int | float) or str(value).replace(".", "", 1).isdigit()


def text(value: object) -> str:
    """A cell of a table, its control characters escaped."""
    from graphrec.characters import escaped

    return escaped(_text(value), lines=True)


def _text(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.4f}" if abs(value) < 1 else f"{value:,.2f}"
    if isinstance(value, list):
        return ", ".join(str(part) for part in value)
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def print_rows(title: str, rows: Sequence[Mapping[str, Any]], as_json: bool) -> None:
    """Records as JSON or as a table."""
    if as_json:
        print_json(list(rows))
    elif not rows:
        note("nothing found")
    else:
        names = list(rows[0])
        print_table(title, names, ([_shown(name, row[name]) for name in names] for row in rows))


def _shown(name: str, value: object) -> object:
    """A cell of a record; Unix seconds are shown as the time that they are."""
    from graphrec.time_format import moment_text

    whole = isinstance(value, int) and not isinstance(value, bool)
    return moment_text(value) if whole and name == "timestamp" else value  # type: ignore[arg-type]  # whole says so


def print_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]], safe: bool = False) -> None:
    """Records as CSV on stdout, under a line of their columns; the parts of a list have semicolons between them.

    `safe` disarms what a spreadsheet would take for a formula. Says how many cells stdout's encoding cannot hold.
    """
    from graphrec.characters import disarmed

    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(columns)
    replaced = 0
    for row in rows:
        values = ["; ".join(map(str, cell)) if isinstance(cell, list) else cell for cell in (row[c] for c in columns)]
        replaced += sum(not _streams.takes(value) for value in values if isinstance(value, str))
        out.writerow([disarmed(value) for value in values] if safe else values)
    if replaced:
        note(f"{replaced:,} cells have characters that {sys.stdout.encoding} lacks, replaced; PYTHONUTF8=1 keeps them")


def pair(text: str, option: str) -> tuple[str, str]:
    """Name and value of an option of the form NAME=VALUE; wrong usage where it has another form."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise click.BadParameter(f"'{text}' is not of the form NAME=VALUE", param_hint=option)
    return name, value


@contextmanager
def open_store() -> "Iterator[tuple[Store, Settings]]":
    """The store that the environment asks for and the settings, in a `with` block."""
    from graphrec import config

    logging.getLogger("neo4j").setLevel(logging.CRITICAL)  # what it has to say, the error that it raises says as well
    settings = config.Settings()
    with config.open_store(settings, note) as store:
        yield store, settings


@contextmanager
def open_graph() -> "Iterator[Graph]":
    """The graph in the store that the environment asks for, in a `with` block."""
    from graphrec.graph import Graph

    with open_store() as (store, settings):
        yield Graph(store, settings)


def read_graph(store: "Store", relation: str | None, progress: Progress) -> "HeteroGraph":
    """As `graphrec.graph.read_graph`."""
    from graphrec.graph import read_graph

    return read_graph(store, relation, progress)


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A Progress that draws one bar per stage on stderr; where stderr is no terminal it draws nothing."""
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
