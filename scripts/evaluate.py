"""Compare models on held-out behaviour of the graph."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from . import _terminal

SHOWN = ("recall@10", "ndcg@10", "hit_rate@10", "mrr@10", "coverage@10", "recall@20", "ndcg@20")


@click.command(epilog="Example: graphrec evaluate --model popularity --model graph_filter --report report.html")
@click.option(
    "--model",
    "models",
    multiple=True,
    default=("popularity", "item_knn", "graph_filter"),
    show_default=True,
    help="A model to compare; repeatable.",
)
@click.option("--relation", help="Behaviour to predict; by default the strongest that the graph has.")
@click.option("--split", help="time, random or leave-last-out; by default time where the behaviour has times.")
@click.option("--report", type=click.Path(path_type=Path, dir_okay=False), help="Write an HTML report to this file.")
@_terminal.trials_option
@_terminal.device_option
@_terminal.seed_option
@_terminal.json_option
def command(
    models: tuple[str, ...], relation: str | None, split: str | None, report: Path | None, as_json: bool, **options: Any
) -> None:
    """Compare models on held-out behaviour of the graph.

    Every model gets its settings on validation and meets the test part once. All items are ranked, those that a user
    had before are masked.
    """
    from graphrec.models import model_class

    for model in models:
        model_class(model)  # a wrong name is said before a store is started for it

    import numpy as np

    from graphrec.evaluation import report as reports
    from graphrec.evaluation.compare import compare
    from graphrec.evaluation.protocol import default_split
    from graphrec.evaluation.tuning import Effort
    from graphrec.hetero import interactions

    with _terminal.open_store() as (store, _), _terminal.progress_bar() as progress:
        graph = _terminal.read_graph(store, relation, progress)
        chosen = split or default_split(interactions(graph))
        if split is None and chosen != "time":
            _terminal.note(f"{graph.target[1]} has no times, so the split is random")
        rng, effort = np.random.default_rng(options["seed"]), Effort(options["trials"], device=options["device"])
        comparison = compare(graph, models, chosen, rng, progress, effort)
    if report is not None:
        reports.write(comparison, report)
        _terminal.note(f"report written to {report}")
    if as_json:
        _terminal.print_json(asdict(comparison, dict_factory=_without_values))
        return
    facts = comparison.facts
    title = (
        f"{facts.relation}, split {facts.split}: {facts.num_test_users:,} test users, "
        f"{facts.num_cold_users:,} without training interactions left out"
    )
    rows = [[result.name, *(result.metrics[name] for name in SHOWN)] for result in comparison.results]
    _terminal.print_table(title, ["model", *SHOWN], rows)


def _without_values(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """The fields of a result, without the quality of every single validation user."""
    return {name: value for name, value in pairs if name != "values"}
