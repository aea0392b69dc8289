"""A command parses options, calls methods of `Graph`, and prints; it imports no package that does work."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
COMMANDS = sorted((ROOT / "scripts").glob("[a-z]*.py"))

#: The methods of `Graph` that a command calls: one, or one for each form of the command. `demo` is a tour of them.
METHODS = {
    "benchmark": {"benchmark", "benchmark_panel"},
    "blend": {"blend"},
    "consume": {"consume", "stream_status"},
    "demo": {"load", "export", "compare", "train", "publish", "query"},
    "doctor": {"examine"},
    "embed": {"embed"},
    "enrich": {"enrich"},
    "evaluate": {"compare"},
    "experiment": {"start_experiment", "stop_experiment", "list_experiments"},
    "explain": {"explain", "rewrite"},
    "export": {"export"},
    "feedback": {"measure_feedback", "measure_experiment"},
    "judge": {"judge"},
    "key": {"create_key", "list_keys", "revoke_key"},
    "load": {"check", "write_import_files", "load"},
    "mcp": {"serve_tools"},
    "operate": {"operate", "operate_until_ended", "list_decisions"},
    "publish": {"publish"},
    "query": {"rows"},
    "recommend": {"answer", "recommend_all", "as_of"},
    "rejected": {"list_rejected", "retry_rejected", "delete_rejected"},
    "replay": {"replay"},
    "rollback": {"rollback"},
    "runs": {"list_runs"},
    "schema": {"count_graph"},
    "serve": {"serve"},
    "sniff": {"propose"},
    "store": {"start_store", "stop_store", "store_status"},
    "train": {"train"},
    "tune": {"tune"},
    "unlink": {"unlink"},
}

#: What commands may import of graphrec besides `Graph` and the config objects: errors, parsing of option values, names
#: for help and completion, and the forms in which results are shown.
PRESENTATION = {
    "graphrec",
    "graphrec.api.options",  # ServeOptions
    "graphrec.atomic_write",
    "graphrec.behaviours",
    "graphrec.benchmark.plot",
    "graphrec.benchmark.regret",
    "graphrec.benchmark.results",
    "graphrec.characters",
    "graphrec.config",
    "graphrec.errors",
    "graphrec.evaluation.metric_registry",  # names and descriptions for help
    "graphrec.evaluation.off_policy",  # parse_window
    "graphrec.evaluation.prequential",  # ReplayConfig
    "graphrec.evaluation.replay_plot",
    "graphrec.evaluation.report",
    "graphrec.evaluation.report.findings",
    "graphrec.evaluation.report.sentences",
    "graphrec.explanation",
    "graphrec.explanation.text",
    "graphrec.graph",
    "graphrec.hetero",  # interactions, by which the demo chooses its user
    "graphrec.loader_registry",
    "graphrec.mcp.options",  # ToolOptions
    "graphrec.models",  # names and `model_class`
    "graphrec.ranking.memory",  # parse_memory
    "graphrec.redaction",
    "graphrec.resource_errors",
    "graphrec.splitting.spec",  # shorten
    "graphrec.store.counts",  # is_system
    "graphrec.store.queries",  # also parse_time
    "graphrec.store.query_docs",
    "graphrec.streams.options",  # ConsumeOptions
    "graphrec.time_format",
}


def methods_called(tree: ast.AST) -> set[str]:
    """The names of methods that are called on `graph` or `Graph`."""
    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    return {
        call.attr
        for call in calls
        if isinstance(call, ast.Attribute) and isinstance(call.value, ast.Name) and call.value.id in ("graph", "Graph")
    }


def imported_at_run_time(tree: ast.Module) -> set[str]:
    """The modules of graphrec that are imported, without those for type checking."""
    typing_only = {
        inner
        for node in tree.body
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level == 0 and node not in typing_only and node.module:
            parts = [f"{node.module}.{alias.name}" for alias in node.names]
            names |= {part if _is_module(part) else node.module for part in parts}
    return {name for name in names if name.partition(".")[0] == "graphrec"}


def _is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").exists() or path.is_dir()


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: path.stem)
def test_a_command_calls_the_method_of_graph_that_does_its_work(path: Path) -> None:
    assert methods_called(ast.parse(path.read_text(encoding="utf-8"))) == METHODS[path.stem]


@pytest.mark.parametrize("path", sorted((ROOT / "scripts").glob("*.py")), ids=lambda path: path.stem)
def test_commands_import_no_package_that_does_work(path: Path) -> None:
    assert imported_at_run_time(ast.parse(path.read_text(encoding="utf-8"))) <= PRESENTATION


def test_every_command_has_its_methods_here() -> None:
    assert [path.stem for path in COMMANDS] == sorted(METHODS)
