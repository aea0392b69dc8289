"""The notebooks run alone, from first cell to last, and touch nobody's graph; in git they have no outputs."""

import ast
import re
import shutil
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import nbformat
import pytest
from nbclient import NotebookClient

from graphrec.store import EmbeddedServer

ROOT = Path(__file__).parent.parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))

#: A cell that is longer than this hides what it does.
LINES, WORDS = 14, 75

Cell = Any  # nbformat's cells are dictionaries with attributes


def opened(path: Path) -> Any:  # nbformat's notebook, likewise
    """A notebook as it stands in git."""
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]  # nbformat leaves it untyped


def cells(path: Path, kind: str = "code") -> list[Cell]:
    """The cells of a notebook of one kind, in their order."""
    return [cell for cell in opened(path).cells if cell.cell_type == kind]


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_alone_and_leaves_nothing_behind(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"  # no file of the repository is beside it
    elsewhere.mkdir()
    shutil.copy(path, elsewhere)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("GRAPHREC_HOME", str(tmp_path / "of a user"))
    monkeypatch.setenv("NEO4J_URI", "bolt://127.0.0.1:1")  # a Neo4j that is down: who turns to it fails
    notebook = opened(path)
    try:
        NotebookClient(notebook, timeout=240, resources={"metadata": {"path": str(elsewhere)}}).execute()
        assert not list(tmp_path.glob("graphrec-*")), "its last cell stops the store and removes its home"
    finally:
        for home in tmp_path.glob("graphrec-*"):
            EmbeddedServer(home).stop()
    assert not (tmp_path / "of a user").exists()
    assert [found.name for found in elsewhere.iterdir()] == [path.name]
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert [output.text for output in outputs if output.get("name") == "stderr"] == [], "no warning for a newcomer"
    shown = {kind for output in outputs for kind in output.get("data", {})}
    assert shown & {"image/png", "image/svg+xml"}, "a notebook has a picture"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_needs_no_file_beside_it(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    beside = {found.name for folder in (ROOT, path.parent) for found in folder.iterdir()}
    for cell in cells(path):
        code = "\n".join(line for line in cell.source.splitlines() if not line.startswith(("%", "!")))
        texts = [node.value for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Constant)]
        assert not beside & {Path(text).name for text in texts if isinstance(text, str)}, cell.source
        for style in re.findall(r"style\.use\(\"(.*?)\"\)", cell.source):
            with plt.style.context(style):  # is a file of the package
                assert plt.rcParams["axes.titlelocation"] == "left"


def test_there_are_six() -> None:
    assert [path.name[:3] for path in NOTEBOOKS] == ["01_", "02_", "03_", "04_", "05_", "06_"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_in_git_it_has_no_outputs(path: Path) -> None:
    nbformat.validate(opened(path))
    for cell in cells(path):
        assert (cell.outputs, cell.execution_count, cell.metadata) == ([], None, {}), cell.source


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_cells_are_thin_and_each_is_introduced(path: Path) -> None:
    kinds = [cell.cell_type for cell in opened(path).cells]
    assert kinds == ["markdown", "code"] * (len(kinds) // 2)
    for cell in cells(path):
        lines = [line for line in cell.source.splitlines() if line]
        assert len(lines) <= LINES, cell.source
        assert max(map(len, lines)) <= 120, cell.source
        assert not re.search(r"^\s*(def|class) ", cell.source, re.MULTILINE), "that belongs in the library"
    for cell in cells(path, "markdown")[1:]:
        assert len(cell.source.split()) <= WORDS, cell.source


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_says_that_it_touches_no_graph_but_its_own_and_sees_to_it(path: Path) -> None:
    first, last = cells(path)[0].source, cells(path)[-1].source
    assert "Your own graph is not touched" in cells(path, "markdown")[0].source
    assert 'os.environ.pop("NEO4J_URI", None)' in first
    assert "graphrec.connect(home=home.name)" in first
    assert "atexit.register(graph.settings.embedded.stop)" in first, "also where somebody leaves in the middle"
    assert last.splitlines() == ["graph.close()", "graph.settings.embedded.stop()", "home.cleanup()"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_its_links_lead_somewhere_and_the_readme_leads_to_it(path: Path) -> None:
    for cell in cells(path, "markdown"):
        for target in re.findall(r"\]\((?!https:)([^)]+)\)", cell.source):
            assert (path.parent / target).is_file(), target
    assert f"notebooks/{path.name}" in (ROOT / "README.md").read_text(encoding="utf-8")
