"""The page in a real headless Chromium: typing, clicking, sliders, keyboard, three widths, light and dark, axe-core."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from graphrec.api.keys import KeyFile
from graphrec.api.options import ServeOptions
from graphrec.config import Settings
from graphrec.store import EmbeddedServer, connect

from . import bookshop
from .served import Served, serve

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = os.environ.get("GRAPHREC_CHROMIUM") or shutil.which("chromium")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on PATH, and GRAPHREC_CHROMIUM is not set")

#: Widths of a phone, a tablet and a desktop, in pixels.
WIDTHS = (360, 768, 1280)

#: A reader of the shop, and the pages that are looked at.
READER = "r07"
PAGES = (
    "/",
    f"/user?id={READER}",
    f"/user?id={READER}&liked=b01&liked=b03&diversity=5",
    f"/why?user={READER}&item=b23",
    "/item?id=b03",
    "/value?label=Genre&id=Mystery",
    "/search?q=the",
    f"/runs?user={READER}",
    "/status",
    "/user?id=none",
)


@pytest.fixture(scope="module")
def served_books(embedded: EmbeddedServer) -> Iterator[Served]:
    """A server of the bookshop with a key for reading and administration."""
    arguments: dict[str, Any] = {"graphrec_home": embedded.home, "neo4j_uri": None}
    settings = Settings(**arguments)
    with connect(embedded.start()) as store:
        store.write("MATCH (n) DETACH DELETE n")
        events = bookshop.build(store)
        bookshop.log_impressions(store, bookshop.publish(store, settings).run.id, events)
    with serve(embedded.home, ServeOptions()) as running:
        running.keys["operator"] = KeyFile(embedded.home).create("operator", ("read", "admin"), rate=0).text
        yield running


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    with sync_api.sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture
def problems() -> list[str]:
    """What the browser reports of a page: errors of scripts, refused resources, failed requests."""
    return []


@pytest.fixture
def page(browser: "Browser", served_books: Served, problems: list[str]) -> "Iterator[Page]":
    """A page of a visitor who has logged in."""
    context = browser.new_context(base_url=served_books.url, viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    opened.set_default_timeout(30_000)
    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    opened.on("request", lambda request: problems.append(request.url) if served_books.url not in request.url else None)
    opened.goto("/")
    opened.get_by_label("Key").fill(served_books.keys["operator"])
    opened.keyboard.press("Enter")
    opened.wait_for_url("**/")
    yield opened
    context.close()


def titles(page: "Page") -> list[str]:
    return page.locator("[data-list] .title").all_inner_texts()


def test_a_visitor_searches_and_follows_the_reasons_by_keyboard(page: "Page", problems: list[str]) -> None:
    page.goto("/status")
    page.keyboard.press("/")
    page.keyboard.type("gil be")
    page.locator(".found a").first.wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/user?id={READER}")
    assert page.locator("h1").inner_text() == "Gil Berg"
    why = page.locator("[data-why]").first
    why.click()
    page.locator(".picture .sentence").wait_for()
    assert why.get_attribute("aria-expanded") == "true"
    assert page.locator(".flow svg a .name").count() > 5
    why.click()
    assert page.locator(".picture").count() == 0
    why.click()
    page.locator(".flow svg a", has_text="Moss").first.click()
    page.wait_for_url("**/item?id=*")
    assert page.locator("h1").inner_text() == "Moss"
    page.get_by_role("heading", name="Who may like it").wait_for()
    page.locator("aside [data-load] a", has_text=" ").first.wait_for()
    assert problems == []


def test_what_if_and_sliders_change_the_list_in_place(page: "Page", problems: list[str]) -> None:
    page.goto(f"/user?id={READER}")
    plain = titles(page)
    assert not page.get_by_role("button", name="Apply").is_visible()
    page.get_by_label("Item that this user may have liked").fill("lantern")
    page.get_by_role("button", name="The Lantern on Pier Nine").click()
    page.locator(".summary strong").first.wait_for()
    assert "The Lantern on Pier Nine" not in titles(page)
    assert "liked=b01" in page.url
    liked = titles(page)
    assert liked != plain
    page.get_by_label("Limit per Genre").press("End")
    page.locator(".left").wait_for()
    sync_api.expect(page.locator("[data-list] .title")).to_have_count(5)  # one of each genre
    assert page.locator("output[for=most]").inner_text() == "at most 1"
    shown = titles(page)
    page.reload()
    assert titles(page) == shown, "the address has what was tried"
    page.get_by_label("Limit per Genre").press("Home")
    page.locator(".chip").click()
    sync_api.expect(page.locator(".summary strong")).to_have_count(0)
    assert titles(page) == plain
    assert page.url.endswith(f"/user?id={READER}")
    assert problems == []


@pytest.mark.slow
def test_the_page_works_without_scripts(browser: "Browser", served_books: Served) -> None:
    context = browser.new_context(base_url=served_books.url, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"/user?id={READER}")
    page.get_by_label("Key").fill(served_books.keys["read"])
    page.get_by_role("button", name="Log in").click()
    page.get_by_label("Item that this user may have liked").fill("lantern")
    page.get_by_role("button", name="Apply").click()
    page.get_by_role("button", name="The Lantern on Pier Nine").click()
    assert page.locator(".summary strong").count() > 0
    page.goto("/")
    page.get_by_role("searchbox").fill("moss")
    page.get_by_role("searchbox").press("Enter")
    assert page.locator(".found a").first.inner_text() == "Moss b18"
    page.goto(f"/user?id={READER}")
    page.locator("[data-why]").first.click()
    assert page.locator(".flow svg").count() == 1
    context.close()


@pytest.mark.slow
def test_an_operator_returns_to_the_run_before(page: "Page", problems: list[str]) -> None:
    page.goto("/runs")
    first, badge = page.locator("tbody tr").first.locator("th"), page.locator("tbody .badge")
    before = first.inner_text()
    page.get_by_role("button", name="Make active").click()
    sync_api.expect(first).not_to_have_text(before)
    sync_api.expect(badge).to_have_count(1)
    page.get_by_role("button", name=before).click()
    sync_api.expect(first).to_have_text(before)
    assert problems == []


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_and_are_accessible_at_three_widths(page: "Page", tmp_path: Path, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # the parameter is one of its values
    for number, path in enumerate(PAGES):
        page.goto(path)
        if path == PAGES[1]:
            page.locator("[data-why]").first.click()
            page.locator(".picture .sentence").wait_for()
        page.wait_for_load_state("networkidle")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} is wider than {width}"
            picture = tmp_path / f"{number}-{width}-{scheme}.png"
            page.screenshot(path=picture, full_page=True)
            assert picture.stat().st_size > 5_000
            if width != WIDTHS[1]:
                found = axe.Axe().run(page).response["violations"]
                serious = [
                    (rule["id"], [node["html"][:150] for node in rule["nodes"][:3]])
                    for rule in found
                    if rule["impact"] in ("serious", "critical")
                ]
                assert serious == [], f"{path} at {width} pixels, {scheme}"
