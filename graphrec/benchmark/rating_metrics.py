"""Rating prediction: the errors of a fitted model, and the config with the smallest error on validation."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np

from graphrec.errors import DataError
from graphrec.evaluation.metrics import mae, rmse
from graphrec.hetero import HeteroGraph
from graphrec.interactions import Interactions
from graphrec.models import model_class
from graphrec.models.base import Model
from graphrec.progress import Progress
from graphrec.splitting.held_out import hold_out_at_random
from graphrec.train_view import restrict

#: Batch size of rating prediction, in pairs.
PAIRS_AT_ONCE = 1 << 14


@dataclass(frozen=True)
class RatingError:
    """The errors of predicted ratings p of all n test pairs against the true ratings r.

    rmse: √(Σ (p − r)² / n).
    mae: Σ |p − r| / n.
    num_pairs: n.
    num_cold_users, num_cold_items: pairs of a user, or of an item, without training ratings. They are included, with
        the model's default prediction.
    """

    rmse: float
    mae: float
    num_pairs: int
    num_cold_users: int
    num_cold_items: int


class RatingData(Protocol):
    """A graph with training and test ratings over the same users and items."""

    @property
    def graph(self) -> HeteroGraph:
        """The graph that a model may see, without test ratings."""

    @property
    def train(self) -> Interactions:
        """Ratings to learn from."""

    @property
    def test(self) -> Interactions:
        """Ratings to predict."""


class RatingModel(Protocol):
    """The class of a model that predicts ratings."""

    @classmethod
    def rating_candidates(cls, config: Any) -> list[Any]:  # a config of the model's own class
        """The configs to try, with all other settings as in `config`."""


def rating_error(model: Model[Any], train: Interactions, test: Interactions) -> RatingError:
    """The errors of a model fitted to `train` for the ratings in `test`, which are its weights.

    Raises DataError if `test` is empty or a pair has no rating.
    """
    weight = test.weight
    if weight is None or not len(weight) or not np.isfinite(weight).all():
        raise DataError(
            f"ratings: {len(test):,} pairs to predict, but not each has a rating; use data with ratings, "
            "or measure a ranking instead"
        )
    predicted = np.empty(len(test), dtype=np.float64)
    for start in range(0, len(test), PAIRS_AT_ONCE):
        part = slice(start, start + PAIRS_AT_ONCE)
        scores = model.score_pairs(test.user_index[part], test.item_index[part][:, None])  # [pairs, 1]
        predicted[part] = scores[:, 0].cpu().numpy()
    error = predicted - weight
    return RatingError(
        rmse=rmse(error),
        mae=mae(error),
        num_pairs=len(test),
        num_cold_users=int((train.user_degree() == 0)[test.user_index].sum()),
        num_cold_items=int((train.item_degree() == 0)[test.item_index].sum()),
    )


@dataclass(frozen=True)
class RatingTuning:
    """The config selected, each config tried with its RMSE on validation, and the total seconds."""

    config: Mapping[str, Any]  # int, float, str or bool, as the model's config has it
    trials: tuple[tuple[Mapping[str, Any], float], ...]  # likewise
    seconds: float


def tune_ratings(
    data: RatingData, name: str, rng: np.random.Generator, device: str = "cpu", progress: Progress | None = None
) -> RatingTuning:
    """The candidate of a model with the smallest RMSE on a random tenth of the training ratings, fitted to the others.

    `data.test` is not used. Raises DataError if the model does not predict ratings.
    """
    kind: Any = model_class(name)  # a RatingModel if it has candidates for ratings
    if not hasattr(kind, "rating_candidates"):
        raise DataError(f"{name} ranks items and predicts no ratings; mf does")
    started = time.perf_counter()
    mask = hold_out_at_random(data.train, rng)
    train, validation = data.train.take(~mask), data.train.take(mask)
    visible = restrict(data.graph, train, None, validation)
    seed = int(rng.integers(1 << 62))  # the same for every candidate
    trials = []
    candidates = kind.rating_candidates(kind.config_class())
    for position, config in enumerate(candidates):
        model = kind(config, device)
        model.fit(visible, train, np.random.default_rng(seed))
        trials.append((asdict(config), rating_error(model, train, validation).rmse))
        if progress is not None:
            progress(position + 1, len(candidates))
    best = min(range(len(trials)), key=lambda position: trials[position][1])
    return RatingTuning(trials[best][0], tuple(trials), time.perf_counter() - started)
