"""Go back to the recommendations of an earlier run."""

import click

from . import _completion, _terminal


@click.command(epilog="Example: graphrec rollback graph_filter-20261124-181500-ab12")
@click.argument("run", required=False, shell_complete=_completion.runs)
@_terminal.json_option
def command(run: str | None, as_json: bool) -> None:
    """Make the recommendations of RUN, an earlier one, the ones that are read; by default of the one before.

    RUN may be the first letters of its name.

    Nothing is written or removed but which run is the active one, so it takes effect at once, and `graphrec rollback`
    once more undoes it. `graphrec runs` shows which runs can be gone back to.
    """
    from graphrec.ingest import writing
    from graphrec.publishing import roll_back

    with (
        _terminal.open_store() as (store, settings),
        _terminal.progress_bar() as progress,
        writing(store, settings.home, "rollback", progress=progress) as held,
    ):
        left, active = roll_back(held, run)
    if as_json:
        _terminal.print_json({"run": active.id, "instead_of": left.id})
        return
    _terminal.say(f"{active.id} is active again, in the place of {left.id}")
    _terminal.note("`graphrec rollback` once more undoes it")
