"""Write the recommendations of a run into the graph."""

from dataclasses import asdict

import click

from . import _terminal


@click.command(epilog="Example: graphrec publish graph_filter-20261124-181500-ab12 -k 20")
@click.argument("run")
@click.option("-k", "k", type=click.IntRange(1), default=10, show_default=True, help="Recommendations for each user.")
@click.option("--force", is_flag=True, help="Publish a run that is no better than simple baselines, or unmeasured.")
@_terminal.memory_option
@_terminal.json_option
def command(run: str, k: int, force: bool, memory: int, as_json: bool) -> None:
    """Write the recommendations of RUN into the graph, in the place of those of earlier runs.

    A run must beat popularity and item_knn on held-out behaviour by more than chance, and its evaluation must be free
    of leaks. No reader sees a user without recommendations meanwhile: new edges are committed before old ones are
    deleted.
    """
    from graphrec import config, guard, pipeline, runs

    trained = runs.load(config.Settings().runs, run)
    pipeline.require_worth(trained.run, force)  # said before a store is started for it
    with _terminal.open_store() as (store, settings), _terminal.progress_bar() as progress:
        guard.need_labels(store, "publish", (trained.run.target[0], trained.run.target[2]))
        published = pipeline.publish_run(store, trained, k, settings.home, progress, pipeline.Terms(memory, force))
    if as_json:
        _terminal.print_json(asdict(published))
        return
    click.echo(f"published {published.edges:,} recommendations for {published.users:,} users from {published.run}")
    example = trained.users.ids[0]
    _terminal.note(f"`graphrec recommend --user {example}` reads them, for example")
