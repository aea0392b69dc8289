"""Return to the recommendations of an earlier run."""

from dataclasses import asdict

import click

from . import _completion, _options, _terminal


@click.command(epilog="Example: graphrec rollback graph_filter-20261124-181500-ab12")
@click.argument("run", required=False, shell_complete=_completion.runs)
@_options.json_option
def command(run: str | None, as_json: bool) -> None:
    """Make the earlier run RUN active again; by default the one before the active run.

    RUN may be the first letters of its id. `graphrec runs` lists the runs that can be rolled back to.

    Only one node is written, so all readers switch at the same instant. A second `graphrec rollback` undoes the first.
    """
    with _terminal.open_graph() as graph, _terminal.progress_bar() as progress:
        found = graph.rollback(run, progress)
    if as_json:
        _terminal.print_json(asdict(found))
        return
    _terminal.say(f"{found.run} is active again, instead of {found.instead_of}")
    _terminal.note("a second `graphrec rollback` undoes it")
