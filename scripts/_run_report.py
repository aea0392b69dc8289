"""The report of a training on the terminal: the metrics of the run, and whether it may be published."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from . import _terminal

if TYPE_CHECKING:
    from pathlib import Path

    from graphrec.runs import Run


def as_dict(run: "Run", folder: "Path") -> dict[str, Any]:
    """The JSON object of a run that is saved in a folder of runs."""
    return {"run": run.id, "folder": str(folder / run.id), **{k: v for k, v in asdict(run).items() if k != "id"}}


def show_metrics(run: "Run") -> None:
    """Show the id of the run and its metrics on held-out interactions."""
    _terminal.say(f"run {run.id}")
    if run.metrics:
        split = "" if run.split is None else f"split {run.split.spec}"
        users = "" if run.verdict is None else f"{run.verdict.num_users:,} test user{'s'[: run.verdict.num_users != 1]}"
        title = ", ".join(filter(None, (split, users)))
        _terminal.print_table(title, ["measured on held-out", ""], run.metrics.items())


def show_verdict(run: "Run") -> None:
    """Show the gains of a run over the baselines, and the command that publishes it."""
    if run.verdict is not None:
        gains = run.verdict.gains.items()
        rows = [[name, f"{gain:+.4f}", f"{low:+.4f} to {high:+.4f}"] for name, (gain, low, high) in gains]
        _terminal.print_table("", [f"{run.verdict.metric} minus that of", "", "95 % interval"], rows)
    if run.verdict is not None and run.verdict.finds_nothing and not run.objections:
        users = f"{run.verdict.num_users:,} test {'user' if run.verdict.num_users == 1 else 'users'}"
        _terminal.note(f"no model recommends any test item of the {users}, so nothing is measured")
    if run.objections:
        _terminal.note(run.advice)
    forced = " --force" if run.objections else ""
    _terminal.note(f"`graphrec publish {run.id}{forced}` writes its recommendations into the graph")


def show_order_hint(run: "Run") -> None:
    """Say how to find out whether the order of events helps, if the split of a run of graph_filter is by times."""
    if run.model == "graph_filter" and run.split is not None and run.split.cut is not None:
        _terminal.note(
            "the behaviour has times, and graph_filter knows no order: `graphrec train --model sequence_filter` learns "
            "what users did next, `graphrec train --model ensemble --set 'members=graph_filter, sequence_filter'` "
            f"weighs both, and then `graphrec evaluate --run {run.id} --run latest` says which is better"
        )
