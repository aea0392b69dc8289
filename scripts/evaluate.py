"""Compare models on held-out behaviour of the graph."""

import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import _completion, _options, _terminal

if TYPE_CHECKING:
    from graphrec.evaluation.result import Comparison, Estimate

EPILOG = "Example: graphrec evaluate --model popularity --model item_knn --model graph_filter --report report.html"


class Evaluate(click.Command):
    """The command, whose help describes every metric."""

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
    help="Model to tune and compare; repeatable. By default popularity, item_knn and graph_filter.",
)
@click.option(
    "--run",
    "names",
    multiple=True,
    shell_complete=_completion.runs,
    help="Run to compare with its own settings: its id, its first letters, or `latest`; repeatable.",
)
@click.option("--relation", help="Behaviour to predict; by default the strongest in the graph.")
@click.option("--split", help=_options.SPLIT_HELP + " rolling(windows=3) and k-fold(folds=5) make several splits.")
@click.option("-k", "ks", type=_options.Number(), multiple=True, help="Length of lists; repeatable. [default: 10, 20]")
@click.option(
    "--rounds",
    type=_options.Number(1, 1_000),
    default=1,
    show_default=True,
    help="Number of seeds; the whole comparison is repeated with each.",
)
@click.option(
    "--trials",
    type=_options.Number(1, 100_000),
    default=20,
    show_default=True,
    help="Settings tried for each model, including its own candidates; the same number for all.",
)
@click.option(
    "--workers",
    type=_options.Number(1, 64),
    default=1,
    show_default=True,
    help="Number of processes that try settings in parallel.",
)
@click.option(
    "--examples", type=_options.Number(0), default=3, show_default=True, help="Number of example users in the report."
)
@click.option(
    "--repeats", is_flag=True, help="Rank items that users had too, and count them as test items (goods bought again)."
)
@click.option(
    "--report",
    type=_options.OutPath(dir_okay=False),
    help="Report file: .html, .json or .md; .html also writes the other two next to it.",
)
@_options.memory_option
@_options.device_option
@_options.seed_option
@_options.json_option
def command(
    models: tuple[str, ...],
    names: tuple[str, ...],
    relation: str | None,
    split: str | None,
    ks: tuple[int, ...],
    rounds: int,
    trials: int,
    workers: int,
    examples: int,
    repeats: bool,
    report: Path | None,
    memory: int,
    device: str,
    seed: int,
    as_json: bool,
) -> None:
    """Compare models on held-out behaviour of the graph.

    For each model the same number of settings is tried on validation, and the best is tested once. An audit first
    checks that the test part cannot be inferred from the data that models see. All items are ranked, except those that
    the user had before. `--split next-item` and `next-basket` test what each user chooses first after a time.
    """
    _options.check_ending(report, (".html", ".json", ".md"), "--report", "a report")
    with _terminal.open_graph() as graph, _terminal.progress_bar() as progress:
        from graphrec import EvaluationConfig, TuningBudget

        config = EvaluationConfig(
            split or "",
            ks or (10, 20),
            tuple(range(seed, seed + rounds)),
            TuningBudget(budget=trials, device=device, workers=workers),
            num_examples=0 if report is None else examples,
            memory_budget=memory,
            repeats=repeats,
        )
        comparison = graph.compare(models, None, names, config, relation, progress)
    from graphrec.evaluation import report as reports
    from graphrec.redaction import redact

    command_line = redact(shlex.join(["graphrec", *sys.argv[1:]]))
    comparison = replace(comparison, setup=replace(comparison.setup, command=command_line))
    if report is not None:
        for path in reports.write_all(comparison, report):
            _terminal.note(f"report written to {path}")
    if as_json:
        _terminal.print_json(reports.as_json(comparison))
    else:
        _show(comparison)


def _show(comparison: "Comparison") -> None:
    from graphrec.evaluation.report import findings, sentences

    first, last = comparison.ks[0], comparison.ks[-1]
    names = [f"{name}@{first}" for name in ("recall", "ndcg", "hit_rate", "mrr", "coverage")]
    names += [f"{name}@{last}" for name in ("recall", "ndcg") if last != first]
    first_split = comparison.splits[0]
    tested = sentences.test_users(first_split.num_warm, first_split.num_cold)
    title = f"{comparison.data.relation}, split {first_split.record.spec}: {tested}"
    rows = [[r.name, *(_get_value(r.metrics.get(name)) for name in names)] for r in comparison.results]
    _terminal.print_table(title, ["model", *names], rows)
    if findings.has_no_hits(comparison):
        _terminal.note(sentences.no_hits(comparison))
    rows = [
        [f"{d.first} minus {d.second}", d.metric, f"{d.estimate.value:+.4f}", _format_interval(d.estimate), d.verdict]
        for d in comparison.differences
        if d.metric == comparison.headline
    ]
    if rows:
        _terminal.print_table("", ["", "metric", "difference", "95 % interval", ""], rows)
    checks = first_split.audit.checks
    splits = "1 split" if len(comparison.splits) == 1 else f"{len(comparison.splits)} splits"
    _terminal.note(f"searched for {len(checks)} kinds of leaks in {splits}: none found")


def _get_value(estimate: "Estimate | None") -> float | None:
    return None if estimate is None else estimate.value


def _format_interval(estimate: "Estimate") -> str:
    return "–" if estimate.low is None else f"{estimate.low:+.4f} to {estimate.high:+.4f}"
