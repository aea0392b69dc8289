"""graph_filter, the default model: a closed-form spectral filter of the typed graph plus its strongest paths."""

from collections.abc import Callable, Iterator, Mapping
from copy import copy
from dataclasses import replace
from typing import Self

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from graphrec.hetero import HeteroGraph
from graphrec.interactions import Interactions
from graphrec.linalg.csr import State, empty_csr, pack, unpack
from graphrec.linalg.reordering import spectral_order
from graphrec.linalg.single_row import copy_to_huge_pages
from graphrec.models.attribution import Contributions, HistoryAttribution, TopReasons, Walks
from graphrec.models.base import ApproximateScores, Embeddings, FactoredScores, Model, Space
from graphrec.models.graph_filter.config import GraphFilterConfig
from graphrec.models.graph_filter.contributions import ItemInfluence, compute_influence, find_contributions
from graphrec.models.graph_filter.kernel import Attribute, Kernel, Stack, build_links
from graphrec.models.graph_filter.new_items import score_new_items
from graphrec.models.graph_filter.regression import regress
from graphrec.models.graph_filter.scoring import FilterScores
from graphrec.models.graph_filter.search_space import candidates, space
from graphrec.models.graph_filter.signal import (
    Signal,
    build_signal,
    combine_behaviours,
    find_last_event,
    list_names,
    relation_weights,
)
from graphrec.models.graph_filter.top_reason import TopReasonFinder
from graphrec.models.graph_filter.walks import find_walks
from graphrec.progress import Progress
from graphrec.relations import Relations, build_relations
from graphrec.vocabulary import IndexArray

#: Threshold in entries of the item vectors above which candidates are found in bfloat16 (twice as fast) and rescored.
APPROXIMATE_FROM = 1 << 22

#: Threshold in edges above which users and items are reordered first; fewer edges fit the cache in any order.
REORDER_FROM = 1 << 19

#: Minimum rank of a fit that variants share.
SHARED_RANK = 768

#: Maximum number of collected paths whose squares are stored for later variants; more need too much memory.
MAX_SQUARED_PATHS = 1 << 26

#: The settings that determine the decomposition, and those that determine which paths are collected.
DECOMPOSITION_SETTINGS = (
    "user_exponent",
    "item_exponent",
    "degree_offset",
    "rank_share",
    "behaviour_weight",
    "attribute_weight",
    "half_life",
    "weights",
)
COLLECTION_SETTINGS = ("neighbours", "item_relation_weight", "ridge")


class GraphFilter(Model[GraphFilterConfig]):
    """score(u, ·) = s_u D^-p [ w P + V g(λ) Vᵀ ] D^q over the whole typed graph.

    Symbols (docs/methods.md has the setting of each):

    - B = Σ_b w_b · ½^(age/half-life) · B_b, [num_users, num_items]: behaviours b with weights w_b, 1 for the target.
    - D_U, D: diagonal matrices of the user degrees and of the item degrees plus the offset c, of B.
    - N': D_U^-b B D^-e, with one block of rows stacked below it for each item-attribute relation; an attribute value
      acts as one more user.
    - V [num_items, k], λ = (σ/σ₁)²: the leading right singular vectors and scaled squared singular values σ of N'.
    - g(λ) = max(α − λ, 0): the frequency response.
    - P [num_items, num_items]: max(P₀ − s P₀², 0) with P₀ = N'ᵀN'/σ₁² plus the normalised item-item relations; each row
      is cut to its largest entries. w is its weight. With a ridge n₀ > 0 it is I − Q diag(Q)⁻¹ with Q = (P₀ + μI)⁻¹ and
      μ = n₀ m / σ₁², where m is the mean square of the entries of D_U^-b B D^-e, cut to the largest absolute values;
      Q is over the items with interactions, and pairs with another item keep their P₀.
    - s_u [num_items]: the user's row of B plus the weighted mean rows of friends and of users with the same attributes.
    - b, e, p, q: exponents of user degrees, item degrees, history items and recommended items.

    With the target behaviour alone, b = e = p = q = ½, a constant g and w = 1 this is GF-CF (Shen et al., CIKM 2021),
    whose path term has neither D^-p nor D^q; with rank k = 0 it is RP3β (Paudel et al., TiiS 2017: α = 2b = e + p,
    β = e − q) and LinkProp (Fu et al., WWW 2022); with k = 0, a ridge and b = e = p = q = 0 it is EASE (Steck, WWW
    2019). Differs from them in the user exponent b, the offset c (that of SVD-GCN, Peng et al., CIKM 2022), a response
    that damps the strongest eigenvalues, the cut, and other relations.
    """

    config_class = GraphFilterConfig
    reads_relations = True

    def __init__(self, config: GraphFilterConfig, device: torch.device | str = "cpu") -> None:
        super().__init__(config, device)
        self.has_signed_scores = config.ridge > 0
        empty = np.empty(0, dtype=np.float32)
        self.signal = Signal()
        self.kernel = Kernel(empty, torch.empty(0, 0), torch.empty(0), 1.0, {}, empty_csr())
        self.scores = FilterScores(config)
        self._source: tuple[Stack, Relations, sparse.csr_array] | None = None  # what variants are built from

    def fit(
        self, graph: HeteroGraph, interactions: Interactions, rng: np.random.Generator, progress: Progress | None = None
    ) -> None:
        """Decompose the stacked matrix N' and collect the strongest paths of each item."""
        self._set_kernel(self._fit_kernel(graph, interactions, rng, progress))

    def fit_for_variants(self, graph: HeteroGraph, interactions: Interactions, rng: np.random.Generator) -> None:
        """Decompose and collect paths, without cutting the paths and scaling the vectors for scores."""
        self.kernel = self._fit_kernel(graph, interactions, rng)

    def _fit_kernel(
        self, graph: HeteroGraph, interactions: Interactions, rng: np.random.Generator, progress: Progress | None = None
    ) -> Kernel:
        """The kernel of a graph; sets `signal` and the source of variants."""
        c = self.config
        graph_relations = build_relations(graph)
        weights = relation_weights(graph_relations, c.kind_weights(), c.weights)
        now = find_last_event(interactions, graph_relations.behaviours, weights)
        parts = combine_behaviours(interactions, graph_relations.behaviours, weights, c.half_life, now)
        self.signal = replace(build_signal(parts, graph_relations, weights), now=now)
        attributes = {
            name: Attribute.of(matrix, weights[name], rng)
            for name, matrix in graph_relations.item_attributes.items()
            if weights[name] > 0 and matrix.nnz
        }
        locality = spectral_order(parts[0], rng) if parts[0].nnz >= REORDER_FROM else None
        stack = Stack(parts[0], attributes, locality, c.degree_offset)
        self._source = (stack, graph_relations, parts[1])
        normalised = stack.normalise(c.user_exponent, c.item_exponent)
        rank = min(c.rank, int(c.rank_share * min(normalised.shape)) or 1)
        vectors, eigenvalues, top, scaled_attributes = stack.decompose(normalised, rank, rng)
        if progress is not None:
            progress(1, 2)
        kernel = Kernel(stack.degree(), vectors, eigenvalues, top, scaled_attributes, empty_csr())
        kernel = self._collect(kernel, stack, normalised, build_links(graph_relations, weights))
        if progress is not None:
            progress(2, 2)
        return kernel

    def _collect(
        self, kernel: Kernel, stack: Stack, normalised: sparse.csr_array, links: Mapping[str, sparse.csr_array]
    ) -> Kernel:
        """The kernel with the paths or the ridge coefficients that this config needs; `normalised` is `stack`'s N."""
        c, top, ridge_diagonal = self.config, kernel.top_squared_singular_value, None
        if c.ridge > 0:
            collected, ridge_diagonal = regress(stack, kernel, c, links)
        else:
            collected = stack.collect(normalised, kernel.attributes, top, c.neighbours, links)
        return replace(kernel, collected=collected, squared_paths=None, links=links, ridge_diagonal=ridge_diagonal)

    def forget_variants(self) -> None:
        """Release the collected paths; scores need only the cut paths."""
        self._source, self.kernel = None, replace(self.kernel, collected=empty_csr(), squared_paths=None)

    @property
    def nbytes(self) -> int:
        """Memory in bytes of the kernel."""
        return self.kernel.nbytes

    def score(self, user_index: IndexArray) -> Tensor:
        """Scores [batch, num_items] float32."""
        return self.scores.apply_revisit(
            self.scores.score(self.signal.for_users(user_index)), self.signal.other_pairs[user_index]
        )

    def fold_in(self, history: sparse.csr_array, related: Mapping[str, sparse.csr_array] | None = None) -> Tensor:
        """Scores [batch, num_items] float32 of any users, exactly as for users in training.

        Args:
            history: weighted behaviour of the users, [batch, num_items].
            related: rows of the same users by relation name: [batch, num_users] for a social relation, [batch,
                num_values] for a user attribute.
        """
        return self.scores.score(self.signal.combine(history, self.signal.scale_relations(related or {})))

    def fold_in_users(self, target: Interactions, relations: Relations) -> Tensor:
        """Scores [batch, num_items] float32 of users who were not in training, with the exact formula of training."""
        behaviour, other_pairs = self._combine_behaviours(target, relations)
        return self.scores.apply_revisit(
            self.fold_in(behaviour, {**relations.social, **relations.user_attributes}), other_pairs
        )

    def approximate_scores(self, user_index: IndexArray, size: int) -> Iterator[ApproximateScores] | None:
        """Scores with the dense product in bfloat16.

        None for small catalogues, for processors without bfloat16, and with a ridge, because rounding errors would rank
        before negative scores.
        """
        fast = self.device.type != "cpu" or torch.ops.mkldnn._is_mkldnn_bf16_supported()
        if not fast or self.has_signed_scores or self.scores.vectors.numel() < APPROXIMATE_FROM:
            return None
        return self.scores.approximate_scores(self.signal, user_index, size)

    def factored_scores(self) -> FactoredScores | None:
        """The spectral term and the paths; None on a GPU, if `revisit` changes single scores, and with a ridge, since
        the search with bounds takes negative scores for no preference."""
        if self.device.type != "cpu" or self.has_signed_scores:
            return None
        if self.config.revisit != 1.0 and self.signal.other_pairs.nnz:
            return None
        return self.scores.factored_scores(self.signal)

    def score_pairs(self, user_index: IndexArray, item_index: IndexArray) -> Tensor:
        """Scores [batch, m] float32 of m items for each user, equal to `score` up to the order of additions."""
        rows, items = self.signal.for_users(user_index), torch.from_numpy(item_index).to(self.device)
        return self.scores.apply_revisit_at(
            self.scores.score_at(rows, items), self.signal.other_pairs[user_index], items
        )

    def score_new_items(self, user_index: IndexArray, attributes: Mapping[str, sparse.csr_array]) -> Tensor:
        """Scores [batch, n] float32 of n items without interactions for users in training.

        `attributes` has rows [n, num_values] of the items by item-attribute relation; relations that the model does not
        use are ignored. The scores are those of an item without interactions in training, except that its paths are
        neither sharpened nor cut.
        """
        signals, degree = self.signal.for_users(user_index), 1.0 + self.config.degree_offset
        return score_new_items(self.config, self.kernel, self.scores, signals, attributes, degree).to(self.device)

    def fold_in_new_items(
        self, target: Interactions, relations: Relations, attributes: Mapping[str, sparse.csr_array]
    ) -> Tensor:
        """Scores [batch, n] float32 of n items without interactions for users who were not in training.

        An item without interactions has a degree of 1, with which D^q would rank it below every item in training,
        whatever its attributes. Its future degree is unknown, so scores are computed with the degree of the median
        item, which ranks it like an ordinary item with these attributes.
        """
        behaviour, _ = self._combine_behaviours(target, relations)
        related = self.signal.scale_relations({**relations.social, **relations.user_attributes})
        signals, degree = self.signal.combine(behaviour, related), float(np.median(self.kernel.degree))
        return score_new_items(self.config, self.kernel, self.scores, signals, attributes, degree).to(self.device)

    def _combine_behaviours(
        self, target: Interactions, relations: Relations
    ) -> tuple[sparse.csr_array, sparse.csr_array]:
        """`combine_behaviours` for users who were not in training; half-lives count from the last event."""
        weights = relation_weights(relations, self.config.kind_weights(), self.config.weights)
        now = max(self.signal.now, find_last_event(target, relations.behaviours, weights))
        return combine_behaviours(target, relations.behaviours, weights, self.config.half_life, now)

    def embeddings(self) -> Embeddings:
        """User vectors s D^-p V g(λ) [num_users, k] and item vectors D^q V [num_items, k]; their dot products are the
        scores without the path term."""
        everyone = np.arange(self.signal.behaviour.shape[0])
        return Embeddings(self.scores.filter_signals(self.signal.for_users(everyone)), self.scores.vectors)

    def with_user(self, target: Interactions, relations: Relations) -> Self:
        """The model with the signal of one more user."""
        extended = copy(self)
        behaviour, other_pairs = self._combine_behaviours(target, relations)
        related = self.signal.scale_relations({**relations.social, **relations.user_attributes})
        extended.signal = self.signal.with_user(behaviour, related, other_pairs)
        return extended

    def explain_score(self, user_index: int, item_index: int) -> Contributions:
        """The score of one item for one user as a sum over history items, friends and attributes, exactly."""
        return find_contributions(self.signal, user_index, self._influence(user_index, item_index))

    def explain_paths(self, user_index: int, item_index: int) -> Walks:
        """The score of one item for one user as a sum over single walks through shared users and values, exactly."""
        influence = self._influence(user_index, item_index)
        return find_walks(self.signal, self.kernel, self.scores, user_index, influence)

    def explain_history(self, history: sparse.csr_array, user_index: int, item_index: int) -> HistoryAttribution:
        """The exact contribution of each history item; friends and attributes contribute the rest of the score."""
        nodes, amounts = self.explain_score(user_index, item_index).by_node()
        contributions = np.zeros(int(history.shape[1]))
        contributions[nodes] = amounts
        return HistoryAttribution(contributions[history.indices], exact=True)

    def top_reason_finder(self) -> Callable[[int, IndexArray], TopReasons]:
        """A finder of the history item, friend or attribute value with the largest exact contribution to each score."""
        return TopReasonFinder.of(self.signal, self.scores).find

    def counts_behaviour(self, name: str) -> bool:
        """Whether a behaviour other than the target has a positive weight."""
        weights = dict(part.split("=") for part in self.config.weights.replace(",", " ").split())
        return float(weights.get(name, self.config.behaviour_weight)) > 0

    def has_other_behaviour(self, user_index: int, item_index: int) -> bool:
        """Whether the user has the item by other behaviours, but not by the target behaviour."""
        folded_in = self.signal.folded_in
        if folded_in is not None and user_index == self.signal.behaviour.shape[0]:
            return item_index in folded_in.other_pairs.indices
        pairs = self.signal.other_pairs
        return item_index in pairs.indices[pairs.indptr[user_index] : pairs.indptr[user_index + 1]]

    def _influence(self, user_index: int, item_index: int) -> ItemInfluence:
        """The influence of all items on the score of one item for one user."""
        influence = compute_influence(self.kernel, self.scores, self.signal.behaviour, item_index)
        return influence.multiply(self._revisit_factor(user_index, item_index))

    def _revisit_factor(self, user_index: int, item_index: int) -> float:
        """`revisit` if the user has the item by other behaviours only, else 1."""
        return self.config.revisit if self.has_other_behaviour(user_index, item_index) else 1.0

    def state(self) -> State:
        """Item vectors, eigenvalues, degrees, paths, the signal of users, and attributes and relations of items."""
        attributes: State = {}
        for name, part in self.kernel.attributes.items():
            attributes |= pack(f"attributes/{name}", part.factor)
            attributes[f"column/{name}"] = torch.from_numpy(part.column)
        for name, matrix in self.kernel.links.items():
            attributes |= pack(f"links/{name}", matrix)
        diagonal = self.kernel.ridge_diagonal
        return {
            "vectors": self.scores.vectors.cpu(),
            "eigenvalues": self.kernel.eigenvalues.cpu(),
            "degree": torch.from_numpy(self.kernel.degree),
            **({} if diagonal is None else {"ridge_diagonal": torch.from_numpy(diagonal)}),
            # a key of runs that earlier versions saved
            "strongest": torch.tensor(self.kernel.top_squared_singular_value, dtype=torch.float64),
            **pack("paths", self.scores.paths),
            **self.signal.state(),
            **attributes,
        }

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Restore a `state`."""
        tensors = dict(state)
        attributes = {
            name: Attribute(unpack(f"attributes/{name}", tensors), tensors[f"column/{name}"].numpy())
            for name in list_names(tensors, "attributes")
        }
        degree, top = tensors["degree"].numpy(), float(tensors["strongest"])
        links = {name: unpack(f"links/{name}", tensors) for name in list_names(tensors, "links")}
        self.signal = Signal.from_state(tensors)
        diagonal = tensors["ridge_diagonal"].numpy() if "ridge_diagonal" in tensors else None
        self.kernel = Kernel(
            degree, torch.empty(0, 0), tensors["eigenvalues"], top, attributes, empty_csr(), None, links, diagonal
        )
        self._set_scores(tensors["vectors"], unpack("paths", tensors))

    def variant(self, config: GraphFilterConfig) -> Self | None:
        """This model with other settings; None if they need another decomposition."""
        base = self.config
        same = all(getattr(config, name) == getattr(base, name) for name in DECOMPOSITION_SETTINGS)
        if not same or config.rank > base.rank or self._source is None:
            return None
        stack, graph_relations, other_pairs = self._source
        variant = type(self)(config, self.device)
        variant._source, kernel = self._source, self.kernel
        weights = relation_weights(graph_relations, config.kind_weights(), config.weights)
        variant.signal = replace(
            build_signal((stack.behaviour, other_pairs), graph_relations, weights), now=self.signal.now
        )
        if any(getattr(config, name) != getattr(base, name) for name in COLLECTION_SETTINGS):
            normalised = stack.normalise(config.user_exponent, config.item_exponent)
            kernel = variant._collect(kernel, stack, normalised, build_links(graph_relations, weights))
        elif (
            config.sharpening > 0
            and not config.ridge
            and kernel.squared_paths is None
            and kernel.collected.nnz <= MAX_SQUARED_PATHS
        ):
            kernel = self.kernel = replace(kernel, squared_paths=kernel.square_paths())  # stored for later variants
        variant._set_kernel(kernel)
        return variant

    @classmethod
    def candidates(cls, graph: HeteroGraph) -> list[GraphFilterConfig]:
        """Configs that are good on many data sets, the default first."""
        return candidates(graph)

    @classmethod
    def space(cls, graph: HeteroGraph) -> Space:
        """The ranges of the settings that matter for this graph's relations."""
        return space(graph)

    @classmethod
    def config_to_share(cls, config: GraphFilterConfig) -> GraphFilterConfig:
        """The config with a rank that is at least SHARED_RANK, from which lower ranks are variants."""
        return replace(config, rank=max(config.rank, SHARED_RANK))

    def _set_kernel(self, kernel: Kernel) -> None:
        """Adopt a kernel: cut its paths and scale its vectors for this config."""
        c = self.config
        self.kernel = replace(kernel, vectors=kernel.vectors[:, : c.rank], eigenvalues=kernel.eigenvalues[: c.rank])
        scaled = self.kernel.vectors * torch.from_numpy(kernel.degree**c.target_exponent)[:, None]
        self._set_scores(scaled, kernel.paths(c.target_exponent, c.neighbours, c.sharpening))

    def _set_scores(self, vectors: Tensor, paths: sparse.csr_array) -> None:
        """Set up scoring with the scaled vectors D^q V [num_items, k] and the cut paths [num_items, num_items]."""
        vectors = copy_to_huge_pages(vectors) if self.device.type == "cpu" else vectors.contiguous().to(self.device)
        self.scores = FilterScores(self.config, self.kernel.degree, self.kernel.eigenvalues, vectors, paths)
