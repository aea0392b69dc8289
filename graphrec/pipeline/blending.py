"""Blending: the runs that go into an ensemble, and the ensemble trained on them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from graphrec.arguments import name_of_run
from graphrec.errors import DataError, first_few
from graphrec.hetero import HeteroGraph
from graphrec.models.ensemble.members import write_members
from graphrec.pipeline.config import TrainConfig
from graphrec.pipeline.training import train
from graphrec.progress import StageProgress, silent
from graphrec.runs import Run, TrainedRun


@dataclass(frozen=True)
class Blend:
    """The run of an ensemble, the runs that it blends, and for each group of users their weights, in the same order."""

    run: Run
    members: tuple[Run, ...]
    weights: tuple[tuple[float, ...], ...]

    @classmethod
    def of(cls, trained: TrainedRun, members: Sequence[Run]) -> "Blend":
        """The blend that an ensemble learned."""
        rows = trained.model.state()["weights"].tolist()
        return cls(trained.run, tuple(members), tuple(tuple(map(float, row)) for row in rows))


def select_members(saved: Sequence[Run], names: Sequence[Run | str]) -> list[Run]:
    """The runs to blend, by their names as in `runs.find`; `saved` has the oldest first.

    Raises:
        UnknownNameError: there is no such run.
        DataError: there are fewer than two, one is named twice or is a blend, or they predict different behaviours.
    """
    by_id = {run.id: run for run in saved}
    newest = [run.id for run in reversed(saved)]
    texts = [name.id if isinstance(name, Run) else name for name in names]
    ids = [name_of_run(text, newest, hint="`graphrec train` makes one") for text in texts]
    if len(set(ids)) < 2 or len(set(ids)) < len(ids):
        raise DataError(f"a blend needs two or more different runs, not {first_few(ids)}; name others")
    chosen = [by_id[id_] for id_ in ids]
    blends = [run.id for run in chosen if run.model == "ensemble"]
    if blends:
        raise DataError(f"{first_few(blends)} is a blend already; name the runs that it was made from")
    targets = {run.target: " ".join(run.target) for run in chosen}
    if len(targets) > 1:
        raise DataError(f"the runs predict different behaviours ({first_few(targets.values())}); blend runs of one")
    return chosen


def ensemble_settings(chosen: Sequence[Run], settings: Mapping[str, object]) -> dict[str, object]:
    """The settings of an ensemble, with the models and settings of its members among them."""
    return {"members": write_members((run.model, run.config) for run in chosen), **settings}


def blend(
    graph: HeteroGraph,
    chosen: Sequence[Run],
    rng: np.random.Generator,
    config: TrainConfig,
    progress: StageProgress = silent,
) -> TrainedRun:
    """An ensemble of the models of several runs, each fitted again; `config.settings` are those of the ensemble."""
    settings = ensemble_settings(chosen, config.settings or {})
    return train(graph, "ensemble", rng, replace(config, settings=settings), progress)
