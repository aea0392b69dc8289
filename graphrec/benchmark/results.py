"""Saves benchmark results, one JSON file each, and formats all of them as one Markdown table."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from graphrec.atomic_write import atomic_write, make_folder
from graphrec.benchmark.ablation import Ablation, RelationEffect
from graphrec.benchmark.literature import LITERATURE, LiteratureResult
from graphrec.benchmark.run import Result
from graphrec.errors import DataError, first_few
from graphrec.evaluation.result import Difference, Estimate

#: A result as loaded from its file: the dict that `asdict` makes of a Result.
Saved = Mapping[str, Any]  # JSON

#: Records inside a saved result, by the field that contains one or a list of them.
NESTED: Mapping[str, type] = {
    "published": LiteratureResult,
    "ablations": Ablation,
    "effects": RelationEffect,
    "difference": Difference,
    "estimate": Estimate,
}

#: Fields that files of earlier versions may lack, since readers have a default for them.
OPTIONAL = frozenset({"is_published"})

#: Ending of the files of `--panel` (regret.py), which `load_all` skips.
REGRET_ENDING = ".regret.json"


@dataclass(frozen=True)
class Quality:
    """The quality columns of a table: their heads, and the metrics of each, of which a result has one or none."""

    heads: tuple[str, str]
    metrics: tuple[tuple[str, ...], tuple[str, ...]]

    def is_in(self, metrics: Mapping[str, float]) -> bool:
        """Whether some metrics belong into the table."""
        return any(name in metrics for name in self.metrics[0])

    def order(self, metrics: Mapping[str, float]) -> float:
        """The key by which the best is first."""
        return metrics["rmse"] if "rmse" in metrics else -max(metrics.get(name, 0.0) for name in self.metrics[1])


#: The tables: rankings and ratings; rankings by short lists; the next item among all; and among sampled ones.
QUALITIES = (
    Quality(("Recall@20 (or RMSE)", "NDCG@20 (or MAE)"), (("recall@20", "rmse"), ("ndcg@20", "mae"))),
    Quality(("P@5", "NDCG@5"), (("precision@5",), ("ndcg@5",))),
    Quality(("Recall@10", "NDCG@10"), (("recall@10",), ("ndcg@10",))),
    Quality(("HR@10", "NDCG@10"), (("hit_rate@10",), ("ndcg@10",))),
    Quality(("HR@10 among 100", "NDCG@10 among 100"), (("sampled_hit_rate@10",), ("sampled_ndcg@10",))),
)

HEAD = ("data", "model", *(f"{what} s" for what in ("tune", "fit", "recommend")), "peak MiB", "from")

EFFECT_HEAD = ("data", "model", "left out", "metric", "users", "with", "without", "difference", "95 % interval", "gain")

_FOLD = re.compile(r"(.+)-u[1-5]")


def save(result: Result, folder: Path) -> Path:
    """Save a result to a folder and return the path; a result of the same data, label and relations is replaced.

    Raises GraphrecError if the file cannot be written.
    """
    make_folder(folder)
    names = [result.data, result.label, *(f"without-{name}" for name in result.without)]
    path = folder / (re.sub(r"[^\w.+-]+", "-", "--".join(names)) + ".json")
    with atomic_write(path) as partial:
        partial.write_text(json.dumps(asdict(result), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def load_all(folder: Path) -> list[Saved]:
    """All results of a folder, without those of a panel, ordered by data set, then by NDCG (best first) or RMSE.

    Raises DataError if the folder has no results, or a file is not a result of this version.
    """
    results = []
    for path in sorted(path for path in folder.glob("*.json") if not path.name.endswith(REGRET_ENDING)):
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            missing = _find_missing_fields(Result, content)
        except (ValueError, TypeError) as error:
            raise DataError(f"{path} is not a result of `graphrec benchmark`; move it elsewhere") from error
        if missing:
            raise DataError(
                f"{path} is not a result of this version of `graphrec benchmark`: it lacks "
                f"{first_few(sorted(missing))}; move it elsewhere or run the benchmark again"
            )
        results.append(content)
    if not results:
        raise DataError(f"folder {folder} has no results; `graphrec benchmark DATA --output {folder}` writes them")
    return sorted(results, key=lambda saved: (saved["data"], quality_of(saved).order(saved["metrics"])))


def quality_of(saved: Saved) -> Quality:
    """The quality columns of a result: the first of QUALITIES that it has."""
    return next((quality for quality in QUALITIES if quality.is_in(saved["metrics"])), QUALITIES[0])


def markdown(results: Sequence[Saved]) -> str:
    """The results and those of the literature as Markdown tables, then a table of the ablations if there are any."""
    notes = _number_notes(results)
    parts = [
        format_table((*HEAD[:2], *quality.heads, *HEAD[2:]), rows)
        for quality in QUALITIES
        if (rows := _rows(quality, results, notes))
    ]
    parts.append("\n".join(f"[{number}] {note}" for note, number in notes.items()))
    effects = [row for saved in results for row in _effect_rows(saved)]
    if effects:
        parts.append("What relations add, by a paired bootstrap over users:\n\n" + format_table(EFFECT_HEAD, effects))
    return "\n\n".join(parts) + "\n"


def model_name(saved: Saved) -> str:
    """The name of a result in tables and plots."""
    return str(saved["label"]) + (f", without {', '.join(saved['without'])}" if saved["without"] else "")


def _find_missing_fields(kind: type, record: Saved) -> set[str]:
    """The fields of a dataclass that a record of a file lacks, in itself or in the records inside it."""
    names = {field.name for field in fields(kind)}
    missing = names - set(record) - OPTIONAL
    for name in names & set(record) & set(NESTED):
        for inner in record[name] if isinstance(record[name], list) else [record[name]]:
            missing |= _find_missing_fields(NESTED[name], inner)
    return missing


def _rows(quality: Quality, results: Sequence[Saved], notes: Mapping[str, int]) -> list[list[str]]:
    """The rows of a table, by data set, the best first."""
    rows = []
    for data in dict.fromkeys(saved["data"] for saved in results):
        of_data = [saved for saved in results if saved["data"] == data and quality.is_in(saved["metrics"])]
        keyed = [(quality.order(saved["metrics"]), _result_row(quality, saved, notes)) for saved in of_data]
        published = {entry["name"]: entry for saved in of_data for entry in saved["published"]}
        keyed += [
            (quality.order(entry["metrics"]), _published_row(quality, data, entry))
            for entry in published.values()
            if quality.is_in(entry["metrics"])
        ]
        rows += [row for _, row in sorted(keyed, key=lambda pair: pair[0])]
    return rows + _fold_mean_rows(quality, results)


def _result_row(quality: Quality, saved: Saved, notes: Mapping[str, int]) -> list[str]:
    seconds, peaks = saved["seconds"], saved["peak_mib"]
    tune = format_seconds(seconds["tune"]) if saved["trials"] else "–"
    peak = f"{max(value for name, value in peaks.items() if name != 'gpu'):,}"
    cells = [saved["data"], model_name(saved), *_format_quality(quality, saved["metrics"]), tune]
    return [
        *cells,
        format_seconds(seconds["fit"]),
        format_seconds(seconds["recommend"]),
        peak,
        f"[{notes[_describe_conditions(saved)]}]",
    ]


def _published_row(quality: Quality, data: str, entry: Mapping[str, Any]) -> list[str]:
    values = (f"*{cell}*" for cell in _format_quality(quality, entry["metrics"]))
    cells = [data, f"*{entry['name']}*", *values, *["–"] * 4]
    return [*cells, f"published: {entry['source']}" if entry.get("is_published", True) else entry["source"]]


def _fold_mean_rows(quality: Quality, results: Sequence[Saved]) -> list[list[str]]:
    """A row for each model measured on all five folds of a data set, and the literature's means over folds."""
    folds: dict[tuple[str, str], list[Saved]] = {}
    for saved in results:
        if (match := _FOLD.fullmatch(saved["data"])) and quality.is_in(saved["metrics"]):
            folds.setdefault((match[1], model_name(saved)), []).append(saved)
    rows, shown = [], []
    for (data, name), parts in folds.items():
        if len(parts) == 5:
            metrics = {key: float(np.mean([part["metrics"][key] for part in parts])) for key in parts[0]["metrics"]}
            fit = format_seconds(float(np.mean([part["seconds"]["fit"] for part in parts])))
            rows.append(
                [
                    data,
                    f"{name}, mean of u1 to u5",
                    *_format_quality(quality, metrics),
                    "–",
                    fit,
                    "–",
                    "–",
                    "the five rows",
                ]
            )
            shown.append(data)
    for data in dict.fromkeys(shown):
        rows += [_published_row(quality, data, asdict(entry)) for entry in LITERATURE.get(data, ())]
    return rows


def _effect_rows(saved: Saved) -> Iterable[list[str]]:
    for ablation in saved["ablations"]:
        for entry in ablation["effects"]:
            estimate = entry["difference"]["estimate"]
            gain = estimate["value"] / entry["without_it"] if entry["without_it"] else float("inf")
            yield [
                saved["data"],
                model_name(saved),
                ", ".join(ablation["without"]),
                entry["difference"]["metric"],
                f"{entry['users']} ({entry['num_users']:,})",
                f"{entry['with_it']:.4f}",
                f"{entry['without_it']:.4f}",
                f"{estimate['value']:+.4f}",
                f"{estimate['low']:+.4f} to {estimate['high']:+.4f}",
                f"{gain:+.1%}",
            ]


def _number_notes(results: Sequence[Saved]) -> dict[str, int]:
    return {
        note: number
        for number, note in enumerate(dict.fromkeys(_describe_conditions(saved) for saved in results), start=1)
    }


def _describe_conditions(saved: Saved) -> str:
    """Machine, device, versions, seed and date of a result."""
    used = ", ".join(f"{name} {number}" for name, number in saved["versions"].items())
    day = saved["measured_at"][:10]
    return (
        f"{saved['machine']}; device {saved['device']}, {saved['threads']} threads; {used}; seed {saved['seed']}; {day}"
    )


def _format_quality(quality: Quality, metrics: Mapping[str, float]) -> list[str]:
    return [next((f"{metrics[name]:.4f}" for name in names if name in metrics), "–") for names in quality.metrics]


def format_seconds(value: float) -> str:
    """Seconds with at least two digits."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def format_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table of texts, without a line feed at its end."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
