"""Write the recommendations of a run into the graph."""

import shlex
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import _completion, _options, _terminal

if TYPE_CHECKING:
    from graphrec.publishing import Change, PublishResult


@click.command(epilog="Example: graphrec publish latest -k 20 --similar 10")
@click.argument("run", shell_complete=_completion.runs)
@click.option(
    "-k", "k", type=_options.Number(), default=10, show_default=True, help="Number of recommendations per user."
)
@click.option("--similar", type=_options.Number(), help="Number of similar items to publish per item; by default none.")
@click.option("--embeddings", is_flag=True, help="Also write the model's vectors on users and items.")
@click.option("--reasons", is_flag=True, help="Also write on each edge the node that contributes most to it.")
@click.option(
    "--rules",
    "rules_file",
    type=_options.InPath(dir_okay=False),
    help="TOML file of re-ranking rules: deny, boost, cap, diversity … (docs/rules.md).",
)
@click.option(
    "--keep", type=_options.Number(), default=1, show_default=True, help="Number of earlier runs kept for rollback."
)
@click.option(
    "--force", is_flag=True, help="Publish a run even if it does not beat the baselines, or was not measured."
)
@_options.memory_option
@_options.json_option
def command(
    run: str,
    k: int,
    similar: int | None,
    embeddings: bool,
    reasons: bool,
    rules_file: Path | None,
    keep: int,
    force: bool,
    memory: int,
    as_json: bool,
) -> None:
    """Write the recommendations of RUN into the graph; they replace those of earlier runs.

    RUN is the id of a saved run, its first letters, or `latest`; `graphrec runs` lists all.

    A run must beat popularity and item_knn significantly on held-out behaviour, and its evaluation must be free of
    leaks. All readers switch at the same instant: lists that differ from those of the previous run are written first,
    one small write makes RUN active, and then lists that no kept run uses are removed. At least one earlier run is
    kept, because readers may still be reading its lists; `graphrec rollback` returns to it.
    """
    from graphrec import PublishConfig

    config = PublishConfig(rules_file, force, keep, similar or 0, embeddings, reasons, memory)
    with _terminal.open_graph() as graph, _terminal.progress_bar() as progress:
        published = graph.publish(run, k, config, progress)
    _show_changes(published)
    if as_json:
        _terminal.print_json(asdict(published))
        return
    _terminal.say(f"published {published.edges:,} recommendations for {published.users:,} users from {published.run}")
    if published.example:
        _terminal.note(f"`graphrec recommend --user {shlex.quote(published.example)}` reads them, for example")
    else:
        reason = "the rules leave no item" if published.ruled else "every user already has all of its items"
        _terminal.note(f"the run has nothing to recommend: {reason}")


def _show_changes(published: "PublishResult") -> None:
    """Print notes on the lists written and removed, and on unexpected results."""
    _terminal.note(f"recommendations: {_summarise(published.recommended)}")
    if published.similar.lists_written or published.similar.lists_unchanged:
        _terminal.note(f"similar items: {_summarise(published.similar)}")
    if published.embeddings:
        _terminal.note(f"embeddings: written on {published.embeddings:,} nodes")
    for rule, number in published.ruled.items():
        _terminal.note(f"{rule}: {number:,} items removed or moved")
    for label, number in published.unknown.items():
        if number:
            _terminal.note(
                f"{number:,} {label} nodes of the graph are unknown to the run, so its recommendations lack them; "
                "train again to include them"
            )
    if published.kept:
        _terminal.note(f"`graphrec rollback` returns to {published.kept[0]}")


def _summarise(change: "Change") -> str:
    parts = [f"{change.lists_written:,} lists written ({change.edges_written:,} edges)"]
    parts.append(f"{change.lists_unchanged:,} unchanged")
    if change.lists_withdrawn:
        parts.append(f"{change.lists_withdrawn:,} withdrawn")
    parts.append(f"{change.lists_removed:,} old ones removed ({change.edges_removed:,} edges)")
    return ", ".join(parts)
