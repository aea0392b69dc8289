"""The base class of text encoders."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from graphrec.errors import DataError

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
