"""`graphrec benchmark` as a user runs it: named data and files, several models, ablation, the table and the plot."""

import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from graphrec import BenchmarkConfig
from graphrec.benchmark import run as measuring
from graphrec.benchmark.datasets import DATASETS, Dataset, SplitKind
from graphrec.benchmark.run import Result

from .conftest import Run

Json = Callable[..., Any]  # any JSON

command = import_module("graphrec.scripts.benchmark")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of data sets that has douban-book-social: two blocks of 20 readers and 20 books, and ties."""
    rng = np.random.default_rng(0)
    files: dict[str, list[str]] = {"train": [], "test": [], "social": []}
    for user in range(40):
        books = rng.permutation(np.arange(user % 2, 40, 2)).astype(str)
        files["train"].append(f"{user} {' '.join(books[:13])}")
        files["test"].append(f"{user} {' '.join(books[13:])}")
        files["social"].append(f"{user} {(user + 2) % 40}")
    folder = tmp_path / "data" / "douban-book-social"
    folder.mkdir(parents=True)
    for name, lines in files.items():
        (folder / f"{name}.txt").write_text("\n".join(lines) + "\n")
    monkeypatch.setenv("GRAPHREC_DATA", str(folder.parent))
    return folder


def test_two_files_or_a_name_give_the_same_measures(root: Path, run_json: Json) -> None:
    files = [str(root / f"{name}.txt") for name in ("train", "test")]
    (by_files,) = run_json("benchmark", *files, "--model", "item_knn", "--defaults")
    (by_name,) = run_json("benchmark", "douban-book", "--model", "item_knn", "--defaults", "--memory", "1MiB")
    assert by_files["metrics"] == by_name["metrics"]
    assert by_files["metrics"]["recall@20"] > 0.8
    (social,) = run_json("benchmark", *files, "--social", str(root / "social.txt"), "--model", "popularity")
    assert social["edges"] == {"INTERACTED": 520, "FOLLOWS": 40}


@pytest.mark.parametrize("drawn", get_args(SplitKind))
def test_the_user_says_how_the_test_part_was_drawn(
    root: Path, run_json: Json, monkeypatch: pytest.MonkeyPatch, drawn: SplitKind
) -> None:
    measured, benchmark = [], measuring.benchmark

    def record(dataset: Dataset, *rest: Any) -> Result:  # the other arguments of `benchmark`
        measured.append(dataset.drawn)
        return benchmark(dataset, *rest)

    monkeypatch.setattr(measuring, "benchmark", record)
    files = [str(root / f"{name}.txt") for name in ("train", "test")]
    run_json("benchmark", *files, "--model", "popularity", "--drawn", drawn)
    run_json("benchmark", *files, "--model", "popularity")
    run_json("benchmark", "douban-book", "--model", "popularity")
    assert measured == [drawn, "unknown", "random"]


def test_each_process_is_given_how_the_test_part_was_drawn() -> None:
    files = command._make_arguments(BenchmarkConfig(train=Path("a"), test=Path("b"), drawn="last"), None)
    assert files[files.index("--drawn") + 1] == "last"
    assert "--drawn" not in command._make_arguments(BenchmarkConfig("gowalla"), None)  # a usage error with a name


def test_every_data_set_is_named_in_the_usage_error() -> None:
    published, ours = command.NAMES.split("; our own splits: ")
    names = [*published.replace("ml-100k-u1 to -u5", ", ".join(f"ml-100k-u{k}" for k in range(1, 6))).split(", ")]
    for part, ending in zip(ours.split(", NAME-time of "), ("random", "time"), strict=True):
        folders = part.removeprefix("NAME-random of ").replace(" and ", ", ").split(", ")
        names += [f"{folder}-{ending}" for folder in folders]
    assert sorted(names) == sorted(DATASETS)
    assert get_args(SplitKind) == command.DRAWN


@pytest.mark.usefixtures("root")
def test_the_result_is_shown_to_people(run: Run) -> None:
    shown = run("benchmark", "douban-book", "--model", "item_knn", "--set", "neighbours=9").stdout
    for part in ("item_knn on douban-book", "recall@20", "seconds to fit", "peak memory, MiB", "neighbours"):
        assert part in shown


@pytest.mark.usefixtures("root")
def test_relations_are_left_out_and_ablated(run: Run, run_json: Json) -> None:
    name = ("benchmark", "douban-book-social", "--model", "item_knn", "--defaults")
    (found,) = run_json(*name, "--ablate", "FOLLOWS")
    assert [entry["users"] for entry in found["ablations"][0]["effects"]] == [
        "all",
        "with at most 13 interactions",
    ] * 2
    assert run_json(*name, "--ablate", "all")[0]["ablations"][0]["without"] == ["FOLLOWS"]
    assert run_json(*name, "--without", "FOLLOWS")[0]["edges"] == {"INTERACTED": 520}
    (found,) = run_json(*name, "--only", "INTERACTED")
    assert (found["edges"], found["without"]) == ({"INTERACTED": 520}, ["FOLLOWS"])
    assert "effect of FOLLOWS" in run(*name, "--ablate", "FOLLOWS").stdout
    assert "'FRIEND'" in run(*name, "--without", "FRIEND", exit_code=1).output


@pytest.mark.usefixtures("root")
def test_models_run_in_processes_of_their_own_and_one_that_fails_stops_no_other(run: Run, tmp_path: Path) -> None:
    output = tmp_path / "results"
    models = ("--model", "popularity", "--model", "item_knn", "--set", "neighbours=3")
    rest = ("--threads", "1", "--seed", "5", "--output", str(output))
    done = run("benchmark", "douban-book", *models, *rest, exit_code=1)
    assert "1 of 2 models failed, with the errors above: popularity; the others are kept in" in done.output
    (path,) = output.iterdir()
    assert path.name == "douban-book--item_knn.json"
    kept = json.loads(path.read_text())
    assert (kept["threads"], kept["seed"], kept["config"]["neighbours"]) == (1, 5, 3)
    table = run("benchmark", "--output", str(output), "--table").stdout.splitlines()
    assert [line.split(" | ")[1] for line in table[2:5]] == ["item_knn", "*RP3β*", "*GF-CF*"]


@pytest.mark.usefixtures("root")
def test_the_plot_is_drawn(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="plots need matplotlib, which is optional")
    output = str(tmp_path / "results")
    run("benchmark", "douban-book", "--model", "popularity", "--output", output)
    done = run("benchmark", "--output", output, "--plot", str(tmp_path / "quality"))
    assert f"wrote {tmp_path / 'quality.png'}" in done.stderr
    assert (tmp_path / "quality.svg").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((), 2, "give a data set (gowalla, "),
        (("a", "b", "c"), 2, "give the name of one data set, or two files"),
        (("gowalla", "--social", "x"), 2, "give the name of one data set, or two files"),
        (("douban-book", "--drawn", "random"), 2, "--drawn is for two files TRAIN and TEST"),
        (("--drawn", "random"), 2, "--drawn is for two files TRAIN and TEST"),
        (("a", "b", "--drawn", "newest"), 2, "'newest' is not one of 'random', 'time', 'last', 'unknown'"),
        (("--table",), 2, "name it with --output"),
        (("douban-book", "--set", "neighbours"), 2, "'neighbours' is not of the form NAME=VALUE"),
        (("gowala",), 1, "no data set 'gowala'; did you mean gowalla"),
        (("gowalla",), 1, "set GRAPHREC_DATA to the folder"),
        (("douban-book", "--model", "itemknn"), 1, "no model 'itemknn'; did you mean item_knn"),
        (("douban-book", "--model", "popularity", "--model", "x"), 1, "no model 'x'"),
        (("douban-book", "--memory", "much"), 1, "'much' is no amount of memory"),
        (("--output", "nowhere", "--table"), 1, "has no results"),
    ],
)
@pytest.mark.usefixtures("root")
def test_wrong_usage_says_what_to_do(run: Run, arguments: tuple[str, ...], code: int, message: str) -> None:
    assert message in " ".join(run("benchmark", *arguments, exit_code=code).output.split())
