"""Train a model on the graph and save it as a run."""

from dataclasses import asdict
from typing import Any

import click

from . import _completion, _terminal


@click.command(epilog="Example: graphrec train --model graph_filter")
@click.option(
    "--model",
    default="graph_filter",
    show_default=True,
    shell_complete=_completion.models,
    help="A model; docs/models.md says what each is.",
)
@click.option("--relation", help="Behaviour to predict; by default the strongest that the graph has.")
@click.option("--split", help=_terminal.SPLIT_HELP)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="A setting of the model, instead of tuning; repeatable.",
)
@click.option(
    "--study",
    type=_terminal.OutPath(dir_okay=False),
    help="A study of `graphrec tune`, whose settings are taken.",
)
@click.option("--no-metrics", is_flag=True, help="Skip the fit that measures on held-out interactions.")
@click.option(
    "--checkpoint",
    type=_terminal.OutPath(dir_okay=False),
    help="Keep the training of an embedding model in this file, and go on from it after a stop.",
)
@_terminal.trials_option
@_terminal.device_option
@_terminal.seed_option
@_terminal.json_option
def command(
    model: str, relation: str | None, settings: tuple[str, ...], seed: int, as_json: bool, **options: Any
) -> None:
    """Train a model on the graph and save it as a run.

    The settings are chosen on validation, the metrics come from a fit that has not seen the test part, and the saved
    model is fitted to everything. What it gains over popularity and item_knn decides whether it may be published.
    """
    from graphrec.models import model_class

    model_class(model)  # a wrong name is said before a store is started for it
    given: dict[str, Any] = {}
    if options["study"] is not None:
        from graphrec.tuning.study import chosen_settings

        given |= chosen_settings(options["study"], model)
    given |= dict(_terminal.pair(text, "--set") for text in settings)

    with _terminal.open_graph() as graph, _terminal.progress_bar() as progress:
        exported = graph.export(relation, progress)
        from graphrec.pipeline import TrainConfig
        from graphrec.tuning import TuningBudget

        effort = TuningBudget(options["trials"], device=options["device"])
        split = options["split"]
        if not options["no_metrics"]:
            split = _terminal.chosen_split(split, exported)
        _terminal.look_ahead(exported, [model])
        how = TrainConfig(given or None, split, not options["no_metrics"], effort, options["checkpoint"])
        run = graph.train(model, exported, seed, how, progress)
        folder = graph.settings.runs / run.id
    if as_json:
        _terminal.print_json(
            {"run": run.id, "folder": str(folder), **{k: v for k, v in asdict(run).items() if k != "id"}}
        )
        return
    _terminal.say(f"run {run.id}")
    if run.metrics:
        _terminal.print_table("", ["measured on held-out", ""], run.metrics.items())
    if run.config:
        _terminal.print_table("", ["setting", ""], run.config.items())
    _terminal.say_verdict(run)
