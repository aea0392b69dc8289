"""The base class of all models: a documented config, fit, score, fold-in, explanations, and a state to save."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Self, TypeVar

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from graphrec.errors import DataError, GraphrecError
from graphrec.hetero import HeteroGraph
from graphrec.interactions import Interactions
from graphrec.linalg.csr import State
from graphrec.models import select_models
from graphrec.models.attribution import (
    Contributions,
    HistoryAttribution,
    InputContributions,
    TopReasons,
    Walks,
    divide_fold_in,
)
from graphrec.progress import Progress
from graphrec.relations import Relations
from graphrec.training.checkpoints import Checkpoints
from graphrec.vocabulary import IndexArray

Config = TypeVar("Config")


#: Relative threshold: a score whose absolute value is at most this share of the user's largest one counts as a rounding
#: error, not as a preference. Float32 sums of 1,000 terms have errors of about 1e-7 of their largest term.
ROUNDING_ERROR = 1e-6


@dataclass(frozen=True)
class Range:
    """The interval [low, high] of a setting: integers if both ends are integers, on a logarithmic scale if `log`."""

    low: float
    high: float
    log: bool = False


#: Search space: name of a setting -> a range of numbers, or a tuple of values.
Space = Mapping[str, Range | tuple[object, ...]]


@dataclass(frozen=True, eq=False)
class Embeddings:
    """Vectors of users [num_users, dim] and items [num_items, dim]; their dot products are a model's scores or a term
    of them."""

    users: Tensor
    items: Tensor


@dataclass(frozen=True)
class EpochCallback:
    """Callback for intermediate evaluation, called after each of `parts` equal stretches of epochs except the last.

    parts: number of stretches that the epochs are divided into.
    function: called with the number of stretches done, 1, 2, …; the model then scores with its current vectors. An
        exception that it raises ends the fit.
    """

    parts: int
    function: Callable[[int], None]


@dataclass(frozen=True, eq=False)
class ApproximateScores:
    """Scores of lower precision, from which candidates are chosen.

    scores: [batch, num_items] float32; the caller may overwrite them.
    exact: function of positions [batch, m] that returns the scores of `Model.score` [batch, m] there; the caller must
        not have overwritten these. None if `scores` are exact already.
    """

    scores: Tensor
    exact: Callable[[Tensor], Tensor] | None = None


@dataclass(frozen=True, eq=False)
class FactoredScores:
    """Scores as an inner product plus a sparse product, left · vectorsᵀ + signals · paths, all on the CPU; for models
    without signed scores.

    Top-k search skips the inner products of items whose norms show that they cannot reach the k-th score.

    vectors: [num_items, dim].
    paths: [num_items, num_items].
    user_factors: function of users [batch] that returns left [batch, dim] and signals [batch, num_items].
    """

    vectors: Tensor
    paths: sparse.csr_array
    user_factors: Callable[[IndexArray], tuple[Tensor, sparse.csr_array]]


class Model(ABC, Generic[Config]):
    """A recommender whose users and items are positions 0 … n − 1; it knows no ids, no k and no database.

    A subclass sets `config_class` to a frozen dataclass whose docstring describes each field, and defines `fit`,
    `score`, `state` and `restore`. Every other method is a capability; its default says that the model lacks it.

    Args:
        config: the settings.
        device: device of the model's tensors and of the scores; `state` is always on the CPU.
    """

    config_class: ClassVar[type[Any]]  # a dataclass; a class variable cannot be generic
    #: Whether scores may be negative, as dot products are; otherwise a score of 0 or less is no preference.
    has_signed_scores: bool = False
    #: Default number of configs that a search tries besides `candidates`; 0 if a fit needs minutes.
    trials: ClassVar[int] = 40
    #: Whether `fold_in_users` reads more than the target behaviour.
    reads_relations: ClassVar[bool] = False
    #: Whether different users get different scores.
    is_personal: ClassVar[bool] = True
    #: Whether a history item contributes through users who have both it and the target; explanations count these users.
    counts_co_users: ClassVar[bool] = False
    #: Whether `keep_checkpoints` keeps an interrupted fit on disk.
    supports_checkpoints: ClassVar[bool] = False

    def __init__(self, config: Config, device: torch.device | str = "cpu") -> None:
        self.config = config
        self.device = torch.device(device)

    # Fitting

    @abstractmethod
    def fit(
        self, graph: HeteroGraph, interactions: Interactions, rng: np.random.Generator, progress: Progress | None = None
    ) -> None:
        """Fit the model. It may change `config` to the settings that it selected, which `restore` then needs.

        Args:
            graph: everything that the model may read besides the target behaviour.
            interactions: the training interactions of the target behaviour.
            rng: the only source of randomness.
            progress: called with the number of steps done and of all steps.
        """

    def fit_for_variants(self, graph: HeteroGraph, interactions: Interactions, rng: np.random.Generator) -> None:
        """Fit only the part that variants share. Afterwards `variant` may be called, but not `score`."""
        self.fit(graph, interactions, rng)

    def variant(self, config: Config) -> Self | None:  # noqa: ARG002  # the default has no use for it
        """A fitted model with another config that shares the costly part of this fit; None if it cannot be shared."""
        return None

    def forget_variants(self) -> None:
        """Release the memory that only `variant` needs; afterwards `variant` returns None."""

    @property
    def nbytes(self) -> int:
        """Memory in bytes that a fitted model keeps for its variants; 0 if it has no variants."""
        return 0

    def keep_checkpoints(self, checkpoints: Checkpoints) -> None:  # noqa: ARG002
        """Save checkpoints of the next fit to a file, from which an interrupted fit resumes.

        Raises DataError if the model is not trained in epochs.
        """
        others = ", ".join(select_models(lambda kind: kind.supports_checkpoints))
        raise DataError(
            f"{type(self).__name__} is fitted in one piece and keeps no checkpoint; models with checkpoints: {others}"
        )

    def watch_training(self, callback: EpochCallback) -> None:
        """Set the callback of the next fit. A model that is not trained in epochs never calls it."""

    # Scores of users and items in training

    @abstractmethod
    def score(self, user_index: IndexArray) -> Tensor:
        """Scores [batch, num_items] float32 on `device` of all items for users [batch]; the caller may overwrite them.

        A score of zero means that the model has no information on this user and item; so does any score whose absolute
        value is at most `ROUNDING_ERROR` times the user's largest absolute score.
        """

    def score_pairs(self, user_index: IndexArray, item_index: IndexArray) -> Tensor:
        """Scores [batch, m] float32 of the items [batch, m] for the users [batch]."""
        return self.score(user_index).gather(1, torch.from_numpy(item_index).to(self.device))

    def approximate_scores(self, user_index: IndexArray, size: int) -> Iterator[ApproximateScores] | None:  # noqa: ARG002
        """Cheaper and less precise scores than those of `score`, from which candidates are chosen.

        Batches of at most `size` users, in their order; an ApproximateScores is valid until the next one is requested.
        None if the model has no cheaper scores.
        """
        return None

    def factored_scores(self) -> FactoredScores | None:
        """The scores of `score` as an inner product plus a sparse product; None if they have another form."""
        return None

    # Vectors

    def embeddings(self) -> Embeddings:
        """The vectors of users and items. Raises GraphrecError if the model has none."""
        others = ", ".join(select_models(lambda kind: kind.has_vectors()))
        raise GraphrecError(f"{type(self).__name__} has no vectors; models with vectors: {others}")

    @classmethod
    def has_vectors(cls) -> bool:
        """Whether the class defines `embeddings`."""
        return cls.embeddings is not Model.embeddings

    def similarity_vectors(self) -> Tensor | None:
        """Item vectors [num_items, dim] whose cosine is the similarity of two items.

        None if the items similar to an item are those that `fold_in` ranks highest for a history of that item alone.
        Raises GraphrecError if the model has neither vectors nor fold-in.
        """
        return None if self.supports_fold_in() else self.embeddings().items

    # Users and items that were not in training

    def fold_in(self, history: sparse.csr_array) -> Tensor:  # noqa: ARG002  # the default has no use for it
        """Scores of users who were not in training, from their histories alone.

        >>> history = sparse.csr_array(([1.0, 1.0], ([0, 0], [3, 7])), shape=(1, num_items))  # doctest: +SKIP
        >>> model.fold_in(history)  # doctest: +SKIP

        Args:
            history: [batch, num_items]. Row n is any user, with a 1 in column i if this user has the item at position
                i of the training vocabulary. Rows need not correspond to users in training.

        Returns:
            Scores [batch, num_items] float32; row n belongs to row n of `history`.

        Raises:
            GraphrecError: the model cannot score users who were not in training.
        """
        raise GraphrecError(f"{type(self).__name__} cannot answer for a user who was not in training; train it again")

    @classmethod
    def supports_fold_in(cls) -> bool:
        """Whether the class defines `fold_in`."""
        return cls.fold_in is not Model.fold_in

    def fold_in_users(self, target: Interactions, relations: Relations) -> Tensor:  # noqa: ARG002  # as above
        """Scores of users who were not in training, from all their edges in the graph.

        By default only the target behaviour is used, as in `fold_in`.

        Args:
            target: target behaviour of `target.num_users` users, which are positions 0, 1, … in this batch; items are
                positions of the training vocabulary.
            relations: rows of the same users in the same order, for the relations of the training graph by name;
                columns are the users, items and attribute values in training.

        Returns:
            Scores [target.num_users, num_items] float32; row n belongs to user n of the batch.
        """
        return self.fold_in(target.matrix())

    @property
    def text_dim(self) -> int:
        """The length of the text vectors by which the model scores new items; 0 if it reads none."""
        return 0

    def fold_in_new_items(
        self,
        target: Interactions,  # noqa: ARG002  # the default has no use for any of them
        relations: Relations,  # noqa: ARG002
        attributes: Mapping[str, sparse.csr_array],  # noqa: ARG002
    ) -> Tensor | None:
        """Scores of n items that were not in training; None if the model has none.

        Args:
            target: as in `fold_in_users`.
            relations: as in `fold_in_users`.
            attributes: rows [n, num_values] of the new items for each item-attribute relation by name; columns are the
                attribute values in training. A model with a `text_dim` also gets the text vectors [n, text_dim], by the
                name `text_embedding`; those of items without one are zeros.

        Returns:
            Scores [target.num_users, n] float32 on the scale of `fold_in_users`.
        """
        return None

    # Explanations

    def with_user(self, target: Interactions, relations: Relations) -> Self:  # noqa: ARG002  # the default needs neither
        """A copy of this fitted model with one more user, whose position is the number of users in training.

        The methods below then explain the scores that `fold_in_users` gives this user; only they know the user. By
        default it is the model itself, because its explanations read nothing of a user but the history.

        Args:
            target: the target behaviour of one user, as in `fold_in_users`.
            relations: the rows of the user, as in `fold_in_users`.
        """
        return self

    def explain_history(self, history: sparse.csr_array, user_index: int, item_index: int) -> HistoryAttribution:  # noqa: ARG002
        """The contribution of each item of a user's history to the score of one item.

        By default `divide_fold_in` divides the score that `fold_in` gives the history among its items. This is an
        approximation, since the score of a user in training may come from parameters of this user. The amount is None
        if the model has no `fold_in`.

        Args:
            history: the history of the user, [1, num_items].
            user_index: the user in training, or that of `with_user`.
            item_index: the item whose score is explained.
        """
        try:
            return HistoryAttribution(divide_fold_in(self.fold_in, history, item_index), exact=False)
        except GraphrecError:  # the model scores users in training only
            return HistoryAttribution(None, exact=False)

    def explain_co_users(self, user_index: int, item_index: int) -> sparse.csr_array | None:  # noqa: ARG002
        """Contributions [num_users, num_items] of each similar user through each item that both users have, with the
        score as their sum; None if the score is no such sum."""
        return None

    def explain_score(self, user_index: int, item_index: int) -> Contributions | None:  # noqa: ARG002
        """The score as a sum over history items, friends and attribute values; None if it is no such sum."""
        return None

    def explain_paths(self, user_index: int, item_index: int) -> Walks | None:  # noqa: ARG002
        """The score as a sum over single walks through the graph; None if it is no such sum."""
        return None

    def explain_inputs(self, user_index: int, item_index: int) -> InputContributions | None:  # noqa: ARG002
        """The score as a sum over the inputs of a second stage that ranks candidates of other models; None without."""
        return None

    def top_reason_finder(self) -> Callable[[int, IndexArray], TopReasons] | None:
        """A function of (user_index, items [m]) that returns the exact TopReasons of these m scores.

        Values that all users share are computed once, here. None if reasons are to be found by `fold_in` of histories
        of one item.
        """
        return None

    def counts_behaviour(self, name: str) -> bool:  # noqa: ARG002
        """Whether a behaviour besides the target, named as in Relations, contributes to the scores."""
        return False

    def has_other_behaviour(self, user_index: int, item_index: int) -> bool:  # noqa: ARG002
        """Whether the user has the item by other behaviours in training, but not by the target behaviour."""
        return False

    # Saving

    @abstractmethod
    def state(self) -> State:
        """Everything that `score` needs, as tensors on the CPU."""

    @abstractmethod
    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Make this the fitted model that returned `state`."""

    # Tuning

    @classmethod
    def candidates(cls, graph: HeteroGraph) -> list[Config]:  # noqa: ARG003  # the default is the same for every graph
        """The configs worth measuring on validation, first the default for this graph."""
        return [cls.config_class()]

    @classmethod
    def space(cls, graph: HeteroGraph) -> Space:  # noqa: ARG003  # the default searches nothing
        """The search space by setting; empty if only the candidates are tried."""
        return {}

    @classmethod
    def shorten(cls, config: Config, share: float) -> Config | None:  # noqa: ARG003  # the default has no use for it
        """The config with a share of its epochs; None if the model is not trained in epochs."""
        return None

    @classmethod
    def config_to_share(cls, config: Config) -> Config:
        """The config to fit so that most other configs, this one included, are variants; such as one of larger rank."""
        return config
