"""Compare two runs at once: start, stop and list online experiments."""

from dataclasses import asdict

import click

from . import _completion, _options, _terminal


@click.group(epilog="Example: graphrec experiment start --share 0.5")
def command() -> None:
    """Online experiments: the active run and another one at once, users assigned by a salted hash.

    `graphrec feedback` compares the runs. A publication or a rollback ends an experiment.
    """


@command.command(epilog="Example: graphrec experiment start graph_filter-20261124-181500-ab12 --share 0.5")
@click.argument("run", required=False, shell_complete=_completion.runs)
@click.option(
    "--share", type=_options.Decimal(0, 1), default=0.5, show_default=True, help="Share of users who get the other run."
)
@click.option("--interleave", is_flag=True, help="These users get items of both runs in one list, by team draft.")
@_options.json_option
def start(run: str | None, share: float, interleave: bool, as_json: bool) -> None:
    """Compare the active run with RUN, by default the one before it; its lists must be in the graph.

    RUN may be the first letters of its id; `graphrec runs` lists those that are kept. Interleaving finds smaller
    differences, as each user compares both runs.
    """
    with _terminal.open_graph() as graph:
        found = graph.start_experiment(run, share, "interleave" if interleave else "split")
    if as_json:
        _terminal.print_json({**asdict(found), "other": found.other.id})
        return
    what = "items of both" if interleave else found.other.id
    others = f", the others {found.active}" if share < 1 else ""
    _terminal.say(f"{found.id}: {share:.0%} of the users get {what}{others}")
    _terminal.note("`graphrec feedback` compares the runs; `graphrec experiment stop` ends it")


@command.command(epilog="Example: graphrec experiment stop")
@_options.json_option
def stop(as_json: bool) -> None:
    """End the running experiment: all users get the active run."""
    with _terminal.open_graph() as graph:
        ended = graph.stop_experiment()
    if as_json:
        _terminal.print_json({"ended": ended})
    elif ended is None:
        _terminal.note("no experiment is running")
    else:
        _terminal.say(f"{ended} is ended; all users get the active run")


@command.command("list", epilog="Example: graphrec experiment list")
@_options.json_option
def list_(as_json: bool) -> None:
    """List all experiments, the newest first."""
    with _terminal.open_graph() as graph:
        found = graph.list_experiments()
    if as_json:
        _terminal.print_json([asdict(each) for each in found])
        return
    from graphrec.time_format import moment_text

    rows = [
        {
            "experiment": each.id,
            "mode": each.mode,
            "share": each.share,
            "active": each.active,
            "other": each.other,
            "started (UTC)": moment_text(each.started_at // 1000),
            "state": "running" if each.running else "ended",
        }
        for each in found
    ]
    _terminal.print_rows("experiments", rows, False)
