"""Train a model on the graph and save it as a run."""

from pathlib import Path

import click

from . import _completion, _options, _run_report, _terminal


@click.command(epilog="Example: graphrec train --model graph_filter")
@click.option(
    "--model",
    default="graph_filter",
    show_default=True,
    shell_complete=_completion.models,
    help="Model to train; docs/models.md describes each.",
)
@click.option("--relation", help="Behaviour to predict; by default the strongest in the graph.")
@click.option("--split", help=_options.SPLIT_HELP)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="Setting of the model, used instead of tuning; settings not named have the values of the model's config "
    "class; repeatable.",
)
@click.option(
    "--study",
    type=_options.OutPath(dir_okay=False),
    help="Study of `graphrec tune`, whose best settings are used instead of tuning.",
)
@click.option("--no-metrics", is_flag=True, help="Skip the fit that measures on held-out interactions.")
@click.option(
    "--checkpoint",
    type=_options.OutPath(dir_okay=False),
    help="File that keeps the state of a training in epochs; an interrupted training continues from it.",
)
@_options.trials_option
@_options.device_option
@_options.seed_option
@_options.json_option
def command(
    model: str,
    relation: str | None,
    split: str | None,
    settings: tuple[str, ...],
    study: Path | None,
    no_metrics: bool,
    checkpoint: Path | None,
    trials: int | None,
    device: str,
    seed: int,
    as_json: bool,
) -> None:
    """Train a model on the graph and save it as a run.

    The settings are chosen on validation, the metrics are those of a fit without the test part, and the saved model is
    fitted to all interactions. The gain over popularity and item_knn decides whether the run may be published.
    """
    from graphrec import TrainConfig

    given = dict(_options.parse_pair(text, "--set") for text in settings)
    config = TrainConfig(given or None, split, not no_metrics, trials, device, checkpoint, study)
    with _terminal.open_graph() as graph, _terminal.progress_bar() as progress:
        run = graph.train(model, None, seed, config, relation, progress)
    if as_json:
        _terminal.print_json(_run_report.as_dict(run, graph.settings.runs))
        return
    _run_report.show_metrics(run)
    if run.config:
        _terminal.print_table("", ["setting", ""], run.config.items())
    _run_report.show_verdict(run)
    _run_report.show_order_hint(run)
