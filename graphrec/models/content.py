"""Content: items are scored by what the user's history and its neighbours are to similar items, so that items without
any interaction get a score from their text, attributes and relations."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from scipy import sparse
from torch import Tensor

from graphrec.errors import DataError
from graphrec.hetero import HeteroGraph
from graphrec.interactions import FloatArray, Interactions
from graphrec.linalg.csr import State, empty_csr, pack, unpack
from graphrec.linalg.sparse import normalise_symmetric, top_k_per_row
from graphrec.models.base import Range, Space
from graphrec.models.item_knn import ItemKNN, ItemKNNConfig
from graphrec.models.recency import RecencyConfig, RecencyModel, recency_space, weigh_by_age
from graphrec.models.sequence_filter.kernel import compute_similarities
from graphrec.progress import Progress
from graphrec.relations import Relations, build_relations
from graphrec.schema import SIMILAR_TEXT, TEXT_EMBEDDING

#: Block size: items whose text vectors are compared with all others at a time.
BLOCK = 512

#: Cap on the items that an item reaches by chains of one length.
MAX_REACHED = 400


@dataclass(frozen=True)
class ContentConfig(RecencyConfig):
    """Settings of content.

    neighbours: number of similar items by content that each item keeps.
    teacher_neighbours: number of similar items by users that each item keeps, as in item_knn.
    teacher_weight: weight of the items that the teacher adds to a history, relative to the history itself.
    steps: length of the longest chains of similar items; 2 includes similar items of similar items.
    step_weight: factor of a chain for each step beyond the first.
    text_weight: weight of the similarity by text vectors; 0 leaves it out.
    attribute_weight: weight of the similarity by each attribute; 0 leaves them out.
    relation_weight: weight of each relation between items; 0 leaves them out.
    shrinkage: number of interactions at which an item's score is half the teacher's and half by content.
    content_scale: factor of the score by content; it ranks new items among others.
    """

    neighbours: int = 100
    teacher_neighbours: int = 200
    teacher_weight: float = 3.0
    steps: int = 3
    step_weight: float = 1.0
    text_weight: float = 1.0
    attribute_weight: float = 1.0
    relation_weight: float = 1.0
    shrinkage: float = 2.0
    content_scale: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if min(self.neighbours, self.teacher_neighbours, self.steps) < 1:
            raise DataError("content: neighbours, teacher_neighbours and steps must be at least 1")
        weights = (self.teacher_weight, self.step_weight, self.text_weight, self.attribute_weight, self.relation_weight)
        if min(*weights, self.shrinkage, self.content_scale) < 0:
            raise DataError("content: weights, shrinkage and content_scale must not be negative")


class Content(RecencyModel[ContentConfig]):
    """score(u, i) = w_i t_ui + s (1 − w_i) c_ui with w_i = n_i / (n_i + shrinkage).

    The teacher is t_u = r_u W, where W are the cosines of item_knn with rows of sum 1, and n_i is the number of users
    of item i. The content score c_u = (r_u + a t_u) K takes the history and, with the teacher's weight a, what the
    teacher adds to it, to the items of similar content: K = N + b N² + … + b^(s−1) N^s with N the sum of the relations'
    D^-½ S D^-½. An item without interactions has c_ui alone. Like the neighbourhood maps of Gantner et al., ICDM 2010,
    which go from attributes to a factor model; here both spaces are sparse, and the result is linear in the history, so
    fold-in and explanations by history item are exact.
    """

    config_class = ContentConfig

    def __init__(self, config: ContentConfig, device: torch.device | str = "cpu") -> None:
        super().__init__(config, device)
        # W, K, N [num_items, num_items]
        self.teacher, self.kernel, self.similar = empty_csr(), empty_csr(), empty_csr()
        self.warmth: FloatArray = np.empty(0, dtype=np.float32)  # w_i [num_items]
        self.text = torch.empty(0, 0)  # [num_items, dim]

    def fit(
        self,
        graph: HeteroGraph,
        interactions: Interactions,
        rng: np.random.Generator,
        progress: Progress | None = None,
    ) -> None:
        """Compute the teacher's and the content's neighbours."""
        c = self.config
        pairs = self.read_history(graph, interactions)
        knn = ItemKNN(ItemKNNConfig(neighbours=c.teacher_neighbours, shrinkage=0.0, damping=0.5, normalise=True))
        knn.fit(graph, interactions, rng)
        self.teacher = knn.weights
        if progress is not None:
            progress(1, 2)
        degree = np.bincount(pairs.indices, minlength=pairs.shape[1]).astype(np.float32)
        self.warmth = np.divide(degree, degree + c.shrinkage, out=np.zeros_like(degree), where=degree > 0)
        self.text = _find_text(graph)
        self.similar = self._compare_items(build_relations(graph))
        self.kernel = _without_diagonal(self._add_steps(self.similar))
        if progress is not None:
            progress(2, 2)

    @property
    def text_dim(self) -> int:
        """The length of the text vectors of the training, 0 without text vectors."""
        return int(self.text.shape[1])

    def _compare_items(self, relations: Relations) -> sparse.csr_array:
        """N [num_items, num_items]: the weighted sum of the similarities by text, attributes and relations."""
        c = self.config
        total = empty_csr(len(self.warmth), len(self.warmth))
        known = {name: each.matrix for name, each in compute_similarities(relations).items()}
        for name, matrix in known.items():
            by_attribute = name in relations.item_attributes
            weight = c.attribute_weight if by_attribute else c.relation_weight
            if name == SIMILAR_TEXT and self.text.shape[1]:
                continue  # the vectors that it was computed from are there
            if weight > 0:
                normal = normalise_symmetric(_symmetrise(matrix)) if by_attribute else matrix
                total = total + weight * normal
        if c.text_weight > 0 and self.text.shape[1]:
            nearest = _symmetrise(find_nearest(self.text, self.text, c.neighbours, same=True))
            total = total + c.text_weight * normalise_symmetric(nearest)
        return top_k_per_row(_without_diagonal(sparse.csr_array(total)), c.neighbours)

    def _add_steps(self, rows: sparse.csr_array) -> sparse.csr_array:
        """K = rows (I + b N + …) [n, num_items], where each power keeps the MAX_REACHED largest entries of a row."""
        total = power = rows
        for _ in range(self.config.steps - 1):
            power = top_k_per_row(sparse.csr_array(self.config.step_weight * (power @ self.similar)), MAX_REACHED)
            total = sparse.csr_array(total + power)
        return total

    def _spread(self, history: sparse.csr_array) -> tuple[FloatArray, FloatArray]:
        """t_u and r_u + a t_u, each [batch, num_items]."""
        taught = np.asarray((history @ self.teacher).toarray(), dtype=np.float32)
        return taught, history.toarray().astype(np.float32) + np.float32(self.config.teacher_weight) * taught

    def fold_in(self, history: sparse.csr_array) -> Tensor:
        """Scores [batch, num_items] float32 for histories [batch, num_items], exactly as in training."""
        taught, spread = self._spread(history)
        by_content = np.asarray((self.kernel.T @ spread.T).T, dtype=np.float32)
        scores = self.warmth * taught + np.float32(self.config.content_scale) * (1 - self.warmth) * by_content
        return torch.from_numpy(np.ascontiguousarray(scores, dtype=np.float32)).to(self.device)

    def fold_in_new_items(
        self,
        target: Interactions,
        relations: Relations,  # noqa: ARG002  # content reads the target behaviour only
        attributes: Mapping[str, sparse.csr_array],
    ) -> Tensor | None:
        """Scores [batch, n] float32 of new items by the vectors of their texts, `attributes["text_embedding"]`
        [n, dim]; None without vectors of the training's length."""
        rows = attributes.get(TEXT_EMBEDDING)
        if rows is None or not self.text.shape[1] or rows.shape[1] != self.text.shape[1]:
            return None
        nearest = find_nearest(torch.from_numpy(rows.toarray()).float(), self.text, self.config.neighbours)
        # a row of N, whose other end has the sum of cosines of a typical item
        degree = np.maximum(np.asarray(nearest.sum(axis=1)).ravel(), 1.0)
        kernel = sparse.csr_array(sparse.diags_array(self.config.text_weight / degree) @ nearest)
        kernel = self._add_steps(kernel)
        _, spread = self._spread(weigh_by_age(target, self.config.half_life))
        scores = np.float32(self.config.content_scale) * np.asarray((kernel @ spread.T).T, dtype=np.float32)
        return torch.from_numpy(np.ascontiguousarray(scores)).to(self.device)

    def state(self) -> State:
        """Teacher, kernel, text vectors and histories."""
        matrices = {"teacher": self.teacher, "kernel": self.kernel, "similar": self.similar}
        packed: dict[str, Tensor] = {"warmth": torch.from_numpy(self.warmth), "text": self.text}
        for name, matrix in matrices.items():
            packed |= pack(name, matrix)
        return super().state() | packed

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Restore teacher, kernel, text vectors and histories."""
        super().restore(state)
        self.teacher, self.kernel, self.similar = (unpack(name, state) for name in ("teacher", "kernel", "similar"))
        self.warmth, self.text = state["warmth"].numpy(), state["text"]

    @classmethod
    def candidates(cls, graph: HeteroGraph) -> list[ContentConfig]:  # noqa: ARG003  # the same for every graph
        """The default; then other shares of content and of the teacher."""
        return [
            ContentConfig(),
            *(ContentConfig(shrinkage=value) for value in (0.5, 10.0)),
            *(ContentConfig(content_scale=value) for value in (0.3, 3.0)),
            ContentConfig(teacher_weight=10.0),
            ContentConfig(teacher_weight=1.0),
            ContentConfig(steps=1),
            ContentConfig(teacher_weight=10.0, steps=2, content_scale=0.12),  # histories of dozens of warm items
        ]

    @classmethod
    def space(cls, graph: HeteroGraph) -> Space:
        """All settings but the numbers of neighbours of the content."""
        relations = build_relations(graph)
        space: dict[str, Range | tuple[object, ...]] = {
            "teacher_neighbours": (50, 100, 200, 400),
            "teacher_weight": (0.0, 0.3, 1.0, 3.0, 10.0),
            "steps": (1, 2, 3),
            "step_weight": (0.3, 0.6, 1.0),
            "shrinkage": Range(0.1, 30.0, log=True),
            "content_scale": Range(0.1, 10.0, log=True),
        }
        few = (0.0, 0.3, 1.0, 3.0)
        kinds = (relations.item_attributes, relations.item_items, _find_text(graph).shape[1])
        names = ("attribute_weight", "relation_weight", "text_weight")
        space |= {name: few for name, kind in zip(names, kinds, strict=True) if kind}
        return {**space, **recency_space(graph)}


def find_nearest(vectors: Tensor, others: Tensor, k: int, same: bool = False) -> sparse.csr_array:
    """The k others with the largest positive dot product for each vector, [n, num_others] float32; with `same` both
    are the same vectors, and no vector is its own neighbour."""
    rows: list[sparse.csr_array] = []
    k = min(k, len(others) - int(same))
    for start in range(0, len(vectors), BLOCK):
        scores = vectors[start : start + BLOCK] @ others.T
        if same:
            own = torch.arange(len(scores))
            scores[own, own + start] = -1.0
        values, columns = scores.topk(max(k, 0))
        indptr = np.arange(len(scores) + 1) * max(k, 0)
        shape = (len(scores), len(others))
        rows.append(sparse.csr_array((values.numpy().ravel(), columns.numpy().ravel(), indptr), shape=shape))
    found = sparse.csr_array(sparse.vstack(rows, format="csr")) if rows else empty_csr(0, len(others))
    found.data[found.data <= 1e-6] = 0.0
    found.eliminate_zeros()
    return found


def _find_text(graph: HeteroGraph) -> Tensor:
    """The text vectors of the items [num_items, dim] float32, with dim 0 if the graph has none."""
    store = graph.data[graph.target[2]]
    if TEXT_EMBEDDING not in store:
        return torch.zeros(int(store.num_nodes), 0)
    vectors: Tensor = store[TEXT_EMBEDDING]
    return vectors.float()


def _symmetrise(matrix: sparse.csr_array) -> sparse.csr_array:
    return sparse.csr_array(matrix.maximum(matrix.T.tocsr()))


def _without_diagonal(matrix: sparse.csr_array) -> sparse.csr_array:
    """The matrix float32 without its diagonal."""
    coo = matrix.tocoo()
    other: npt.NDArray[np.bool_] = coo.row != coo.col
    cells = (coo.data[other].astype(np.float32), (coo.row[other], coo.col[other]))
    return sparse.csr_array(sparse.csr_array(cells, shape=matrix.shape))
