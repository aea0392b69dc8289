"""Figures of a comparison: intervals, curves, scatters, groups, learning curves and the split over time."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.ticker import LogLocator

from graphrec.evaluation.report import findings, words
from graphrec.evaluation.report.drawing import (
    INK,
    LINE,
    NARROW,
    PAPER,
    PARTS,
    SOFT,
    Look,
    assign_looks,
    draw,
    name_points,
)
from graphrec.evaluation.result import Comparison, Group, ModelResult, SplitSummary

#: Maximum characters of a name per line.
NAME = 20

#: Minimum seconds on a logarithmic axis.
LEAST = 0.001

#: Threshold: a model with less than this share of the best is drawn at the edge, to leave room for the others.
FAR = 0.6

DAY = 86_400

Finish = Callable[[], None]


@dataclass(frozen=True)
class Points:
    """Data of a scatter: the title, the name and the scale of the x axis, and x by the name of the model."""

    title: str
    axis: str
    scale: Literal["linear", "log"]
    x: dict[str, float]


def _looks(comparison: Comparison) -> dict[str, Look]:
    return assign_looks([result.name for result in comparison.results], comparison.baseline)


def intervals(comparison: Comparison, name: str, width: int) -> str:
    """Dots of the headline metric with its intervals as whiskers, the best at the top, and a line at the baseline."""
    metric, look = comparison.headline, _looks(comparison)
    results = [result for result in findings.rank_models(comparison) if metric in result.metrics]

    def paint(axis: Axes) -> None:
        for row, result in enumerate(results):
            estimate, colour = result.metrics[metric], look[result.name].colour
            if (bounds := words.bounds(estimate)) is not None:
                axis.hlines(row, *bounds, color=colour, linewidth=3, alpha=0.55)
            axis.plot(estimate.value, row, look[result.name].marker, color=colour, markersize=8)
            transform = axis.get_yaxis_transform()
            axis.text(1.02, row, words.number(estimate.value), transform=transform, va="center", color=INK)
        for result in results:
            if result.name == comparison.baseline and len(results) > 1:
                axis.axvline(findings.value(result, metric), color=SOFT, linewidth=1, linestyle=(0, (3, 3)), zorder=0)
        axis.set_yticks(range(len(results)), [fill(result.name, NAME) for result in results], color=INK)
        axis.set(ylim=(len(results) - 0.4, -0.6), xlabel=findings.label(metric))
        axis.grid(visible=False, axis="y")
        axis.spines["left"].set_visible(False)
        axis.margins(x=0.08)
        axis.locator_params(axis="x", nbins=5 if width <= NARROW else 9)

    title = f"{findings.label(metric)} of each model with its 95 % interval"
    return draw(name, title, (width, 58 + 36 * len(results)), paint)


def curves(comparison: Comparison, kind: str, name: str) -> str:
    """Lines of a metric against k, one for each model with this curve, with markers at the k of the tables."""
    look = _looks(comparison)

    def paint(axis: Axes) -> None:
        for result in reversed(findings.rank_models(comparison)):
            points = result.curve.get(kind, ())
            if not points:
                continue
            k, value = np.array(points, dtype=float).T
            marked = [index for index, cut in enumerate(k) if cut in comparison.ks]
            style = look[result.name]
            axis.plot(k, value, color=style.colour, marker=style.marker, markevery=marked, markersize=6)
        axis.set(xlabel="k", title=findings.label(kind))
        axis.set_ylim(bottom=0)
        axis.grid(visible=False, axis="x")
        axis.locator_params(axis="x", integer=True, nbins=6)

    return draw(name, f"{findings.label(kind)} of each model against the length k of its list", (NARROW, 300), paint)


def scatter(comparison: Comparison, points: Points, name: str) -> str:
    """Each model as a named point: the headline metric against another quantity."""
    metric, look = comparison.headline, _looks(comparison)
    results = [r for r in comparison.results if r.name in points.x and metric in r.metrics]
    low, high, far = _axis_limits(comparison, results)
    y = [low if r.name in far else findings.value(r, metric) for r in results]
    coordinates = np.array([[points.x[r.name], value] for r, value in zip(results, y, strict=True)])
    coordinates[:, 1] += [0.05 * (high - low) if r.name in far else 0.0 for r in results]

    def paint(axis: Axes) -> Finish:
        for result, (x, y) in zip(results, coordinates, strict=True):
            style, outside = look[result.name], result.name in far
            if (bounds := words.bounds(result.metrics[metric])) is not None and not outside:
                axis.vlines(x, *bounds, color=style.colour, linewidth=2, alpha=0.45)
            face = "none" if outside else style.colour
            axis.plot(x, y, style.marker, color=style.colour, markerfacecolor=face, markersize=8, zorder=3)
        axis.set(title=points.title, xlabel=points.axis, ylabel=findings.label(metric), xscale=points.scale)
        axis.set_ylim(low, high)
        axis.margins(x=0.22)
        _set_ticks(axis, points)
        names = [fill(r.name + (f" {words.number(findings.value(r, metric))}" if r.name in far else ""), NAME)
                 for r in results]  # fmt: skip
        return lambda: name_points(axis, names, coordinates)

    return draw(name, f"{findings.label(metric)} of each model against {points.axis}", (NARROW, 320), paint)


def _axis_limits(comparison: Comparison, results: Sequence[ModelResult]) -> tuple[float, float, frozenset[str]]:
    """The range of the vertical axis of a scatter, and the names of models that are too far below it."""
    metric = comparison.headline
    values = {result.name: findings.value(result, metric) for result in results}
    top = max(values.values())
    far = frozenset(name for name, value in values.items() if value < FAR * top and findings.sign(metric) > 0)
    inside = [result.metrics[metric] for result in results if result.name not in far]
    ends = [end for estimate in inside for end in (estimate.value, *(words.bounds(estimate) or ()))]
    margin = 0.2 * ((max(ends) - min(ends)) or abs(top) or 1.0)
    return min(ends) - margin * (2 if far else 1), max(ends) + margin, far


def _set_ticks(axis: Axes, points: Points) -> None:
    """Set few ticks on the x axis; on a short logarithmic axis at 1, 2 and 5."""
    if points.scale == "linear":
        axis.locator_params(axis="x", nbins=5)
        return
    decades = math.log10(max(points.x.values()) / min(points.x.values()))
    axis.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if decades < 1.5 else (1.0,), numticks=8))
    axis.xaxis.set_major_formatter("{x:g}")
    axis.xaxis.set_minor_formatter("")


def against_seconds(comparison: Comparison, part: Literal["fit", "recommend"]) -> Points:
    """Points of the mean seconds of a fit, or of ranking all test users."""
    label = {"fit": "seconds to fit", "recommend": "seconds to rank all test users"}[part]
    x = {result.name: max(findings.mean_cost(result, part), LEAST) for result in comparison.results if result.rounds}
    return Points({"fit": "Fitting", "recommend": "Ranking"}[part], label, "log", x)


def searches(comparison: Comparison, name: str) -> str:
    """Lines of the best quality on validation so far against the seconds of trials, one for each model that was tuned,
    in the first round; "" if no model was tuned."""
    look, paths = _looks(comparison), {}
    for result in comparison.results:
        trials = [trial for round_ in result.rounds[:1] for trial in round_.trials]
        seconds = np.maximum(np.cumsum([trial.seconds for trial in trials]), LEAST)
        quality = [0.0 if trial.pruned else trial.quality.ndcg for trial in trials]
        if trials:
            paths[result.name] = (seconds, np.maximum.accumulate(quality))
    if not paths:
        return ""

    def paint(axis: Axes) -> None:
        for model, (seconds, best) in paths.items():
            axis.step(seconds, best, where="post", color=look[model].colour)
            axis.plot(seconds[-1], best[-1], look[model].marker, color=look[model].colour, markersize=6)
        axis.set(title="Choosing settings", xlabel="seconds of trials", ylabel="best NDCG@20 so far", xscale="log")
        axis.xaxis.set_major_formatter("{x:g}")
        axis.xaxis.set_minor_formatter("")

    return draw(name, "Best quality on validation so far against seconds of trials", (NARROW, 320), paint)


def against_metric(comparison: Comparison, metric: str) -> Points:
    """Points of another metric, for the models that have it."""
    x = {r.name: value for r in comparison.results if not math.isnan(value := findings.value(r, metric))}
    axis = findings.label(metric) + (", bits" if findings.family(metric) == "novelty" else "")
    return Points(findings.label(findings.family(metric)), axis, "linear", x)


def group_metric(comparison: Comparison, kind: str) -> str | None:
    """The metric in the figure of a kind of groups: the headline, else the first at its k, else the first, or None."""
    groups = [group for result in comparison.results for group in result.groups if group.kind == kind]
    names = dict.fromkeys(name for group in groups for name in group.metrics)
    if comparison.headline in names:
        return comparison.headline
    k = findings.cutoff(comparison.headline)
    return next((name for name in names if findings.cutoff(name) == k), next(iter(names), None))


def groups(comparison: Comparison, kind: str, metric: str, name: str) -> str:
    """Rows of dots with whiskers: a row for each group of a kind, with a dot for each model."""
    look = _looks(comparison)
    rows = {(r.name, g.name): g for r in comparison.results for g in r.groups if g.kind == kind and metric in g.metrics}
    names = list(dict.fromkeys(group for _, group in rows))
    models = [result.name for result in comparison.results]
    step = 0.72 / max(len(models), 2)

    def paint(axis: Axes) -> None:
        for (model, group), values in rows.items():
            row = names.index(group) + step * (models.index(model) - (len(models) - 1) / 2)
            estimate, style = values.metrics[metric], look[model]
            if (bounds := words.bounds(estimate)) is not None:
                axis.hlines(row, *bounds, color=style.colour, linewidth=2, alpha=0.5)
            axis.plot(estimate.value, row, style.marker, color=style.colour, markersize=6)
        labels = [_label_group(rows, models, group) for group in names]
        axis.set_yticks(range(len(names)), labels, color=INK, fontsize=11)
        axis.set(ylim=(len(names) - 0.5, -0.5), xlabel=findings.label(metric), title=kind.capitalize())
        for edge in range(1, len(names)):
            axis.axhline(edge - 0.5, color=LINE, linewidth=1, zorder=0)
        axis.grid(visible=False, axis="y")
        axis.spines["left"].set_visible(False)
        axis.locator_params(axis="x", nbins=4)

    height = 72 + len(names) * max(46, 11 * len(models) + 8)
    return draw(name, f"{findings.label(metric)} of each model by {kind}", (NARROW, height), paint)


def _label_group(rows: dict[tuple[str, str], Group], models: Sequence[str], name: str) -> str:
    group = next(rows[model, name] for model in models if (model, name) in rows)
    return f"{fill(name, 15)}\n{words.count(group.num_users, 'users')}"


def learning(comparison: Comparison, result: ModelResult, name: str) -> str:
    """The mean loss of each epoch of one model."""
    style = _looks(comparison)[result.name]

    def paint(axis: Axes) -> None:
        numbers, losses = [epoch.number for epoch in result.learning], [epoch.loss for epoch in result.learning]
        axis.plot(numbers, losses, color=style.colour, marker=style.marker if len(numbers) < 3 else None)
        axis.plot(numbers[-1], losses[-1], style.marker, color=style.colour, markersize=7)
        axis.set(title=fill(result.name, 36), xlabel="epoch", ylabel="loss")
        axis.grid(visible=False, axis="x")
        axis.margins(y=0.1)
        axis.locator_params(axis="x", integer=True, nbins=6)

    return draw(name, f"Loss of {result.name} by epoch", (NARROW, 230), paint)


def timeline(summary: SplitSummary, name: str, width: int) -> str:
    """Stacked bars of the number of interactions of each part over time."""
    bins = summary.timeline
    dated = bins[0].start > words.EARLIEST + DAY and bins[-1].end < words.LATEST - DAY
    edges = np.array([[bin_.start, bin_.end] for bin_ in bins], dtype="int64")
    starts, ends = (edges / DAY if dated else edges.astype(float)).T  # matplotlib counts days since 1970

    def paint(axis: Axes) -> None:
        below = np.zeros(len(bins))
        for part, colour in PARTS.items():
            height = np.array([getattr(bin_, part) for bin_ in bins], dtype=float)
            axis.bar(starts, height, ends - starts, below, align="edge", color=colour, edgecolor=PAPER, linewidth=0.5)
            below += height
        if dated:
            locator = AutoDateLocator(minticks=3, maxticks=5 if width <= NARROW else 9)  # type: ignore[no-untyped-call]
            axis.xaxis.set_major_locator(locator)
            axis.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
        axis.yaxis.set_major_formatter("{x:,.0f}")
        axis.set(ylabel="interactions", xlim=(starts[0], ends[-1]))
        axis.grid(visible=False, axis="x")
        axis.locator_params(axis="y", nbins=4)

    return draw(name, "Interactions over time by part of the split", (width, 220), paint)
