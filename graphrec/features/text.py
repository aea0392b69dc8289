"""Features from the words of texts (latent semantic analysis), without a pretrained model."""

import re
import zlib
from collections import Counter
from collections.abc import Sequence

import numpy as np
from scipy import sparse
from torch import Tensor

from graphrec.features.reduction import reduce, weight_by_inverse_frequency

#: Number of columns that words are hashed to; of 20,000 different words about 700 share a column with another.
BUCKETS = 1 << 18

#: A word: a sequence of letters, digits and underscores of any script.
WORD = re.compile(r"\w+")


def split_words(text: str) -> list[str]:
    """The words of a text in their order, case-folded."""
    return WORD.findall(text.casefold())


def count_words(texts: Sequence[str | None]) -> sparse.csr_array:
    """1 + log(count) of each word in each text, [num_texts, BUCKETS] float64; missing texts (None) are empty rows.

    The column of a word is its CRC-32 modulo BUCKETS, which is the same on every machine.
    """
    rows: list[int] = []
    columns: list[int] = []
    values: list[float] = []
    for row, text in enumerate(texts):
        buckets = Counter(zlib.crc32(word.encode()) % BUCKETS for word in split_words(text or ""))
        rows += [row] * len(buckets)
        columns += buckets.keys()
        values += [1 + float(np.log(count)) for count in buckets.values()]
    return sparse.csr_array((values, (rows, columns)), shape=(len(texts), BUCKETS))


def text_features(texts: Sequence[str | None], rng: np.random.Generator, width: int = 64) -> Tensor | None:
    """The leading principal coordinates [num_texts, width] float32 of the words of texts; None if no text has a word.

    Latent semantic analysis (Deerwester et al., 1990): TF-IDF of hashed words (Weinberger et al., ICML 2009, without
    signs), rows of length 1, then a truncated SVD.
    """
    counts = count_words(texts)
    used = np.unique(counts.indices)
    if not len(used):
        return None
    return reduce(weight_by_inverse_frequency(sparse.csr_array(counts[:, used])), width, rng)
