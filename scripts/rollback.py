"""Go back to the recommendations of an earlier run."""

import click

from . import _terminal


@click.command(epilog="Example: graphrec rollback graph_filter-20261124-181500-ab12")
@click.argument("run", required=False)
@_terminal.json_option
def command(run: str | None, as_json: bool) -> None:
    """Make the recommendations of RUN, an earlier one, the ones that are read; by default of the one before.

    Nothing is written or removed but which run is the active one, so it takes effect at once, and `graphrec rollback`
    once more undoes it. `graphrec runs` shows which runs can be gone back to.
    """
    from graphrec.ingest import writing
    from graphrec.publishing import roll_back

    with _terminal.open_store() as (store, settings), writing(settings.home):
        left, active = roll_back(store, run)
    if as_json:
        _terminal.print_json({"run": active.id, "instead_of": left.id})
        return
    _terminal.say(f"{active.id} is active again, in the place of {left.id}")
    _terminal.note("`graphrec rollback` once more undoes it")
