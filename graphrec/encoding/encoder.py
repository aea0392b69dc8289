"""The base class of text encoders."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from scipy import sparse

from graphrec.errors import DataError
from graphrec.linalg.csr import empty_csr

#: Block size: texts compared with all others at a time.
BLOCK = 512

#: Threshold: a smaller cosine is a rounding error of no similarity.
MIN_COSINE = 1e-6

#: Vectors of texts, [num_texts, dim].
Vectors = npt.NDArray[np.float32]


class TextEncoder(ABC):
    """Maps texts to vectors of length 1, so that their dot product is the cosine; texts without content to 0.

    name: the model with what distinguishes it from others, such as `wordllama-256`; vectors of encoders with different
        names must not be compared.
    """

    name: str

    @abstractmethod
    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors [num_texts, dim] float32 of texts that are not blank, of any length."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors [num_texts, dim] float32 of length 1, or 0 for a text of white space only or of no known word.

        Raises:
            DataError: the encoder gave values that are not finite.
            EndpointError: an endpoint failed.
        """
        given = [position for position, text in enumerate(texts) if text.strip()]
        if not given:
            return np.zeros((len(texts), self.encode(["a"]).shape[1] if len(texts) else 0), dtype=np.float32)
        encoded = self.encode([texts[position] for position in given])
        if not np.isfinite(encoded).all():
            raise DataError(f"the text encoder {self.name} gave values that are not finite; use another encoder")
        length = np.sqrt(np.square(encoded, dtype=np.float64).sum(axis=1, keepdims=True))
        vectors = np.zeros((len(texts), encoded.shape[1]), dtype=np.float32)
        vectors[given] = encoded / np.where(length > 0, length, 1)
        return vectors

    def find_similar(self, texts: Sequence[str], k: int) -> sparse.csr_array:
        """The k most similar other texts of each text, with their positive cosine, [num_texts, num_texts] float32."""
        vectors = torch.from_numpy(self.embed(texts))
        k = min(k, max(len(texts) - 1, 0))
        rows = []
        for start in range(0, len(texts), BLOCK):
            scores = vectors[start : start + BLOCK] @ vectors.T
            own = torch.arange(len(scores))
            scores[own, own + start] = -1.0
            values, columns = scores.topk(k)
            indptr = np.arange(len(scores) + 1) * k
            block = (values.numpy().ravel(), columns.numpy().ravel(), indptr)
            rows.append(sparse.csr_array(block, shape=(len(scores), len(texts))))
        found = sparse.csr_array(sparse.vstack(rows, format="csr")) if rows else empty_csr()
        found.data[found.data <= MIN_COSINE] = 0
        found.eliminate_zeros()
        return found
