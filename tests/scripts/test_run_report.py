"""What the terminal shows of the test users behind metrics: in `evaluate`, `train` and `runs`."""

import json
from dataclasses import asdict, replace
from importlib import import_module
from pathlib import Path

import pytest

from graphrec import runs
from graphrec.evaluation.report import sentences
from graphrec.models import make
from graphrec.models.ensemble.members import parse_members
from graphrec.runs import Verdict
from graphrec.splitting.record import SplitRecord
from graphrec.splitting.spec import parse_split

from .conftest import Run

SPEC = str(parse_split("random"))


@pytest.mark.parametrize(
    ("num_warm", "num_cold", "said"),
    [
        (33, 0, "33 test users"),
        (1, 1_200, "1 test user, and 1,200 more without training interactions"),
        (0, 5, "5 test users without training interactions"),
    ],
)
def test_test_users_are_counted(num_warm: int, num_cold: int, said: str) -> None:
    assert sentences.test_users(num_warm, num_cold) == said


@pytest.mark.usefixtures("store")
def test_metrics_are_shown_with_their_split_and_test_users(
    environment: Path, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    made = runs.describe("popularity", make("popularity"), ("User", "RATED", "Item"), {"ndcg@10": 0.25}, 0.0)
    made = replace(made, verdict=Verdict("ndcg@10", {}, 33), split=SplitRecord(SPEC, None, ()))
    folder = environment / "runs" / made.id
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps(asdict(made)))
    import_module("graphrec.scripts._run_report").show_metrics(made)
    assert f"split {SPEC}, 33 test users" in capsys.readouterr().out
    lines = run("runs").stdout.splitlines()
    assert [line.split()[-3:] for line in lines if made.id in line] == [["0.2500", "random", "33"]]


@pytest.mark.parametrize(
    ("model", "cut", "is_shown"), [("graph_filter", 9, True), ("graph_filter", None, False), ("ease", 9, False)]
)
def test_a_run_of_graph_filter_by_time_names_the_blend_that_knows_the_order(
    model: str, cut: int | None, is_shown: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    made = runs.describe(model, make(model), ("User", "RATED", "Item"), {"ndcg@10": 0.25}, 0.0)
    made = replace(made, split=SplitRecord(SPEC, cut, ()))
    import_module("graphrec.scripts._run_report").show_order_hint(made)
    said = capsys.readouterr().err
    assert (f"--run {made.id} --run latest" in said) is is_shown
    if is_shown:
        members = said.split("'members=")[1].split("'")[0]
        assert [member.name for member in parse_members(members)] == ["graph_filter", "sequence_filter"]
