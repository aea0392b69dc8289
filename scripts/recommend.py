"""Show the recommendations that are published for a user."""

import click

from . import _terminal


@click.command(epilog="Example: graphrec recommend --user 2 -k 5")
@click.option("--user", "user_id", required=True, help="Id of the user, or a `source:key` of theirs.")
@click.option("-k", "k", type=click.IntRange(1), default=10, show_default=True, help="How many items.")
@_terminal.json_option
def command(user_id: str, k: int, as_json: bool) -> None:
    """Show the recommendations that are published for a user."""
    from graphrec import guard
    from graphrec.schema import ITEM, USER
    from graphrec.store import queries

    with _terminal.open_store() as (store, _):
        guard.need_labels(store, "recommend", (USER, ITEM))
        rows = queries.run(store, queries.get("recommend_for_user"), {"user_id": user_id, "k": str(k)})
        if not rows:  # after the search for the user: a name mistyped is said first
            guard.need_recommendations(store, "recommend")
    if as_json:
        _terminal.print_json(rows)
        return
    if not rows:
        _terminal.note(f"user {user_id} is not in the published run; train and publish again to include them")
        return
    shown = [{name: row[name] for name in ("rank", "item", "title", "score")} for row in rows]
    title = f"Recommendations for user {user_id} from {rows[0]['run']}"
    _terminal.print_rows(title, shown, as_json=False)
