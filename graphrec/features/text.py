"""What the words of a text say, without any model to download."""

import re
import zlib
from collections import Counter
from collections.abc import Sequence

import numpy as np
from scipy import sparse
from torch import Tensor

from graphrec.features.reduction import inverse_frequency, reduce

#: Columns that words are hashed to; of 20,000 different words about 700 share one with another.
BUCKETS = 1 << 18

#: A run of letters and digits of any script.
WORD = re.compile(r"\w+")


def words(text: str) -> list[str]:
    """The words of a text in order, without regard to case."""
    return WORD.findall(text.casefold())


def word_counts(texts: Sequence[str | None]) -> sparse.csr_array:
    """1 + log(count) of each word in each text, [num_texts, BUCKETS] float64; a missing text (None) is an empty row.

    A word's column is its CRC-32 modulo BUCKETS, the same on every machine and in every run.
    """
    rows: list[int] = []
    columns: list[int] = []
    values: list[float] = []
    for row, text in enumerate(texts):
        buckets = Counter(zlib.crc32(word.encode()) % BUCKETS for word in words(text or ""))
        rows += [row] * len(buckets)
        columns += buckets.keys()
        values += [1 + float(np.log(count)) for count in buckets.values()]
    return sparse.csr_array((values, (rows, columns)), shape=(len(texts), BUCKETS))


def text_features(texts: Sequence[str | None], rng: np.random.Generator, width: int = 64) -> Tensor | None:
    """The leading principal coordinates [num_texts, width] float32 of the texts' words; None where no text has a word.

    TF-IDF with hashed words (Weinberger et al., ICML 2009, without signs), rows of length 1, then a truncated SVD:
    latent semantic analysis (Deerwester et al., 1990).
    """
    counts = word_counts(texts)
    used = np.unique(counts.indices)
    if not len(used):
        return None
    return reduce(inverse_frequency(sparse.csr_array(counts[:, used])), width, rng)
