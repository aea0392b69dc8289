"""Results from the literature for the benchmark data sets, with their sources (docs/methods.md)."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class LiteratureResult:
    """A reference result.

    name: the method.
    metrics: by `metric@k`, or rmse and mae.
    source: where the figures are from.
    is_published: False for our own trial on the same files.
    """

    name: str
    metrics: Mapping[str, float]
    source: str
    is_published: bool = True


def _ranking(name: str, recall: float, ndcg: float, source: str, is_published: bool = True) -> LiteratureResult:
    return LiteratureResult(name, {"recall@20": recall, "ndcg@20": ndcg}, source, is_published)


def _rating(name: str, rmse: float, mae: float | None, source: str) -> LiteratureResult:
    return LiteratureResult(name, {"rmse": rmse} if mae is None else {"rmse": rmse, "mae": mae}, source)


GOWALLA = (
    _ranking("ChebyCF", 0.1941, 0.1616, "authors' README (SIGIR 2025)"),
    _ranking("BSPM-EM", 0.1920, 0.1597, "SIGIR 2023"),
    _ranking("NESCL", 0.1917, 0.1617, "authors' README"),
    _ranking("LightGCN + BSL", 0.1892, 0.1590, "authors' logs; stopped on the test metric"),
    _ranking("LightGCN + softmax", 0.1874, 0.1571, "logs of BSL's authors"),
    _ranking("UltraGCN", 0.1862, 0.1580, "authors' README"),
    _ranking("GF-CF", 0.1849, 0.1518, "BARS"),
    _ranking("LightGCN", 0.1830, 0.1554, "the paper (SIGIR 2020)"),
    _ranking("EASE", 0.1765, 0.1467, "BARS"),
    _ranking("SLIM", 0.1699, 0.1382, "BARS"),
    _ranking("MF-BPR", 0.1627, 0.1378, "BARS"),
    _ranking("item kNN", 0.1570, 0.1214, "BARS"),
)

YELP2018 = (
    _ranking("LightGCN + BSL", 0.0744, 0.0617, "authors' logs; stopped on the test metric"),
    _ranking("LightGCN + softmax", 0.0736, 0.0612, "logs of BSL's authors"),
    _ranking("MF + BSL", 0.0725, 0.0599, "logs of BSL's authors"),
    _ranking("XSimGCL", 0.0723, 0.0604, "SELFRec"),
    _ranking("BSPM-EM", 0.0720, 0.0593, "SIGIR 2023"),
    _ranking("GF-CF", 0.0697, 0.0571, "BARS"),
    _ranking("UltraGCN", 0.0683, 0.0561, "authors' README"),
    _ranking("LightGCN", 0.0649, 0.0530, "the paper (SIGIR 2020)"),
    _ranking("NGCF", 0.0579, 0.0477, "BARS"),
)

#: No paper with results on this split was available; these are our own trials on the same files.
DOUBAN_BOOK = (
    _ranking("RP3β", 0.1917, 0.1804, "our trial, tuned by hand", is_published=False),
    _ranking("GF-CF", 0.1775, 0.1584, "our trial", is_published=False),
)

LASTFM = (_ranking("graph filter with friends", 0.277, 0.215, "our trial, tuned by hand", is_published=False),)

#: Results on one fold; not comparable with means over five folds.
ML_100K_U1 = (
    _rating("GLocal-K", 0.8889, 0.6950, "authors' README"),
    _rating("GC-MC with features", 0.905, None, "the paper"),
    _rating("GC-MC", 0.910, None, "the paper"),
    _rating("sRGCNN", 0.929, None, "the paper"),
)

#: Means over five random folds, which are not necessarily u1 to u5.
ML_100K = (
    _rating("SVD++", 0.919, 0.721, "Surprise, default settings"),
    _rating("SVD", 0.934, 0.737, "Surprise, default settings"),
    _rating("user and item means", 0.944, 0.748, "Surprise, default settings"),
)

#: Data set -> its reference results.
LITERATURE: Mapping[str, tuple[LiteratureResult, ...]] = {
    "gowalla": GOWALLA,
    "yelp2018": YELP2018,
    "douban-book-social": DOUBAN_BOOK,
    "douban-book": DOUBAN_BOOK,
    "lastfm-hetrec": LASTFM,
    "ml-100k-u1": ML_100K_U1,
    "ml-100k": ML_100K,
}
