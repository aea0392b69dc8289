"""Measure clicks on the items shown to users, for each run."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from . import _options, _terminal

if TYPE_CHECKING:
    from graphrec.evaluation.off_policy import RunFeedback
    from graphrec.evaluation.result import Estimate
    from graphrec.pipeline.feedback import ExperimentFeedback


def _parse_window(_context: click.Context, _option: click.Parameter, text: str) -> int:
    """The value of --window in seconds."""
    from graphrec.errors import DataError
    from graphrec.evaluation.off_policy import parse_window

    try:
        return parse_window(text)
    except DataError as error:
        raise click.BadParameter(str(error)) from error


@click.command(epilog="Example: graphrec feedback --relation PURCHASED --window 7d")
@click.option(
    "--relation",
    "relations",
    multiple=True,
    help="Behaviour that counts as a click; repeatable. By default the strongest that has times.",
)
@click.option(
    "--window",
    default="24h",
    show_default=True,
    callback=_parse_window,
    help="Maximum time from an impression to its click.",
)
@click.option(
    "--cap",
    type=_options.Decimal(1),
    default=10.0,
    show_default=True,
    help="Largest weight of a click in the capped estimate.",
)
@_options.seed_option
@_options.json_option
def command(relations: tuple[str, ...], window: int, cap: float, seed: int, as_json: bool) -> None:
    """Measure clicks on the items shown to users, for each run.

    Impressions are edges (:User)-[:SHOWN {run, rank, timestamp}]->(:Item), optionally with a propensity; behaviour
    after them counts as clicks. Estimates are the click rate, and the relevance of the items by inverse propensity
    weighting, in which a click counts more at a rank that users seldom examine. The two runs of the newest experiment
    (`graphrec experiment`) are compared.
    """
    with _terminal.open_graph() as graph:
        found = graph.measure_feedback(relations, window, cap, seed)
        compared = graph.measure_experiment(None, relations, window)
    names = ", ".join(found.relations)
    if found.num_untimed:
        _terminal.note(f"left out, as they have no timestamp: {found.num_untimed:,} of {names}")
    if as_json:
        runs = [asdict(run) for run in found.runs]
        experiment = None if compared is None else asdict(compared)
        _terminal.print_json(
            {"relations": found.relations, "window": window, "cap": cap, "runs": runs, "experiment": experiment}
        )
        return
    counts = [(run.run, run.num_shown, run.num_users, run.num_clicks, run.propensity) for run in found.runs]
    _terminal.print_table(f"{names} after SHOWN", ["run", "shown", "users", "clicks", "propensity"], counts)
    rows = [
        (run.run, *_format_estimate(name, estimate))
        for run in found.runs
        for name, estimate in _list_estimates(run, cap)
    ]
    _terminal.print_table("", ["run", "estimate", "value", "95 % interval"], rows)
    for run in found.runs:
        if run.num_clicks in (0, run.num_shown):
            what = "every impression was clicked" if run.num_clicks else "no impression was clicked"
            _terminal.note(f"{run.run}: {what}; the interval of its click rate is exact, over {run.num_users:,} users")
    if compared is not None:
        _show_experiment(compared)


def _show_experiment(found: "ExperimentFeedback") -> None:
    """Print the comparison of the two runs of an experiment."""
    experiment, compared = found.experiment, found.split or found.interleaved
    assert compared is not None  # one of them is there, by the mode
    sides = [(each.run, each.num_shown, each.num_users, each.num_clicks) for each in (compared.second, compared.first)]
    title = f"Experiment {experiment.id} ({experiment.mode}), impressions whose window has passed"
    _terminal.print_table(title, ["run", "shown", "users", "clicks"], sides)
    if found.split is not None:
        name, once, always = "click rate, difference", found.split.difference, found.split.always
    else:
        assert found.interleaved is not None
        name, once, always = "preference", found.interleaved.preference, found.interleaved.always
    rows = [(name, once.value, _format_estimate("", once)[2], _format_estimate("", always)[2])]
    level = f"{1 - compared.alpha:.0%} interval at all looks"
    _terminal.print_table("", [f"{compared.second.run} to {compared.first.run}", "value", "95 % interval", level], rows)
    if found.interleaved is not None:
        wins = found.interleaved
        _terminal.note(f"of the users with clicks {wins.wins:,} prefer the first, {wins.losses:,} the second run above")
    if found.num_outside:
        _terminal.note(f"left out: {found.num_outside:,} impressions of users who are assigned otherwise")


def _list_estimates(run: "RunFeedback", cap: float) -> list[tuple[str, "Estimate"]]:
    return [
        ("click rate", run.click_rate),
        ("inverse propensity", run.ips),
        (f"capped at {cap:g}", run.capped_ips),
        ("self-normalised", run.self_normalised),
    ]


def _format_estimate(name: str, estimate: "Estimate") -> tuple[str, float, str]:
    if estimate.low is None or estimate.high is None:
        return name, estimate.value, "unknown"
    return name, estimate.value, f"{estimate.low:.4f} to {estimate.high:.4f}"
