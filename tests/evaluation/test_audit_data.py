"""No false alarm: every real data set passes its audit when it is split and cut as a comparison does it."""

from pathlib import Path

import numpy as np
import pytest

from graphrec import loader_registry
from graphrec.benchmark.datasets import DATASETS, open_dataset
from graphrec.evaluation.audit import audit, require_clean
from graphrec.hetero import HeteroGraph, build, interactions
from graphrec.interactions import join
from graphrec.splitting import Split, splits
from graphrec.train_view import restrict

SOURCES = {
    "ml-latest-small": "movielens",
    "ml-100k": "movielens",
    "lastfm-hetrec": "lastfm",
    "amazon-musical-instruments": "amazon",
    "ciao": "ciao",
    "filmtrust": "filmtrust",
    "steam": "steam",
    "gowalla": "interactions",
    "douban-book-social": "interactions",
}
SPECS = ("time", "random", "leave-last-out")
MORE = ("rolling(windows=2)", "random-by-user", "k-fold(folds=2)", "cold-items", "cold-users")
QUICK = ("ml-100k-u1", "lastfm-hetrec", "filmtrust", "filmtrust-random", "amazon-musical-instruments-time", "beauty")


def folder_of(data_root: Path, name: str) -> Path:
    folder = data_root / name
    if not folder.is_dir():
        pytest.skip(f"the data set {name} is not there; GRAPHREC_DATA names the folder of data sets")
    return folder


def need_clean(graph: HeteroGraph, parts: Split) -> None:
    """Both stages of a comparison: the choice of settings on validation, and the test."""
    later = join(parts.validation, parts.test)
    seen = restrict(graph, parts.train, parts.cut, later)
    require_clean(audit(seen, parts.train, later, parts.cut, whole=graph))
    known = join(parts.train, parts.validation)
    cut = None if parts.cut is None or parts.test.time is None else int(parts.test.time.min())
    found = audit(restrict(graph, known, cut, parts.test), known, parts.test, cut, whole=graph)
    require_clean(found)
    assert found.checks[0].num_checked == len(known)


def marked(names: object) -> list[object]:
    return [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in names]  # type: ignore[attr-defined]  # any iterable of names


@pytest.mark.parametrize("name", marked(name for name in DATASETS if name not in ("ml-100k-u2", "ml-100k-u3")))
def test_published_splits_are_clean(name: str, data_root: Path) -> None:
    folder_of(data_root, DATASETS[name].folder)
    data = open_dataset(name, data_root)
    require_clean(audit(data.graph, data.train, data.test, None, whole=data.graph))
    (parts,) = splits("random", data.train, np.random.default_rng(0))  # what settings are chosen on
    need_clean(data.graph, parts)


@pytest.mark.parametrize("name", marked(SOURCES))
@pytest.mark.parametrize("specs", [SPECS, pytest.param(MORE, marks=pytest.mark.slow)], ids=["usual", "more"])
def test_loaded_sources_are_clean_under_every_split(name: str, specs: tuple[str, ...], data_root: Path) -> None:
    tables = loader_registry.get(SOURCES[name]).load(folder_of(data_root, name))
    for behaviour in tables.schema.behaviours():
        graph = build(tables, behaviour.relation)
        whole = interactions(graph)
        for spec in specs:
            if whole.time is None and spec.startswith(("time", "rolling")):
                continue
            for parts in splits(spec, whole, np.random.default_rng(0)):
                need_clean(graph, parts)
