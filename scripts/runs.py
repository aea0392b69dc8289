"""List the runs that are published in the graph and saved on disk."""

from dataclasses import asdict

import click

from . import _options, _terminal, _times


@click.command(epilog="Example: graphrec runs --json")
@_options.json_option
def command(as_json: bool) -> None:
    """List all runs: which is active, which can be rolled back to, and which are saved on disk.

    A run is saved by `graphrec train` and published by `graphrec publish`; of the published ones one is active, and a
    few before it are kept. A run that is published once more with other lists is listed as RUN.2. Wherever a command
    takes a run, its first letters are enough, and `latest` is the newest on disk.
    """
    with _terminal.open_graph() as graph:
        found = graph.list_runs()
    if as_json:
        _terminal.print_json([asdict(run) for run in found])
        return
    if not found:
        _terminal.note("there are no runs yet; `graphrec train` makes one")
        return
    rows = [
        [
            run.run,
            run.state,
            "yes" if run.saved else "no",
            run.metrics.get("ndcg@10"),
            _times.shown(run.created_at),
        ]
        for run in found
    ]
    columns = ["run", "state", "on disk", "ndcg@10", "trained (UTC)"]
    _terminal.print_table("Runs", columns, rows)
    kept = [run.run for run in found if run.state == "kept"]
    if kept:
        _terminal.note(f"`graphrec rollback` goes back to {kept[0]}")
