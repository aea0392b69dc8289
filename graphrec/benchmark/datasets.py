"""Published splits and our own by name: `open_dataset("gowalla")` returns the same graph and parts for every model."""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal, get_args

from graphrec.benchmark import citeulike, own_splits, pair_files, readers, sequences
from graphrec.benchmark.literature import LITERATURE, LiteratureResult
from graphrec.benchmark.readers import PublishedSplit
from graphrec.errors import DataError, UnknownNameError, first_few
from graphrec.evaluation.assembly import drop, num_edges, relation_names
from graphrec.hetero import HeteroGraph
from graphrec.interactions import Interactions, join
from graphrec.train_view import restrict
from graphrec.vocabulary import IndexArray

#: Environment variable with the folder that contains all data sets.
VARIABLE = "GRAPHREC_DATA"

#: What a model predicts: a ranking of new items for each user, or ratings of pairs.
Task = Literal["ranking", "rating"]

#: How the test part of a split was drawn, as the author of the split says: a random part of all interactions or of each
#: history; the newest interactions; the last interaction (or one interaction) of each user; the last interaction of
#: each user, which follows all others of this user in the order of time; or not known.
SplitKind = Literal["random", "time", "last", "next", "unknown"]

#: Seed of our own random splits.
SEED = 0

#: Cut-off of most published results.
KS = (20,)


@dataclass(frozen=True, eq=False)
class Dataset:
    """A split that everyone can repeat: a published one, one of our own, or that of two files.

    graph: training interactions as the target behaviour, and everything else in the files without the edges of other
        behaviours that join a test pair: a view or a tag of a test item would reveal it.
    train: interactions to learn from.
    test: interactions to test on once.
    cut: number of edges removed from `graph` for that reason, by relationship type.
    published: results from the literature.
    left_out: relationship types removed on request.
    drawn: how the test part was drawn, as the author of the split says; it is never derived from the test part. With
        `next`, models are measured by the rank of the one test item of each user (`evaluate_next_items`).
    mask_seen: whether the items of a history are left out of the ranking; only with `next`.
    negatives: items [len(test), n] sampled for each test interaction, -1 for an empty place; None without them.
    validation: the author's validation part, on which settings are chosen; None: they are chosen on parts of train.
    cold_items: items [n] that are in no training interaction by design of the split, so that metrics are also given for
        rankings of them alone and of the others alone; None without them.
    ks: cut-offs of the metrics of lists, those of the published results.
    masks_validation: whether the items of the author's validation part are not ranked at test either.
    """

    name: str
    graph: HeteroGraph
    train: Interactions
    test: Interactions
    cut: Mapping[str, int]
    published: tuple[LiteratureResult, ...] = ()
    task: Task = "ranking"
    left_out: tuple[str, ...] = ()
    drawn: SplitKind = "unknown"
    mask_seen: bool = True
    negatives: IndexArray | None = None
    validation: Interactions | None = None
    cold_items: IndexArray | None = None
    ks: tuple[int, ...] = KS
    masks_validation: bool = False

    @property
    def seen(self) -> Interactions:
        """The interactions whose items are not ranked at test."""
        if self.validation is None or not self.masks_validation:
            return self.train
        return join(self.train, self.validation)

    @property
    def headline(self) -> tuple[str, str]:
        """The two metrics that tables, plots and ablations show."""
        return ("hit_rate@10", "ndcg@10") if self.drawn == "next" else ("recall@20", "ndcg@20")

    def without(self, relations: Iterable[str]) -> "Dataset":
        """The data set without some relationship types; UnknownNameError if the graph does not have a type."""
        names = list(relations)
        existing = relation_names(self.graph)
        for name in names:
            if name not in existing:
                raise UnknownNameError("auxiliary relation", name, existing, owner=self.name)
        left_out = tuple(dict.fromkeys([*self.left_out, *names]))
        return replace(self, graph=drop(self.graph, names), left_out=left_out) if names else self

    def only(self, relations: Iterable[str]) -> "Dataset":
        """The data set with only these relationship types and its target; UnknownNameError as in `without`."""
        kept = {*relations, self.graph.target[1]}
        self.without(kept - {self.graph.target[1]})  # raises if a name is unknown
        return self.without(name for name in relation_names(self.graph) if name not in kept)


@dataclass(frozen=True)
class _Entry:
    folder: str
    read: Callable[[Path], PublishedSplit]
    drawn: SplitKind
    without: tuple[str, ...] = ()
    task: Task = "ranking"
    ks: tuple[int, ...] = KS
    masks_validation: bool = False


DATASETS: Mapping[str, _Entry] = {
    "gowalla": _Entry("gowalla", readers.read_lightgcn_split, "random"),
    "yelp2018": _Entry("yelp2018", readers.read_lightgcn_split, "random"),
    "douban-book-social": _Entry("douban-book-social", readers.read_douban_book_social, "random"),
    "douban-book": _Entry("douban-book-social", readers.read_douban_book_social, "random", ("FOLLOWS",)),
    "lastfm-hetrec": _Entry("lastfm-hetrec", readers.read_lastfm, "random"),
    "tmall-mbcgcn": _Entry("tmall-mbcgcn", readers.read_tmall, "last"),
    "retailrocket-sslrec": _Entry("retailrocket-sslrec", readers.read_retailrocket, "last"),
    **{
        name: _Entry("s3rec", partial(sequences.read_s3rec, name=file), "next")
        for name, file in (
            ("beauty", "Beauty"),
            ("toys", "Toys_and_Games"),
            ("sports", "Sports_and_Outdoors"),
            ("yelp-s3", "Yelp"),
        )
    },
    "lastfm-s3": _Entry("s3rec", partial(sequences.read_s3rec, name="LastFM", behaviour=readers.INTERACTED), "next"),
    "beauty-bert4rec": _Entry("amazon-beauty-bert4rec", sequences.read_sequences, "next"),
    "citeulike-a-cold": _Entry("citeulike-a-cold", citeulike.read_citeulike_cold, "random"),
    "ml-1m-diffrec": _Entry("ml-1m-diffrec", pair_files.read_ml_1m_diffrec, "time", ks=(10, 20), masks_validation=True),
    "ml-100k-gan": _Entry("ml-100k-gan", pair_files.read_ml_100k_gan, "random", ks=(5, 20)),
    "ml-1m": _Entry("ml-1m", sequences.read_ml_1m, "next"),
    "ml-1m-ncf": _Entry("ml-1m", sequences.read_ml_1m_ncf, "next"),
    **{
        f"ml-100k-u{fold}": _Entry("ml-100k", partial(readers.read_ml_100k, fold=fold), "random", task="rating")
        for fold in range(1, 6)
    },
    **{
        f"{folder}-random": _Entry(folder, partial(own_splits.split_at_random, read=read, seed=SEED), "random")
        for folder, read in own_splits.RANDOM.items()
    },
    **{
        f"{folder}-time": _Entry(folder, partial(own_splits.split_by_time, read=read), "time")
        for folder, read in own_splits.BY_TIME.items()
    },
}


def open_dataset(name: str, root: Path | None = None) -> Dataset:
    """A split by its name, from its folder in `root`, by default the folder that GRAPHREC_DATA names.

    Raises:
        UnknownNameError: the data set does not exist.
        DataError: neither `root` nor GRAPHREC_DATA is given, the folder does not exist, or a file in it is defective.
    """
    if name not in DATASETS:
        raise UnknownNameError("data set", name, DATASETS, "or give two files, TRAIN and TEST")
    entry = DATASETS[name]
    folder = (root or data_root(name)) / entry.folder
    if not folder.is_dir():
        raise DataError(f"data set {name} needs the folder {folder}, which does not exist; {_REMEDY}")
    dataset = remove_test_edges(name, entry.read(folder), entry.task, entry.drawn).without(entry.without)
    # `left_out` is empty for a variant with a name of its own: the relation is not part of that data set
    return replace(dataset, left_out=(), ks=entry.ks, masks_validation=entry.masks_validation)


def data_root(name: str) -> Path:
    """The folder that GRAPHREC_DATA names; DataError if it is not set, which says that `name` needs it."""
    root = os.environ.get(VARIABLE)
    if not root:
        raise DataError(f"data set {name} needs the environment variable {VARIABLE}, which is not set; {_REMEDY}")
    return Path(root)


_REMEDY = (
    f"set {VARIABLE} to the folder that contains {first_few(sorted({entry.folder for entry in DATASETS.values()}), 20)}"
)


def is_available(name: str, root: Path | None = None) -> bool:
    """Whether the folder of a data set is in `root`, by default the folder that GRAPHREC_DATA names.

    Raises DataError if neither is given.
    """
    return ((root or data_root(name)) / DATASETS[name].folder).is_dir()


def open_files(train: Path, test: Path, social: Path | None = None, drawn: SplitKind = "unknown") -> Dataset:
    """A split from files with one line `user item item …` per user, whose test part was drawn as `drawn` says.

    Such files have no times. If `drawn` is time or next, the items of each user must be in the order of time, the
    oldest first: `train.time` is then the position in the history, and can be compared only within a history.

    Raises:
        UnknownNameError: `drawn` is not a SplitKind.
        DataError: as `read_pairs` does.
    """
    if drawn not in get_args(SplitKind):
        raise UnknownNameError("kind of split", drawn, get_args(SplitKind))
    files = readers.read_text_split(train, test, social)
    if drawn in ("time", "next"):
        files = replace(files, train=replace(files.train, time=readers.number_within(files.train.user_index)))
    return remove_test_edges(train.name, files, drawn=drawn)


def remove_test_edges(
    name: str, files: PublishedSplit, task: Task = "ranking", drawn: SplitKind = "unknown"
) -> Dataset:
    """The Dataset of a split that was read, without edges of other behaviours that reveal test pairs."""
    held = files.test if files.validation is None else join(files.test, files.validation)
    graph = restrict(files.graph, files.train, None, held)
    before, after = num_edges(files.graph), num_edges(graph)
    cut = {relation: before[relation] - after[relation] for relation in before if before[relation] > after[relation]}
    published = LITERATURE.get(name, ())
    dataset = Dataset(name, graph, files.train, files.test, cut, published, task, drawn=drawn)
    return replace(dataset, negatives=files.negatives, validation=files.validation, cold_items=files.cold_items)
