"""Write the recommendations of a run into the graph."""

import shlex
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from . import _completion, _terminal

if TYPE_CHECKING:
    from graphrec.publishing import Change, PublishResult


@click.command(epilog="Example: graphrec publish latest -k 20 --similar 10")
@click.argument("run", shell_complete=_completion.runs)
@click.option("-k", "k", type=_terminal.Number(), default=10, show_default=True, help="Recommendations for each user.")
@click.option("--similar", type=_terminal.Number(), help="Also publish this many similar items of each item.")
@click.option("--embeddings", is_flag=True, help="Also write the model's vectors on users and items.")
@click.option("--reasons", is_flag=True, help="Also write on each edge which node speaks most for it.")
@click.option(
    "--rules",
    "rules_file",
    type=_terminal.InPath(dir_okay=False),
    help="A TOML file of rules: what is left out, what counts more, how many of a kind (docs/rules.md).",
)
@click.option(
    "--keep", type=_terminal.Number(), default=1, show_default=True, help="Earlier runs that stay to roll back to."
)
@click.option("--force", is_flag=True, help="Publish a run that is no better than simple baselines, or unmeasured.")
@_terminal.memory_option
@_terminal.json_option
def command(run: str, k: int, memory: int, as_json: bool, **options: Any) -> None:
    """Write the recommendations of RUN into the graph, in the place of those of earlier runs.

    RUN is the name of a saved run, its first letters, or `latest`; `graphrec runs` lists all.

    A run must beat popularity and item_knn on held-out behaviour by more than chance, and its evaluation must be free
    of leaks. Readers change over at one instant: the lists that differ from those of the run before are written beside
    them, one small write makes RUN the active one, and then what no kept run shows is removed. At least one earlier run
    is kept, as readers may be in the middle of its lists; `graphrec rollback` goes back to it.
    """
    from graphrec import config, pipeline, preconditions, runs
    from graphrec.reranking import read_rules

    rules = None if options["rules_file"] is None else read_rules(options["rules_file"])
    trained = runs.load(config.Settings().runs, run)
    pipeline.require_worth(trained.run, options["force"])  # said before a store is started for it
    terms = pipeline.PublishConfig(
        memory_budget=memory,
        force=options["force"],
        keep=options["keep"],
        similar=options["similar"] or 0,
        embeddings=options["embeddings"],
        reasons=options["reasons"],
        rules=rules,
    )
    with _terminal.open_store() as (store, settings), _terminal.progress_bar() as progress:
        preconditions.require_labels(store, "publish", (trained.run.target[0], trained.run.target[2]))
        published = pipeline.publish_run(store, trained, k, settings.home, progress, terms)
        embedded = store.embedded
    _say(published)
    if terms.embeddings and embedded:
        _terminal.note("the embeddings are written; an index to search them by needs a Neo4j, named by NEO4J_URI")
    if as_json:
        _terminal.print_json(asdict(published))
        return
    _terminal.say(f"published {published.edges:,} recommendations for {published.users:,} users from {published.run}")
    if published.example:
        _terminal.note(f"`graphrec recommend --user {shlex.quote(published.example)}` reads them, for example")
    else:
        why = "the rules leave none" if published.ruled else "every user has all of its items"
        _terminal.note(f"the run has nothing to recommend: {why}")


def _say(published: "PublishResult") -> None:
    """What was written and removed, and what somebody may not expect."""
    _terminal.note(f"recommendations: {_told(published.recommended)}")
    if published.similar.lists_written or published.similar.lists_unchanged:
        _terminal.note(f"similar items: {_told(published.similar)}")
    if published.embeddings:
        _terminal.note(f"embeddings: written on {published.embeddings:,} nodes")
    for rule, number in published.ruled.items():
        _terminal.note(f"{rule}: {number:,} items removed or moved")
    for label, number in published.unknown.items():
        if number:
            _terminal.note(
                f"{number:,} {label} nodes of the graph are new to the run, which says nothing of them; train again to "
                "include them"
            )
    if published.kept:
        _terminal.note(f"`graphrec rollback` goes back to {published.kept[0]}")


def _told(change: "Change") -> str:
    parts = [f"{change.lists_written:,} lists written ({change.edges_written:,} edges)"]
    parts.append(f"{change.lists_unchanged:,} unchanged")
    if change.lists_withdrawn:
        parts.append(f"{change.lists_withdrawn:,} withdrawn")
    parts.append(f"{change.lists_removed:,} old ones removed ({change.edges_removed:,} edges)")
    return ", ".join(parts)
