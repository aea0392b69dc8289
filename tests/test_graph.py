"""The Python face, on both databases."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import graphrec
from graphrec import EvaluationConfig, Graph, PublishConfig, TrainConfig, TuneConfig, TuningBudget, hetero
from graphrec.doctor import machine
from graphrec.doctor.finding import OK, Finding
from graphrec.errors import DataError, GraphrecError, RefusedError, StoreError, UnknownNameError
from graphrec.runs import list_saved
from graphrec.store import Address, Store
from tests.serving import shop
from tests.sizes import NEO4J_IS_SLOW

#: Publishes a run that was not measured.
FORCE = PublishConfig(force=True)


def terms(trials: int, *ks: int) -> EvaluationConfig:
    """A comparison on a random split."""
    return EvaluationConfig("random", ks or (10, 20), effort=TuningBudget(budget=trials))


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
        run = graph.train("item_knn", exported, config=TrainConfig(measured=False), neighbours=20)
        assert run.config["neighbours"] == 20
        with pytest.raises(RefusedError, match="it was not measured"):
            graph.publish(run)
        published = graph.publish(run.id, k=3, config=FORCE)
        assert (published.run, published.users) == (run.id, shop.SIZE)
        item = str(graph.recommend("u4", k=1)["item"].iloc[0])
        why = graph.explain("u4", item)
        assert why.exact
        assert sum(path.contribution for path in why.paths) + why.rest == pytest.approx(why.score, rel=1e-5)
        again = graph.publish(run, k=2, config=FORCE)
        assert again.run == f"{run.id}.2"
        assert graph.explain("u4", item).score == why.score  # the saved run is found by a second publication too
        assert graph.rollback().run == run.id
        assert len(graph.recommend("u4")) == 3
        table = graph.query("find_similar_items", item_id="i4", k=2)
        assert list(table.columns)[:2] == ["item", "title"]
        assert len(table) == 2


@NEO4J_IS_SLOW
def test_recommendations_are_a_table_with_notes(graph: Graph, store: Store) -> None:
    made = shop.trained(store, graph.settings.runs)
    shop.publish(store, made, 3)
    with graph:
        found = graph.recommend("u4", k=2)
        assert isinstance(found, pd.DataFrame)
        assert list(found.columns) == ["item", "title", "score", "rank", "strategy", "detail", "run"]
        assert found["item"].iloc[0] == "i4"
        assert found.attrs["notes"] == [f"published by graph_filter, run {made.run.id}"]
        assert set(graph.recommend("nobody", k=2, anyone=True)["strategy"]) == {"trending"}
        with pytest.raises(UnknownNameError, match="no user 'nobody'"):
            graph.recommend("nobody")
        with pytest.raises(UnknownNameError, match="no query 'find_similar_item'; did you mean find_similar_items"):
            graph.query("find_similar_item")


@NEO4J_IS_SLOW
def test_models_are_compared(graph: Graph) -> None:
    with graph:
        found = graph.evaluate(
            ("popularity", "item_knn"), config=EvaluationConfig("random", effort=TuningBudget(budget=2))
        )
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


@NEO4J_IS_SLOW
def test_a_graph_says_what_it_is_and_when_it_is_closed(graph: Graph, store: Store, tmp_path: Path) -> None:
    told = repr(graph)
    assert told.startswith("<graphrec.Graph bolt://127.0.0.1:")
    assert told.endswith(": 20 users, 20 items>")
    login = Address("bolt://ada:secret@127.0.0.1:7", "ada", "secret")
    graph.store.address = login  # an address may have a login in it
    assert "secret" not in repr(graph)
    assert "bolt://127.0.0.1:7, home" in repr(graph)
    with graph as same:
        assert same is graph
    graph.close()  # twice does no harm
    assert repr(graph) == "<graphrec.Graph bolt://127.0.0.1:7, closed>"
    needs_the_store: list[Callable[[], object]] = [
        lambda: graph.store,
        graph.__enter__,
        graph.schema,
        graph.export,
        graph.runs,
        graph.rollback,
        graph.feedback,
        graph.evaluate,
        lambda: graph.load("movielens"),
        lambda: graph.unlink("movielens"),
        lambda: graph.train("popularity"),
        lambda: graph.tune("ease"),
        lambda: graph.publish("latest"),
        lambda: graph.recommend("u4"),
        lambda: graph.recommend(["u4"]),
        lambda: graph.recommend_all(tmp_path / "all.csv"),
        lambda: graph.answer("u4"),
        lambda: graph.explain("u4", "i4"),
        lambda: graph.query("list_runs"),
    ]
    for work in needs_the_store:
        with pytest.raises(StoreError, match=r"^this graph is closed; graphrec.connect\(\) opens it again$"):
            work()
    assert store.read("RETURN 1 AS one") == [{"one": 1}]


@NEO4J_IS_SLOW
def test_a_graph_whose_database_is_gone_still_says_what_it_is(environment: Path, store: Store) -> None:
    assert environment is not None
    graph = graphrec.connect()
    graph.store.close()  # as if the server had gone
    assert repr(graph).endswith(", which does not answer>") or "0 users" in repr(graph)
    assert store.read("RETURN 1 AS one")


@NEO4J_IS_SLOW
def test_every_command_is_a_method(graph: Graph) -> None:
    commands = {path.stem for path in (Path(__file__).parent.parent / "scripts").glob("[a-z]*.py")}
    without_a_graph = {"benchmark", "demo", "store"}  # the first two need none, the third starts and stops the server
    several = {
        "key": {"create_key", "list_keys", "revoke_key"},
        "rejected": {"list_rejected", "retry_rejected", "delete_rejected"},
        "mcp": {"serve_tools"},
        "explain": {"explain", "rewrite"},
        "experiment": {"start_experiment", "stop_experiment", "list_experiments", "measure_experiment"},
        "operate": {"operate", "operate_until_ended", "list_decisions"},
    }
    names = (commands - without_a_graph - several.keys()).union(*several.values())
    assert [name for name in sorted(names) if not callable(getattr(graph, name, None))] == []


@NEO4J_IS_SLOW
def test_runs_are_a_table_and_are_named_by_their_first_letters(graph: Graph) -> None:
    with graph:
        assert graph.runs()["run"].tolist() == [run.id for run in reversed(list_saved(graph.settings.runs))]
        exported = graph.export()
        first = graph.train("popularity", exported, config=TrainConfig(measured=False))
        second = graph.train("item_knn", exported, config=TrainConfig(measured=False), neighbours=20)
        graph.publish(first.id[:-1], k=2, config=FORCE)
        with pytest.raises(DataError, match="k is an integer from 1 to 1,000,000,000, not 0"):
            graph.publish("latest", k=0, config=FORCE)
        with pytest.raises(DataError, match="similar is an integer"):
            graph.publish("latest", config=PublishConfig(similar=True, force=True))
        graph.publish("latest", k=2, config=FORCE)
        found = graph.runs().set_index("run")
        assert found["state"][[second.id, first.id]].tolist() == ["active", "kept"]
        assert str(found["activated_at"].dtype) == str(found["created_at"].dtype) == "datetime64[ms, UTC]"
        assert found["activated_at"][second.id] > found["activated_at"][first.id] > pd.Timestamp("2026-01-01", tz="UTC")
        assert graph.explain("u4", "i4", run=first).run == graph.explain("u4", "i4", run=first.id[:-1]).run == first.id
        assert graph.explain("u4", "i4", run="latest").run == second.id
        compared = graph.query("compare_runs", old_run_id="popul", new_run_id=second.id)
        assert compared.equals(graph.query("compare_runs", old_run_id=first.id, new_run_id="item_knn"))
        with pytest.raises(UnknownNameError, match="there is no run 'nothing'"):
            graph.publish("nothing")
        assert graph.rollback(first).run == first.id
        blend = graph.blend([first, second.id[:-1]], exported, config=TrainConfig(measured=False), weights="0.3 0.7")
        assert (blend.run.model, blend.run.config["weights"]) == ("ensemble", "0.3 0.7")
        assert [run.id for run in blend.members] == [first.id, second.id]
        assert [pytest.approx([0.3, 0.7])] == [list(row) for row in blend.weights]
        with pytest.raises(DataError, match="a blend needs two or more different runs"):
            graph.blend(first.id)


@NEO4J_IS_SLOW
def test_what_else_commands_do(graph: Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # tests/scripts/test_doctor.py imports torch in a process of its own.
    monkeypatch.setattr(machine, "check_torch", lambda: Finding("torch", OK, ""))
    (tmp_path / "orders.csv").write_text("customer,product,quantity\n" + "c1,p1,2\nc1,p2,1\nc2,p1,3\n" * 3)
    with graph:
        spec = Graph.sniff(str(tmp_path / "orders.csv"), tmp_path)
        assert 'file = "orders.csv"' in spec
        assert Graph.sniff([tmp_path / "orders.csv"], tmp_path) == spec
        with pytest.raises(DataError, match="there is no SQLite file"):
            Graph.sniff("sqlite:///missing.db", tmp_path)
        with pytest.raises(DataError, match="this is a data frame"):
            Graph.sniff(pd.DataFrame({"customer": [1]}))  # type: ignore[arg-type]  # it iterates over texts
        with pytest.raises(UnknownNameError, match="no loaded source 'shop'"):
            graph.unlink("shop")
        if graph.store.embedded:  # it takes seconds, and tests/doctor has both
            found = graph.doctor()
            assert list(found.columns) == ["area", "name", "state", "seen", "remedy"]
            assert set(found["area"]) == {"machine", "store", "data"}
        with pytest.raises(GraphrecError, match="the graph has no SHOWN edges"):
            graph.feedback()
        shown = (
            "MATCH (u:User)-[e:PURCHASED]->(i:Item) "
            "CREATE (u)-[:SHOWN {run: 'a', rank: 1, timestamp: e.timestamp - 60}]->(i)"
        )
        graph.store.write(shown)
        clicked = graph.feedback("PURCHASED", window="1h")
        assert clicked["estimate"].tolist() == ["click_rate", "ips", "capped_ips", "self_normalised"]
        first = clicked.iloc[0]
        assert (first["run"], first["shown"], first["clicks"], first["value"]) == ("a", 180, 180, 1.0)


@NEO4J_IS_SLOW
def test_one_model_is_no_list_and_lengths_are_checked(graph: Graph) -> None:
    with graph:
        exported = graph.export()
        run = graph.train("item_knn", exported, config=TrainConfig(measured=False), neighbours=20)
        found = graph.evaluate(
            "popularity", exported, "latest", EvaluationConfig("random", (5,), effort=TuningBudget(budget=1))
        )
        assert found["model"].tolist() == ["popularity", run.id]
        assert {name.split("@")[1] for name in found.columns if "@" in name} == {"5"}
        for wrong, said in (("popularit", "no model 'popularit'; did you mean popularity"), (5, "no model '5'")):
            with pytest.raises(UnknownNameError, match=said):
                graph.evaluate(wrong)  # type: ignore[arg-type]  # what a caller may do
        with pytest.raises(DataError, match="a cut-off k is an integer from 1"):
            graph.evaluate("popularity", exported, config=EvaluationConfig(ks=(0,)))
        tuned = graph.tune(
            "item_knn", exported, TuneConfig("random", num_trials=2, study=graph.settings.home / "a.journal")
        )
        assert "neighbours" in tuned.config
        assert len(tuned.trials) >= 2


def test_options_of_config_objects_are_named() -> None:
    graph = Graph(None, graphrec.config.Settings())
    calls: list[tuple[Callable[[], object], type[Exception], str]] = [
        (
            lambda: graph.train("item_knn", split="random"),
            DataError,
            r"^item_knn has no setting 'split'; split is a field of TrainConfig: write config=TrainConfig\(split=…\)$",
        ),
        (
            lambda: graph.evaluate(["item_knn"], k=5),  # type: ignore[call-arg]  # what a caller may do
            TypeError,
            r"^Graph.evaluate\(\) has no argument 'k'; did you mean config=EvaluationConfig\(ks=…\)\?$",
        ),
        (
            lambda: graph.publish("latest", force=True),  # type: ignore[call-arg]  # what a caller may do
            TypeError,
            r"force is a field of PublishConfig: write config=PublishConfig\(force=…\)$",
        ),
        (
            lambda: graph.tune("ease", trials=3),  # type: ignore[call-arg]  # what a caller may do
            TypeError,
            r"^Graph.tune\(\) has no argument 'trials'; did you mean config=TuneConfig\(num_trials=…\)\?$",
        ),
        (lambda: Graph("/path"), TypeError, r"graphrec.connect\(\) opens a graph"),  # type: ignore[arg-type]
        (lambda: graph.explain("u4", what=1), TypeError, r"^Graph.explain\(\)"),  # type: ignore[call-arg]
    ]
    for call, error, message in calls:
        with pytest.raises(error, match=message):
            call()
