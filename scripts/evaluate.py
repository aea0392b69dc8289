"""Compare models on held-out behaviour of the graph."""

import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import _completion, _outputs, _terminal

if TYPE_CHECKING:
    from graphrec.evaluation.result import Comparison, Estimate
    from graphrec.evaluation.trial import Contender

EPILOG = "Example: graphrec evaluate --model popularity --model item_knn --model graph_filter --report report.html"


class Evaluate(click.Command):
    """The command with a help page that describes every registered metric."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the metrics, then the example."""
        from graphrec.evaluation.metric_registry import METRICS

        with formatter.section("Metrics at each -k"):
            formatter.write_dl([(each.name, each.description) for each in METRICS.values() if each.kind != "rating"])
        super().format_epilog(ctx, formatter)


@click.command(cls=Evaluate, epilog=EPILOG)
@click.option(
    "--model",
    "models",
    multiple=True,
    shell_complete=_completion.models,
    help="A model to tune and compare; repeatable. By default popularity, item_knn and graph_filter.",
)
@click.option(
    "--run",
    "names",
    multiple=True,
    shell_complete=_completion.runs,
    help="A run whose settings take part as they are, `latest` or its first letters; repeatable.",
)
@click.option("--relation", help="Behaviour to predict; by default the strongest that the graph has.")
@click.option("--split", help=_terminal.SPLIT_HELP + " rolling(windows=3) and k-fold(folds=5) give several rounds.")
@click.option("-k", "ks", type=_terminal.Number(), multiple=True, help="Length of lists; repeatable. [default: 10, 20]")
@click.option(
    "--rounds", type=_terminal.Number(1, 1_000), default=1, show_default=True, help="Seeds to repeat all with."
)
@click.option(
    "--trials",
    type=_terminal.Number(1, 100_000),
    default=20,
    show_default=True,
    help="Settings tried for each model, its own candidates among them; the same number for all.",
)
@click.option("--workers", type=_terminal.Number(1, 64), default=1, show_default=True, help="Trials side by side.")
@click.option("--examples", type=_terminal.Number(0), default=3, show_default=True, help="Users shown in the report.")
@click.option(
    "--report",
    type=_terminal.OutPath(dir_okay=False),
    help="Write a report to this file: .html, .json or .md; with .html the other two beside it.",
)
@_terminal.memory_option
@_terminal.device_option
@_terminal.seed_option
@_terminal.json_option
def command(
    models: tuple[str, ...], names: tuple[str, ...], report: Path | None, as_json: bool, **options: Any
) -> None:
    """Compare models on held-out behaviour of the graph.

    Every model gets its settings on validation, by the same number of trials, and meets the test part once. What models
    see is first searched for leaks of what they are tested on. All items are ranked, those that a user had before are
    masked.
    """
    _outputs.check_ending(report, (".html", ".json", ".md"), "--report", "a report")
    entries = _entries(models, names)

    from graphrec.evaluation import report as reports
    from graphrec.evaluation.compare import compare
    from graphrec.evaluation.store_lookup import aliases, titles
    from graphrec.evaluation.trial import EvaluationConfig
    from graphrec.redaction import redacted
    from graphrec.tuning import TuningBudget

    with _terminal.open_store() as (store, _), _terminal.progress_bar() as progress:
        graph = _terminal.read_graph(store, options["relation"], progress)
        split = _terminal.chosen_split(options["split"], graph)
        _terminal.look_ahead(graph, [entry.model for entry in entries], options["workers"])
        terms = EvaluationConfig(
            split,
            options["ks"] or (10, 20),
            tuple(range(options["seed"], options["seed"] + options["rounds"])),
            TuningBudget(budget=options["trials"], device=options["device"], workers=options["workers"]),
            num_examples=options["examples"] if report is not None else 0,
            memory_budget=options["memory"],
        )
        comparison = compare(graph, entries, terms, aliases(store, graph), progress)
        comparison = replace(
            comparison,
            setup=replace(comparison.setup, command=redacted(shlex.join(["graphrec", *sys.argv[1:]]))),
            titles=titles(store, graph, comparison.examples),
        )
    if report is not None:
        for path in reports.write_all(comparison, report):
            _terminal.note(f"report written to {path}")
    if as_json:
        _terminal.print_json(reports.as_json(comparison))
        return
    _show(comparison)


def _entries(models: tuple[str, ...], names: tuple[str, ...]) -> "list[Contender]":
    """What takes part; a wrong name is said before a store is started for it."""
    from graphrec import config, runs
    from graphrec.evaluation.trial import Contender
    from graphrec.models import model_class

    chosen = models or (("popularity", "item_knn") if names else ("popularity", "item_knn", "graph_filter"))
    for model in chosen:
        model_class(model)
    folder = config.Settings().runs
    known = {run.id: run for run in runs.listed(folder)} if names else {}
    ids = [runs.find(folder, name) for name in names]
    return [*map(Contender, chosen), *(Contender(known[id_].model, known[id_].config, id_) for id_ in ids)]


def _show(comparison: "Comparison") -> None:
    from graphrec.evaluation.report import findings, sentences

    first, last = comparison.ks[0], comparison.ks[-1]
    names = [f"{name}@{first}" for name in ("recall", "ndcg", "hit_rate", "mrr", "coverage")]
    names += [f"{name}@{last}" for name in ("recall", "ndcg") if last != first]
    division = comparison.splits[0]
    tested = f"{division.num_warm:,} test users, {division.num_cold:,} without training interactions aside"
    if not division.num_warm:
        tested = f"{division.num_cold:,} test users, none of whom has training interactions"
    title = f"{comparison.data.relation}, split {division.record.spec}: {tested}"
    rows = [[r.name, *(_value(r.metrics.get(name)) for name in names)] for r in comparison.results]
    _terminal.print_table(title, ["model", *names], rows)
    if findings.nothing_found(comparison):
        _terminal.note(sentences.nothing_found(comparison))
    rows = [
        [f"{d.first} minus {d.second}", d.metric, f"{d.estimate.value:+.4f}", _interval(d.estimate), d.verdict]
        for d in comparison.differences
        if d.metric == comparison.headline
    ]
    if rows:
        _terminal.print_table("", ["", "metric", "difference", "95 % interval", ""], rows)
    checks = division.audit.checks
    _terminal.note(f"searched for {len(checks)} kinds of leaks in {len(comparison.splits)} split(s): none found")


def _value(estimate: "Estimate | None") -> float | None:
    return None if estimate is None else estimate.value


def _interval(estimate: "Estimate") -> str:
    return "–" if estimate.low is None else f"{estimate.low:+.4f} to {estimate.high:+.4f}"
