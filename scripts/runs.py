"""List the runs that are published in the graph and saved on disk."""

from dataclasses import asdict

import click

from . import _options, _terminal


@click.command(epilog="Example: graphrec runs --json")
@_options.json_option
def command(as_json: bool) -> None:
    """List all runs: which is active, which can be rolled back to, and which are saved on disk.

    `graphrec train` saves a run and `graphrec publish` publishes it. One published run is active, and a few before it
    are kept. A run that is published again with other lists is listed as RUN.2. Commands accept the first letters of a
    run's id, and `latest` for the newest on disk.
    """
    with _terminal.open_graph() as graph:
        found = graph.list_runs()
    if as_json:
        _terminal.print_json([asdict(run) for run in found])
        return
    if not found:
        _terminal.note("there are no runs yet; `graphrec train` makes one")
        return
    from graphrec.splitting.spec import shorten

    rows = [  # without the time of training, which ids contain, so that ids are not broken at 100 columns
        [
            run.run,
            run.state,
            "yes" if run.saved else "no",
            run.metrics.get("ndcg@10"),
            None if run.split is None else shorten(run.split),
            run.num_test_users,
        ]
        for run in found
    ]
    columns = ["run", "state", "on disk", "ndcg@10", "split", "test users"]
    _terminal.print_table("Runs", columns, rows)
    kept = [run.run for run in found if run.state == "kept"]
    if kept:
        _terminal.note(f"`graphrec rollback` returns to {kept[0]}")
