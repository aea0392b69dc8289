"""Search for the settings of a model on held-out behaviour of the graph."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import _completion, _terminal

if TYPE_CHECKING:
    from graphrec.tuning import Trial, Tuning


@click.command(epilog="Example: graphrec tune graph_filter --trials 60 --workers 2")
@click.argument("model", shell_complete=_completion.models)
@click.option("--relation", help="Behaviour to predict; by default the strongest that the graph has.")
@click.option("--split", help=_terminal.SPLIT_HELP)
@click.option(
    "--study",
    type=_terminal.OutPath(dir_okay=False),
    help="File that keeps every trial; by default one for this model and data in the folder of graphrec.",
)
@click.option(
    "--workers", type=_terminal.Number(1, 64), default=1, show_default=True, help="Settings tried side by side."
)
@_terminal.trials_option
@_terminal.device_option
@_terminal.seed_option
@_terminal.json_option
def command(model: str, relation: str | None, seed: int, as_json: bool, **options: Any) -> None:
    """Search for the settings of MODEL that are best on validation; the test part is not touched.

    Every trial is kept in an Optuna study on disk: a search that was stopped goes on where it was, and one with more
    --trials goes on from the end. Trainings in epochs that fall behind the others are given up half way.
    """
    from graphrec.models import model_class

    kind = model_class(model)  # a wrong name is said before a store is started for it

    from graphrec import pipeline
    from graphrec.home import private_folder
    from graphrec.tuning import TuningBudget
    from graphrec.tuning.tune import num_trials

    with _terminal.open_store() as (store, home), _terminal.progress_bar() as progress:
        graph = _terminal.read_graph(store, relation, progress)
        place = pipeline.TuneConfig(_terminal.chosen_split(options["split"], graph), seed)
        _terminal.look_ahead(graph, [model], options["workers"])
        if not options["study"]:
            private_folder(home.studies)
        study = options["study"] or pipeline.study_path(home.studies, graph, model, place)
        trials = options["trials"]
        if trials is None and not kind.trials:
            trials = pipeline.TRIALS
        effort = TuningBudget(trials, device=options["device"], workers=options["workers"], study=study)
        _terminal.note(f"at most {num_trials(kind, graph, effort)} trials, kept in {study}")
        tuning = pipeline.search(graph, model, place, effort, progress)
    if as_json:
        _terminal.print_json(_as_json(model, seed, study, tuning))
        return
    _show(model, study, tuning)


def _as_json(model: str, seed: int, study: Path, tuning: "Tuning") -> dict[str, Any]:
    """What the same seed gives again: no seconds."""
    trials = [
        {"config": trial.config, "ndcg@20": trial.quality.ndcg, "steps": trial.steps, "pruned": trial.pruned}
        for trial in tuning.trials
    ]
    return {"model": model, "seed": seed, "study": str(study), "config": tuning.config, "trials": trials}


def _show(model: str, study: Path, tuning: "Tuning") -> None:
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
        _terminal.note(f"{pruned} trials were given up half way")
    if best and best[0].quality.ndcg == 0:
        _terminal.note("no trial finds any of the validation items, too little to choose by, so the default is chosen")
    elif chosen is default and best[0] is not default:
        _terminal.note("no trial is better than the default by more than chance, so the default is chosen")
    _terminal.note(f"`graphrec train --model {model} --study {study}` trains with the settings chosen")
