"""The base class of models that are trained in epochs: early stopping, checkpoints, intermediate evaluation."""

import zlib
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import TypeVar

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from graphrec.interactions import Interactions
from graphrec.models.base import EpochCallback, Model
from graphrec.training.checkpoints import Checkpoints
from graphrec.training.loop import TrainSchedule
from graphrec.vocabulary import IndexArray

#: Early stopping: maximum number of users whose validation items are ranked, and number of epochs between measurements.
STOPPING_USERS = 1000
STOPPING_EVERY = 5

#: Share of the interactions that is held out for early stopping.
STOPPING_SHARE = 0.05


@dataclass(frozen=True)
class TrainedConfig:
    """Settings of every model that is trained in epochs.

    epochs: number of passes over the interactions.
    patience: number of measurements on held-out interactions without improvement after which training stops; 0 trains
        all epochs.
    stop_epoch: number of epochs after which training ends, with learning rates as in all epochs; 0 for all.
    """

    epochs: int = 40
    patience: int = 0
    stop_epoch: int = 0


C = TypeVar("C", bound=TrainedConfig)


class TrainedModel(Model[C]):
    """A model that the loop of `graphrec.training` trains.

    `losses` is the mean loss of each epoch of the last fit; empty after `restore`.
    """

    has_signed_scores = True
    trials = 0
    supports_checkpoints = True

    def __init__(self, config: C, device: torch.device | str = "cpu") -> None:
        super().__init__(config, device)
        self.checkpoints: Checkpoints | None = None
        self.epoch_callback: EpochCallback | None = None
        self.losses: tuple[float, ...] = ()

    def keep_checkpoints(self, checkpoints: Checkpoints) -> None:
        """Save checkpoints of the next fit to a file; the same fit resumes from it and ends with equal parameters.

        With `patience` the second training has a file of its own, with the suffix `.refit`.
        """
        self.checkpoints = checkpoints

    def watch_training(self, callback: EpochCallback) -> None:
        """Set the callback of the next fit; the model then scores with its current parameters."""
        self.epoch_callback = callback

    @classmethod
    def shorten(cls, config: C, share: float) -> C:
        """The config with a share of its epochs, at least one."""
        return replace(config, epochs=max(round(config.epochs * share), 1), stop_epoch=0)

    def train_and_refit(self, schedule: TrainSchedule, run: Callable[[TrainSchedule, int], int]) -> None:
        """Train once; with `patience` in the config twice.

        The first training then holds out a part of the interactions, and finds the number of epochs that ranks it best;
        the second one trains on all interactions for so many epochs, which `config` has as `stop_epoch`.

        Args:
            schedule: the schedule without early stopping.
            run: function of a schedule and the patience that trains new parameters, and returns the number of epochs
                before the best measurement if the patience is not 0.
        """
        c, checkpoints, step = self.config, schedule.checkpoints, schedule.progress or (lambda _done, _total: None)
        if c.patience:
            stop_epoch = run(schedule, c.patience)
            self.config, first = replace(c, patience=0, stop_epoch=stop_epoch), len(self.losses)
            if checkpoints is not None:
                path = checkpoints.path
                checkpoints = replace(checkpoints, path=path.with_name(f"{path.name}.refit"))
            schedule = replace(
                schedule,
                stop_epoch=stop_epoch,
                progress=lambda done, total: step(first + done, first + total),
                checkpoints=checkpoints,
            )
        run(schedule, 0)

    def build_epoch_hook(self, finish: Callable[[], None]) -> Callable[[int], None] | None:
        """A function of the number of epochs done that calls `finish`, which makes the model score with its current
        parameters, and the callback after each of its parts except the last; None without a callback."""
        callback, epochs = self.epoch_callback, self.config.epochs
        if callback is None:
            return None
        due = {round(part * epochs / callback.parts): part for part in range(1, callback.parts)}

        def after_epoch(epoch: int) -> None:
            if 0 < epoch < epochs and epoch in due:
                finish()
                callback.function(due[epoch])

        return after_epoch

    def identify_checkpoints(self, interactions: Interactions, rng: np.random.Generator) -> Checkpoints | None:
        """The checkpoints with an identity computed from the config, the data and the state of the generator."""
        if self.checkpoints is None:
            return None
        content = zlib.crc32(f"{asdict(self.config)} {rng.bit_generator.state}".encode())
        for column in (interactions.user_index, interactions.item_index, interactions.time):
            content = content if column is None else zlib.crc32(column.tobytes(), content)
        return replace(self.checkpoints, identity=f"{type(self).__name__} {content:08x}")


def recall_of_held_out(
    score: Callable[[IndexArray], Tensor], training: sparse.csr_array, validation: Interactions
) -> float:
    """Recall@20 of early stopping: the share of the validation interactions of the first STOPPING_USERS users among the
    first 20 items by `score` that are not in their rows of `training` [num_users, num_items]."""
    users = np.unique(validation.user_index)[:STOPPING_USERS]
    scores = score(users).cpu()
    seen, held_out = training[users], validation.matrix()[users]
    scores[torch.from_numpy(seen.toarray() > 0)] = -torch.inf
    best = scores.topk(min(20, scores.shape[1])).indices.numpy()
    hits = np.take_along_axis(held_out.toarray(), best, axis=1).sum()
    return float(hits / max(held_out.nnz, 1))
