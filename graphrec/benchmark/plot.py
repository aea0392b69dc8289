"""A picture of results: quality against seconds, one panel for each data set."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from graphrec.atomic_write import atomic_write
from graphrec.benchmark.results import Saved, model_name, quality_of
from graphrec.errors import DataError, GraphrecError
from graphrec.evaluation.report.label_placement import NEAR, Floats, place

INK, SOFT, LINE, DOT, PUBLISHED = "#1d2025", "#6a6f78", "#e2dfd8", "#3f6f9f", "#b4532a"

#: Panels in a row, and the width and height of each in inches.
COLUMNS, WIDTH, HEIGHT = 2, 6.2, 4.2

#: Number of published results drawn as lines in a panel, the best ones; of next items, as many more have short marks.
LINES, MARKS = 2, 5

#: Where a short mark begins, as a share of the width of a panel.
MARK_START = 0.95

#: Endings of data sets without a panel: only the first fold of a data set has one.
LATER_FOLDS = tuple(f"-u{fold}" for fold in range(2, 6))

STYLE = {
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": LINE,
    "axes.labelcolor": SOFT,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "svg.hashsalt": "graphrec",  # the same results give the same file
}


@dataclass(frozen=True, eq=False)
class Panel:
    """The axes of a data set (matplotlib's Axes) with the names and the coordinates [n, 2] of its points."""

    axis: Any  # matplotlib has no types that could be named without importing it
    names: Sequence[str]
    points: Floats


def plot(results: Sequence[Saved], path: Path) -> list[Path]:
    """Write the picture as SVG and as PNG, under the name of `path` with these endings, and return the two paths.

    Each point is a model: NDCG@20 (or RMSE; NDCG@10 of next items) on test against the seconds of fitting, on a
    logarithmic axis. Lines are the best published results; of next items the following ones are marks at the edge.

    Raises GraphrecError if matplotlib is missing or a file cannot be written, DataError if there are no results.
    """
    pyplot = load_pyplot()
    if not results:
        raise DataError("there are no results to plot; measure some first")
    names = list(dict.fromkeys(saved["data"] for saved in results if not saved["data"].endswith(LATER_FOLDS)))
    rows = -(-len(names) // COLUMNS)
    columns = min(COLUMNS, len(names))
    with pyplot.rc_context(STYLE):
        figure, axes = pyplot.subplots(
            rows, columns, figsize=(WIDTH * columns, HEIGHT * rows), squeeze=False, layout="constrained"
        )
        for axis in axes.flat[len(names) :]:
            axis.set_visible(False)
        panels = [
            _draw_panel(axis, name, [saved for saved in results if saved["data"] == name])
            for axis, name in zip(axes.flat, names, strict=False)
        ]
        figure.draw_without_rendering()  # the layout is done, so names can be placed
        figure.set_layout_engine("none")
        for panel in panels:
            _label_points(panel)
        return write(figure, pyplot, path)


def load_pyplot() -> Any:  # a module that may not be there
    """matplotlib.pyplot, without windows; GraphrecError if matplotlib is not installed."""
    try:
        import matplotlib as mpl

        mpl.use("Agg")  # no window is opened
        from matplotlib import pyplot
    except ImportError as error:
        raise GraphrecError("a plot needs matplotlib, which is not installed: `pip install matplotlib`") from error
    return pyplot


def _draw_panel(axis: Any, name: str, results: Sequence[Saved]) -> Panel:  # matplotlib's Axes
    """Draw the points and lines of a data set; the names of the points are placed later, by `_label_points`."""
    metric = "rmse" if "rmse" in results[0]["metrics"] else quality_of(results[0]).metrics[1][0]
    seconds = np.array([max(saved["seconds"]["fit"], 0.01) for saved in results])
    quality = np.array([saved["metrics"][metric] for saved in results])
    sign = -1 if metric == "rmse" else 1
    published = {e["name"]: e["metrics"][metric] for s in results for e in s["published"] if metric in e["metrics"]}
    number = LINES + MARKS if metric == "ndcg@10" else LINES
    lines = sorted(published.items(), key=lambda entry: -sign * entry[1])[:number]
    low, high = _axis_limits(quality, np.array([value for _, value in lines]))
    lines = [(label, value) for label, value in lines if low <= value <= high]
    axis.set(title=name, xscale="log", xlabel="seconds to fit", xlim=(seconds.min() / 3, seconds.max() * 4))
    axis.xaxis.set_major_formatter("{x:g}")
    axis.xaxis.set_minor_formatter("")
    axis.set(ylabel="RMSE, lower is better" if metric == "rmse" else quality_of(results[0]).heads[1], ylim=(low, high))
    heights = _separate_heights([value for _, value in lines], 0.055 * (high - low))
    for position, ((label, value), height) in enumerate(zip(lines, heights, strict=True)):
        start, dashes = (0.0, (0, (4, 3))) if position < LINES else (MARK_START, "solid")
        axis.axhline(value, start, color=PUBLISHED, linewidth=0.9, linestyle=dashes, alpha=0.8)
        style = {"transform": axis.get_yaxis_transform(), "va": "center", "fontsize": 8}
        axis.text(1.01, height, f"{label} {value:.4f}", color=PUBLISHED, **style)
    inside = (quality >= low) & (quality <= high)
    shown = np.clip(quality, low + 0.02 * (high - low), high)
    for mask, marker in ((inside, "o"), (~inside, "v")):  # far worse models are drawn at the edge, with their value
        axis.scatter(seconds[mask], shown[mask], s=42, color=DOT, marker=marker, edgecolor="white", zorder=3)
    names = [model_name(s) + ("" if i else f" {q:.4f}") for s, q, i in zip(results, quality, inside, strict=True)]
    return Panel(axis, names, np.stack([seconds, shown], axis=1))


def _axis_limits(quality: Floats, published: Floats) -> tuple[float, float]:
    """The range of the vertical axis, from values of at least 0.6 of the best: lower ones would squeeze the others."""
    values = np.concatenate([quality, published])
    values = values[values >= 0.6 * values.max()]
    margin = 0.12 * (np.ptp(values) or 0.5 * values.max())
    return float(values.min() - margin), float(values.max() + margin)


def _label_points(panel: Panel) -> None:
    """Write the names next to the points of a panel whose layout is done."""
    axis = panel.axis
    renderer = axis.figure.canvas.get_renderer()
    names = [name.replace(", ", ",\n") for name in panel.names]  # a long one would not fit next to its point
    texts = [axis.text(0, 0, name, fontsize=9, color=INK, ha="center", va="center", zorder=4) for name in names]
    sizes = np.array([[box.width, box.height] for box in (text.get_window_extent(renderer) for text in texts)])
    frame = axis.get_window_extent(renderer)
    points = axis.transData.transform(panel.points)
    centres = place(points, sizes, (frame.x0, frame.y0, frame.x1, frame.y1), axis.figure.dpi / 72)
    for text, point, centre, size in zip(texts, points, centres, sizes, strict=True):
        text.set_position(axis.transData.inverted().transform(centre))
        gap = np.maximum(np.abs(centre - point) - size / 2, 0)
        if np.hypot(*gap) > NEAR * 1.5 * axis.figure.dpi / 72:
            ends = axis.transData.inverted().transform(np.stack([point, centre])).T
            axis.plot(*ends, color=SOFT, linewidth=0.6, zorder=2, scalex=False, scaley=False)
            text.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.85})


def _separate_heights(values: Sequence[float], step: float) -> list[float]:
    """Heights of labels at `values`, in the same order, moved up if two would be less than `step` apart."""
    heights = list(map(float, values))
    below = -np.inf
    for position in np.argsort(values, kind="stable"):
        below = heights[position] = max(heights[position], below + step)
    return heights


def write(figure: Any, pyplot: Any, path: Path) -> list[Path]:  # matplotlib's Figure and pyplot
    """Write a figure as .svg and .png, close it and return the two paths; GraphrecError if a file cannot be written."""
    written = []
    for ending, options in ((".svg", {"metadata": {"Date": None}}), (".png", {"dpi": 160})):
        target = path.with_name(path.name.removesuffix(".svg").removesuffix(".png") + ending)
        with atomic_write(target) as partial:
            figure.savefig(partial, format=ending[1:], facecolor="white", **options)
        written.append(target)
    pyplot.close(figure)
    return written
