"""Models say what they can: no other package asks for a concrete class, and a new model is one file and one line."""

import ast
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import graphrec.models
from graphrec.errors import DataError, GraphrecError
from graphrec.explanation import as_sentence, explain, with_reasons
from graphrec.models import MODELS, make, select_models
from graphrec.ranking.similar_items import find_similar_items
from graphrec.ranking.topk import recommend
from graphrec.runs import TrainedRun, describe
from graphrec.testing import checkerboard
from graphrec.training.checkpoints import Checkpoints

LIBRARY = Path(graphrec.models.__file__).parents[1]

NEW_MODEL = '''
"""The number of users who have both items, as an item-item weight."""

from dataclasses import dataclass

import numpy as np
import torch

from graphrec.linalg.csr import empty_csr, pack, unpack
from graphrec.models.attribution import HistoryAttribution
from graphrec.models.base import Model


@dataclass(frozen=True)
class CoCountsConfig:
    """Without settings."""


class CoCounts(Model):
    config_class = CoCountsConfig
    counts_co_users = True

    def __init__(self, config, device="cpu"):
        super().__init__(config, device)
        self.history, self.weights = empty_csr(), empty_csr()

    def fit(self, graph, interactions, rng, progress=None):
        self.history = interactions.matrix()
        self.weights = (self.history.T @ self.history).tocsr()

    def score(self, user_index):
        return self.fold_in(self.history[user_index])

    def fold_in(self, history):
        return torch.from_numpy((history @ self.weights).toarray().astype(np.float32))

    def explain_history(self, history, user_index, item_index):
        column = self.weights[:, [item_index]].toarray().ravel()
        return HistoryAttribution(column[history.indices].astype(float), exact=True)

    def state(self):
        return pack("history", self.history) | pack("weights", self.weights)

    def restore(self, state):
        self.history, self.weights = unpack("history", state), unpack("weights", state)
'''


def classes_below_model() -> set[str]:
    """The names of all classes of graphrec.models that derive from Model, directly or not."""
    bases: dict[str, set[str]] = {}
    for path in (LIBRARY / "models").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                named = (base.value if isinstance(base, ast.Subscript) else base for base in node.bases)
                bases[node.name] = {base.id for base in named if isinstance(base, ast.Name)}
    found, before = {"Model"}, -1
    while len(found) > before:
        before = len(found)
        found |= {name for name, parents in bases.items() if parents & found}
    return found - {"Model"}


def uses(path: Path, names: set[str]) -> Iterator[str]:
    """The lines of a file that import one of the classes, or ask with isinstance or match whether a value is one."""
    text = path.read_text(encoding="utf-8")
    if not any(name in text for name in names):
        return
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.stmt | ast.expr | ast.pattern):
            continue
        mentioned: set[str] = set()
        if isinstance(node, ast.ImportFrom):
            mentioned = {alias.name for alias in node.names}
        elif isinstance(node, ast.MatchClass):
            mentioned = {getattr(node.cls, "id", getattr(node.cls, "attr", ""))}
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("isinstance", "issubclass"):
            within = [each for argument in node.args[1:] for each in ast.walk(argument)]
            mentioned = {getattr(each, "id", getattr(each, "attr", "")) for each in within}
        for name in sorted(mentioned & names):
            yield f"{path.relative_to(LIBRARY)}:{node.lineno} {name}"


def test_no_other_package_asks_for_a_concrete_model() -> None:
    names = classes_below_model()
    assert set(MODELS.values()) | {"EmbeddingModel", "ItemWeightsModel", "VectorModel"} <= names
    others = [path for path in LIBRARY.rglob("*.py") if path.relative_to(LIBRARY).parts[0] != "models"]
    assert [line for path in others for line in uses(path, names)] == []


def test_the_check_finds_every_form_of_the_question(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "LIBRARY", tmp_path)
    forms = (
        "from graphrec.models.ials import IALS",
        "isinstance(model, IALS)",
        "isinstance(model, EASE | IALS)",
        "isinstance(model, (EASE, ials.IALS))",
        "match model:\n    case IALS():\n        pass",
    )
    for form in forms:
        (tmp_path / "a.py").write_text(form)
        assert list(uses(tmp_path / "a.py", {"IALS"})), form


@pytest.fixture
def co_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TrainedRun]:
    """A run of a model that exists as one file and one line of the registry."""
    (tmp_path / "co_counts.py").write_text(NEW_MODEL, encoding="utf-8")
    monkeypatch.setattr(graphrec.models, "__path__", [*graphrec.models.__path__, str(tmp_path)])
    monkeypatch.setitem(MODELS, "co_counts", "CoCounts")
    importlib.invalidate_caches()
    graph, train, _ = checkerboard()
    model = make("co_counts")
    model.fit(graph, train, np.random.default_rng(0))
    run = describe("co_counts", model, graph.target, {}, 0.0)
    yield TrainedRun(run, model, graph.users, graph.items, train)
    sys.modules.pop("graphrec.models.co_counts", None)


def test_a_new_model_with_exact_explanations_is_one_file_and_one_line(co_counts: TrainedRun) -> None:
    best = recommend(co_counts, k=3)
    frame = with_reasons(co_counts, best).frame
    mine = frame[frame["user_id"] == "u4"]
    assert mine["item_id"].iloc[0] == "i4"
    found = explain(co_counts, "u4", "i4", 1000)
    assert found.exact
    assert found.score == mine["score"].iloc[0] == sum(path.contribution for path in found.paths)
    assert {path.nodes[1].id for path in found.paths} == {f"i{k}" for k in range(0, 20, 2)} - {"i4"}
    assert mine["because"].iloc[0] in {reason.node.id for reason in found.reasons}
    assert "users who bought" in as_sentence(found)
    assert find_similar_items(co_counts, 3)["item_id"].nunique() == 20
    assert "co_counts" in select_models(lambda kind: kind.supports_fold_in())


def test_models_that_cannot_name_those_that_can() -> None:
    model = make("item_knn")
    with pytest.raises(GraphrecError, match=r"ItemKNN has no vectors; models with vectors: ials, graph_filter, mf, "):
        model.embeddings()
    with pytest.raises(DataError, match=r"ItemKNN is fitted in one piece.*models with checkpoints: mf, lightgcn, "):
        model.keep_checkpoints(Checkpoints(Path("never.pt")))
    assert model.explain_score(0, 0) is None
    assert model.explain_paths(0, 0) is None
    assert model.explain_co_users(0, 0) is None
    assert model.top_reason_finder() is None
