"""Replay a period of events: recommend, see what happened, learn, step by step."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import _completion, _options, _terminal

if TYPE_CHECKING:
    from graphrec.evaluation.prequential import Replay

ENDINGS = (".svg", ".png", ".pdf")


def _parse_moment(_context: click.Context, _option: click.Parameter, text: str | None) -> int | None:
    """The Unix seconds of --from or --to."""
    from graphrec.store.queries import parse_time

    try:
        return None if text is None else parse_time(text)
    except ValueError as error:
        raise click.BadParameter(f"'{text}' is no time; write one such as 2018-01-31") from error


@click.command(
    epilog="Example: graphrec replay --model popularity --model item_knn --from 2018-01-01 --plot replay.svg"
)
@click.option(
    "--from", "start", callback=_parse_moment, metavar="DATE", help="Begin; by default a year before the end."
)
@click.option("--to", "end", callback=_parse_moment, metavar="DATE", help="End; by default after the last event.")
@click.option(
    "--every",
    "step",
    type=click.Choice(["day", "week", "month"]),
    default="week",
    show_default=True,
    help="Length of a step; a month has 30 days.",
)
@click.option(
    "--model",
    "models",
    multiple=True,
    shell_complete=_completion.models,
    help="Model with its default settings; repeatable. By default popularity, item_knn and graph_filter.",
)
@click.option(
    "--run",
    "runs",
    multiple=True,
    shell_complete=_completion.runs,
    help="Saved run, whose settings are kept; repeatable.",
)
@click.option("--relation", help="Behaviour to replay; by default the strongest in the graph.")
@click.option("-k", "k", type=_options.Number(), default=10, show_default=True, help="Length of the lists.")
@click.option("--plot", type=_options.OutPath(dir_okay=False), help="Write a picture by step: .svg, .png or .pdf.")
@_options.seed_option
@_options.json_option
def command(
    start: int | None,
    end: int | None,
    step: str,
    models: tuple[str, ...],
    runs: tuple[str, ...],
    relation: str | None,
    k: int,
    plot: Path | None,
    seed: int,
    as_json: bool,
) -> None:
    """Replay a period of events against models, prequentially.

    Before each step every model is fitted to all events before it, recommends to the users who have events in the step,
    and is measured on them; then it learns them. Items that users had before are neither recommended nor counted.
    """
    _options.check_ending(plot, ENDINGS, "--plot", "a picture", needed=True)
    from graphrec.evaluation.prequential import ReplayConfig

    with _terminal.open_graph() as graph, _terminal.progress_bar() as progress:
        found = graph.replay(models, None, runs, ReplayConfig(start, end, step, k), relation, seed, progress)
    if plot is not None:
        from graphrec.evaluation.replay_plot import plot_replay

        plot_replay(found, plot)
        _terminal.note(f"{plot} shows ndcg@{k} by {step}")
    if as_json:
        _terminal.print_json(asdict(found))
        return
    _show(found)


def _show(found: "Replay") -> None:
    from graphrec.time_format import moment_text

    metric = f"ndcg@{found.k}"
    names = list(dict.fromkeys(each.model for each in found.steps))
    rows = []
    for start in sorted({each.start for each in found.steps}):
        steps = {each.model: each for each in found.steps if each.start == start}
        one = steps[names[0]]
        values = [steps[name].metrics[metric].value if metric in steps[name].metrics else None for name in names]
        rows.append((moment_text(start)[:10], one.num_train, one.num_test, one.num_users, one.num_cold, *values))
    columns = [f"{found.step} from", "learned", "events", "users", "new users", *names]
    _terminal.print_table(f"{metric} of {found.relation}, replayed by {found.step}", columns, rows)
    overall = []
    for name, metrics in found.overall.items():
        for label, each in metrics.items():
            bounds = "unknown" if each.low is None or each.high is None else f"{each.low:.4f} to {each.high:.4f}"
            overall.append((name, label, each.value, bounds))
    _terminal.print_table("All steps", ["model", "metric", "mean", "95 % interval"], overall)
