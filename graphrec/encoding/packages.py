"""Encoders of Python packages with pretrained weights, which are extras."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from graphrec.encoding.encoder import TextEncoder, Vectors
from graphrec.errors import GraphrecError

#: Batch size of pretrained encoders: memory grows with it and with the longest text.
TEXTS_A_BATCH = 256

#: Maximum number of characters of a text that wordllama reads: it pads a batch to its longest text.
MAX_CHARACTERS = 8_000


class WordLlamaEncoder(TextEncoder):
    """Mean of the 256-dimensional token vectors of WordLlama, whose weights are in the package: nothing is downloaded.

    Raises GraphrecError if the extra `text` is missing.
    """

    name = "wordllama-256"

    def __init__(self) -> None:
        try:
            import wordllama
        except ImportError as error:
            raise GraphrecError("the encoder wordllama needs another package: pip install 'graphrec[text]'") from error
        # The package looks for its tokenizer in another folder than it ships it in; as a cache, its own has it.
        folder = Path(wordllama.__file__).parent
        self._model = wordllama.WordLlama.load(cache_dir=folder, disable_download=True)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """The mean token vectors; 0 for a text without tokens."""
        short = [text[:MAX_CHARACTERS] for text in texts]
        order = sorted(range(len(short)), key=lambda position: len(short[position]))  # a batch has equal lengths
        vectors: Vectors = np.empty((len(short), 256), dtype=np.float32)
        with np.errstate(invalid="ignore", divide="ignore"):
            vectors[order] = self._model.embed([short[k] for k in order], batch_size=TEXTS_A_BATCH)
        return np.nan_to_num(vectors)


class SentenceTransformerEncoder(TextEncoder):
    """A model of the package sentence-transformers, by its name or its folder; a name may be downloaded by the package.

    Raises GraphrecError if the extra `sentences` is missing or the model cannot be loaded.
    """

    def __init__(self, model: str) -> None:
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError as error:
            raise GraphrecError(
                "sentence-transformers models need another package: pip install 'graphrec[sentences]'"
            ) from error
        try:
            self._model = SentenceTransformer(model)
        except Exception as error:  # the package raises many kinds
            raise GraphrecError(
                f"sentence-transformers cannot load '{model}' ({error}); give a name or a folder of a model"
            ) from error
        self.name = f"sentence-transformers:{model}"

    def encode(self, texts: Sequence[str]) -> Vectors:
        """The vectors that the model gives."""
        vectors = self._model.encode(list(texts), batch_size=TEXTS_A_BATCH, convert_to_numpy=True)
        return np.asarray(vectors, dtype=np.float32)
