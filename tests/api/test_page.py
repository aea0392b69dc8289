"""The page, over HTTP on a served shop: what it shows, also of hostile ids and titles."""

import re
import sys
import time
from html import unescape
from urllib.parse import quote

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from graphrec.api.application import add_page
from graphrec.runs import TrainedRun
from graphrec.store import Store

from .served import Served
from .test_routes import NASTY


def show(client: httpx.Client, path: str, **parameters: object) -> str:
    """The HTML of a page."""
    query = "&".join(
        f"{name}={quote(str(each), safe='')}"
        for name, value in parameters.items()
        for each in (value if isinstance(value, list) else [value])
    )
    response = client.get(f"{path}?{query}")
    assert response.status_code == 200, response.text
    return response.text


def titles(text: str) -> list[str]:
    """The titles of the list of a page."""
    return [unescape(title) for title in re.findall(r'class="title"[^>]*><bdi>(.*?)</bdi>', text)]


def test_pages_have_a_strict_policy_and_load_only_their_own_files(visitor: httpx.Client) -> None:
    user = visitor.get("/user?id=u0")
    policy = user.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert user.headers["cache-control"] == "no-store"
    assert not re.search(r"<style|<script>|\sstyle=|\son\w+=", user.text), "the policy would block it"
    assert not re.search(r"(?:src|href|action)=\"(?!/[^/])(?!#)", user.text), "addresses are of this server"
    files = re.findall(r'(?:src|href)="(/files/[^"]+)"', user.text)
    assert len(files) == 3
    sizes = 0
    for path in files:
        loaded = visitor.get(path)
        assert loaded.status_code == 200
        assert "immutable" in loaded.headers["cache-control"]
        assert b"http" not in loaded.content.replace(b"http://www.w3.org/2000/svg", b"")
        sizes += len(loaded.content)
    assert sizes < 40_000
    assert visitor.get("/files/..%2f__init__.py").status_code == 404


def test_search_finds_users_and_items_by_id_and_title(visitor: httpx.Client) -> None:
    found = show(visitor, "/search", q="ITEM 1")
    assert found.index('href="/item?id=i1"') < found.index('href="/item?id=i10"'), "the equal title first"
    assert 'href="/user?id=u7"' in show(visitor, "/search", q="u7")
    part = visitor.get("/search?q=u7", headers={"X-Part": "found"}).text
    assert "<html" not in part
    assert 'href="/user?id=u7"' in part
    assert "Neither a user nor an item" in show(visitor, "/search", q="<nothing>")
    assert visitor.get("/search?q=" + "x" * 2000).status_code == 422


def test_a_user_is_shown_with_reasons_history_and_friends(served: Served, visitor: httpx.Client) -> None:
    text = show(visitor, "/user", id="u10", k=3)
    assert titles(text) == [each["title"] for each in served.recommend("u10", k=3)["items"]]
    assert "because of" in text
    assert 'href="/why?user=u10&amp;item=' in text
    assert 'href="/user?id=u12"' in text, "a friend"
    assert "Evora" in text
    assert "purchased, 1970" in text


def test_what_if_changes_the_list_and_stores_nothing(served: Served, visitor: httpx.Client, shop_store: Store) -> None:
    count = "MATCH (:User {id: 'u14'})-[e]->() RETURN count(e) AS n"
    before = shop_store.read(count)
    plain = titles(show(visitor, "/user", id="u14"))
    text = show(visitor, "/user", id="u14", liked=["i1", "i3", "i5", "no such item"])
    assert titles(text) != plain
    assert "Item 1" not in titles(text)
    assert 'name="liked" value="i1" checked' in text
    assert "no such item" not in text
    assert re.search(r"<strong>\d+</strong> enter", text)
    assert 'class="move new"' in text
    assert titles(text) == [each["title"] for each in served.recommend("u14", context=["i1", "i3", "i5"])["items"]]
    assert shop_store.read(count) == before
    part = visitor.get("/user?id=u14&find=item%205", headers={"X-Part": "candidates"}).text
    assert '<button name="liked" value="i5">' in part


def test_what_if_is_explained_with_the_items_that_were_added(visitor: httpx.Client) -> None:
    text = show(visitor, "/user", id="u14", liked=["i1", "i3"])
    address = unescape(re.findall(r'href="(/why\?user=u14&amp;item=[^"]+)" data-why', text)[0])
    assert "&liked=i1&liked=i3" in address
    assert 'because of <a href="/item?id=i' in text
    why = visitor.get(address)
    assert why.status_code == 200
    assert "As if this user had also liked" in why.text
    assert "The model has folded in what this user did" in why.text
    assert "as of its training" not in why.text
    assert 'class="edge gone"' not in why.text


def test_sliders_and_rules_show_what_they_change(served: Served, visitor: httpx.Client) -> None:
    plain = show(visitor, "/user", id="u16")
    assert re.findall(r'type="range" id="(\w+)"', plain) == ["diversity", "freshness", "most"]
    assert 'class="move' not in plain
    limited = visitor.get("/user?id=u16&most=5", headers={"X-Part": "list"}).text
    assert len(titles(limited)) == 2, "one item of each of the two genres"
    assert "leave" in limited
    assert "Left the list:" in limited
    ruled = show(visitor, "/user", id="u0", rules="stock")
    assert titles(ruled) == [each["title"] for each in served.recommend("u0", rules="stock")["items"]]
    assert '<option value="stock" selected>' in ruled
    assert visitor.get("/user?id=u0&rules=none").status_code == 404
    assert visitor.get("/user?id=u0&diversity=11").status_code == 422


def test_reasons_are_a_picture_whose_nodes_are_links(visitor: httpx.Client) -> None:
    item = re.findall(r"item=(\w+)\" data-why", show(visitor, "/user", id="u18"))[0]
    text = show(visitor, "/why", user="u18", item=item)
    assert re.search(r'<svg[^>]*class="why".*<a href="/item\?id=i\d+"><rect', text)
    assert "<style" not in text
    assert 'class="paths"' in text
    assert visitor.get("/why?user=no&item=i1").status_code == 404


def test_items_values_audience_and_runs_are_shown(served: Served, visitor: httpx.Client, shop_run: TrainedRun) -> None:
    item = show(visitor, "/item", id="i4")
    assert titles(item) == [each["title"] for each in served.get("/v1/items/i4/similar", k=12)["items"]]
    assert 'href="/value?label=Genre&amp;id=even"' in item
    assert "9 × purchased" in item
    assert 'href="/item?id=i4"' in show(visitor, "/value", label="Genre", id="even")
    assert 'href="/user?id=u' in show(visitor, "/audience", id="i4")
    assert shop_run.run.id in show(visitor, "/runs", user="u1")
    assert "Popular" in show(visitor, "/")


def test_the_status_has_click_rates_and_two_runs_are_shown_side_by_side(
    visitor: httpx.Client, served: Served, shop_store: Store, shop_run: TrainedRun
) -> None:
    shop_store.write(
        "MATCH (u:User {id: 'u1'})-[e:PURCHASED]->(i:Item) WITH u, e, i LIMIT 3 "
        "CREATE (u)-[:SHOWN {run: 'r', rank: 1, timestamp: e.timestamp - 5}]->(i)"
    )
    shop_store.write(
        "MATCH (n:Run {id: $id}) CREATE (:Run {id: 'older', version: 0, model: 'm', relation: n.relation, k: 5, "
        "trained: 'x', layers: [], activated_at: 1, status: 'replaced'})",
        {"id": shop_run.run.id},
    )
    try:
        served.get("/v1/users/u1")
        status = show(visitor, "/status")
        assert "PURCHASED" in status
        assert '<th scope="row">/v1/users/{user_id}</th>' in status
        assert re.search(r"<td>3</td><td>3</td><td>100 %", status)
        text = show(visitor, "/runs", user="u1", old="older", new=shop_run.run.id)
        assert text.count('class="move new"') == len(titles(text)) == 5
    finally:
        shop_store.write("MATCH (n:Run {id: 'older'}) DETACH DELETE n")
        shop_store.write("MATCH ()-[e:SHOWN]->() DELETE e")


def test_hostile_ids_and_titles_come_through_as_text(visitor: httpx.Client, shop_store: Store) -> None:
    names = [*NASTY, ".", "..", "\u202eevil", "a\x00b", "&amp;"]
    shop_store.write(
        "UNWIND $names AS name MATCH (i:Item {id: 'i2'}), (friend:User {id: 'u1'}) "
        "CREATE (u:User {id: name, town: name, name: $script + name})-[:FRIEND]->(friend), "
        "(item:Item {id: name, title: $script + name, stock: 1, note: name})-[:IN_GENRE]->(:Genre {id: name}), "
        "(u)-[:PURCHASED {timestamp: 1}]->(item), (u)-[:PURCHASED {timestamp: 2}]->(i)",
        {"names": names, "script": "<script>alert(1)</script>"},
    )
    try:
        deadline = time.monotonic() + 20
        while 'href="/item?id=%26amp%3B"' not in show(visitor, "/search", q="&amp;"):
            assert time.monotonic() < deadline, "the server notices new items"
            time.sleep(0.1)
        for name in names:
            quoted = quote(name, safe="")
            pages = [
                show(visitor, "/user", id=name, liked=name, find=name),
                show(visitor, "/item", id=name),
                show(visitor, "/value", label="Genre", id=name),
                show(visitor, "/search", q=name),
                show(visitor, "/runs", user=name),
            ]
            for text in pages:
                assert not re.search(r"<script(?! type=\"module\" src=\"/files/)", text), name
                assert "\x00" not in text
                assert "\u202e" not in text
            assert f'href="/item?id={quoted}"' in pages[0]
            assert f'href="/value?label=Genre&amp;id={quoted}"' in pages[1]
            assert f'href="/item?id={quoted}"' in pages[2]
            assert f'href="/user?id={quoted}"' in pages[3]
            missing = visitor.get(f"/item?id={quoted}x")
            assert missing.status_code == 404
        friends = show(visitor, "/user", id="u1")
        assert f'href="/user?id={quote(NASTY[0], safe="")}"' in friends
        assert "<script>alert" not in friends
    finally:
        shop_store.write("MATCH (n) WHERE n.id IN $names DETACH DELETE n", {"names": names})


def test_errors_of_the_page_are_pages_and_those_of_the_api_are_problems(served: Served, visitor: httpx.Client) -> None:
    for path, status in (("/user?id=none", 404), ("/user", 422), ("/value?label=Run&id=x", 404), ("/why?user=u1", 422)):
        response = visitor.get(path)
        assert response.status_code == status
        assert response.headers["content-type"].startswith("text/html")
    part = visitor.get("/user?id=none", headers={"X-Part": "list"})
    assert part.text.startswith('<p class="alert"')
    assert served.call("GET", "/v1/users/none").headers["content-type"] == "application/problem+json"
    assert served.call("POST", "/login/x").status_code == 404


def test_without_jinja2_the_page_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    for package, module in (
        ("graphrec.page", "rendering"),
        ("graphrec.api", "html"),
        *(("graphrec.api.routes", name) for name in ("login", "page", "page_runs")),
    ):
        monkeypatch.delitem(sys.modules, f"{package}.{module}")
        monkeypatch.delattr(sys.modules[package], module)
    app = FastAPI()
    add_page(app)
    answer = TestClient(app).get("/")
    assert answer.status_code == 501
    assert "pip install 'graphrec[serve]'" in answer.text
