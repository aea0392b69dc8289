"""The routes of the API, over HTTP on a served shop."""

import secrets
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from graphrec.runs import TrainedRun
from graphrec.store import Store

from .served import Served

#: Ids that break what splices texts into addresses, statements, JSON or pages.
NASTY = [
    "a/b",
    "a%2Fb",
    "..dots",
    "x/recommendations",
    "quote'\"`",
    "line\nbreak\ttab",
    "<script>alert(1)</script>",
    "Zoë 🎬 日本",
    "?k=3&rules=no#x",
    "{}\\u0041 ;--",
]


def items(answer: dict[str, Any]) -> list[str]:
    return [each["item"] for each in answer["items"]]


def event(user: str, item: str, behaviour: str = "PURCHASED", **values: object) -> dict[str, object]:
    return {"event": secrets.token_hex(8), "behaviour": behaviour, "user": user, "item": item, **values}


def test_an_unchanged_user_gets_the_published_list_with_its_run_and_an_id(served: Served, shop_run: TrainedRun) -> None:
    answer = served.recommend("u0", k=3)
    assert items(answer)[0] == "i0"
    assert answer["items"][0]["title"] == "Item 0"
    assert (answer["user"], answer["run"], answer["strategy"]) == ("u0", shop_run.run.id, "published")
    assert [each["rank"] for each in answer["items"]] == [1, 2, 3]
    assert answer["recommendation_id"].startswith("r_")
    assert "u0" not in answer["recommendation_id"]


def test_an_equal_request_is_a_hit_with_the_same_id_and_another_request_is_not(served: Served) -> None:
    first = served.call("GET", "/v1/users/u1/recommendations?k=2")
    again = served.call("GET", "/v1/users/u1/recommendations?k=2")
    other = served.call("GET", "/v1/users/u1/recommendations?k=3")
    assert [each.headers["x-cache"] for each in (first, again, other)] == ["miss", "hit", "miss"]
    assert first.content == again.content
    assert len(other.json()["items"]) == 3


def test_an_event_changes_the_next_answer_of_the_user(served: Served, shop_run: TrainedRun) -> None:
    before = served.recommend("u2", k=4)
    assert before["strategy"] == "published"
    assert served.post_events(event("u2", "i1")) == {"accepted": 1, "repeated": 0, "rejected": []}
    after = served.recommend("u2", k=4)
    assert after["strategy"] == "fold_in", "folded in, not yesterday's list without what was seen"
    assert "i1" not in items(after)
    assert after["run"] == shop_run.run.id
    assert len(after["items"]) == 4


def test_an_event_that_is_sent_again_is_written_once(served: Served, shop_store: Store) -> None:
    one = event("u3", "i0", timestamp=1_790_000_000, recommendation_id="r_1")
    assert served.post_events(one, one) == {"accepted": 1, "repeated": 1, "rejected": []}
    assert served.post_events(one)["repeated"] == 1
    rows = shop_store.read(
        "MATCH (:User {id: 'u3'})-[e:PURCHASED]->(:Item {id: 'i0'}) RETURN properties(e) AS properties"
    )
    assert len(rows) == 1
    found = rows[0]["properties"]
    assert (found["event"], found["timestamp"], found["source"]) == (one["event"], 1_790_000_000, "events")
    assert found["recommendation_id"] == "r_1"


def test_events_of_unknown_items_and_behaviours_are_rejected_and_unknown_users_created(served: Served) -> None:
    user = f"visitor {secrets.token_hex(4)}"
    done = served.post_events(event(user, "i1"), event("u4", "no such item"), event("u4", "i1", "HUMMED"))
    assert done["accepted"] == 1
    assert [each["reason"].split(";")[0] for each in done["rejected"]] == [
        "there is no item no such item",
        "there is no behaviour HUMMED",
    ]
    answer = served.recommend(user, k=3)
    assert answer["strategy"] == "fold_in"
    assert all(int(item[1:]) % 2 for item in items(answer)), "items of the odd group"


def test_the_latest_rating_of_a_pair_counts(served: Served, shop_store: Store) -> None:
    for rating, timestamp in ((2.0, 100), (5.0, 300), (1.0, 200)):
        assert served.post_events(event("u5", "i1", "RATED", rating=rating, timestamp=timestamp))["accepted"] == 1
    rows = shop_store.read("MATCH (:User {id: 'u5'})-[e:RATED]->(:Item) RETURN e.rating AS rating")
    assert rows == [{"rating": 5.0}]
    answer = served.recommend("u5", k=3)
    assert answer["strategy"] == "fold_in", "the model reads other behaviours, so the answer is of all the user did"


def test_impressions_need_their_run_and_rank(served: Served, shop_store: Store) -> None:
    shown = event("u6", "i6", "SHOWN")
    refused = served.call("POST", "/v1/events", "write", json={"events": [shown]})
    assert refused.status_code == 422
    assert "needs the run and the rank" in refused.json()["detail"]
    assert served.post_events(shown | {"run": "r", "rank": 1, "propensity": 0.5})["accepted"] == 1
    rows = shop_store.read(
        "MATCH (:User {id: 'u6'})-[e:SHOWN]->() RETURN e.run AS run, e.rank AS rank, e.propensity AS p"
    )
    assert rows == [{"run": "r", "rank": 1, "p": 0.5}]


def test_excluded_items_rules_and_context_change_the_answer(served: Served) -> None:
    plain = items(served.recommend("u8", k=3))
    assert items(served.recommend("u8", k=3, exclude=plain[0]))[0] == plain[1]
    ruled = served.recommend("u0", k=3, rules="stock")
    assert "i0" not in items(ruled), "sold out"
    assert ruled["trace"][0]["rule"] == "deny 'sold out'"
    session = served.recommend("u8", k=3, context=["i1", "i3"])
    assert session["strategy"] == "fold_in"
    assert not {"i1", "i3"} & set(items(session))
    assert items(served.recommend("u8", k=3)) == plain, "the context is not stored"


def test_reasons_of_a_published_list(served: Served) -> None:
    best, *others = served.recommend("u8", k=3, explain=True)["items"]
    assert best["because"]["label"] == "Item"
    assert best["because"]["id"] in {f"i{number}" for number in range(0, 20, 2)} - {best["item"]}, (
        "their contributions tie"
    )
    assert best["because"]["title"] == best["because"]["id"].replace("i", "Item ")
    assert all("because" in each for each in others), "null where the score is 0 and nothing is the reason"


def test_answers_that_were_folded_in_have_their_reasons_too(served: Served) -> None:
    answer = served.recommend("u8", k=3, context=["i1", "i3"], explain=True)
    assert answer["strategy"] == "fold_in"
    reasons = {each["item"]: each["because"] for each in answer["items"]}
    assert all(reason["label"] in {"Item", "User"} for reason in reasons.values())
    odd = [item for item in reasons if int(item[1:]) % 2]
    assert odd
    assert {reasons[item]["id"] for item in odd} <= {"i1", "i3"}, "only the items of the visit speak for odd items"
    path = f"/v1/users/u8/recommendations/{odd[0]}/explanation"
    live = served.get(path, context=["i1", "i3"], top=100)
    score = next(each["score"] for each in answer["items"] if each["item"] == odd[0])
    assert live["folded_in"]
    assert live["score"] == pytest.approx(score, rel=1e-5), "the score of the answer"
    assert sum(each["contribution"] for each in live["paths"]) + live["rest"] == pytest.approx(score, rel=1e-5)
    assert not any("gone" in each for each in live["paths"]), "what the visit supposes is in no path a deleted edge"
    assert not served.get(path)["folded_in"], "without the visit the score is that of the training"
    body = {"session": ["i1", "i3"], "k": 3, "explain": True}
    (session,) = served.call("POST", "/v1/recommendations", json=body).json()["answers"]
    assert {each["because"]["id"] for each in session["items"]} <= {"i1", "i3"}
    group = served.call("POST", "/v1/recommendations", json={"group": ["u1", "u2"], "explain": True})
    assert (group.status_code, "mean rank" in group.json()["detail"]) == (422, True)


def test_a_user_and_an_item_without_a_score_are_said(served: Served) -> None:
    for path, told in (("u8/recommendations/none", "the item 'none'"), ("nobody/recommendations/i1", "user 'nobody'")):
        found = served.call("GET", f"/v1/users/{path}/explanation")
        assert (found.status_code, told in found.json()["detail"]) == (404, True)


def test_sessions_groups_and_many_users(served: Served) -> None:
    def post(**body: object) -> list[dict[str, Any]]:
        response = served.call("POST", "/v1/recommendations", json={"k": 3, **body})
        assert response.status_code == 200, response.text
        answers: list[dict[str, Any]] = response.json()["answers"]
        return answers

    (session,) = post(session=["i1", "i3"])
    assert session["strategy"] == "fold_in"
    assert all(int(item[1:]) % 2 for item in items(session))
    (group,) = post(group=["u8", "u10"])
    assert len(group["items"]) == 3
    assert [each["user"] for each in post(users=["u8", "u10", "u8"])] == ["u8", "u10"]
    both = served.call("POST", "/v1/recommendations", json={"users": ["u8"], "session": ["i1"]})
    assert both.status_code == 422
    assert both.json()["detail"] == "give exactly one of users, session and group"


def test_similar_items_audience_and_user(served: Served) -> None:
    similar = served.get("/v1/items/i4/similar", k=3)
    assert similar["strategy"] == "model"
    assert all(int(each["item"][1:]) % 2 == 0 for each in similar["items"])
    assert [each["rank"] for each in similar["items"]] == [1, 2, 3]
    audience = served.get("/v1/items/i9/audience", k=5)
    assert audience["users"][0]["user"] == "u9", "who lacks it"
    user = served.get("/v1/users/u9", k=2)
    assert (user["properties"]["town"], len(user["history"])) == ("Odense", 2)
    assert user["num_interactions"] == 9
    assert set(user["friends"]) == {"u7", "u11"}


@pytest.mark.parametrize("form", ["json", "sentence", "svg"])
def test_explanations(served: Served, form: str) -> None:
    response = served.call("GET", f"/v1/users/u8/recommendations/i8/explanation?form={form}")
    assert response.status_code == 200, response.text
    if form == "json":
        assert response.json()["sentence"].startswith("Because you")
        assert response.json()["score"] > 0
    elif form == "sentence":
        assert response.text.startswith("Because you")
    else:
        assert ET.fromstring(response.text).tag.endswith("svg")
    missing = served.call("GET", "/v1/users/u8/recommendations/nothing/explanation")
    assert missing.status_code == 404


def test_a_new_item_can_be_recommended_at_once(served: Served, shop_store: Store) -> None:
    served.post_events(event("u10", items(served.recommend("u10"))[0]))  # so that u10 is folded in
    body = {"properties": {"title": "New", "price": 3}, "attributes": {"IN_GENRE": ["even"]}}
    response = served.call("PUT", "/v1/items/new%20item", "write", json=body)
    assert response.json() == {"id": "new item", "created": True, "properties": 2, "attributes": 1}
    found = {each["item"]: each["title"] for each in served.recommend("u10", k=20)["items"]}
    assert found["new item"] == "New"
    again = served.call("PUT", "/v1/items/new%20item", "write", json={"attributes": {"IN_GENRE": ["odd"]}})
    assert again.json()["created"] is False
    rows = shop_store.read("MATCH (:Item {id: 'new item'})-[:IN_GENRE]->(g) RETURN g.id AS genre")
    assert rows == [{"genre": "odd"}]
    refused = served.call("PUT", "/v1/items/new%20item", "write", json={"properties": {"id": "x"}})
    assert refused.status_code == 422
    shop_store.write("MATCH (i:Item {id: 'new item'}) DETACH DELETE i")


def test_users_are_created_and_deleted_with_all_edges(served: Served, shop_store: Store) -> None:
    assert served.call("PUT", "/v1/users/guest", "write", json={"properties": {"town": "Evora"}}).json()["created"]
    served.post_events(event("guest", "i2"))
    assert served.recommend("guest", k=2)["user"] == "guest"
    done = served.call("DELETE", "/v1/users/guest", "admin").json()
    assert done == {"user": "guest", "nodes": 1, "edges": 1}
    assert served.call("GET", "/v1/users/guest/recommendations?k=2").status_code == 404
    assert shop_store.read("MATCH (u:User {id: 'guest'}) RETURN u.id") == []
    assert served.recommend("guest", k=2, anyone=True)["notes"][0].startswith("unknown user 'guest'")


@pytest.mark.parametrize("nasty", NASTY)
def test_nasty_ids_come_through_everywhere(served: Served, shop_store: Store, nasty: str) -> None:
    path = quote(nasty, safe="")
    title = f"title of {nasty}"
    created = served.call("PUT", f"/v1/items/{path}", "write", json={"properties": {"title": title}})
    assert created.json()["id"] == nasty
    assert served.call("PUT", f"/v1/users/{path}", "write", json={}).json()["id"] == nasty
    assert served.post_events(event(nasty, nasty))["accepted"] == 1
    user = served.get(f"/v1/users/{path}")
    assert (user["user"], user["history"][0]["item"], user["history"][0]["title"]) == (nasty, nasty, title)
    answer = served.recommend(nasty, k=2, exclude=[nasty], context=[nasty])
    assert answer["user"] == nasty
    assert served.get(f"/v1/items/{path}/similar")["item"] == nasty
    rows = served.get("/v1/queries/list_history", user_id=nasty)["rows"]
    assert [(row["item"], row["title"]) for row in rows] == [(nasty, title)]
    assert shop_store.read("MATCH (u:User {id: $id}) RETURN u.id AS id", {"id": nasty}) == [{"id": nasty}]
    assert served.call("DELETE", f"/v1/users/{path}", "admin").json()["nodes"] == 1
    shop_store.write("MATCH (i:Item {id: $id}) DETACH DELETE i", {"id": nasty})


def test_queries_that_are_marked_as_served_run_and_others_do_not(served: Served) -> None:
    names = {query["name"] for query in served.get("/v1/queries")["queries"]}
    assert "recommend_for_user" in names
    assert not {"check_graph", "summarise_graph", "list_runs"} & names
    rows = served.get("/v1/queries/recommend_for_group", user_ids=["u8", "u12"], k=2)["rows"]
    assert len(rows) == 2
    assert served.call("GET", "/v1/queries/check_graph").status_code == 404
    assert "needs user_id" in served.call("GET", "/v1/queries/list_history").json()["detail"]
    assert served.call("GET", "/v1/queries/list_history?user_id=u8&k=1000000").status_code == 422


def test_errors_are_problems_that_say_what_to_do(served: Served) -> None:
    cases = {
        ("GET", "/v1/users/nobody%20here/recommendations"): (404, "anyone=true"),
        ("GET", "/v1/users/u8/recommendations?k=0"): (422, "greater than or equal to 1"),
        ("GET", "/v1/users/u8/recommendations?rules=none"): (404, "--rules NAME=FILE"),
        ("GET", "/v1/users/%FF/recommendations"): (422, "user_id"),
        ("GET", "/v1/items/nothing/similar"): (404, "PUT /v1/items/ID creates one"),
        ("GET", "/v1/nothing"): (404, "GET /v1/openapi.json lists all routes"),
        ("POST", "/v1/users/u8/recommendations"): (405, "GET /v1/openapi.json"),
    }
    for (method, path), (status, remedy) in cases.items():
        response = served.call(method, path)
        problem = response.json()
        assert (response.status_code, problem["status"]) == (status, status), path
        assert response.headers["content-type"] == "application/problem+json"
        assert remedy in problem["detail"], path
        assert problem["request_id"] == response.headers["x-request-id"]


def test_large_bodies_and_batches_are_refused(served: Served) -> None:
    assert served.call("POST", "/v1/events", "write", content=b"x" * (2**20 + 1)).status_code == 413

    def pieces() -> Iterator[bytes]:  # a body without a Content-Length
        for _ in range(20):
            yield b" " * 2**16

    chunked = served.call("POST", "/v1/events", "write", content=pieces(), headers={"content-type": "application/json"})
    assert chunked.status_code == 413
    many = [event("u8", "i8") for _ in range(1001)]
    assert served.call("POST", "/v1/events", "write", json={"events": many}).status_code == 422


def test_health_metrics_and_the_description(served: Served) -> None:
    assert served.client.get("/healthz").json()["status"] == "ok"
    ready = served.client.get("/readyz").json()
    assert ready["parts"] == {"database": "ok", "model": "ok", "cache": "ok (memory)"}
    served.recommend("u8")
    metrics = served.call("GET", "/metrics").text
    assert 'graphrec_request_seconds_count{method="GET",route="/v1/users/{user_id}/recommendations"' in metrics
    assert "graphrec_model_ready 1.0" in metrics
    description = served.get("/v1/openapi.json")
    assert "recommendation_id" in description["components"]["schemas"]["Recommendations"]["properties"]
    assert description["components"]["schemas"]["Recommendations"]["example"]
