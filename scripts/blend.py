"""Blend the models of several runs into one, and save it as a run."""

import click

from . import _completion, _options, _run_report, _terminal


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
    type=_options.Number(1, 1_000),
    default=1,
    show_default=True,
    help="Number of groups of users, by activity; each has its own weights.",
)
@click.option(
    "--validation",
    type=click.Choice(["random", "coherent", "last"]),
    default="random",
    show_default=True,
    help="Learn weights on a tenth of the interactions (the last by time, random without times), or on a coherent "
    "fifth of each history, for users who move on to new topics, or on the last interaction of each user.",
)
@click.option("--weights", default="", help="Weights of the runs, such as '0.7 0.3', used instead of learned ones.")
@click.option("--split", help=_options.SPLIT_HELP)
@click.option("--no-metrics", is_flag=True, help="Skip the fits that measure on held-out interactions.")
@_options.device_option
@_options.seed_option
@_options.json_option
def command(
    names: tuple[str, ...],
    blend: str,
    groups: int,
    validation: str,
    weights: str,
    split: str | None,
    no_metrics: bool,
    device: str,
    seed: int,
    as_json: bool,
) -> None:
    """Blend the models of two or more runs into one, and save it as a run.

    Models and settings are those of the runs. They are fitted twice: first without a part of the interactions, on which
    the weights are learned unless --weights gives them, then to all interactions that the graph has now. If learned
    weights are no better than equal ones, the ranks of the models are averaged.
    """
    from graphrec import TrainConfig

    config = TrainConfig(split=split, measured=not no_metrics, device=device)
    settings = {"blend": blend, "groups": groups, "weights": weights, "validation": validation}
    with _terminal.open_graph() as graph, _terminal.progress_bar() as progress:
        blended = graph.blend(names, None, seed, config, progress, **settings)
    if as_json:
        _terminal.print_json({**_run_report.as_dict(blended.run, graph.settings.runs), "weights": blended.weights})
        return
    _run_report.show_metrics(blended.run)
    num_groups = len(blended.weights)
    columns = ["weight of", *([""] if num_groups == 1 else [f"group {n}" for n in range(1, num_groups + 1)])]
    rows = ([member.id, *values] for member, *values in zip(blended.members, *blended.weights, strict=True))
    _terminal.print_table("", columns, rows)
    if blend == "score" and blended.run.config["blend"] == "rank":
        _terminal.note("on held-out interactions learned weights were no better than equal ones: ranks are averaged")
    _run_report.show_verdict(blended.run)
