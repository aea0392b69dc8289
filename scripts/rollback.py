"""Go back to the recommendations of an earlier run."""

from dataclasses import asdict

import click

from . import _completion, _options, _terminal


@click.command(epilog="Example: graphrec rollback graph_filter-20261124-181500-ab12")
@click.argument("run", required=False, shell_complete=_completion.runs)
@_options.json_option
def command(run: str | None, as_json: bool) -> None:
    """Make the recommendations of RUN, an earlier one, the ones that are read; by default of the one before.

    RUN may be the first letters of its name.

    Nothing is written or removed but which run is the active one, so it takes effect at once, and `graphrec rollback`
    once more undoes it. `graphrec runs` shows which runs can be gone back to.
    """
    with _terminal.open_graph() as graph, _terminal.progress_bar() as progress:
        found = graph.rollback(run, progress)
    if as_json:
        _terminal.print_json(asdict(found))
        return
    _terminal.say(f"{found.run} is active again, in the place of {found.instead_of}")
    _terminal.note("`graphrec rollback` once more undoes it")
