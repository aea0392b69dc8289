"""Login, sessions and logout of the page, and which keys they need."""

import json
import time
from pathlib import Path

import httpx
import pytest
from fastapi.routing import APIRoute

from graphrec.api import keys
from graphrec.api.keys import KeyFile, KeyRing
from graphrec.api.options import ServeOptions
from graphrec.api.revoked_sessions import RevokedSessions
from graphrec.api.routes import login, page, page_runs
from graphrec.api.sessions import LIFETIME, Sessions
from graphrec.runs import TrainedRun
from graphrec.store import EmbeddedServer

from .served import Served, serve
from .visits import log_in, token_of

#: The pages that need a session; a new page is added here.
PAGES = ["/", "/search", "/user", "/why", "/item", "/audience", "/value", "/runs", "/status"]


def test_every_page_needs_a_session(served: Served) -> None:
    every = [route for module in (login, page, page_runs) for route in module.router.routes]
    routes = {route.path for route in every if isinstance(route, APIRoute) and "GET" in (route.methods or ())}
    assert routes == {*PAGES, "/login", "/files/{name}", "/favicon.ico"}
    for path in PAGES:
        response = served.client.get(f"{path}?id=u1&q=x")
        assert (response.status_code, response.headers["location"].partition("?")[0]) == (303, "/login"), path
        assert served.client.get(path, headers={"X-Part": "list"}).status_code == 401
        bearer = {"Authorization": f"Bearer {served.keys['read']}"}
        assert served.client.get(path, headers=bearer).status_code == 303, (
            "a key is for the API, a session for the page"
        )


def test_a_login_leads_to_the_page_that_was_asked_for_and_to_no_other_site(served: Served) -> None:
    with httpx.Client(base_url=served.url) as client:
        asked = client.get("/user?id=u1")
        assert asked.headers["location"] == "/login?next=%2Fuser%3Fid%3Du1"
        done = log_in(client, served.keys["read"], "/user?id=u1")
        assert (done.status_code, done.headers["location"]) == (303, "/user?id=u1")
        cookie = done.headers["set-cookie"].split(", graphrec")[0]
        assert all(part in cookie for part in ("HttpOnly", "SameSite=strict", f"Max-Age={LIFETIME}"))
        assert "Secure" not in cookie
        assert served.keys["read"].rsplit("_")[-1] not in cookie
        assert client.get("/user?id=u1").status_code == 200
        assert client.get("/login").headers["location"] == "/"
    for target in ("//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"):
        with httpx.Client(base_url=served.url) as client:
            assert log_in(client, served.keys["read"], target).headers["location"] == "/"


def test_behind_a_proxy_with_tls_the_cookie_needs_tls(served: Served) -> None:
    form = served.client.get("/login", headers={"X-Forwarded-Proto": "https"})
    assert "Secure" in form.headers["set-cookie"]


def test_a_login_without_a_valid_key_of_the_scope_or_without_its_token_is_refused(served: Served) -> None:
    with httpx.Client(base_url=served.url) as client:
        wrong = log_in(client, "gr_00000000_" + "a" * 43)
        assert wrong.status_code == 401
        assert "not a valid key" in wrong.text
        other = log_in(client, served.keys["write"])
        assert "needs a key with the scope read" in other.text
        forged = client.post("/login", data={"token": "0" * 64, "key": served.keys["read"]})
        assert "Please try again" in forged.text
        client.cookies.clear()
        without = client.post("/login", data={"token": token_of(forged), "key": served.keys["read"]})
        assert "Please try again" in without.text, "the token of another browser"
        assert client.post("/login", content=b"key=" + b"x" * 10_000).status_code == 413
        assert client.get("/").status_code == 303


def test_a_session_ends_by_logout_and_when_its_key_is_revoked(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "SECONDS_TO_NOTICE", 0.1)
    key = KeyFile(served.home).create("for a session")
    with httpx.Client(base_url=served.url) as client:
        deadline = time.monotonic() + 5
        while log_in(client, key.text).status_code != 303:
            assert time.monotonic() < deadline, "the server notices a new key soon"
            time.sleep(0.05)
        start = client.get("/")
        assert start.status_code == 200
        assert client.post("/logout", data={"token": "x"}).status_code == 403, "another site cannot log out"
        copied = dict(client.cookies)
        assert client.post("/logout", data={"token": token_of(start)}).status_code == 303
        assert client.get("/").status_code == 303
        with httpx.Client(base_url=served.url, cookies=copied) as thief:
            assert thief.get("/").status_code == 303, "a copy of the cookie ends with the session"
        log_in(client, key.text)
        assert client.get("/").status_code == 200
        KeyFile(served.home).revoke("for a session")
        while client.get("/").status_code != 303:
            assert time.monotonic() < deadline + 5
            time.sleep(0.05)


def test_a_session_is_over_after_its_lifetime_and_cannot_be_forged_or_prolonged(served: Served) -> None:
    ring = KeyRing(KeyFile(served.home))
    key = ring.find(served.keys["read"])
    assert key is not None
    revoked = RevokedSessions(served.home)
    sessions = Sessions(ring, revoked, b"secret")
    fresh = sessions.create(key)
    assert sessions.find(fresh) == key
    assert Sessions(ring, revoked, b"secret").find(fresh) == key, "another worker with the secret accepts it"
    assert Sessions(ring, revoked, b"other").find(fresh) is None
    assert sessions.find(sessions.create(key, time.time() - LIFETIME - 1)) is None
    identifier, end, rest = fresh.split(".", 2)
    for forged in (
        "",
        "...",
        f"{identifier}.{int(end) + 1}.{rest}",
        f"00000000.{end}.{rest}",
        fresh[:-1],
        "\ud800.1.2.3",
    ):
        assert sessions.find(forged) is None


def test_a_logout_counts_for_all_workers_at_once_and_is_kept_until_the_session_would_end(
    served: Served, tmp_path: Path
) -> None:
    ring = KeyRing(KeyFile(served.home))
    key = ring.find(served.keys["read"])
    assert key is not None
    first, second = (Sessions(ring, RevokedSessions(tmp_path), b"secret") for _ in range(2))
    ended, other = first.create(key), first.create(key)
    assert second.find(ended) == key
    first.revoke(ended)
    first.revoke("forged.1.2.3")
    assert (first.find(ended), second.find(ended), second.find(other)) == (None, None, key)
    kept = tmp_path / "sessions.json"
    assert kept.stat().st_mode & 0o777 == 0o600
    kept.write_text('{"over": 5}', encoding="utf-8")
    second.revoke(other)
    assert list(json.loads(kept.read_text(encoding="utf-8"))) == [other.split(".")[2]], "what is over is removed"
    kept.write_text("[]", encoding="utf-8")
    assert first.find(first.create(key)) is None, "no session is valid that cannot be checked"


def test_only_a_key_with_the_scope_admin_changes_the_active_run(
    served: Served, visitor: httpx.Client, shop_run: TrainedRun
) -> None:
    shown = visitor.get("/runs")
    assert shop_run.run.id in shown.text
    refused = visitor.post("/runs/activate", data={"token": token_of(shown), "run": shop_run.run.id})
    assert refused.status_code == 403
    assert "needs admin" in refused.text
    both = KeyFile(served.home).create("operator", ("read", "admin"))
    with httpx.Client(base_url=served.url, timeout=30) as client:
        deadline = time.monotonic() + 5
        while log_in(client, both.text).status_code != 303:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert client.post("/runs/activate", data={"token": "x", "run": shop_run.run.id}).status_code == 403
        token = token_of(client.get("/runs"))
        unknown = client.post("/runs/activate", data={"token": token, "run": "<b>none</b>"})
        assert unknown.status_code == 404
        assert "<b>none" not in unknown.text
        active = client.post("/runs/activate", data={"token": token, "run": shop_run.run.id})
        assert active.status_code == 422
        assert "is the active run already" in active.text
    KeyFile(served.home).revoke("operator")


def test_an_open_server_needs_no_login_but_the_token_of_its_forms(
    shop_run: TrainedRun, embedded: EmbeddedServer
) -> None:
    with serve(embedded.home, ServeOptions(open=True)) as running:
        assert running.client.get("/login").headers["location"] == "/"
        shown = running.client.get("/runs")
        assert shown.status_code == 200
        assert "Log out" not in shown.text
        form = {"run": shop_run.run.id}
        assert running.client.post("/runs/activate", data=form).status_code == 403
        assert running.client.get("/", headers={"Host": "evil.example"}).status_code == 403
