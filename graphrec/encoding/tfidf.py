"""Latent semantic analysis as an encoder that is fitted to the texts of a graph once and then kept."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
from scipy import sparse

from graphrec.encoding.encoder import MIN_COSINE, TextEncoder, Vectors
from graphrec.errors import DataError
from graphrec.features.reduction import right_singular_vectors, weight_by_inverse_frequency
from graphrec.features.text import count_words
from graphrec.home import write_privately
from graphrec.linalg.csr import in_32_bits
from graphrec.linalg.sparse import topk_gram, zero_diagonal

#: Maximum number of different words of the vocabulary, the most frequent ones; a projection of 256 columns then has at
#: most 64 MiB.
MAX_WORDS = 1 << 16


class TfidfEncoder(TextEncoder):
    """x = V ᵀ t, where t are the TF-IDF weights of a text's hashed words and V their right singular vectors.

    Latent semantic analysis (Deerwester et al., 1990). Words that the fitted texts do not have are ignored.

    columns: hash of each word of the vocabulary, sorted [m]; weights: its inverse document frequency [m]; projection:
    V [m, dim] float32.
    """

    def __init__(self, columns: npt.NDArray[np.int64], weights: npt.NDArray[np.float64], projection: Vectors) -> None:
        self.columns, self.weights, self.projection = columns, weights, projection
        digest = hashlib.sha256(b"".join(np.ascontiguousarray(a).tobytes() for a in (columns, weights, projection)))
        self.name = f"tfidf-{projection.shape[1]}-{digest.hexdigest()[:12]}"

    @classmethod
    def fit(cls, texts: Sequence[str], dim: int, rng: np.random.Generator) -> "TfidfEncoder":
        """An encoder of at most `dim` dimensions for these texts. Raises DataError if they have no word."""
        counts = count_words(texts)
        frequency = np.bincount(counts.indices, minlength=counts.shape[1])
        if not frequency.any():
            raise DataError("the texts have no words, so there is nothing to embed; name other properties")
        most = np.argsort(-frequency, kind="stable")[:MAX_WORDS]
        columns = np.sort(most[frequency[most] > 0]).astype(np.int64)
        used = sparse.csr_array(counts[:, columns])
        weights = np.log((1 + len(texts)) / (1 + frequency[columns])) + 1
        vectors = right_singular_vectors(weight_by_inverse_frequency(used), dim, rng)
        return cls(columns, weights, vectors.astype(np.float32))

    def encode(self, texts: Sequence[str]) -> Vectors:
        """The projected TF-IDF weights."""
        counts = sparse.csr_array(count_words(texts)[:, self.columns])
        projected: Vectors = (counts @ sparse.diags_array(self.weights)).astype(np.float32) @ self.projection
        return projected

    def find_similar(self, texts: Sequence[str], k: int) -> sparse.csr_array:
        """The k most similar other texts by the cosine of all their TF-IDF weights, before the projection."""
        counts = count_words(texts)
        words = weight_by_inverse_frequency(sparse.csr_array(counts[:, np.unique(counts.indices)]))
        by_word = in_32_bits(sparse.csr_array(words.T.tocsr()))
        found = topk_gram(by_word, by_word, k, zero_diagonal)
        found.data[found.data <= MIN_COSINE] = 0
        found.eliminate_zeros()
        return found

    def save(self, path: Path) -> None:
        """Write the encoder to a file, which is complete or absent. Raises GraphrecError if it cannot be written."""
        with write_privately(path) as partial, partial.open("wb") as file:
            np.savez(file, columns=self.columns, weights=self.weights, projection=self.projection)

    @classmethod
    def load(cls, path: Path) -> "TfidfEncoder":
        """The encoder that `save` wrote. Raises DataError if the file is damaged."""
        try:
            with np.load(path, allow_pickle=False) as arrays:
                return cls(arrays["columns"], arrays["weights"], arrays["projection"])
        except (OSError, ValueError, KeyError, IndexError, AttributeError, EOFError, BadZipFile) as error:
            raise DataError(f"{path} is not an encoder that graphrec saved; embed again with --refit") from error
