"""What the commands share: results to stdout, notes and progress to stderr, the store that the settings ask for."""

import csv
import json
import logging
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

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
    from graphrec.recommend.memory import parse_memory

    try:
        return parse_memory(text)
    except DataError as error:
        raise click.BadParameter(str(error)) from error


seed_option = click.option("--seed", type=int, default=0, show_default=True, help="Same seed, same numbers.")


device_option = click.option(
    "--device", default="cpu", show_default=True, help="Where models are fitted: cpu, cuda, cuda:1."
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
    type=click.IntRange(0),
    help="Settings tried beyond a model's own candidates; by default eight for each setting, at most 40.",
)


SPLIT_HELP = (
    "How held-out interactions are chosen, such as time(test=0.2), random or leave-last-out; by default time if the "
    "behaviour has times and its last tenth tests enough users, else random."
)


def look_ahead(graph: "HeteroGraph", models: Iterable[str], workers: int = 1) -> None:
    """Notes before a training begins: zeros that are no ratings, and memory that the machine does not have."""
    import psutil

    from graphrec.evaluation import zero_ratings
    from graphrec.evaluation.memory_need import bytes_to_train, shape_of

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
    from graphrec.evaluation.split_choice import choose_split
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
        note(f"no model finds anything for the {run.verdict.num_users:,} test users, too little to measure")
    if run.objections:
        note(f"{'; '.join(run.objections)}. What helps: {', or '.join(run.remedies)}")
    forced = " --force" if run.objections else ""
    note(f"`graphrec publish {run.id}{forced}` writes its recommendations into the graph")


def print_json(value: object) -> None:
    """A value as JSON on stdout."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def note(text: str) -> None:
    """A sentence for the person at the terminal, on stderr."""
    click.echo(text, err=True)


def console(stderr: bool = False) -> "Console":
    """A rich console; 100 columns wide where the output is no terminal, so that tables keep their shape."""
    from rich.console import Console

    made = Console(stderr=stderr, highlight=False)
    return made if made.is_terminal else Console(stderr=stderr, highlight=False, width=100)


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table on stdout under its title; columns of numbers are right-aligned."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    rows = [list(row) for row in rows]
    made = Table(box=SIMPLE_HEAD)
    for position, name in enumerate(columns):
        numeric = bool(rows) and all(_is_number(row[position]) for row in rows)
        made.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        made.add_row(*(Text(text(value)) for value in row))  # a title such as [REC] is no markup
    out = console()
    if title:
        out.print(Text(title, style="bold"))
    out.print(made)


def _is_number(value: object) -> bool:
    """Whether a cell shows a number, or nothing."""
    return value is None or isinstance(value, int | float) or str(value).replace(".", "", 1).isdigit()


def text(value: object) -> str:
    """A cell of a table."""
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
    from graphrec.moments import moment_text

    whole = isinstance(value, int) and not isinstance(value, bool)
    return moment_text(value) if whole and name == "timestamp" else value  # type: ignore[arg-type]  # whole says so


def print_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Records as CSV on stdout, under a line of their columns; the parts of a list have semicolons between them."""
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(columns)
    for row in rows:
        cells = (row[name] for name in columns)
        out.writerow(["; ".join(map(str, cell)) if isinstance(cell, list) else cell for cell in cells])


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
