"""The report in a real browser: nothing overflows, nothing is empty, nothing is cut."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from html import escape
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from graphrec.evaluation import report

from . import report_examples as examples

WIDTHS = (1280, 400)
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--hide-scrollbars"),
)

#: Appended to a copy of the page: what is wrong with it, and where its sections are, as JSON.
MEASURE = """<script>
const wrong = [], wide = document.documentElement.clientWidth, sections = [];
const shown = e => e.checkVisibility(), name = e => e.tagName + "." + (e.getAttribute("class") || e.id);
const scrolls = e => { for (let p = e; p; p = p.parentElement)
  if (["auto", "scroll"].includes(getComputedStyle(p).overflowX)) return true; return false; };
if (document.documentElement.scrollWidth > wide) wrong.push("page is " + document.documentElement.scrollWidth);
for (const e of document.querySelectorAll("main *")) {
  if (!shown(e)) continue;
  const box = e.getBoundingClientRect();
  if (!scrolls(e) && !e.closest("svg") && (box.right > wide + 1 || box.left < -1)) wrong.push("overflows: " + name(e));
  if (["SECTION", "TABLE", "svg", "FIGURE", "HEADER"].includes(e.tagName) && (box.width < 3 || box.height < 3))
    wrong.push("empty: " + name(e));
}
for (const text of document.querySelectorAll("svg text")) {
  if (!shown(text)) continue;
  const a = text.getBoundingClientRect(), b = text.ownerSVGElement.getBoundingClientRect();
  if (a.left < b.left - 1 || a.right > b.right + 1 || a.top < b.top - 1 || a.bottom > b.bottom + 1)
    wrong.push("cut: " + text.textContent);
}
for (const e of performance.getEntriesByType("resource")) wrong.push("fetched: " + e.name);
for (const e of document.querySelectorAll("header, section")) {
  const box = e.getBoundingClientRect();
  sections.push([Math.round(box.top + scrollY), Math.round(box.bottom + scrollY)]);
}
parent.document.body.insertAdjacentHTML("beforeend", "<pre id=measured></pre>");
parent.document.getElementById("measured").textContent = JSON.stringify({wrong, sections, wide});
</script></body>"""

Browse = Callable[..., str]


@pytest.fixture(scope="module")
def browse(tmp_path_factory: pytest.TempPathFactory) -> Browse:
    """Runs a browser with options on a page and gives what it prints."""
    found = os.environ.get("GRAPHREC_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip("no Chromium: GRAPHREC_CHROMIUM is not set, and none of its usual names is a command")
    profile = tmp_path_factory.mktemp("profile")

    def run(page: Path, *options: str) -> str:
        command = [found, *OPTIONS, f"--user-data-dir={profile}", *options, page.as_uri()]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout

    return run


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    found = {"rich": examples.nameless(examples.rich(passed=False)), "smallest": examples.smallest()}
    for name, comparison in found.items():
        path = folder / f"{name}.html"
        report.write(comparison, path, datetime(2026, 11, 25, tzinfo=UTC))
        text = path.read_text(encoding="utf-8").replace("</body>", MEASURE)
        for width in WIDTHS:  # a frame, because a window of this browser is at least 500 pixels wide
            frame = f'<body><iframe style="border:0;width:{width}px;height:9000px" srcdoc="{escape(text)}"></iframe>'
            (folder / f"{name}-{width}.html").write_text(f"<!doctype html>{frame}", encoding="utf-8")
    return {path.stem: path for path in folder.iterdir()}


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["rich", "smallest"])
def test_nothing_overflows_or_is_empty(
    browse: Browse, pages: dict[str, Path], tmp_path: Path, name: str, width: int
) -> None:
    size = f"--window-size={width},9000"
    printed = browse(pages[f"{name}-{width}"], size, "--dump-dom")
    match = re.search(r"<pre id=\"measured\">(.*?)</pre>", printed, re.DOTALL)
    assert match is not None
    measured = json.loads(match[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
    assert measured["wide"] == width
    assert measured["wrong"] == []
    for scheme in ("1", "0"):  # light and dark
        target = tmp_path / f"{scheme}.png"
        browse(pages[name], size, f"--blink-settings=preferredColorScheme={scheme}", f"--screenshot={target}")
        picture = np.asarray(Image.open(target).convert("L"), dtype=int)
        assert (picture[5, 5] > 128) == (scheme == "1")
        for top, bottom in measured["sections"]:
            part = picture[top:bottom]
            assert not part.size or np.ptp(part) > 60, f"nothing is seen from {top} to {bottom}"
