"""Blend the models of several runs into one, and save it as a run."""

from dataclasses import asdict, replace
from typing import Any

import click

from . import _completion, _terminal


@click.command(
    epilog="Example: graphrec blend graph_filter-20261124-181500-ab12 ials-20261124-181700-cd34 --blend score"
)
@click.argument("names", metavar="RUN RUN…", nargs=-1, required=True, shell_complete=_completion.runs)
@click.option(
    "--blend",
    type=click.Choice(["score", "rank"]),
    default="score",
    show_default=True,
    help="Blend scores, standardised for each user, or reciprocal ranks.",
)
@click.option(
    "--groups",
    type=_terminal.Number(1, 1_000),
    default=1,
    show_default=True,
    help="Groups of users by their number of interactions, each with weights of its own.",
)
@click.option(
    "--validation",
    type=click.Choice(["random", "coherent"]),
    default="random",
    show_default=True,
    help="Learn weights on a tenth of the interactions (the last by time, random without times), or on a coherent "
    "fifth of each history, for users who move on to new topics.",
)
@click.option("--weights", default="", help="Weights of the runs, such as '0.7 0.3', in the place of learned ones.")
@click.option("--split", help=_terminal.SPLIT_HELP)
@click.option("--no-metrics", is_flag=True, help="Skip the fits that measure on held-out interactions.")
@_terminal.device_option
@_terminal.seed_option
@_terminal.json_option
def command(names: tuple[str, ...], blend: str, groups: int, seed: int, as_json: bool, **options: Any) -> None:
    """Blend the models of two or more runs into one, and save it as a run.

    Models and settings are those of the runs; they are fitted again, first without a part of the interactions, on
    which the weights of the blend are learned unless they are given, then to everything that the graph has now.
    """
    from graphrec import config, pipeline, runs
    from graphrec.models import make

    chosen = pipeline.blended(runs.listed(config.Settings().runs), names)
    settings = {
        **pipeline.members(chosen),
        "blend": blend,
        "groups": groups,
        "weights": options["weights"],
        "validation": options["validation"],
    }
    make("ensemble", **settings)  # weights that do not fit are found before a store is opened

    import numpy as np

    from graphrec.evaluation.store_lookup import aliases
    from graphrec.tuning import TuningBudget

    how = pipeline.TrainConfig(
        settings, options["split"], not options["no_metrics"], TuningBudget(device=options["device"])
    )
    with _terminal.open_store() as (store, home), _terminal.progress_bar() as progress:
        graph = _terminal.read_graph(store, chosen[0].relation, progress)
        _terminal.look_ahead(graph, [run.model for run in chosen])
        if not options["no_metrics"]:
            how = replace(how, split=_terminal.chosen_split(options["split"], graph))
        how = replace(how, aliases=aliases(store, graph))
        trained = pipeline.train(graph, "ensemble", np.random.default_rng(seed), how, progress)
        folder = runs.save(home.runs, trained)
    run = trained.run
    weights = trained.model.state()["weights"].tolist()
    if as_json:
        own = {k: v for k, v in asdict(run).items() if k != "id"}
        _terminal.print_json({"run": run.id, "folder": str(folder), "weights": weights, **own})
        return
    _terminal.say(f"run {run.id}")
    if run.metrics:
        _terminal.print_table("", ["measured on held-out", ""], run.metrics.items())
    columns = ["weight of", *([""] if groups == 1 else [f"group {n}" for n in range(1, groups + 1)])]
    _terminal.print_table("", columns, ([one.id, *own] for one, *own in zip(chosen, *weights, strict=True)))
    _terminal.say_verdict(run)
