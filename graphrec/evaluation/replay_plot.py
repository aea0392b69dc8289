"""A picture of a replay: quality by step, with 95 % intervals, a line for each model."""

from datetime import UTC, datetime
from pathlib import Path

from graphrec.atomic_write import atomic_write
from graphrec.errors import DataError
from graphrec.evaluation.prequential import Replay

#: Colours of the lines, in turn.
COLOURS = ("#3f6f9f", "#b4532a", "#4f8a5b", "#8a5ba0", "#a08a2a", "#6a6f78")


def plot_replay(found: Replay, path: Path, metric: str = "ndcg") -> None:
    """Write a picture to a file; its ending selects the format, such as .svg or .png.

    Raises DataError if the replay has no such metric, or no user was measured.
    """
    name = f"{metric}@{found.k}"
    models = list(dict.fromkeys(step.model for step in found.steps))
    lines = {
        model: [
            (step.start, step.metrics[name]) for step in found.steps if step.model == model and name in step.metrics
        ]
        for model in models
    }
    if not any(lines.values()):
        raise DataError(f"the replay has no {name}: no user had events before and in a step")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4.2), layout="constrained")
    axis = figure.subplots()
    for model, colour in zip(models, [COLOURS[n % len(COLOURS)] for n in range(len(models))], strict=True):
        times = [datetime.fromtimestamp(start, UTC) for start, _ in lines[model]]
        values = [each.value for _, each in lines[model]]
        lows = [each.value if each.low is None else each.low for _, each in lines[model]]
        highs = [each.value if each.high is None else each.high for _, each in lines[model]]
        axis.plot(times, values, color=colour, linewidth=1.6, marker="o", markersize=3, label=model)  # type: ignore[arg-type]  # matplotlib draws datetimes
        axis.fill_between(times, lows, highs, color=colour, alpha=0.15, linewidth=0)  # type: ignore[arg-type]
    axis.set_title(
        f"{found.relation}, replayed by {found.step}: fitted to what was before, measured on what came", loc="left"
    )
    axis.set_ylabel(f"{name}, 95 % interval over users")
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(color="#e2dfd8", linewidth=0.6)
    axis.legend(frameon=False)
    with atomic_write(path) as partial, partial.open("wb") as file:
        figure.savefig(file, format=path.suffix[1:].lower(), dpi=150)
