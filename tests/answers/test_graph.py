"""The Python face, on both databases."""

from pathlib import Path

import pandas as pd
import pytest

import graphrec
from graphrec import Graph, hetero
from graphrec.errors import RefusedError, StoreError, UnknownNameError
from graphrec.pipeline import Training
from graphrec.store import Address, Store

from . import shop


@pytest.fixture
def graph(environment: Path, store: Store) -> Graph:
    """The shop, by what the environment says."""
    shop.build(store)
    assert environment.is_dir() or not environment.exists()
    return graphrec.connect()


def test_a_round_trip(graph: Graph, tmp_path: Path) -> None:
    with graph:
        schema = graph.schema().set_index("type")
        assert (schema.loc["PURCHASED", "count"], schema.loc["PURCHASED", "from"]) == (180, "User")
        exported = graph.export()
        hetero.save(exported, tmp_path / "graph.pt")
        assert exported.target == ("User", "PURCHASED", "Item")
        run = graph.train("item_knn", exported, how=Training(measured=False), neighbours=20)
        assert run.config["neighbours"] == 20
        with pytest.raises(RefusedError, match="it was not measured"):
            graph.publish(run)
        published = graph.publish(run.id, k=3, force=True)
        assert (published.run, published.users) == (run.id, shop.SIZE)
        item = str(graph.recommend("u4", k=1)["item"].iloc[0])
        why = graph.explain("u4", item)
        assert why.exact
        assert sum(path.contribution for path in why.paths) + why.rest == pytest.approx(why.score, rel=1e-5)
        again = graph.publish(run, k=2, force=True)
        assert again.run == f"{run.id}.2"
        assert graph.explain("u4", item).score == why.score  # the saved run is found by a second publication too
        assert graph.rollback() == run.id
        assert len(graph.recommend("u4")) == 3
        table = graph.query("find_similar_items", item_id="i4", k=2)
        assert list(table.columns)[:2] == ["item", "title"]
        assert len(table) == 2


def test_recommendations_are_a_table_with_notes(graph: Graph, store: Store) -> None:
    made = shop.trained(store, graph.settings.runs)
    shop.publish(store, made, 3)
    with graph:
        found = graph.recommend("u4", k=2)
        assert isinstance(found, pd.DataFrame)
        assert list(found.columns) == ["item", "title", "score", "rank", "way", "run"]
        assert found["item"].iloc[0] == "i4"
        assert found.attrs["notes"] == [f"published by graph_filter, run {made.run.id}"]
        assert set(graph.recommend("nobody", k=2, anyone=True)["way"]) == {"trending"}
        with pytest.raises(UnknownNameError, match="no user 'nobody'"):
            graph.recommend("nobody")
        with pytest.raises(UnknownNameError, match="no query 'find_similar_item'; did you mean find_similar_items"):
            graph.query("find_similar_item")


def test_models_are_compared(graph: Graph) -> None:
    with graph:
        found = graph.evaluate(("popularity", "item_knn"), split="random", trials=2)
    assert found["model"].tolist() == ["popularity", "item_knn"]
    assert {"ndcg@10", "recall@20"} <= set(found.columns)
    assert found["ndcg@10"].iloc[1] >= found["ndcg@10"].iloc[0]


def test_arguments_come_before_the_environment(
    address: Address, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEO4J_URI", "bolt://127.0.0.1:1")
    monkeypatch.setenv("GRAPHREC_HOME", str(tmp_path / "elsewhere"))
    login = (address.uri, address.username, address.password, address.database)
    with graphrec.connect(*login, home=tmp_path / "home") as graph:
        assert graph.settings.home == tmp_path / "home"
        assert graph.store.read("RETURN 1 AS one") == [{"one": 1}]
    with pytest.raises(StoreError, match="no graph database answers"):
        graphrec.connect()


def test_the_package_offers_what_it_says_and_nothing_else() -> None:
    assert {"Graph", "connect"} <= set(dir(graphrec))
    with pytest.raises(AttributeError, match="no attribute 'conect'"):
        graphrec.conect  # noqa: B018
