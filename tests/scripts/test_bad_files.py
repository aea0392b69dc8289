"""Hundreds of broken files of every loader: a clear sentence or a counted rejection, and on error the graph stays.

The files are made from whole ones by the defects of `defects`, the same each time: a sample in the usual tests, all
of them behind `slow`.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from random import Random
from typing import Any

import pytest
from click.testing import CliRunner, Result

from graphrec.store import EmbeddedServer, Store, connect
from tests.sizes import EVERYTHING

from . import defects
from .defects import FORMULA, Broken
from .whole_folders import Part, Whole, whole_folders

#: Defects of ten megabytes, with the files that can have them.
HEAVY: dict[str, Callable[[Part], bool]] = {
    "one_long_line": lambda part: not part.name.endswith(".parquet"),
    "long_value": lambda part: not {"number", "time"}.isdisjoint(part.columns),
}
KINDS = {"told": defects.TOLD, "harmless": defects.HARMLESS, "either": defects.EITHER}
WHOLE = whole_folders()
LIMIT = 1500


@dataclass(frozen=True)
class Case:
    """One file of one form with one defect."""

    kind: str
    defect: str
    whole: Whole
    part: Part

    @property
    def name(self) -> str:
        return f"{self.defect}-{self.whole.form}-{self.part.name}"

    @property
    def is_possible(self) -> bool:
        """Whether the file can have the defect; decided without the ten megabytes of a heavy one."""
        if self.defect in HEAVY:
            return HEAVY[self.defect](self.part)
        return self.broken() is not None

    def broken(self) -> Broken | None:
        return KINDS[self.kind][self.defect](self.part, Random(self.name))

    def write(self, folder: Path) -> Path:
        """Write the folder with this one file broken; the path to load."""
        target, broken = self.whole.write(folder), self.broken()
        assert broken is not None
        (folder / self.part.name).unlink()
        if broken.folder:
            (folder / self.part.name).mkdir()
        elif broken.content is not None:
            (folder / (broken.name or self.part.name)).write_bytes(broken.content)
        return target


def _cases() -> dict[str, list[Case]]:
    """All cases of each defect, in an order that mixes the loaders."""
    found: dict[str, list[Case]] = {}
    for kind, group in KINDS.items():
        for defect in group:
            cases = [Case(kind, defect, whole, part) for whole in WHOLE.values() for part in whole.parts]
            found[defect] = [case for case in cases if case.is_possible]
            Random(defect).shuffle(found[defect])
    return found


CASES = _cases()
SAMPLE = [case for defect, cases in CASES.items() for case in cases[: 1 if defect in HEAVY else 3]]
REST = [case for defect, cases in CASES.items() for case in cases[1 if defect in HEAVY else 3 :]]
LOADED = [case for defect, cases in CASES.items() for case in cases[-1 if defect in HEAVY else -3 :]]
#: The forms whose broken files are loaded into a graph in `make test`.
FEW_FORMS = ("lastfm", "ml-100k")


def load(case: Case, target: Path, *options: str) -> Result:
    cli = import_module("graphrec.scripts").cli
    return CliRunner().invoke(cli, ["load", case.whole.source, str(target), "--json", *options])


def judge(case: Case, folder: Path, result: Result) -> None:
    """What must hold of every answer."""
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert "Traceback" not in result.stderr
    if result.exit_code == 1:
        told = result.stderr.removesuffix("\n")
        assert told.startswith("Error: ")
        assert told.isprintable()  # so it is one line, too
        assert len(told) < LIMIT
        assert case.part.name.removesuffix(".gz") in told or str(folder) in told
        assert ";" in told  # what to do
        assert case.kind != "harmless"
        return
    assert result.exit_code == 0, result.output
    rules = [rule for table in json.loads(result.stdout)["cleaning"]["tables"] for rule in table["rules"]]
    if case.kind == "told":
        assert sum(rule["rows"] for rule in rules) > 0
    if case.kind == "harmless":
        assert [rule for rule in rules if rule["action"] == "dropped"] == []


def check(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHREC_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NEO4J_URI", "bolt://127.0.0.1:1")  # --check needs no store
    target = case.write(tmp_path / case.whole.form)
    judge(case, tmp_path / case.whole.form, load(case, target, "--check"))


@pytest.mark.parametrize("case", SAMPLE, ids=lambda case: case.name)
def test_a_broken_file_is_told_or_counted(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check(case, tmp_path, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("case", REST, ids=lambda case: case.name)
def test_every_broken_file_is_told_or_counted(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check(case, tmp_path, monkeypatch)


def test_the_sample_is_large_and_mixed() -> None:
    assert len(SAMPLE) >= 80
    assert len(LOADED) >= 60
    assert {case.whole.source for case in SAMPLE} == {whole.source for whole in WHOLE.values()}
    loaders = Path(__file__).parents[2] / "loaders"
    assert {whole.source for whole in WHOLE.values()} == {path.stem for path in loaders.glob("[a-z]*.py")}


@pytest.fixture
def graph(
    embedded: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Store, Callable[[], Any]]]:  # Any: records
    """An embedded store, and a function that gives all that stands in it."""
    monkeypatch.delenv("NEO4J_URI", raising=False)
    monkeypatch.setenv("GRAPHREC_HOME", str(embedded.home))
    with connect(embedded.start()) as store:
        store.write("MATCH (n) DETACH DELETE n")

        def stands() -> Any:  # sorted records of nodes and edges
            nodes = store.read("MATCH (n) RETURN labels(n) AS labels, properties(n) AS properties")
            edges = store.read("MATCH (a)-[r]->(b) RETURN a.id AS a, b.id AS b, type(r) AS t, properties(r) AS p")
            for node in nodes:
                node["properties"].pop("loaded_at", None)
            return sorted(map(repr, [*nodes, *edges]))

        yield store, stands
        store.write("MATCH (n) DETACH DELETE n")


def test_an_error_leaves_the_graph_as_it_was(graph: tuple[Store, Callable[[], Any]], tmp_path: Path) -> None:
    """With two sources in the graph, one of them the whole form of the file that is broken then."""
    store, stands = graph
    codes = []
    for form in sorted({case.whole.form for case in LOADED}) if EVERYTHING else FEW_FORMS:
        store.write("MATCH (n) DETACH DELETE n")
        for name in {"filmtrust", form}:
            case = Case("whole", "", WHOLE[name], WHOLE[name].parts[0])
            judge(case, tmp_path, load(case, WHOLE[name].write(tmp_path / "whole" / name)))
        before = stands()
        for case in [each for each in LOADED if each.whole.form == form]:
            folder = tmp_path / case.defect / case.part.name / case.whole.form
            result = load(case, case.write(folder))
            judge(case, folder, result)
            codes.append(result.exit_code)
            after = stands()
            if result.exit_code:
                assert after == before, case.name
            elif case.defect == "formula" and form != "rocket-kaggle":  # where a value of one item connects nothing
                assert any(repr(FORMULA) in each for each in after), case.name
            before = after
    assert len(codes) >= (60 if EVERYTHING else 12)
    assert codes.count(1) >= (40 if EVERYTHING else 6)
