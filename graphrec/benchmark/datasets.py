"""Published splits by name: `open_dataset("gowalla")` is the same graph, known and test part for every model."""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

from graphrec.benchmark import readers
from graphrec.benchmark.literature import PUBLISHED, LiteratureResult
from graphrec.benchmark.readers import Files
from graphrec.errors import DataError, UnknownNameError, first_few
from graphrec.evaluation.assembly import drop, num_edges, relation_names
from graphrec.hetero import HeteroGraph
from graphrec.interactions import Interactions
from graphrec.train_view import restrict

#: The variable that names the folder of all data sets, and where they are looked for without it.
VARIABLE = "GRAPHREC_DATA"
DEFAULT_ROOT = Path("../shared/data")

#: What a model is asked for: the best new items of each user, or the ratings of pairs.
Task = Literal["ranking", "rating"]


@dataclass(frozen=True, eq=False)
class Dataset:
    """A published split: `known` is what a model may learn from, `truth` what it is tested on once.

    `graph` has the known part as its target behaviour and everything else that is in the files, less the edges of other
    behaviours between the users and items of `truth`: a view or a tag of what is to be found would tell. `cut` says how
    many of each relationship type were taken out for that, `left_out` which types were left out on purpose.
    """

    name: str
    graph: HeteroGraph
    known: Interactions
    truth: Interactions
    cut: Mapping[str, int]
    published: tuple[LiteratureResult, ...] = ()
    task: Task = "ranking"
    left_out: tuple[str, ...] = ()

    def without(self, relations: Iterable[str]) -> "Dataset":
        """The data set less some relationship types; UnknownNameError where the graph has no such type."""
        names = list(relations)
        there = relation_names(self.graph)
        for name in names:
            if name not in there:
                raise UnknownNameError(f"relation of {self.name} beside {self.graph.target[1]}", name, there)
        left_out = tuple(dict.fromkeys([*self.left_out, *names]))
        return replace(self, graph=drop(self.graph, names), left_out=left_out) if names else self

    def only(self, relations: Iterable[str]) -> "Dataset":
        """The data set with no relationship types beside its target but these; UnknownNameError as in `without`."""
        kept = {*relations, self.graph.target[1]}
        self.without(kept - {self.graph.target[1]})  # for its error
        return self.without(name for name in relation_names(self.graph) if name not in kept)


@dataclass(frozen=True)
class _Entry:
    folder: str
    read: Callable[[Path], Files]
    without: tuple[str, ...] = ()
    task: Task = "ranking"


DATASETS: Mapping[str, _Entry] = {
    "gowalla": _Entry("gowalla", readers.gowalla),
    "douban-book-social": _Entry("douban-book-social", readers.douban_book_social),
    "douban-book": _Entry("douban-book-social", readers.douban_book_social, ("FOLLOWS",)),
    "lastfm-hetrec": _Entry("lastfm-hetrec", readers.lastfm),
    "tmall-mbcgcn": _Entry("tmall-mbcgcn", readers.tmall),
    "retailrocket-sslrec": _Entry("retailrocket-sslrec", readers.retailrocket),
    **{
        f"ml-100k-u{fold}": _Entry("ml-100k", partial(readers.ml_100k, fold=fold), task="rating")
        for fold in range(1, 6)
    },
}


def open_dataset(name: str, root: Path | None = None) -> Dataset:
    """A published split by its name, from its folder in `root`, or in that which GRAPHREC_DATA names.

    Raises:
        UnknownNameError: there is no such data set.
        DataError: its folder is not there, or a file in it is defective.
    """
    if name not in DATASETS:
        raise UnknownNameError("data set", name, DATASETS, "or give two files, TRAIN and TEST")
    entry = DATASETS[name]
    base = root or Path(os.environ.get(VARIABLE) or DEFAULT_ROOT)
    folder = base / entry.folder
    if not folder.is_dir():
        raise DataError(
            f"data set {name} is looked for in {folder}, which is no folder; let {VARIABLE} name the folder that holds "
            f"{first_few(sorted({known.folder for known in DATASETS.values()}), 20)}"
        )
    # a variant by its own name leaves nothing out on purpose: the relation is not part of it
    return replace(guarded(name, entry.read(folder), entry.task).without(entry.without), left_out=())


def open_files(train: Path, test: Path, social: Path | None = None) -> Dataset:
    """A split of one's own: files with one line `user item item …` for each user; DataError as `read_pairs` does."""
    return guarded(train.name, readers.text_split(train, test, social))


def guarded(name: str, files: Files, task: Task = "ranking") -> Dataset:
    """The Dataset of what a reader found, with the edges cut that would tell the truth."""
    graph = restrict(files.graph, files.known, None, files.truth)
    before, after = num_edges(files.graph), num_edges(graph)
    cut = {relation: before[relation] - after[relation] for relation in before if before[relation] > after[relation]}
    return Dataset(name, graph, files.known, files.truth, cut, PUBLISHED.get(name, ()), task)
