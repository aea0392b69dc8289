"""Recommend items to a user: what is published, or what the graph knows of them now."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import _terminal

if TYPE_CHECKING:
    from graphrec.answers import Answer


@click.command(epilog="Example: graphrec recommend --user 2 -k 5 --rules rules.toml --trace")
@click.option("--user", "user_id", required=True, help="Id of the user, or a `source:key` of theirs.")
@click.option("-k", "k", type=_terminal.Number(), default=10, show_default=True, help="How many items.")
@click.option(
    "--rules",
    "rules_file",
    type=_terminal.InPath(dir_okay=False),
    help="A TOML file of rules: what is left out, what counts more, how many of a kind (docs/rules.md).",
)
@click.option("--trace", is_flag=True, help="Show what each rule removed or moved.")
@click.option("--anyone", is_flag=True, help="Answer an id that the graph does not have as a stranger's.")
@_terminal.json_option
def command(user_id: str, k: int, rules_file: Path | None, trace: bool, anyone: bool, as_json: bool) -> None:
    """Recommend items to a user, and say which way they came.

    First comes the published list, without what the user has met since. A user whom the active run does not know is
    folded into its model from the live graph; one who has done nothing gets what friends or alike users chose, then
    what is trending, then what is popular.
    """
    if trace and rules_file is None:
        raise click.UsageError("--trace shows what rules did; say which: --rules FILE")
    from graphrec import guard
    from graphrec.errors import GraphrecError, UnknownNameError
    from graphrec.rules import read_rules
    from graphrec.schema import ITEM, USER

    rules = None if rules_file is None else read_rules(rules_file)  # a mistake is said before a store is started
    with _terminal.open_graph() as graph:
        guard.need_labels(graph.store, "recommend", (USER, ITEM))
        try:
            answer = graph.answer(user_id, k, rules, anyone)
        except UnknownNameError as error:
            if error.kind != "user":
                raise
            raise GraphrecError(f"{error}; --anyone answers as for a stranger") from error
    if as_json:
        _terminal.print_json(answer.as_dict())
        return
    _show(answer, trace)


def _show(answer: "Answer", trace: bool) -> None:
    rows = [(each.rank, each.item, each.title, each.score, each.way) for each in answer.items]
    if rows:
        title = f"Recommendations for user {answer.user}"
        _terminal.print_table(title, ["rank", "item", "title", "score", "way"], rows)
    if trace:
        steps = [
            (step.rule, step.item, step.what, step.rank_before, step.rank_after, step.score_before, step.score_after)
            for step in answer.trace.steps
        ]
        columns = ["rule", "item", "", "rank", "then", "score", "then"]
        _terminal.print_table("What the rules did", columns, steps)
    for sentence in answer.notes:
        _terminal.note(sentence)
