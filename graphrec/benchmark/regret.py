"""Regret of a model's settings, a file for each data set and model, and all of them as one Markdown table."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from graphrec.atomic_write import atomic_write, folder_name
from graphrec.benchmark.results import REGRET_ENDING, format_seconds, format_table
from graphrec.errors import DataError, first_few

#: Settings by name: int, float, str or bool, as the model's config has them.
Settings = Mapping[str, Any]

#: Fields that must be equal for a file to be continued, and what another value of each means.
ORIGIN = {
    "fingerprint": "other data",
    "drawn": "another kind of split",
    "seed": "another seed",
    "num_trials": "another number of trials",
    "candidates": "other candidates of the model",
}

HEAD = (
    *("data", "drawn", "default", "default of the other sets", "search", "best in hindsight"),
    "regret of default, %",
    "of the default of the other sets, %",
    "of search, %",
    "search s",
)

LEGEND = """\
NDCG@20 on the test part of configs fitted to all of train; the configs in brackets are listed below. The default of the
other sets is the candidate with the least mean regret on all other data sets. Regret: how far NDCG@20 is below that of
the best config that was measured on the data set, 1 − NDCG@20 / best NDCG@20."""


@dataclass(frozen=True)
class MeasuredConfig:
    """A config fitted to all of train: NDCG@20 and Recall@20 on test, and the seconds of fitting and ranking.

    Configs share parts of their fits, so the first one that needs a part has its seconds.
    """

    config: Settings
    ndcg: float
    recall: float
    seconds: float


@dataclass(frozen=True)
class Regret:
    """The configs of a model measured on the test part of a data set, and the one that the search selects.

    interactions: number of training interactions.
    drawn: how the test part was drawn.
    fingerprint: hash of the model and the data.
    num_trials: configs that the search tries beyond the candidates; None for the default of `TuningBudget`.
    candidates: the model's candidates, the default first.
    selected: the config that the search selects on held-out parts of train; None until the search is finished.
    tried, search_seconds: number of configs that the search tried, and their total seconds.
    measured: the configs measured so far, each once; `is_complete` says whether these are all.
    """

    data: str
    model: str
    interactions: int
    drawn: str
    fingerprint: str
    seed: int
    num_trials: int | None
    candidates: tuple[Settings, ...]
    device: str
    threads: int
    versions: Mapping[str, str]
    machine: str
    selected: Settings | None = None
    tried: int = 0
    search_seconds: float = 0.0
    measured: tuple[MeasuredConfig, ...] = ()

    @property
    def configs(self) -> tuple[Settings, ...]:
        """The configs to measure: the candidates, and the selected config if it is not one of them."""
        is_other = self.selected is not None and self.selected not in self.candidates
        return (*self.candidates, cast(Settings, self.selected)) if is_other else self.candidates

    @property
    def is_complete(self) -> bool:
        """Whether the search is finished and all configs are measured."""
        return self.selected is not None and all(self.find(config) is not None for config in self.configs)

    @property
    def best(self) -> MeasuredConfig:
        """The measured config with the highest NDCG@20, the first of equal ones."""
        return max(self.measured, key=lambda measured: measured.ndcg)

    def find(self, config: Settings | None) -> MeasuredConfig | None:
        """The measurement of a config; None if it was not measured."""
        return next((measured for measured in self.measured if measured.config == config), None)

    def ndcg(self, config: Settings | None) -> float:
        """NDCG@20 of a measured config."""
        found = self.find(config)
        if found is None:
            raise DataError(f"{self.data}: {self.model} with {config} was not measured")
        return found.ndcg

    def regret(self, config: Settings | None) -> float:
        """1 − NDCG@20 / best NDCG@20 of a measured config; 0 if the best one is 0."""
        best = self.best.ndcg
        return 1.0 - self.ndcg(config) / best if best > 0 else 0.0


def regret_path(folder: Path, data: str, model: str) -> Path:
    """The file of a data set and a model in a folder."""
    return folder / f"{folder_name(f'{data}--{model}')}{REGRET_ENDING}"


def save_regret(regret: Regret, path: Path) -> None:
    """Write a file atomically. Raises GraphrecError if it cannot be written."""
    with atomic_write(path) as partial:
        partial.write_text(json.dumps(asdict(regret), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_regret(path: Path) -> Regret:
    """The content of a file. Raises DataError if it is not a file of `graphrec benchmark --panel`."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        measured = tuple(MeasuredConfig(**each) for each in content.pop("measured"))
        return Regret(**{**content, "candidates": tuple(content["candidates"])}, measured=measured)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise DataError(
            f"{path} is not a file of this version of `graphrec benchmark --panel`; move it elsewhere"
        ) from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error


def load_regrets(folder: Path, model: str, datasets: Collection[str] = ()) -> list[Regret]:
    """The files of a model in a folder, also incomplete ones, in the order of training interactions.

    `datasets` are the names of those to load; none: all. Raises DataError if there is no such file, or one is not a
    file of this version.
    """
    found = [read_regret(path) for path in sorted(folder.glob(f"*{REGRET_ENDING}"))]
    of_model = [regret for regret in found if regret.model == model]
    missing = set(datasets) - {regret.data for regret in of_model}
    if missing or not of_model:
        others = sorted({regret.model for regret in found})
        on = f" on {first_few(sorted(missing))}" if of_model else ""
        hint = f" (but of {first_few(others)})" if others and not of_model else ""
        raise DataError(
            f"folder {folder} has no regrets of {model}{on}{hint}; `graphrec benchmark --panel --model {model} "
            f"--output {folder}` measures them"
        )
    of_model = [regret for regret in of_model if not datasets or regret.data in datasets]
    return sorted(of_model, key=lambda regret: (regret.interactions, regret.data))


def leave_one_out_default(regrets: Sequence[Regret], position: int) -> Settings | None:
    """The candidate with the least mean regret on all data sets but the one at a position.

    So it is the fixed default that one would choose without a look at this data set. Only candidates of all data sets
    are considered; None without such a candidate or another data set. Of equal ones it is the first.
    """
    others = [regret for place, regret in enumerate(regrets) if place != position]
    common = [config for config in regrets[position].candidates if all(config in other.candidates for other in others)]
    if not others or not common:
        return None
    return min(common, key=lambda config: float(np.mean([other.regret(config) for other in others])))


def compared_configs(regrets: Sequence[Regret]) -> list[dict[str, Settings | None]]:
    """On each data set the default, the leave-one-set-out default (None without one) and the config of the search."""
    return [
        {
            "default": regret.candidates[0],
            "leave_one_out": leave_one_out_default(regrets, position),
            "search": regret.selected,
        }
        for position, regret in enumerate(regrets)
    ]


def summarise(regrets: Sequence[Regret]) -> list[dict[str, float | None]]:
    """The regrets of the configs of `compared_configs` on each data set."""
    return [
        {name: None if config is None else regret.regret(config) for name, config in configs.items()}
        for regret, configs in zip(regrets, compared_configs(regrets), strict=True)
    ]


def regret_table(regrets: Sequence[Regret]) -> str:
    """The complete regrets of one model, at least one, as a Markdown table with their mean and the worst, and a list of
    the configs in it."""
    numbered: list[Settings] = []  # candidates of all data sets, whose graphs have different ones
    for regret in regrets:
        numbered += [config for config in regret.candidates if config not in numbered]
    shown: set[int] = set()

    def cell(regret: Regret, config: Settings | None) -> str:
        if config is None:
            return "–"
        if config not in numbered:
            return f"{regret.ndcg(config):.4f} [search]"
        shown.add(numbered.index(config))
        return f"{regret.ndcg(config):.4f} [{numbered.index(config) + 1}]"

    rows = []
    summaries = summarise(regrets)
    for regret, configs, shares in zip(regrets, compared_configs(regrets), summaries, strict=True):
        cells = [cell(regret, config) for config in (*configs.values(), regret.best.config)]
        percents = [_format_percent(share) for share in shares.values()]
        rows.append([regret.data, regret.drawn, *cells, *percents, format_seconds(regret.search_seconds)])
    columns = [[share for summary in summaries if (share := summary[name]) is not None] for name in summaries[0]]
    seconds = [regret.search_seconds for regret in regrets]
    for name, combine in (("mean", np.mean), ("worst", np.max)):
        percents = [_format_percent(float(combine(column)) if column else None) for column in columns]
        rows.append([f"**{name}**", *[""] * 5, *percents, format_seconds(float(combine(seconds)))])
    default = regrets[0].candidates[0]
    listed = [f"- [{place + 1}] {_describe(numbered[place], default)}" for place in sorted(shown)]
    listed += [
        f"- [search] on {regret.data}: {_describe(regret.selected, default)}"
        for regret in regrets
        if regret.selected is not None and regret.selected not in numbered
    ]
    return "\n\n".join([format_table(HEAD, rows), LEGEND, "\n".join(listed)]) + "\n"


def _describe(config: Settings, default: Settings) -> str:
    """The settings in which a config differs from the default."""
    changed = [
        f"`{name}={value:g}`" if isinstance(value, float) else f"`{name}={value}`"
        for name, value in config.items()
        if default.get(name) != value
    ]
    return " ".join(changed) or "the default"


def _format_percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.2f}"
