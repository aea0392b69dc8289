"""sequence_filter: transitions between items in the order of time, as a sparse kernel or as a ridge on memories."""

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from graphrec.errors import DataError
from graphrec.hetero import HeteroGraph
from graphrec.histories import Histories
from graphrec.interactions import FloatArray, Interactions
from graphrec.linalg.csr import State
from graphrec.linalg.events import Events
from graphrec.linalg.item_regression import check_size
from graphrec.linalg.memories import regress_next_items
from graphrec.models.attribution import Contributions, HistoryAttribution, TopReasons, Walks
from graphrec.models.base import Model, Space
from graphrec.models.graph_filter.signal import relation_weights, scale_rows
from graphrec.models.sequence_filter.config import SequenceFilterConfig
from graphrec.models.sequence_filter.contributions import find_contributions, find_top_reasons
from graphrec.models.sequence_filter.history import TARGET, UserSignal, WeightedHistories, gather_histories
from graphrec.models.sequence_filter.kernel import (
    SequenceKernel,
    Similarity,
    compute_similarities,
    compute_transitions,
    pair_weights,
)
from graphrec.models.sequence_filter.scoring import SequenceScores
from graphrec.models.sequence_filter.search_space import candidates, space
from graphrec.models.sequence_filter.walks import find_walks
from graphrec.progress import Progress
from graphrec.relations import Relations, build_relations
from graphrec.vocabulary import IndexArray

#: Maximum number of items times memories with a ridge: the matrix has this number of rows and columns.
MAX_RIDGE_SIZE = 25_000

#: The settings that determine the ridge coefficients before they are multiplied by the degrees of targets.
RIDGE_SETTINGS = ("memories", "decay", "ridge", "ridge_exponent", "degree_offset")


@dataclass(frozen=True, eq=False)
class _Source:
    """What a fit and its variants are computed from.

    histories: the events of all users, and whether they have an order.
    target_histories: those of the target behaviour only, for a ridge.
    relations: the other relations of the graph, with the similarities of items by each.
    regressions: ridge coefficients by their settings; the last one is kept.
    """

    histories: Histories
    in_order: bool
    target_histories: Histories
    relations: Relations
    similarities: Mapping[str, Similarity]
    regressions: dict[tuple[object, ...], FloatArray] = field(default_factory=dict)


class SequenceFilter(Model[SequenceFilterConfig]):
    """score(u, ·) = (x̄ + v x̄ P) M + x̄ S, or with a ridge Σ_k x[k] B[k] D^-b, for the weighted history of a user.

    Symbols (docs/methods.md has the setting of each):

    - x[k] [num_items]: Σ_p ρ_k^(steps back of p) · w_p · e(item p) over the events p of a user, plus the mean of
      friends; w_p is the weight of the event's behaviour times ½^(age/half-life). x̄ is the mean over the memories k.
    - M = D^-a (C + θ Cᵀ) D^-b with C[i, j] = Σ σ^(gap − 1) over the pairs of an event of i and a later one of j, at
      most `window` apart; D are the degrees of the items plus the offset c. Each row keeps its largest entries.
    - S: similarities of items by attributes (cosines of tf-idf) and item-item relations, relative to M. P has the most
      similar items of each item, in rows with sum 1.
    - B = (G + Λ)⁻¹ C with G = Σ_t x_tᵀ x_t and C = Σ_t x_tᵀ y_t over the times t of all histories, y_t = Σ_{q>t}
      σ^(q−t−1) e(item q) and Λ = λ (D / mean D)^ridge_exponent.

    M is that of item transition models such as SLIST (Choi et al., WWW 2021), factorised in FPMC (Rendle et al., WWW
    2010); B is EASE (Steck, WWW 2019) with memories as inputs and the next items as targets. Without times all events
    of a user weigh the same, σ = θ = 1, and M is a co-occurrence kernel such as RP3β.
    """

    config_class = SequenceFilterConfig
    reads_relations = True
    counts_co_users = True

    def __init__(self, config: SequenceFilterConfig, device: torch.device | str = "cpu") -> None:
        super().__init__(config, device)
        self.has_signed_scores = config.ridge > 0
        nothing = Histories(np.zeros(1, dtype=np.int64), np.empty(0, dtype=np.int32), 0)
        self.signal = UserSignal(WeightedHistories.of(nothing, False, {}))
        self.scores = SequenceScores()
        self.strengths: dict[str, float] = {}
        self._source: _Source | None = None

    def fit(
        self,
        graph: HeteroGraph,
        interactions: Interactions,
        rng: np.random.Generator,
        progress: Progress | None = None,
    ) -> None:
        """Count the transitions, compare the items, and solve the ridge regression if there is one."""
        self.fit_for_variants(graph, interactions, rng)
        if progress is not None:
            progress(1, 2)
        self._build()
        if progress is not None:
            progress(2, 2)

    def fit_for_variants(self, graph: HeteroGraph, interactions: Interactions, rng: np.random.Generator) -> None:  # noqa: ARG002
        """Order the histories and compare the items by all relations."""
        relations = build_relations(graph)
        histories, in_order = gather_histories(interactions, relations.behaviours, self._weights(relations))
        target = gather_histories(interactions, {}, {})[0]
        self._source = _Source(histories, in_order, target, relations, compute_similarities(relations))

    def _weights(self, relations: Relations) -> dict[str, float]:
        return relation_weights(relations, self.config.kind_weights(), self.config.weights)

    def _build(self) -> None:
        """Set the signal and the scores of this config from the source."""
        assert self._source is not None
        c, source = self.config, self._source
        weights = self._weights(source.relations)
        self.strengths = {name: weights[name] for name in source.relations.behaviours} | {TARGET: 1.0}
        histories, in_order = source.histories, source.in_order
        own = WeightedHistories.of(histories, in_order, self.strengths, c.half_life)
        social = {
            name: scale_rows(m, weights[name]) for name, m in source.relations.social.items() if weights[name] > 0
        }
        self.signal = UserSignal(own, social, float(own.last_days().max(initial=0.0)))
        events = Events.of(histories.indptr, histories.items, histories.num_items, own.strengths, histories.times)
        degree = _compute_degree(events, c.degree_offset)
        transitions = compute_transitions(events, pair_weights(c, in_order, events.longest), degree, c)
        kernel = SequenceKernel.of(transitions, source.similarities, weights, c.onward)
        if c.ridge > 0:
            ridge = self._regress(source, degree)
            scaled = torch.from_numpy(ridge.reshape(-1, histories.num_items)) * torch.from_numpy(
                degree**-c.target_exponent
            )
            self.scores = SequenceScores(kernel, scaled.float(), c.transition_weight)
        else:
            self.scores = SequenceScores(kernel)

    def _regress(self, source: _Source, degree: FloatArray) -> FloatArray:
        """The ridge coefficients [memories, num_items, num_items], from an earlier variant if it has the same."""
        c = self.config
        if not source.in_order:
            raise DataError("the ridge of sequence_filter needs the times of the target behaviour; give ridge=0")
        settings = tuple(getattr(c, name) for name in RIDGE_SETTINGS)
        if settings not in source.regressions:
            histories = source.target_histories
            check_size("a ridge of sequence_filter", len(c.decays) * histories.num_items, MAX_RIDGE_SIZE)
            penalty = np.tile(c.ridge * (degree / degree.mean()) ** c.ridge_exponent, len(c.decays)).astype(np.float32)
            advice = f"sequence_filter needs a ridge above {c.ridge:g} here; 300 to 3,000 are usual"
            events = Events.of(histories.indptr, histories.items, histories.num_items)
            source.regressions.clear()
            source.regressions[settings] = regress_next_items(events, c.decays, c.decay, penalty, advice)
        return source.regressions[settings]

    def variant(self, config: SequenceFilterConfig) -> Self | None:
        """This model with other settings; None if they need other histories."""
        base, source = self.config, self._source
        if source is None or (config.behaviour_weight, config.weights) != (base.behaviour_weight, base.weights):
            return None
        variant = type(self)(config, self.device)
        variant._source = source
        variant._build()
        return variant

    def forget_variants(self) -> None:
        """Release the histories and similarities that only variants need."""
        self._source = None

    @property
    def nbytes(self) -> int:
        """Memory in bytes of what variants share."""
        if self._source is None:
            return 0
        source = self._source
        matrices = [similarity.matrix for similarity in source.similarities.values()]
        arrays = [source.histories.items, *(part for m in matrices for part in (m.data, m.indices))]
        return sum(int(array.nbytes) for array in [*arrays, *source.regressions.values()])

    @property
    def decays(self) -> tuple[float, ...]:
        """The memories; without an order a single one that forgets nothing."""
        return self.config.decays if self.signal.own.in_order else (1.0,)

    def score(self, user_index: IndexArray) -> Tensor:
        """Scores [batch, num_items] float32."""
        return self.scores.score(self.signal.for_users(user_index, self.decays)).to(self.device)

    def fold_in(self, history: sparse.csr_array) -> Tensor:
        """Scores [batch, num_items] float32 of histories without order, with mean weights over all orders."""
        rows = sparse.csr_array(history)
        histories = Histories(rows.indptr.astype(np.int64), rows.indices.astype(np.int32), int(rows.shape[1]))
        return self._score_histories(WeightedHistories.of(histories, False, {}), {})

    def fold_in_users(self, target: Interactions, relations: Relations) -> Tensor:
        """Scores [batch, num_items] float32 of users who were not in training, with the exact formula of training.

        Without times of the target behaviour the history has no order, as in `fold_in`.
        """
        return self._score_histories(self._gather(target, relations), relations.social)

    def _gather(self, target: Interactions, relations: Relations) -> WeightedHistories:
        """The histories of users who were not in training."""
        histories, in_order = gather_histories(target, relations.behaviours, self.strengths)
        in_order &= self.signal.own.in_order
        return WeightedHistories.of(histories, in_order, self.strengths, self.config.half_life)

    def _score_histories(self, own: WeightedHistories, social: Mapping[str, sparse.csr_array]) -> Tensor:
        signal = self.signal.until(own)
        rows = signal.add_friends(own.rows(self.decays), signal.scale_friends(social), self.decays)
        return self.scores.score(rows).to(self.device)

    def with_user(self, target: Interactions, relations: Relations) -> Self:
        """The model with the history and the friends of one more user."""
        extended = copy(self)
        extended.signal = self.signal.with_user(self._gather(target, relations), relations.social)
        return extended

    def explain_score(self, user_index: int, item_index: int) -> Contributions:
        """The score of one item for one user as a sum over history items and friends, exactly."""
        return find_contributions(self.signal, self.scores, self.decays, user_index, item_index)

    def explain_history(self, history: sparse.csr_array, user_index: int, item_index: int) -> HistoryAttribution:
        """The exact contribution of each history item; friends contribute the rest of the score."""
        nodes, amounts = self.explain_score(user_index, item_index).by_node()
        contributions = np.zeros(int(history.shape[1]))
        contributions[nodes] = amounts
        return HistoryAttribution(contributions[history.indices], exact=True)

    def explain_paths(self, user_index: int, item_index: int) -> Walks | None:
        """The score as a sum over walks through users who made the same transition, attribute values and item-item
        relations, exactly; None with a ridge, whose coefficients are no such sums."""
        if self.config.ridge > 0:
            return None
        c, own = self.config, self.signal.own
        pairs = pair_weights(c, own.in_order, int(own.histories.lengths.max(initial=0)))
        return find_walks(self.signal, self.scores.kernel, pairs, self.decays, user_index, item_index)

    def top_reason_finder(self) -> Callable[[int, IndexArray], TopReasons]:
        """A finder of the history item or friend with the largest exact contribution to each score."""
        return lambda user_index, items: find_top_reasons(self.signal, self.scores, self.decays, user_index, items)

    def counts_behaviour(self, name: str) -> bool:
        """Whether a behaviour other than the target has a positive weight."""
        return self.strengths.get(name, 0.0) > 0

    def state(self) -> State:
        """The histories, the transitions, the similarities, and the ridge coefficients."""
        strengths = {f"strength/{name}": torch.tensor(value) for name, value in self.strengths.items()}
        return {**self.signal.state(), **self.scores.kernel.state(), "ridge": self.scores.ridge, **strengths}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Restore a `state`."""
        c, tensors = self.config, dict(state)
        self.signal = UserSignal.from_state(tensors, c.half_life)
        weight = c.transition_weight if c.ridge > 0 else 1.0
        self.scores = SequenceScores(SequenceKernel.from_state(tensors, c.onward), tensors["ridge"], weight)
        prefix = "strength/"
        self.strengths = {key.removeprefix(prefix): float(tensors[key]) for key in tensors if key.startswith(prefix)}

    @classmethod
    def candidates(cls, graph: HeteroGraph) -> list[SequenceFilterConfig]:
        """Configs that are good on many data sets, the default for this graph first."""
        return candidates(graph)

    @classmethod
    def space(cls, graph: HeteroGraph) -> Space:
        """The ranges of the settings that matter for this graph."""
        return space(graph)


def _compute_degree(events: Events, offset: float) -> FloatArray:
    """The weighted number of events of each item, at least 1, plus the offset, [num_items] float32."""
    degree = np.bincount(events.items, events.weights, minlength=events.num_items)
    return (np.maximum(degree, 1.0) + offset).astype(np.float32)
