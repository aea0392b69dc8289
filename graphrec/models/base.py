"""What every model is: a documented config, fit, score, and a state that can be saved and restored."""

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
from graphrec.relations import Relations
from graphrec.training.checkpoints import Checkpoints
from graphrec.vocabulary import IndexArray

Config = TypeVar("Config")

#: Called with (steps done, steps in all) while a model is fitted.
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both included; whole ones where both are; by magnitude where `log`."""

    low: float
    high: float
    log: bool = False


#: Relative threshold: a score whose absolute value is at most this share of the largest of its user is a rounding error
#: of the sums it is made of, not a preference. Float32 sums of 1,000 terms err by about 1e-7 of their largest term.
ROUNDING_ERROR = 1e-6

#: What a search may give to a setting: numbers of a range, or one of some values.
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
    """Scores [batch, num_items] float32, the caller's to overwrite. Where they are rough, `exact` gives those of
    `score` [batch, m] at positions [batch, m] that the caller has not overwritten."""

    scores: Tensor
    exact: Callable[[Tensor], Tensor] | None = None


@dataclass(frozen=True, eq=False)
class FactoredScores:
    """Scores that are an inner product and a few paths, left · vectorsᵀ + signals · paths, all on the CPU.

    vectors [num_items, k]; paths [num_items, num_items]; sides(user_index) gives left [batch, k] and signals [batch,
    num_items] of users. Where norms say that an item has no chance, its inner products need not be made.
    """

    vectors: Tensor
    paths: sparse.csr_array
    sides: Callable[[IndexArray], tuple[Tensor, sparse.csr_array]]


class Model(ABC, Generic[Config]):
    """A recommender over positions: ids, k, the filter of seen items and the database stay outside.

    A subclass names its frozen config dataclass in `config_class`; each field is described in its docstring.
    `device` is where its tensors live and its work is done; scores come back on it, a state always on the CPU.
    """

    config_class: ClassVar[type[Any]]  # a dataclass; a class variable cannot be generic
    #: Whether a negative score is a preference like any other (dot products), not the absence of one.
    has_signed_scores: ClassVar[bool] = False
    #: Configs that a search tries beyond the candidates, unless the caller says otherwise; 0 where fits take minutes.
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

    @abstractmethod
    def fit(
        self, graph: HeteroGraph, interactions: Interactions, rng: np.random.Generator, progress: Progress | None = None
    ) -> None:
        """Learn from the target behaviour `interactions` and whatever else of `graph` the model reads."""

    def fit_to_vary(self, graph: HeteroGraph, interactions: Interactions, rng: np.random.Generator) -> None:
        """Fit what variants share and no more: `variant` is asked of the model then, scores are not."""
        self.fit(graph, interactions, rng)

    def forget_variants(self) -> None:
        """Let go of what only `variant` needs: it gives None afterwards."""

    @property
    def nbytes(self) -> int:
        """Bytes of what a fitted model keeps for its variants; 0 if it has none."""
        return 0

    @abstractmethod
    def score(self, user_index: IndexArray) -> Tensor:
        """Scores [batch, num_items] float32 on `device` of all items for some users, the caller's to overwrite.

        A zero says that the model knows nothing about this user and item, and so does a score within rounding of
        zero: one of at most `ROUNDING_ERROR` times the largest absolute score of the user.
        """

    def approximate_scores(self, user_index: IndexArray, size: int) -> Iterator[ApproximateScores] | None:  # noqa: ARG002
        """Cheaper and rougher scores than those of `score`, to find candidates by: of the users in their order, at most
        `size` at a time. Each is valid until the next is asked for. None: the model has no cheaper scores."""
        return None

    def factored_scores(self) -> FactoredScores | None:
        """The scores of `score` in two parts; None where they are not made like that."""
        return None

    def score_pairs(self, user_index: IndexArray, item_index: IndexArray) -> Tensor:
        """Scores [batch, m] float32 of the items [batch, m] for the users [batch]."""
        return self.score(user_index).gather(1, torch.from_numpy(item_index).to(self.device))

    @abstractmethod
    def state(self) -> State:
        """Everything that `score` needs, as tensors on the CPU."""

    @abstractmethod
    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Become the fitted model whose `state` this is."""

    def embeddings(self) -> Embeddings:
        """Vectors of users and items. Raises GraphrecError where a model has none."""
        others = ", ".join(models_where(lambda kind: kind.has_vectors()))
        raise GraphrecError(f"{type(self).__name__} has no vectors; models with vectors: {others}")

    @classmethod
    def has_vectors(cls) -> bool:
        """Whether the class gives `embeddings`."""
        return cls.embeddings is not Model.embeddings

    @classmethod
    def supports_fold_in(cls) -> bool:
        """Whether the class scores users who were not in training."""
        return cls.fold_in is not Model.fold_in

    def similarity_vectors(self) -> Tensor | None:
        """Item vectors [num_items, dim] whose cosine is the similarity of two items.

        None: the items similar to one are those that `fold_in` ranks highest for a history of that item alone. Raises
        GraphrecError if the model has neither.
        """
        return None if self.supports_fold_in() else self.embeddings().items

    def fold_in(self, history: sparse.csr_array) -> Tensor:  # noqa: ARG002  # the default has no use for it
        """Scores [batch, num_items] float32 of users who were not in training, from histories [batch, num_items].

        Raises GraphrecError where a model cannot.
        """
        raise GraphrecError(f"{type(self).__name__} cannot answer for a user who was not in training; train it again")

    def fold_in_users(self, target: Interactions, relations: Relations) -> Tensor:  # noqa: ARG002  # as above
        """Scores [batch, num_items] float32 of users who were not in training, from all that the graph knows of them.

        `target` is their target behaviour over the items in training, `relations` has their rows of all relations of
        the training graph, by the same names. By default only the target behaviour counts, as in `fold_in`.
        """
        return self.fold_in(target.matrix())

    def fold_in_new_items(
        self,
        target: Interactions,  # noqa: ARG002  # the default has no use for any of them
        relations: Relations,  # noqa: ARG002
        attributes: Mapping[str, sparse.csr_array],  # noqa: ARG002
    ) -> Tensor | None:
        """Scores [batch, n] float32, on the scale of `fold_in_users`, of n items that were not in training, from
        their rows [n, num_values] of item-attribute relations. None: the model has no way."""
        return None

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

        None: `fold_in` of histories of one item is the only way. What is the same for all users is computed once here.
        """
        return None

    def counts_behaviour(self, name: str) -> bool:  # noqa: ARG002
        """Whether the model reads another behaviour than the target, named as in Relations."""
        return False

    def has_other_behaviour(self, user_index: int, item_index: int) -> bool:  # noqa: ARG002
        """Whether the model knows the item from other behaviours of the user, and not from the target behaviour."""
        return False

    def keep_checkpoints(self, checkpoints: Checkpoints) -> None:  # noqa: ARG002
        """Keep the next fit in a file, so that it can continue after an interruption.

        Raises DataError if the model is fitted in one piece.
        """
        raise DataError(
            f"{type(self).__name__} is fitted in one piece and keeps no checkpoint; models with checkpoints: "
            f"{', '.join(models_where(lambda kind: kind.supports_checkpoints))}"
        )

    def watch_training(self, callback: EpochCallback) -> None:
        """Call back during the next fit; models that are fitted in one piece never do."""

    def variant(self, config: Config) -> Self | None:  # noqa: ARG002  # the default has no use for it
        """This fitted model under another config where it can share the costly part of fitting, else None."""
        return None

    @classmethod
    def candidates(cls, graph: HeteroGraph) -> list[Config]:  # noqa: ARG003  # the default is the same for every graph
        """The configs worth trying on validation, the default first."""
        return [cls.config_class()]

    @classmethod
    def space(cls, graph: HeteroGraph) -> Space:  # noqa: ARG003  # the default searches nothing
        """What a search tries beyond the candidates, by setting; empty where the candidates are all."""
        return {}

    @classmethod
    def trusted_space(cls, graph: HeteroGraph) -> Space:
        """The part of `space` that stays among the configs that validation orders reliably."""
        return cls.space(graph)

    @classmethod
    def shared(cls, config: Config) -> Config:
        """The config whose fit serves the most variants beside this one, such as one with the largest rank."""
        return config

    @classmethod
    def trusts(cls, config: Config) -> bool:  # noqa: ARG003  # the default trusts all
        """Whether validation orders this config reliably even where it is not made as the test part is."""
        return True
