"""graph_filter: the default model, a closed-form spectral filter of the typed graph plus its strongest paths."""

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
from graphrec.models.base import ApproximateScores, Embeddings, FactoredScores, Model, Space
from graphrec.models.graph_filter.config import GraphFilterConfig
from graphrec.models.graph_filter.contributions import ItemInfluence, compute_influence, find_contributions
from graphrec.models.graph_filter.kernel import Attribute, Kernel, Stack, build_links, new_item_vectors
from graphrec.models.graph_filter.scoring import FilterScores
from graphrec.models.graph_filter.search_space import candidates, space
from graphrec.models.graph_filter.signal import Signal, behaviour_of, build_signal, last_event, named, relation_weights
from graphrec.models.graph_filter.top_reason import TopReasonFinder
from graphrec.models.graph_filter.walks import find_walks
from graphrec.progress import Progress
from graphrec.relations import Relations, build_relations
from graphrec.vocabulary import IndexArray

#: Threshold in entries of the item vectors above which candidates are found in bfloat16 (twice as fast) and rescored.
SCREEN_FROM = 1 << 22

#: Threshold in edges above which users and items are reordered first; fewer edges fit the cache in any order.
ORDERED_FROM = 1 << 19

#: Rank of a fit that variants share.
SHARED_RANK = 768

#: Maximum number of collected paths whose squares are kept for the next variant; more need too much memory.
TWICE_KEPT = 1 << 26

#: The settings that determine the decomposition, and those that determine which paths are collected.
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

#: The settings that a validation set misjudges if it is not drawn like the test set.
ITEM_SIDE = ("source_exponent", "target_exponent", "degree_offset")


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
      is cut to its largest entries. w is its weight.
    - s_u [num_items]: the user's row of B plus the weighted mean rows of friends and of users with the same attributes.
    - b, e, p, q: exponents of user degrees, item degrees, history items and recommended items.

    With the target behaviour alone, b = e = p = q = ½, a constant g and w = 1 this is GF-CF (Shen et al., CIKM 2021),
    whose path term has neither D^-p nor D^q; with rank k = 0 it is RP3β (Paudel et al., TiiS 2017: α = 2b = e + p,
    β = e − q) and LinkProp (Fu et al., WWW 2022). Differs from them in the user exponent b, the offset c (that of
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
        self._source: tuple[Stack, Relations, sparse.csr_array] | None = None  # the source of variants

    def fit(
        self, graph: HeteroGraph, interactions: Interactions, rng: np.random.Generator, progress: Progress | None = None
    ) -> None:
        """Decompose the stacked matrix N' and collect the strongest paths of each item."""
        self._adopt(self._fitted(graph, interactions, rng, progress))

    def fit_to_vary(self, graph: HeteroGraph, interactions: Interactions, rng: np.random.Generator) -> None:
        """Decompose and collect paths, without cutting them and scaling the vectors for scores."""
        self.kernel = self._fitted(graph, interactions, rng)

    def _fitted(
        self, graph: HeteroGraph, interactions: Interactions, rng: np.random.Generator, progress: Progress | None = None
    ) -> Kernel:
        c = self.config
        around = build_relations(graph)
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
        """Release the collected paths; scores use the cut ones."""
        self._source, self.kernel = None, replace(self.kernel, collected=empty_csr(), twice=None)

    @property
    def nbytes(self) -> int:
        """Bytes of the kernel."""
        return self.kernel.nbytes

    def score(self, user_index: IndexArray) -> Tensor:
        """Scores [batch, num_items] float32."""
        return self.scores.revisited(self.scores.of(self.signal.of(user_index)), self.signal.beside[user_index])

    def fold_in(self, history: sparse.csr_array, related: Mapping[str, sparse.csr_array] | None = None) -> Tensor:
        """Scores [batch, num_items] float32 of any users, exactly as for users in training.

        Args:
            history: row n has the weighted behaviour of user n, [batch, num_items].
            related: rows of the same users by relation name: [batch, num_users] for a social relation, [batch,
                num_values] for a user attribute.
        """
        return self.scores.of(self.signal.gather(history, self.signal.shared(related or {})))

    def fold_in_users(self, target: Interactions, relations: Relations) -> Tensor:
        """Scores [batch, num_items] float32 of users who were not in training, with the exact formula of training."""
        own, beside = self._behaviour(target, relations)
        return self.scores.revisited(self.fold_in(own, {**relations.social, **relations.user_attributes}), beside)

    def approximate_scores(self, user_index: IndexArray, size: int) -> Iterator[ApproximateScores] | None:
        """Scores with the dense product in bfloat16, for large catalogues on processors with fast bfloat16."""
        fast = self.device.type != "cpu" or torch.ops.mkldnn._is_mkldnn_bf16_supported()
        if not fast or self.scores.vectors.numel() < SCREEN_FROM:
            return None
        return self.scores.approximate_scores(self.signal, user_index, size)

    def factored_scores(self) -> FactoredScores | None:
        """The spectral part and the paths; None on a GPU, and if `revisit` changes single scores."""
        if self.device.type != "cpu" or (self.config.revisit != 1.0 and self.signal.beside.nnz):
            return None
        return self.scores.factored_scores(self.signal)

    def score_pairs(self, user_index: IndexArray, item_index: IndexArray) -> Tensor:
        """Scores [batch, m] float32 of m items for each user, equal to `score` up to the order of additions."""
        rows, items = self.signal.of(user_index), torch.from_numpy(item_index).to(self.device)
        return self.scores.revisited_at(self.scores.at(rows, items), self.signal.beside[user_index], items)

    def score_new_items(self, user_index: IndexArray, attributes: Mapping[str, sparse.csr_array]) -> Tensor:
        """Scores [batch, n] float32 of n items without interactions for users in training.

        `attributes` has rows [n, num_values] of the items by item-attribute relation; relations that the model does not
        use are ignored. The scores are those of an item without interactions in training, except that its paths are
        neither sharpened nor cut.
        """
        return self._of_new_items(self.signal.of(user_index), attributes, 1.0 + self.config.degree_offset)

    def fold_in_new_items(
        self, target: Interactions, relations: Relations, attributes: Mapping[str, sparse.csr_array]
    ) -> Tensor:
        """Scores [batch, n] float32 of n items without interactions for users who were not in training.

        An item without interactions has a degree of 1, and D^q would rank it behind every known item whatever its
        attributes. Its future degree is unknown, so the scores are computed with the degree of the median item, which
        ranks it like an ordinary item with these attributes.
        """
        own, _ = self._behaviour(target, relations)
        related = self.signal.shared({**relations.social, **relations.user_attributes})
        return self._of_new_items(self.signal.gather(own, related), attributes, float(np.median(self.kernel.degree)))

    def _behaviour(self, target: Interactions, relations: Relations) -> tuple[sparse.csr_array, sparse.csr_array]:
        """What `behaviour_of` returns for users who were not in training; half-lives count from the last event."""
        weights = relation_weights(relations, self.config.kind_weights(), self.config.weights)
        now = max(self.signal.now, last_event(target, relations.behaviours, weights))
        return behaviour_of(target, relations.behaviours, weights, self.config.half_life, now)

    def _of_new_items(
        self, signals: sparse.csr_array, attributes: Mapping[str, sparse.csr_array], degree: float
    ) -> Tensor:
        """Scores [batch, n] float32 of new items with a given degree, for signals [batch, num_items]."""
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
        """Users s D^-p V g(λ) [num_users, k] and items D^q V [num_items, k], whose products are the score without the
        paths."""
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
        """`revisit` if the user met the item by other behaviours only, else 1."""
        return self.config.revisit if self.signal.beside[[user_index], [item_index]][0] else 1.0

    def state(self) -> State:
        """Item vectors, eigenvalues, degrees, paths, the signal of users, and the attributes and links of items."""
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
            # the key of runs that earlier versions saved
            "strongest": torch.tensor(self.kernel.top_squared_singular_value, dtype=torch.float64),
            **pack("paths", self.scores.paths),
            **self.signal.state(),
            **attributes,
        }

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Restore what `state` returned."""
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
        self._set_scores(known["vectors"], unpack("paths", known))

    def variant(self, config: GraphFilterConfig) -> Self | None:
        """This model with other settings, if they need the same decomposition; else None."""
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
            kernel = self.kernel = replace(kernel, twice=kernel.follow_twice())  # kept for the next variant
        other._adopt(kernel)
        return other

    @classmethod
    def candidates(cls, graph: HeteroGraph) -> list[GraphFilterConfig]:
        """Starting points that are good on many data sets, the default first."""
        return candidates(graph)

    @classmethod
    def space(cls, graph: HeteroGraph) -> Space:
        """The ranges of the scalars that matter for this graph's relations."""
        return space(graph)

    @classmethod
    def trusted_space(cls, graph: HeteroGraph) -> Space:
        """All settings except the item exponents and the offset, which stay as in the symmetric start of the search."""
        return {key: value for key, value in space(graph).items() if key not in ITEM_SIDE}

    @classmethod
    def trusts(cls, config: GraphFilterConfig) -> bool:
        """Whether the item exponents are equal, without an offset."""
        return config.is_symmetric

    @classmethod
    def shared(cls, config: GraphFilterConfig) -> GraphFilterConfig:
        """The config with a rank that serves all other configs of its normalisation."""
        return replace(config, rank=max(config.rank, SHARED_RANK))

    def _adopt(self, kernel: Kernel) -> None:
        """Cut the paths of a kernel and scale its vectors for this config."""
        c = self.config
        self.kernel = replace(kernel, vectors=kernel.vectors[:, : c.rank], eigenvalues=kernel.eigenvalues[: c.rank])
        scaled = self.kernel.vectors * torch.from_numpy(kernel.degree**c.target_exponent)[:, None]
        self._set_scores(scaled, kernel.paths(c.target_exponent, c.neighbours, c.sharpening))

    def _set_scores(self, vectors: Tensor, paths: sparse.csr_array) -> None:
        """Set up scoring with the scaled vectors D^q V [num_items, k] and the cut paths [num_items, num_items]."""
        vectors = on_huge_pages(vectors) if self.device.type == "cpu" else vectors.contiguous().to(self.device)
        self.scores = FilterScores(self.config, self.kernel.degree, self.kernel.eigenvalues, vectors, paths)
