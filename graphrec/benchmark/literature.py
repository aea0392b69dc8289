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


def _next(name: str, hit_rate: float, ndcg: float, source: str) -> LiteratureResult:
    return LiteratureResult(name, {"hit_rate@10": hit_rate, "ndcg@10": ndcg}, source)


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

_S3REC, _TRANSFORMERS = "S3-Rec, README (all_rank.PNG)", "blondered/transformer_benchmark"

#: The last item of each user among all items. Splits of Amazon's reviews of 2014 as S3-Rec has them.
BEAUTY = (
    _next("eSASRec", 0.0928, 0.0523, _TRANSFORMERS),
    _next("SASRec + sampled softmax", 0.0921, 0.0531, _TRANSFORMERS),
    _next("FuXi-alpha", 0.0809, 0.0451, f"{_TRANSFORMERS}, computed there"),
    _next("HSTU", 0.0788, 0.0439, f"{_TRANSFORMERS}, computed there"),
    _next("ActionPiece", 0.0775, 0.0424, f"{_TRANSFORMERS}; uses text"),
    _next("TIGER", 0.0648, 0.0384, f"{_TRANSFORMERS}; uses text"),
    _next("S3-Rec", 0.0647, 0.0327, _S3REC),
    _next("SASRec", 0.0605, 0.0318, _S3REC),
    _next("Caser", 0.0347, 0.0176, _S3REC),
    _next("GRU4Rec", 0.0283, 0.0137, _S3REC),
)

TOYS = (
    _next("SASRec + sampled softmax", 0.0970, 0.0580, _TRANSFORMERS),
    _next("eSASRec", 0.0939, 0.0538, _TRANSFORMERS),
    _next("HSTU", 0.0778, 0.0450, f"{_TRANSFORMERS}, computed there"),
    _next("FuXi-alpha", 0.0765, 0.0437, f"{_TRANSFORMERS}, computed there"),
    _next("TIGER", 0.0712, 0.0432, f"{_TRANSFORMERS}; uses text"),
    _next("S3-Rec", 0.0700, 0.0376, _S3REC),
    _next("SASRec", 0.0675, 0.0374, _S3REC),
    _next("Caser", 0.0270, 0.0141, _S3REC),
    _next("GRU4Rec", 0.0176, 0.0084, _S3REC),
)

SPORTS = (
    _next("SASRec + sampled softmax", 0.0569, 0.0314, _TRANSFORMERS),
    _next("eSASRec", 0.0560, 0.0323, _TRANSFORMERS),
    _next("ActionPiece", 0.0500, 0.0264, f"{_TRANSFORMERS}; uses text"),
    _next("FuXi-alpha", 0.0437, 0.0244, f"{_TRANSFORMERS}, computed there"),
    _next("HSTU", 0.0437, 0.0243, f"{_TRANSFORMERS}, computed there"),
    _next("TIGER", 0.0400, 0.0225, f"{_TRANSFORMERS}; uses text"),
    _next("S3-Rec", 0.0385, 0.0204, _S3REC),
    _next("SASRec", 0.0350, 0.0192, _S3REC),
    _next("GRU4Rec", 0.0204, 0.0110, _S3REC),
    _next("Caser", 0.0194, 0.0097, _S3REC),
)

_RECSYS23 = "antklen/sasrec-bert4rec-recsys23"

BEAUTY_BERT4REC = (
    _next("SASRec, full cross entropy", 0.0533, 0.0327, _RECSYS23),
    _next("LRURec", 0.0528, 0.0309, "yueqirex/LRURec; own preprocessing"),
    _next("SASRec, 3,000 negatives", 0.0490, 0.0295, _RECSYS23),
    _next("BERT4Rec", 0.0338, 0.0187, _RECSYS23),
    _next("SASRec", 0.0246, 0.0126, _RECSYS23),
)

_OTHER_TIES = f"{_TRANSFORMERS}; 3,706 items, another order of ties"
_LRUREC = "yueqirex/LRURec, performance.png; own preprocessing"

ML_1M = (
    _next("LRURec", 0.3264, 0.1930, _LRUREC),
    _next("SASRec of LRURec's authors", 0.3181, 0.1902, _LRUREC),
    _next("FuXi-alpha", 0.3164, 0.1813, _OTHER_TIES),
    _next("SASRec, 3,000 negatives", 0.3159, 0.1857, _RECSYS23),
    _next("SASRec, full cross entropy", 0.3152, 0.1821, _RECSYS23),
    _next("eSASRec", 0.3133, 0.1772, _OTHER_TIES),
    _next("HSTU", 0.3037, 0.1719, _OTHER_TIES),
    _next("gSASRec", 0.3003, 0.1726, "asash/gSASRec-pytorch"),
    _next("GRU4Rec", 0.2962, 0.1693, _LRUREC),
    _next("SASRec + sampled softmax", 0.2929, 0.1684, _OTHER_TIES),
    _next("BERT4Rec", 0.2843, 0.1537, _RECSYS23),
    _next("SASRec", 0.2500, 0.1341, _RECSYS23),
)


def _sampled(name: str, hit_rate: float, ndcg: float, source: str) -> LiteratureResult:
    return LiteratureResult(name, {"sampled_hit_rate@10": hit_rate, "sampled_ndcg@10": ndcg}, source)


_DACREMA = "Ferrari Dacrema et al. (RecSys 2019), as a README of a reproduction restates it; 99 sampled items"

#: Ranked among 99 sampled items.
ML_1M_NCF = (
    _sampled("SLIM", 0.7161, 0.4470, _DACREMA),
    _sampled("NeuMF", 0.7120, 0.4369, _DACREMA),
    _sampled("RP3β", 0.6715, 0.3867, _DACREMA),
    _sampled("user kNN", 0.6705, 0.3908, _DACREMA),
    _sampled("item kNN", 0.6596, 0.3900, _DACREMA),
    _sampled("popularity", 0.4535, 0.2543, "Rendle et al. (RecSys 2020), ranked among 99 sampled items"),
)

ML_100K_GAN = (
    LiteratureResult(
        "CFGAN by items, ZR and PM",
        {"precision@5": 0.444, "ndcg@5": 0.476, "precision@20": 0.294, "recall@20": 0.360, "ndcg@20": 0.433},
        "the paper (CIKM 2018), restated in recsyspolimi/ecir-2022-an-evaluation-of-GAN-for-CF",
    ),
)

#: Data set -> its reference results.
LITERATURE: Mapping[str, tuple[LiteratureResult, ...]] = {
    "gowalla": GOWALLA,
    "yelp2018": YELP2018,
    "douban-book-social": DOUBAN_BOOK,
    "douban-book": DOUBAN_BOOK,
    "lastfm-hetrec": LASTFM,
    "beauty": BEAUTY,
    "toys": TOYS,
    "sports": SPORTS,
    "beauty-bert4rec": BEAUTY_BERT4REC,
    "ml-1m": ML_1M,
    "ml-1m-ncf": ML_1M_NCF,
    "ml-100k-gan": ML_100K_GAN,
    "ml-100k-u1": ML_100K_U1,
    "ml-100k": ML_100K,
}
