"""How well a model foretells ratings, and the config that foretells them best."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np

from graphrec.errors import DataError
from graphrec.hetero import HeteroGraph
from graphrec.interactions import Interactions
from graphrec.models import model_class
from graphrec.models.base import Model, Progress
from graphrec.train_view import restrict

#: Pairs whose ratings are predicted at one time.
PAIRS_AT_ONCE = 1 << 14

#: The part of the known ratings that is held out to choose a config.
HELD_OUT = 0.1


@dataclass(frozen=True)
class RatingError:
    """The errors of predicted ratings p of n pairs against the true ones r.

    rmse: √(Σ (p − r)² / n).
    mae: Σ |p − r| / n.
    num_pairs: n, all pairs of the truth.
    num_cold_users, num_cold_items: pairs of a user, or of an item, without any known rating. They count like all
        others, with what the model says for lack of knowledge.
    """

    rmse: float
    mae: float
    num_pairs: int
    num_cold_users: int
    num_cold_items: int


class Rated(Protocol):
    """A graph with the ratings that are known and those that are to be foretold, over the same users and items."""

    @property
    def graph(self) -> HeteroGraph:
        """What a model may read, without the truth."""

    @property
    def known(self) -> Interactions:
        """Ratings to learn from."""

    @property
    def truth(self) -> Interactions:
        """Ratings to foretell."""


class RatingModel(Protocol):
    """The class of a model that predicts ratings."""

    @classmethod
    def rating_candidates(cls, config: Any) -> list[Any]:  # a config of the model's own class
        """The configs worth trying, all other settings as in `config`."""


def rating_error(model: Model[Any], known: Interactions, truth: Interactions) -> RatingError:
    """The errors of a model fitted to `known` for the ratings in `truth`, which are its weights.

    Raises DataError where there is no pair or a pair has no rating.
    """
    weight = truth.weight
    if weight is None or not len(weight) or not np.isfinite(weight).all():
        raise DataError(
            f"ratings: {len(truth):,} pairs to foretell, but not each has a rating; name data with ratings, "
            "or measure a ranking instead"
        )
    predicted = np.empty(len(truth), dtype=np.float64)
    for start in range(0, len(truth), PAIRS_AT_ONCE):
        part = slice(start, start + PAIRS_AT_ONCE)
        scores = model.score_pairs(truth.user_index[part], truth.item_index[part][:, None])  # [pairs, 1]
        predicted[part] = scores[:, 0].cpu().numpy()
    error = predicted - weight
    return RatingError(
        rmse=float(np.sqrt(np.mean(error**2))),
        mae=float(np.mean(np.abs(error))),
        num_pairs=len(truth),
        num_cold_users=int((known.user_degree() == 0)[truth.user_index].sum()),
        num_cold_items=int((known.item_degree() == 0)[truth.item_index].sum()),
    )


@dataclass(frozen=True)
class RatingTuning:
    """The config chosen, the RMSE on the held-out part of each that was tried, and the seconds in all."""

    config: Mapping[str, Any]  # int, float, str or bool, as the model's config has it
    trials: tuple[tuple[Mapping[str, Any], float], ...]  # likewise
    seconds: float


def tune_ratings(
    data: Rated, name: str, rng: np.random.Generator, device: str = "cpu", progress: Progress | None = None
) -> RatingTuning:
    """The candidate of a model with the least RMSE on a random tenth of the known ratings, fitted to the others.

    `data.truth` is not looked at. Raises DataError where the model does not predict ratings.
    """
    kind: Any = model_class(name)  # of the kind RatingModel, where it has candidates for ratings
    if not hasattr(kind, "rating_candidates"):
        raise DataError(f"{name} ranks items and predicts no ratings; mf does")
    began = time.perf_counter()
    held = np.zeros(len(data.known), dtype=bool)
    held[rng.permutation(len(held))[: round(len(held) * HELD_OUT)]] = True
    rest, kept = data.known.take(~held), data.known.take(held)
    visible = restrict(data.graph, rest, held=kept)
    seed = int(rng.integers(1 << 62))  # every candidate gets the same chance
    trials = []
    candidates = kind.rating_candidates(kind.config_class())
    for position, config in enumerate(candidates):
        model = kind(config, device)
        model.fit(visible, rest, np.random.default_rng(seed))
        trials.append((asdict(config), rating_error(model, rest, kept).rmse))
        if progress is not None:
            progress(position + 1, len(candidates))
    best = min(range(len(trials)), key=lambda position: trials[position][1])
    return RatingTuning(trials[best][0], tuple(trials), time.perf_counter() - began)
