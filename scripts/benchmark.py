"""Measure a model on a published split: one train and one test file."""

from pathlib import Path

import click

from . import _terminal

EXISTING = click.Path(path_type=Path)


@click.command(epilog="Example: graphrec benchmark train.txt.gz test.txt.gz --model graph_filter --json")
@click.argument("train", type=EXISTING)
@click.argument("test", type=EXISTING)
@click.option("--social", type=EXISTING, help="Who follows whom, in the same form.")
@click.option(
    "--model", default="graph_filter", show_default=True, help="popularity, item_knn, graph_filter, lightgcn."
)
@_terminal.seed_option
@_terminal.json_option
def command(train: Path, test: Path, social: Path | None, model: str, seed: int, as_json: bool) -> None:
    """Measure a model on a published split: TRAIN and TEST hold one line per user, `user item item …`.

    Settings are chosen on a part of TRAIN; TEST is met once. Files may be gzip'ed. No store is needed.
    """
    from graphrec.models import model_class

    model_class(model)

    import numpy as np

    from graphrec.evaluation.presplit import benchmark

    with _terminal.progress_bar() as progress:
        result = benchmark(train, test, model, social=social, rng=np.random.default_rng(seed), progress=progress)
    if as_json:
        _terminal.print_json(result)
    else:
        rows = [[name, value] for name, value in result.items() if not isinstance(value, dict)]
        _terminal.print_table(f"{model} on {train.name}", ["", ""], rows)
