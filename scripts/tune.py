"""Search for the settings of a model on held-out behaviour of the graph."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import _completion, _options, _terminal

if TYPE_CHECKING:
    from graphrec.tuning import Trial, Tuning


@click.command(epilog="Example: graphrec tune graph_filter --trials 60 --workers 2")
@click.argument("model", shell_complete=_completion.models)
@click.option("--relation", help="Behaviour to predict; by default the strongest in the graph.")
@click.option("--split", help=_options.SPLIT_HELP)
@click.option(
    "--study",
    type=_options.OutPath(dir_okay=False),
    help="File that keeps every trial; by default one for this model and data in GRAPHREC_HOME.",
)
@click.option(
    "--workers",
    type=_options.Number(1, 64),
    default=1,
    show_default=True,
    help="Number of processes that try settings in parallel.",
)
@_options.trials_option
@_options.device_option
@_options.seed_option
@_options.json_option
def command(
    model: str,
    relation: str | None,
    split: str | None,
    study: Path | None,
    workers: int,
    trials: int | None,
    device: str,
    seed: int,
    as_json: bool,
) -> None:
    """Search for the settings of MODEL that are best on validation; the test part is not used.

    Every trial is kept in an Optuna study on disk: an interrupted search continues from it, and a finished search is
    extended by more --trials. Trainings in epochs are stopped early if they are below the median of the others.
    """
    from graphrec import TuneConfig

    config = TuneConfig(split, seed, trials, workers, device, study)
    with _terminal.open_graph() as graph, _terminal.progress_bar() as progress:
        tuning = graph.tune(model, None, config, relation, progress)
    if as_json:
        _terminal.print_json(_as_json(model, seed, tuning))
    else:
        _show(model, tuning)


def _as_json(model: str, seed: int, tuning: "Tuning") -> dict[str, Any]:
    """The JSON object of the result, without durations, so that it is the same for the same seed."""
    trials = [
        {"config": trial.config, "ndcg@20": trial.quality.ndcg, "steps": trial.steps, "pruned": trial.pruned}
        for trial in tuning.trials
    ]
    return {"model": model, "seed": seed, "study": str(tuning.study), "config": tuning.config, "trials": trials}


def _show(model: str, tuning: "Tuning") -> None:
    default, chosen = tuning.trials[0], next(t for t in tuning.trials if t.config == tuning.config)
    varied = [name for name in tuning.config if len({str(trial.config[name]) for trial in tuning.trials}) > 1]

    def row(name: str, trial: "Trial") -> list[object]:
        return [name, f"{trial.quality.ndcg:.4f}", f"{trial.seconds:.1f}", *(trial.config[v] for v in varied)]

    best = sorted((t for t in tuning.trials if not t.pruned), key=lambda t: -t.quality.ndcg)[:5]
    rows = [row("default", default), row("chosen", chosen), *(row("", t) for t in best if t not in (default, chosen))]
    pruned = sum(trial.pruned for trial in tuning.trials)
    title = f"{model}: the best of {len(tuning.trials)} trials on validation"
    _terminal.print_table(title, ["", "ndcg@20", "seconds", *varied], rows)
    if pruned:
        _terminal.note(f"{pruned} trials were stopped early")
    if best and best[0].quality.ndcg == 0:
        _terminal.note("no trial recommends any validation item, so the default is chosen")
    elif chosen is default and best[0] is not default:
        _terminal.note("no trial is significantly better than the default, so the default is chosen")
    _terminal.note(f"`graphrec train --model {model} --study {tuning.study}` trains with the settings chosen")
