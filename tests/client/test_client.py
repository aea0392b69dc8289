"""`graphrec.Client` against a real server: the same tables as `Graph`, hostile ids, and errors of the same kinds."""

import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest

import graphrec
from graphrec.client import Client
from graphrec.config import Settings
from graphrec.errors import DataError, GraphrecError, RefusedError, UnknownNameError
from graphrec.graph import Graph
from graphrec.runs import TrainedRun
from graphrec.store import EmbeddedServer, Store
from tests.api.served import Served

HOSTILE = [
    "a/b",
    "new\nline",
    "<script>alert(1)</script>",
    "Zoë 日本",
    "' OR 1=1",
    "..",
    ".",
    "%2F",
    "a?b#c",
    "x" * 900,
]


@pytest.fixture
def clients(served: Served) -> Iterator[dict[str, Client]]:
    """A client for each scope."""
    made = {scope: Client(served.url, key) for scope, key in served.keys.items()}
    yield made
    for client in made.values():
        client.close()


def test_the_client_is_light_and_needs_no_further_package() -> None:
    heavy = ["pandas", "numpy", "torch", "neo4j", "httpx", "fastapi", "click"]
    script = f"import sys, graphrec; graphrec.Client('http://x'); print([n for n in {heavy} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert graphrec.Client is Client


def test_recommendations_are_those_of_the_graph(
    clients: dict[str, Client], shop_store: Store, embedded: EmbeddedServer
) -> None:
    settings = Settings(graphrec_home=embedded.home, neo4j_uri=None)
    graph = Graph(shop_store, settings)
    client = clients["read"]
    there, here = client.recommend("u8", 3), graph.recommend("u8", 3)
    assert there.to_dict("records") == here.to_dict("records")
    assert list(there.columns) == list(here.columns)
    assert there.attrs["recommendation_id"].startswith("r_")
    assert there.attrs["run"] == there["run"][0]
    users = np.array(["u8", "u9", "u8"])
    many, ours = client.recommend(users, 2), graph.recommend(users, 2)
    assert many.to_dict("records") == ours.to_dict("records")
    assert list(many.columns) == list(ours.columns)
    assert list(many.attrs["notes"]) == ["u8", "u9"]
    best = there["item"][0]
    assert best not in client.recommend("u8", 3, exclude=[best])["item"].tolist()
    assert client.recommend("nobody", 2, anyone=True).attrs["notes"][0].startswith("unknown user 'nobody'")
    assert client.answer("u8", 3, explain=True)["items"][0]["because"]["label"] == "Item"
    assert graph.schema().to_dict("records") == client.schema().to_dict("records")


def test_all_other_reads(clients: dict[str, Client], shop_run: TrainedRun) -> None:
    client = clients["read"]
    session = client.recommend_for_session(["i1", "i3"], 3)
    assert not {"i1", "i3"} & set(session["item"])
    assert set(session["strategy"]) == {"fold_in"}
    assert client.recommend_for_group(["u8", "u9"], 2)["rank"].tolist() == [1, 2]
    item = client.recommend("u8", 1)["item"][0]
    explained = client.explain("u8", item)
    assert isinstance(explained, dict)
    assert explained["sentence"] == client.explain("u8", item, form="sentence")
    assert str(client.explain("u8", item, form="svg")).startswith("<svg")
    similar = client.similar_items("i2", 3)
    assert list(similar.columns) == ["item", "title", "score", "rank"]
    assert similar.attrs["strategy"] in ("model", "common_users")
    assert len(client.audience("i2", 5)) > 0
    assert client.user("u8")["user"] == "u8"
    assert "list_history" in {each["name"] for each in client.queries()}
    assert "item" in client.query("list_history", user_id="u8", k=2).columns
    runs = clients["admin"].runs()
    assert runs["run"][0] == shop_run.run.id
    with pytest.raises(DataError, match="is the active run already"):
        clients["admin"].activate(shop_run.run.id)
    assert client.is_ready()


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_ids_come_through(clients: dict[str, Client], name: str) -> None:
    write = clients["write"]
    assert write.put_user(name, {"note": name})["created"]
    try:
        assert clients["read"].user(name)["properties"] == {"note": name}
        item = clients["read"].recommend(name, 1)["item"][0]
        posted = write.post_events([{"behaviour": "VIEWED", "user": name, "item": item}])
        assert posted == {"accepted": 1, "repeated": 0, "rejected": []}
        assert clients["read"].user(name)["history"][0]["item"] == item
    finally:
        assert clients["admin"].delete_user(name)["nodes"] == 1
    with pytest.raises(UnknownNameError):
        clients["read"].user(name)


def test_events_are_written_once_by_their_ids_in_batches(clients: dict[str, Client]) -> None:
    write = clients["write"]
    events = [{"event": f"c{n}", "behaviour": "VIEWED", "user": "client user", "item": "i1"} for n in range(600)]
    assert write.post_events(events)["accepted"] == 600
    again = write.post_events([*events[:5], {"behaviour": "VIEWED", "user": "client user", "item": "no such"}])
    assert again["repeated"] == 5
    assert "there is no item" in again["rejected"][0]["reason"]
    assert clients["admin"].delete_user("client user")["edges"] == 600
    assert (write.can_write(), clients["read"].can_write()) == (True, False)


def test_errors_have_the_kinds_of_the_graph_and_the_sentence_of_the_server(clients: dict[str, Client]) -> None:
    client = clients["read"]
    with pytest.raises(UnknownNameError, match="there is no user 'nobody'"):
        client.recommend("nobody")
    with pytest.raises(UnknownNameError, match="there is no query 'list_histori'; did you mean list_history"):
        client.query("list_histori")
    with pytest.raises(UnknownNameError):
        client.similar_items("no such item")
    with pytest.raises(DataError, match="less than or equal to 100"):
        client.recommend("u8", 101)
    with pytest.raises(DataError, match="k is an integer from 1"):
        client.recommend("u8", 0)
    with pytest.raises(RefusedError, match="this route needs admin"):
        client.runs()
    with pytest.raises(RefusedError, match="this route needs write"):
        client.put_item("i1", {"stock": 1})
    with pytest.raises(GraphrecError):
        clients["admin"].activate("no such run")


def test_the_key_is_not_shown(served: Served) -> None:
    secret = "gr_00000000_" + "s" * 43
    client = Client(served.url, secret)
    assert secret not in repr(client)
    with pytest.raises(RefusedError, match="a valid key is missing") as caught:
        client.user("u1")
    client.close()
    assert "sss" not in repr(caught.value) + repr(caught.value.__context__)
    for bad in ("key\nwith line", "schlüssel", ""):
        with pytest.raises(DataError, match="the key has characters that no key has") as refused:
            Client(served.url, bad)
        assert not bad or bad not in str(refused.value)
    for address in ("ftp://x", "http://", "http://user:pass@x", "http://x:99999", "http://x?y"):
        with pytest.raises(DataError) as invalid:
            Client(address)
        assert "pass@" not in str(invalid.value)
