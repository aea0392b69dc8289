"""Gradient-boosted trees that rank candidates; the only module that loads LightGBM."""

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from graphrec.errors import GraphrecError
from graphrec.models.hybrid.inputs import decode_text, encode_text
from graphrec.vocabulary import IndexArray

Values = npt.NDArray[np.float32]
Amounts = npt.NDArray[np.float64]

#: Cut-off of the NDCG by which the number of trees is chosen.
CUT_OFF = 20

#: Number of folds of users in the cross-validation.
FOLDS = 4

#: Objectives of LightGBM: pairs weighted by their change of NDCG (Burges, 2010), or relevance of single items.
OBJECTIVES = ("lambdarank", "binary")


@dataclass(frozen=True)
class TreeSettings:
    """Settings of the trees.

    objective: one of OBJECTIVES.
    trees: number of trees.
    leaves: maximum number of leaves of a tree.
    min_leaf: minimum number of candidates in a leaf.
    learning_rate: factor of each tree.
    """

    objective: str
    trees: int
    leaves: int
    min_leaf: int
    learning_rate: float


@dataclass(frozen=True, eq=False)
class RankingData:
    """Candidates of validation users to learn from, ascending by user.

    values: inputs, [n, num_inputs].
    relevant: 1 for validation items, [n].
    row: number of the user, [n].
    num_relevant: number of validation items of each user, candidates or not, [num_users].
    """

    values: Values
    relevant: Values
    row: IndexArray
    num_relevant: IndexArray

    def select(self, users: npt.NDArray[np.bool_]) -> "RankingData":
        """The data of some users, by a mask [num_users]; the users are numbered anew."""
        mask = users[self.row]
        number = np.cumsum(users) - 1
        return RankingData(self.values[mask], self.relevant[mask], number[self.row[mask]], self.num_relevant[users])

    def ndcg(self, scores: npt.NDArray[Any]) -> Amounts:  # of any float type
        """The NDCG@20 [num_users] of the candidates in the order of scores [n]."""
        order = np.lexsort((-scores, self.row))
        row = self.row[order]
        place = np.arange(len(row)) - np.searchsorted(row, np.arange(len(self.num_relevant)))[row]
        gain = np.where(place < CUT_OFF, self.relevant[order] / np.log2(place + 2), 0.0)
        ideal = np.cumsum(1.0 / np.log2(np.arange(2, CUT_OFF + 2)))[np.minimum(self.num_relevant, CUT_OFF) - 1]
        result: Amounts = np.bincount(row, gain, minlength=len(ideal)) / ideal
        return result


class Trees:
    """Fitted trees, whose score is the sum of their leaves less its mean over the candidates that they were fitted to.

    lowest: a lower bound of all scores.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._booster = require_lightgbm().Booster(model_str=text)
        num_inputs = self._booster.num_feature()
        self._mean = float(self._contributions(np.zeros((1, num_inputs), dtype=np.float32))[0, -1])
        self.lowest = float(self._booster.lower_bound()) - self._mean

    @classmethod
    def fit(cls, data: RankingData, settings: TreeSettings, seed: int) -> "Trees":
        """The trees of a RankingData; the seed and the number of threads decide everything."""
        return cls(_boost(data, settings, seed).model_to_string())

    def score(self, values: Values) -> Amounts:
        """The scores [n] of candidates with inputs [n, num_inputs]."""
        if not len(values):
            return np.empty(0)
        raw = self._booster.predict(values, raw_score=True, num_threads=torch.get_num_threads())
        return np.asarray(raw, dtype=np.float64) - self._mean

    def explain(self, values: Values) -> Amounts:
        """The Shapley values [n, num_inputs] of the inputs, which add up to the scores (Lundberg et al., 2020)."""
        return self._contributions(values)[:, :-1]

    def _contributions(self, values: Values) -> Amounts:
        found = self._booster.predict(values, pred_contrib=True, num_threads=torch.get_num_threads())
        return np.asarray(found, dtype=np.float64)

    def state(self) -> Tensor:
        """The trees as the bytes of a text."""
        return encode_text(self._text)

    @classmethod
    def restore(cls, state: Tensor) -> "Trees":
        """The trees of a state."""
        return cls(decode_text(state))


@dataclass(frozen=True)
class TreeChoice:
    """The settings with the greatest cross-validated NDCG@20, and what they gain.

    gain: mean difference to a ranking without trees over the validation users; error: its standard error.
    """

    settings: TreeSettings
    gain: float
    error: float


def choose_settings(
    data: RankingData, tried: Sequence[TreeSettings], without: npt.NDArray[Any], rng: np.random.Generator
) -> TreeChoice | None:
    """The best of some settings and numbers of trees in a cross-validation over users.

    Of each setting the numbers `trees`, a half, a quarter, … are measured. None if there are fewer users than folds, or
    no fold has both relevant and other candidates.

    Args:
        data: the candidates.
        tried: the settings.
        without: scores [n] of the ranking without trees.
        rng: draws the folds.
    """
    num_users = len(data.num_relevant)
    if num_users < FOLDS:
        return None
    fold = rng.permutation(num_users) % FOLDS
    seed = int(rng.integers(1 << 31))
    baseline = data.ndcg(without)
    best: TreeChoice | None = None
    for settings in tried:
        numbers = _halve(settings.trees)
        values = np.zeros((len(numbers), num_users))
        for number in range(FOLDS):
            inside = data.select(fold != number)
            if not 0 < inside.relevant.sum() < len(inside.relevant):
                return None
            booster, outside = _boost(inside, settings, seed), data.select(fold == number)
            for place, trees in enumerate(numbers):
                raw = booster.predict(
                    outside.values, raw_score=True, num_iteration=trees, num_threads=torch.get_num_threads()
                )
                values[place, fold == number] = outside.ndcg(np.asarray(raw))
        place = int(values.mean(axis=1).argmax())
        difference = values[place] - baseline
        if best is None or difference.mean() > best.gain:
            chosen = TreeSettings(
                settings.objective, numbers[place], settings.leaves, settings.min_leaf, settings.learning_rate
            )
            best = TreeChoice(chosen, float(difference.mean()), float(difference.std(ddof=1)) / num_users**0.5)
    return best


def require_lightgbm() -> Any:  # the module: an optional dependency without types
    """LightGBM. Raises GraphrecError, which says what to install, if it cannot be loaded."""
    try:
        return importlib.import_module("lightgbm")
    except ImportError as error:
        raise GraphrecError(
            "model hybrid ranks candidates with the package lightgbm, which is not installed; "
            "run pip install 'graphrec[hybrid]'"
        ) from error
    except OSError as error:
        raise GraphrecError(
            f"the package lightgbm cannot be loaded ({error}); install the OpenMP library of the system, on Debian and "
            "Ubuntu with apt-get install libgomp1, on macOS with brew install libomp"
        ) from error


def _boost(data: RankingData, settings: TreeSettings, seed: int) -> Any:  # a Booster of LightGBM
    lightgbm = require_lightgbm()
    sizes = np.bincount(data.row)
    is_list = settings.objective == "lambdarank"
    dataset = lightgbm.Dataset(data.values, data.relevant, group=sizes[sizes > 0] if is_list else None)
    parameters = {
        "objective": settings.objective,
        "learning_rate": settings.learning_rate,
        "num_leaves": settings.leaves,
        "min_data_in_leaf": min(settings.min_leaf, max(len(data.relevant) // 10, 1)),
        "lambdarank_truncation_level": CUT_OFF + 10,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": torch.get_num_threads(),
        "verbosity": -1,
    }
    return lightgbm.train(parameters, dataset, settings.trees)


def _halve(trees: int) -> list[int]:
    """The number of trees, its half, quarter, … down to ten, in ascending order."""
    found = [trees]
    while found[0] > 10:
        found.insert(0, found[0] // 2)
    return found
