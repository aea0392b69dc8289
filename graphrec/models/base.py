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
from graphrec.models import models_where
from graphrec.models.attribution import Contributions, HistoryAttribution, TopReasons, Walks, divide_fold_in
from graphrec.progress import Progress
from graphrec.relations import Relations
from graphrec.training.checkpoints import Checkpoints
from graphrec.vocabulary import IndexArray

Config = TypeVar("Config")


#: Relative threshold: a score whose absolute value is at most this share of the largest of its user is a rounding error
#: of the sums it is made of, not a preference. Float32 sums of 1,000 terms err by about 1e-7 of their largest term.
ROUNDING_ERROR = 1e-6


@dataclass(frozen=True)
class Range:
    """The numbers from `low` to `high`, both included; whole numbers if both are; searched on a log scale if `log`."""

    low: float
    high: float
    log: bool = False


#: Search space of a tuning run: setting -> a range of numbers, or the values to choose from.
Space = Mapping[str, Range | tuple[object, ...]]


@dataclass(frozen=True, eq=False)
class Embeddings:
    """Vectors whose dot products are (a part of) a model's scores: users [num_users, dim], items [num_items, dim]."""

    users: Tensor
    items: Tensor


@dataclass(frozen=True)
class EpochCallback:
    """Callback for intermediate evaluation, called after each of `parts` equal stretches of epochs except the last.

    parts: number of stretches that the epochs are divided into.
    look: called with 1, 2, … while the model has the vectors of that moment; an exception that it raises ends the fit.
    """

    parts: int
    look: Callable[[int], None]


@dataclass(frozen=True, eq=False)
class ApproximateScores:
    """Scores of lower precision, to find candidates with.

    scores: [batch, num_items] float32; the caller may overwrite them.
    exact: returns the scores of `Model.score` [batch, m] at positions [batch, m] that the caller has not overwritten;
        None if `scores` are exact already.
    """

    scores: Tensor
    exact: Callable[[Tensor], Tensor] | None = None


@dataclass(frozen=True, eq=False)
class FactoredScores:
    """Scores as an inner product plus a sparse product, left · vectorsᵀ + signals · paths, all on the CPU.

    Top-k search skips the inner products of items that cannot reach the k-th score by their norms.

    vectors: [num_items, k].
    paths: [num_items, num_items].
    sides: returns left [batch, k] and signals [batch, num_items] of users [batch].
    """

    vectors: Tensor
    paths: sparse.csr_array
    sides: Callable[[IndexArray], tuple[Tensor, sparse.csr_array]]


class Model(ABC, Generic[Config]):
    """A recommender that works on positions of users and items.

    Ids, k, the filter of seen items and the database stay outside. A subclass names its frozen config dataclass in
    `config_class`, whose docstring describes each field. Required are `fit`, `score`, `state` and `restore`; each other
    method is a capability whose default says that the model does not have it.

    Args:
        config: the settings.
        device: where the model keeps its tensors and computes; scores are returned on it, a state always on the CPU.
    """

    config_class: ClassVar[type[Any]]  # a dataclass; a class variable cannot be generic
    #: Whether a negative score is a preference like any other (dot products), not the absence of one.
    has_signed_scores: ClassVar[bool] = False
    #: Default number of configs that a search tries besides `candidates`; 0 if a fit takes minutes.
    trials: ClassVar[int] = 40
    #: Whether `fold_in_users` reads more than the target behaviour.
    reads_relations: ClassVar[bool] = False
    #: Whether different users get different scores.
    is_personal: ClassVar[bool] = True
    #: Whether an item of the history counts through users who have it and the target; explanations give their number.
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
        """Fit the model.

        Args:
            graph: everything that the model may read besides the target behaviour.
            interactions: the training interactions of the target behaviour.
            rng: the only source of randomness.
            progress: called with (steps done, steps in all).
        """

    def fit_to_vary(self, graph: HeteroGraph, interactions: Interactions, rng: np.random.Generator) -> None:
        """Fit only the part that variants share: `variant` is called afterwards, `score` is not."""
        self.fit(graph, interactions, rng)

    def variant(self, config: Config) -> Self | None:  # noqa: ARG002  # the default has no use for it
        """This fitted model under another config, sharing the costly part of the fit; None if it cannot be shared."""
        return None

    def forget_variants(self) -> None:
        """Release what only `variant` needs; it returns None afterwards."""

    @property
    def nbytes(self) -> int:
        """Bytes that a fitted model keeps for its variants; 0 if it has none."""
        return 0

    def keep_checkpoints(self, checkpoints: Checkpoints) -> None:  # noqa: ARG002
        """Keep the next fit in a file, so that it can continue after an interruption.

        Raises DataError if the model is fitted in one piece.
        """
        others = ", ".join(models_where(lambda kind: kind.supports_checkpoints))
        raise DataError(
            f"{type(self).__name__} is fitted in one piece and keeps no checkpoint; models with checkpoints: {others}"
        )

    def watch_training(self, callback: EpochCallback) -> None:
        """Call back during the next fit. A model that is fitted in one piece never does."""

    # Scores of users and items in training

    @abstractmethod
    def score(self, user_index: IndexArray) -> Tensor:
        """Scores [batch, num_items] float32 on `device` of all items for users [batch]; the caller may overwrite them.

        A zero means that the model knows nothing about this user and item, and so does a score within rounding of
        zero: one of at most `ROUNDING_ERROR` times the largest absolute score of the user.
        """

    def score_pairs(self, user_index: IndexArray, item_index: IndexArray) -> Tensor:
        """Scores [batch, m] float32 of the items [batch, m] for the users [batch]."""
        return self.score(user_index).gather(1, torch.from_numpy(item_index).to(self.device))

    def approximate_scores(self, user_index: IndexArray, size: int) -> Iterator[ApproximateScores] | None:  # noqa: ARG002
        """Scores that are cheaper and less precise than those of `score`, to find candidates with.

        The users come in their order, at most `size` at a time; each ApproximateScores is valid until the next is
        taken. None if the model has no cheaper scores.
        """
        return None

    def factored_scores(self) -> FactoredScores | None:
        """The scores of `score` as an inner product plus a sparse product; None if they have another form."""
        return None

    # Vectors

    def embeddings(self) -> Embeddings:
        """The vectors of users and items. Raises GraphrecError if the model has none."""
        others = ", ".join(models_where(lambda kind: kind.has_vectors()))
        raise GraphrecError(f"{type(self).__name__} has no vectors; models with vectors: {others}")

    @classmethod
    def has_vectors(cls) -> bool:
        """Whether the class defines `embeddings`."""
        return cls.embeddings is not Model.embeddings

    def similarity_vectors(self) -> Tensor | None:
        """Item vectors [num_items, dim] whose cosine is the similarity of two items.

        None: the items similar to one are those that `fold_in` ranks highest for a history of that item alone. Raises
        GraphrecError if the model has neither.
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
        """Scores of users who were not in training, from everything that the graph knows of them.

        By default only the target behaviour counts, as in `fold_in`.

        Args:
            target: target behaviour of `target.num_users` users, by position 0, 1, … in this batch, with the items in
                training.
            relations: rows of the same users, in the same order, of the relations that the training graph has, under
                the same names; columns are the users, items and attribute values in training.

        Returns:
            Scores [target.num_users, num_items] float32; row n belongs to user n of the batch.
        """
        return self.fold_in(target.matrix())

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
                attribute values in training.

        Returns:
            Scores [target.num_users, n] float32 on the scale of `fold_in_users`.
        """
        return None

    # Explanations

    def explain_history(self, history: sparse.csr_array, user_index: int, item_index: int) -> HistoryAttribution:  # noqa: ARG002
        """The contribution of each item of a user's history to the score of one item.

        By default the score that `fold_in` gives the history is divided among its items (`divide_fold_in`): an
        approximation, since the score of a user in training comes from what the model learned of this user. The amount
        is None if the model has no `fold_in`.

        Args:
            history: the training history of the user, [1, num_items].
            user_index: the user in training.
            item_index: the item whose score is explained.
        """
        try:
            return HistoryAttribution(divide_fold_in(self.fold_in, history, item_index), exact=False)
        except GraphrecError:  # the model scores users in training only
            return HistoryAttribution(None, exact=False)

    def explain_co_users(self, user_index: int, item_index: int) -> sparse.csr_array | None:  # noqa: ARG002
        """Contributions [num_users, num_items] of each similar user over each item that both users have, which add up
        to the score; None if the score is no such sum."""
        return None

    def explain_score(self, user_index: int, item_index: int) -> Contributions | None:  # noqa: ARG002
        """The score as a sum over history items, friends and attribute values; None if it is no such sum."""
        return None

    def explain_paths(self, user_index: int, item_index: int) -> Walks | None:  # noqa: ARG002
        """The score as a sum over single walks through the graph; None if it is no such sum."""
        return None

    def top_reason_finder(self) -> Callable[[int, IndexArray], TopReasons] | None:
        """A function of (user_index, items [m]) that returns the exact TopReasons of these m scores.

        What is the same for all users is computed once, here. None: reasons come from `fold_in` of histories of one
        item.
        """
        return None

    def counts_behaviour(self, name: str) -> bool:  # noqa: ARG002
        """Whether a behaviour other than the target, named as in Relations, adds to the scores."""
        return False

    def has_other_behaviour(self, user_index: int, item_index: int) -> bool:  # noqa: ARG002
        """Whether the model knows the item from other behaviours of the user, and not from the target behaviour."""
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
        """The configs worth measuring on validation, the default first."""
        return [cls.config_class()]

    @classmethod
    def space(cls, graph: HeteroGraph) -> Space:  # noqa: ARG003  # the default searches nothing
        """The search space besides the candidates, by setting; empty if the candidates are all."""
        return {}

    @classmethod
    def trusted_space(cls, graph: HeteroGraph) -> Space:
        """The part of `space` that a validation set orders reliably even if it is not drawn like the test set."""
        return cls.space(graph)

    @classmethod
    def shared(cls, config: Config) -> Config:
        """The config whose fit serves the most variants besides this one, such as one with the largest rank."""
        return config

    @classmethod
    def trusts(cls, config: Config) -> bool:  # noqa: ARG003  # the default trusts all
        """Whether a validation set orders this config reliably even if it is not drawn like the test set."""
        return True
