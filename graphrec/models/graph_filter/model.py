"""The flagship: a closed-form filter of the typed graph, a plateau on its spectrum plus its strongest paths."""

from collections.abc import Callable, Iterator, Mapping
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
from graphrec.linalg.single_row import on_huge_pages
from graphrec.models.attribution import Contributions, HistoryAttribution, TopReasons, Walks
from graphrec.models.base import ApproximateScores, Embeddings, FactoredScores, Model, Progress, Space
from graphrec.models.graph_filter.config import GraphFilterConfig
from graphrec.models.graph_filter.contributions import ItemInfluence, compute_influence, find_contributions
from graphrec.models.graph_filter.kernel import Attribute, Kernel, Stack, build_links, new_item_vectors
from graphrec.models.graph_filter.scoring import FilterScores
from graphrec.models.graph_filter.search_space import candidates, space
from graphrec.models.graph_filter.signal import Signal, behaviour_of, build_signal, last_event, named, relation_weights
from graphrec.models.graph_filter.top_reason import TopReasonFinder
from graphrec.models.graph_filter.walks import find_walks
from graphrec.relations import Relations, relations
from graphrec.vocabulary import IndexArray

#: From this many entries of the item vectors on, candidates are found in bfloat16 (twice as fast) and rescored.
SCREEN_FROM = 1 << 22

#: From this many edges on users and items are ordered before the work; what fewer need is in the cache in any order.
ORDERED_FROM = 1 << 19

#: The rank of a fit that others are to share.
SHARED_RANK = 768

#: Up to this many collected paths their squares are kept for the next variant; more take too much memory beside them.
TWICE_KEPT = 1 << 26

#: The settings that decide the decomposition, and those that decide which paths are collected.
DECOMPOSING = (
    "user_exponent",
    "item_exponent",
    "degree_offset",
    "rank_share",
    "behaviour_weight",
    "attribute_weight",
    "half_life",
    "weights",
)
COLLECTING = ("neighbours", "item_relation_weight")

#: The settings that a hold-out misjudges where it is not made as the test part is.
ITEM_SIDE = ("source_exponent", "target_exponent", "degree_offset")


class GraphFilter(Model[GraphFilterConfig]):
    """score(u, ·) = s_u D^{-p} [ w P + V g(λ) Vᵀ ] D^{q} over the whole typed graph.

    B = Σ_b w_b decay(t) B_b is the behaviour, D its item degrees plus an offset c. N' stacks D_U^{-b} B D^{-e} and a
    block of rows for each item-attribute relation, an attribute value being a user of its own; V, λ = (σ/σ₁)² belong to
    N'.
    P = N'ᵀN'/σ₁² plus the normalised item-item relations, sharpened to max(P − s P², 0), each row cut to its strongest
    entries. s_u is the user's row of B plus the mean rows of friends and of people with the same attributes, by weight.

    With the target behaviour alone, b = e = p = q = ½, a constant g and w = 1 this is GF-CF (Shen et al., CIKM 2021),
    whose path term has neither D^{-p} nor D^{q}; with rank 0 it is RP3β (Paudel et al., 2017: α = 2b = e + p,
    β = e − q) and LinkProp (Fu et al., WWW 2022). Differs from them in the user exponent b, the offset (that of
    SVD-GCN, Peng et al., CIKM 2022), a response that damps the strongest eigenvalues, the cut, and other relations.
    """

    config_class = GraphFilterConfig
    reads_relations = True

    def __init__(self, config: GraphFilterConfig, device: torch.device | str = "cpu") -> None:
        super().__init__(config, device)
        nothing = np.empty(0, dtype=np.float32)
        self.signal = Signal()
        self.kernel = Kernel(nothing, torch.empty(0, 0), torch.empty(0), 1.0, {}, empty_csr())
        self.scores = FilterScores(config)
        self._source: tuple[Stack, Relations, sparse.csr_array] | None = None  # what variants are made from

    def fit(
        self, graph: HeteroGraph, interactions: Interactions, rng: np.random.Generator, progress: Progress | None = None
    ) -> None:
        """Decompose the stacked matrix and collect the strongest paths of each item."""
        self._adopt(self._fitted(graph, interactions, rng, progress))

    def fit_to_vary(self, graph: HeteroGraph, interactions: Interactions, rng: np.random.Generator) -> None:
        """Decompose and collect, without the cut of paths and the scaled vectors that scores need."""
        self.kernel = self._fitted(graph, interactions, rng)

    def _fitted(
        self, graph: HeteroGraph, interactions: Interactions, rng: np.random.Generator, progress: Progress | None = None
    ) -> Kernel:
        c = self.config
        around = relations(graph)
        weights = relation_weights(around, c.kind_weights(), c.weights)
        now = last_event(interactions, around.behaviours, weights)
        parts = behaviour_of(interactions, around.behaviours, weights, c.half_life, now)
        self.signal = replace(build_signal(parts, around, weights), now=now)
        attributes = {
            name: Attribute.of(matrix, weights[name], rng)
            for name, matrix in around.item_attributes.items()
            if weights[name] > 0 and matrix.nnz
        }
        near = spectral_order(parts[0], rng) if parts[0].nnz >= ORDERED_FROM else None
        stack = Stack(parts[0], attributes, near, c.degree_offset)
        self._source = (stack, around, parts[1])
        normalised = stack.normalised(c.user_exponent, c.item_exponent)
        rank = min(c.rank, int(c.rank_share * min(normalised.shape)) or 1)
        vectors, eigenvalues, top, in_scale = stack.decompose(normalised, rank, rng)
        if progress is not None:
            progress(1, 2)
        linked = build_links(around, weights)
        collected = stack.collect(normalised, in_scale, top, c.neighbours, linked)
        if progress is not None:
            progress(2, 2)
        return Kernel(stack.degree(), vectors, eigenvalues, top, in_scale, collected, links=linked)

    def forget_variants(self) -> None:
        """Let go of the collected paths, of which scores use the strongest alone."""
        self._source, self.kernel = None, replace(self.kernel, collected=empty_csr(), twice=None)

    @property
    def nbytes(self) -> int:
        """Bytes of the kernel."""
        return self.kernel.nbytes

    def score(self, user_index: IndexArray) -> Tensor:
        """Scores [batch, num_items] float32."""
        return self.scores.revisited(self.scores.of(self.signal.of(user_index)), self.signal.beside[user_index])

    def fold_in(self, history: sparse.csr_array, related: Mapping[str, sparse.csr_array] | None = None) -> Tensor:
        """Scores [batch, num_items] float32 for any histories, exactly as for users in training.

        `related` names what else is known of them: rows over the users in training for a social relation, over the
        attribute values for a user attribute, as in `relations`.
        """
        return self.scores.of(self.signal.gather(history, self.signal.shared(related or {})))

    def fold_in_users(self, target: Interactions, relations: Relations) -> Tensor:
        """Scores [batch, num_items] float32 of users who were not in training, exactly as if they had been."""
        own, beside = self._behaviour(target, relations)
        return self.scores.revisited(self.fold_in(own, {**relations.social, **relations.user_attributes}), beside)

    def approximate_scores(self, user_index: IndexArray, size: int) -> Iterator[ApproximateScores] | None:
        """Scores with the dense product in bfloat16, for large catalogues on processors that multiply it fast."""
        fast = self.device.type != "cpu" or torch.ops.mkldnn._is_mkldnn_bf16_supported()
        if not fast or self.scores.vectors.numel() < SCREEN_FROM:
            return None
        return self.scores.approximate_scores(self.signal, user_index, size)

    def factored_scores(self) -> FactoredScores | None:
        """The filter's part and the paths; None on a GPU, and where what a user has viewed counts otherwise."""
        if self.device.type != "cpu" or (self.config.revisit != 1.0 and self.signal.beside.nnz):
            return None
        return self.scores.factored_scores(self.signal)

    def score_pairs(self, user_index: IndexArray, item_index: IndexArray) -> Tensor:
        """Scores [batch, m] float32 of m items for each user, as in `score` up to the order of additions."""
        rows, items = self.signal.of(user_index), torch.from_numpy(item_index).to(self.device)
        return self.scores.revisited_at(self.scores.at(rows, items), self.signal.beside[user_index], items)

    def score_new_items(self, user_index: IndexArray, attributes: Mapping[str, sparse.csr_array]) -> Tensor:
        """Scores [batch, n] float32 of n items that nobody met, from rows [n, num_values] of item-attribute relations.

        They are those of an item without interactions in training, but for its paths, which are neither sharpened nor
        cut. Relations that the model does not use count for nothing."""
        return self._of_new_items(self.signal.of(user_index), attributes, 1.0 + self.config.degree_offset)

    def fold_in_new_items(
        self, target: Interactions, relations: Relations, attributes: Mapping[str, sparse.csr_array]
    ) -> Tensor:
        """Scores [batch, n] float32 of n items that nobody met, for users who were not in training.

        An item without interactions has a degree of 1, and D^q puts it behind every item that is known for as much as
        any attribute says. What it will have is not known; these are the scores that it has with the degree of the
        median item, so that it stands where an ordinary item with its attributes would.
        """
        own, _ = self._behaviour(target, relations)
        related = self.signal.shared({**relations.social, **relations.user_attributes})
        return self._of_new_items(self.signal.gather(own, related), attributes, float(np.median(self.kernel.degree)))

    def _behaviour(self, target: Interactions, relations: Relations) -> tuple[sparse.csr_array, sparse.csr_array]:
        """What `behaviour_of` gives for users who were not in training; the half-life counts from their last event."""
        weights = relation_weights(relations, self.config.kind_weights(), self.config.weights)
        now = max(self.signal.now, last_event(target, relations.behaviours, weights))
        return behaviour_of(target, relations.behaviours, weights, self.config.half_life, now)

    def _of_new_items(
        self, signals: sparse.csr_array, attributes: Mapping[str, sparse.csr_array], degree: float
    ) -> Tensor:
        """Scores [batch, n] float32 of new items for signals [batch, num_items], as if they had a degree."""
        rows = self.scores.damped(signals)
        c, kernel = self.config, self.kernel
        response = self.scores.response().float().cpu()
        plain = self.scores.plain_vectors()
        profile = torch.from_numpy((rows @ plain.numpy()).astype(np.float32)) * response  # [batch, k]
        found = torch.zeros(rows.shape[0], next(iter(attributes.values())).shape[0] if attributes else 0)
        for name in [name for name in attributes if name in kernel.attributes]:
            new = kernel.attributes[name].rows(sparse.csr_array(attributes[name]))
            found += profile @ new_item_vectors(kernel, plain, name, new).T
            walked = (rows @ kernel.attributes[name].narrow()) @ new.T
            found += (
                c.path_weight
                / kernel.top_squared_singular_value
                * torch.from_numpy(walked.toarray().astype(np.float32))
            )
        return found.mul_(degree**c.target_exponent).to(self.device)

    def embeddings(self) -> Embeddings:
        """Users s D^{-p} V g(λ) [num_users, k] and items D^q V [num_items, k]: their products are the filter's part
        of the score, without the paths."""
        everyone = np.arange(self.signal.behaviour.shape[0])
        return Embeddings(self.scores.filtered(self.signal.of(everyone)), self.scores.vectors)

    def explain_score(self, user_index: int, item_index: int) -> Contributions:
        """The score of one item for one user as a sum over history items, friends and attributes, exactly."""
        return find_contributions(self.signal, user_index, self._influence(user_index, item_index))

    def explain_paths(self, user_index: int, item_index: int) -> Walks:
        """The score of one item for one user as a sum over single walks through shared users and values, exactly."""
        influence = self._influence(user_index, item_index)
        return find_walks(self.signal, self.kernel, self.scores, user_index, influence)

    def explain_history(self, history: sparse.csr_array, user_index: int, item_index: int) -> HistoryAttribution:
        """The exact contribution of each item of the history; those of friends and attributes come on top."""
        nodes, amounts = self.explain_score(user_index, item_index).by_node()
        found = np.zeros(int(history.shape[1]))
        found[nodes] = amounts
        return HistoryAttribution(found[history.indices], exact=True)

    def top_reason_finder(self) -> Callable[[int, IndexArray], TopReasons]:
        """The history item, friend or attribute value with the largest sum of contributions to each score, exactly."""
        return TopReasonFinder.of(self.signal, self.scores).find

    def counts_behaviour(self, name: str) -> bool:
        """Whether a behaviour other than the target has a positive weight."""
        given = dict(part.split("=") for part in self.config.weights.replace(",", " ").split())
        return float(given.get(name, self.config.behaviour_weight)) > 0

    def has_other_behaviour(self, user_index: int, item_index: int) -> bool:
        """Whether the item is among the user's items of other behaviours and not among those of the target."""
        found = self.signal.beside
        return item_index in found.indices[found.indptr[user_index] : found.indptr[user_index + 1]]

    def _influence(self, user_index: int, item_index: int) -> ItemInfluence:
        """The influence of all items on the score of one item for one user."""
        found = compute_influence(self.kernel, self.scores, self.signal.behaviour, item_index)
        return found.times(self._revisit_factor(user_index, item_index))

    def _revisit_factor(self, user_index: int, item_index: int) -> float:
        """The factor on the score of an item that the user may have met by other behaviours only."""
        return self.config.revisit if self.signal.beside[[user_index], [item_index]][0] else 1.0

    def state(self) -> State:
        """The item vectors, eigenvalues, degrees, paths, the signal of users and the attributes of items."""
        attributes: State = {}
        for name, part in self.kernel.attributes.items():
            attributes |= pack(f"attributes/{name}", part.factor)
            attributes[f"column/{name}"] = torch.from_numpy(part.column)
        for name, matrix in self.kernel.links.items():
            attributes |= pack(f"links/{name}", matrix)
        return {
            "vectors": self.scores.vectors.cpu(),
            "eigenvalues": self.kernel.eigenvalues.cpu(),
            "degree": torch.from_numpy(self.kernel.degree),
            "strongest": torch.tensor(self.kernel.top_squared_singular_value, dtype=torch.float64),
            **pack("paths", self.scores.paths),
            **self.signal.state(),
            **attributes,
        }

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Take over what `state` gave."""
        known = dict(state)
        attributes = {
            name: Attribute(unpack(f"attributes/{name}", known), known[f"column/{name}"].numpy())
            for name in named(known, "attributes")
        }
        degree, top = known["degree"].numpy(), float(known["strongest"])
        linked = {name: unpack(f"links/{name}", known) for name in named(known, "links")}
        self.signal = Signal.restored(known)
        self.kernel = Kernel(
            degree, torch.empty(0, 0), known["eigenvalues"], top, attributes, empty_csr(), links=linked
        )
        self._show(known["vectors"], unpack("paths", known))

    def variant(self, config: GraphFilterConfig) -> Self | None:
        """This model with other settings that leave its decomposition and its users' signal as they are."""
        mine = self.config
        alike = all(getattr(config, name) == getattr(mine, name) for name in DECOMPOSING)
        if not alike or config.rank > mine.rank or self._source is None:
            return None
        stack, around, beside = self._source
        other = type(self)(config, self.device)
        other._source, kernel = self._source, self.kernel
        weights = relation_weights(around, config.kind_weights(), config.weights)
        other.signal = replace(build_signal((stack.behaviour, beside), around, weights), now=self.signal.now)
        if any(getattr(config, name) != getattr(mine, name) for name in COLLECTING):
            normalised = stack.normalised(config.user_exponent, config.item_exponent)
            linked = build_links(around, weights)
            collected = stack.collect(
                normalised, kernel.attributes, kernel.top_squared_singular_value, config.neighbours, linked
            )
            kernel = replace(kernel, collected=collected, twice=None, links=linked)
        elif config.sharpening > 0 and kernel.twice is None and kernel.collected.nnz <= TWICE_KEPT:
            kernel = self.kernel = replace(kernel, twice=kernel.follow_twice())  # for the next variant too
        other._adopt(kernel)
        return other

    @classmethod
    def candidates(cls, graph: HeteroGraph) -> list[GraphFilterConfig]:
        """Starting points that are good on many sets, the default first."""
        return candidates(graph)

    @classmethod
    def space(cls, graph: HeteroGraph) -> Space:
        """The ranges of the scalars that matter for this graph."""
        return space(graph)

    @classmethod
    def trusted_space(cls, graph: HeteroGraph) -> Space:
        """All but the item side, which stays as in the symmetric config that the search starts from."""
        return {key: value for key, value in space(graph).items() if key not in ITEM_SIDE}

    @classmethod
    def trusts(cls, config: GraphFilterConfig) -> bool:
        """Whether the item side is symmetric, without an offset."""
        return config.is_symmetric

    @classmethod
    def shared(cls, config: GraphFilterConfig) -> GraphFilterConfig:
        """The config with a rank that serves all others of its normalisation."""
        return replace(config, rank=max(config.rank, SHARED_RANK))

    def _adopt(self, kernel: Kernel) -> None:
        """Take a kernel, cut its paths and scale its vectors for this config."""
        c = self.config
        self.kernel = replace(kernel, vectors=kernel.vectors[:, : c.rank], eigenvalues=kernel.eigenvalues[: c.rank])
        scaled = self.kernel.vectors * torch.from_numpy(kernel.degree**c.target_exponent)[:, None]
        self._show(scaled, kernel.paths(c.target_exponent, c.neighbours, c.sharpening))

    def _show(self, vectors: Tensor, paths: sparse.csr_array) -> None:
        """Make scores from the scaled vectors D^q V [num_items, k] and the cut paths."""
        vectors = on_huge_pages(vectors) if self.device.type == "cpu" else vectors.contiguous().to(self.device)
        self.scores = FilterScores(self.config, self.kernel.degree, self.kernel.eigenvalues, vectors, paths)
