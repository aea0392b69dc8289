"""`graphrec benchmark` as a user runs it: named data and files, several models, ablation, the table and the plot."""

import json
import subprocess
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

import numpy as np
import pytest
from click.testing import CliRunner

from graphrec import BenchmarkConfig
from graphrec.benchmark import panel
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
    if drawn == "next":  # one test item of each user
        lines = (root / "test.txt").read_text().splitlines()
        (root / "test.txt").write_text("\n".join(" ".join(line.split()[:2]) for line in lines))
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
    published, ours = command.NAMES.replace("; the next item: ", ", ").split("; our own splits: ")
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


def run_here(arguments: list[str], **_: object) -> "subprocess.CompletedProcess[str]":
    """What a process would do, done in this one, without its imports."""
    done = CliRunner().invoke(import_module("graphrec.scripts").cli, arguments[arguments.index("benchmark") :])
    return subprocess.CompletedProcess(arguments, done.exit_code, done.stdout)


@pytest.mark.parametrize("processes", [False, pytest.param(True, marks=pytest.mark.slow)])
@pytest.mark.usefixtures("root")
def test_models_run_in_processes_of_their_own_and_one_that_fails_stops_no_other(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, processes: bool
) -> None:
    if not processes:
        monkeypatch.setattr(command, "subprocess", SimpleNamespace(run=run_here, PIPE=subprocess.PIPE))
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


PANEL = ("benchmark", "--panel", "--model", "item_knn", "--trials", "1", "--threads", "1")


@pytest.mark.usefixtures("root")
def test_the_panel_measures_what_is_there_and_its_table_is_printed_again(
    run: Run, run_json: Json, tmp_path: Path
) -> None:
    output = ("--output", str(tmp_path / "panel"))
    first = run(*PANEL, *output)
    assert "not in the folder of GRAPHREC_DATA: amazon-musical-instruments-random, " in first.stderr
    assert "douban" not in first.stderr
    rows = [line.split(" | ")[0] for line in first.stdout.splitlines() if line.startswith("| ")]
    assert rows == ["| data", "| ---", "| douban-book", "| douban-book-social", "| **mean**", "| **worst**"]
    assert run(*PANEL[:4], *output, "--table").stdout == first.stdout
    assert run(*PANEL, *output).stdout == first.stdout
    found = run_json(*PANEL, *output, "douban-book-social")
    assert [(entry["data"], entry["drawn"]) for entry in found] == [("douban-book-social", "random")]
    assert set(found[0]["regret"]) == {"default", "leave_one_out", "search"}
    assert found[0]["regret"]["leave_one_out"] is None
    both = run_json(*PANEL[:4], *output, "--table")
    assert [entry["data"] for entry in both] == ["douban-book", "douban-book-social"]
    assert all(0 <= share <= 1 for entry in both for share in entry["regret"].values())
    assert sorted(path.name for path in (tmp_path / "panel").glob("*.json")) == [
        "douban-book--item_knn.regret.json",
        "douban-book-social--item_knn.regret.json",
    ]


def test_a_data_set_that_fails_stops_no_other(root: Path, run: Run, tmp_path: Path) -> None:
    for name in ("filmtrust", "yelp2018"):  # before and after the one that can be measured
        (root.parent / name).mkdir()
    output = ("--output", str(tmp_path / "panel"))
    done = run(*PANEL, *output, "filmtrust-random", "douban-book", "yelp2018", "ciao-time", exit_code=1)
    assert [line.split(" | ")[0] for line in done.stdout.splitlines()[2:3]] == ["| douban-book"]
    for part in ("filmtrust-random: ", "ratings.txt", "yelp2018: ", "ciao-time: data set ciao-time needs the folder"):
        assert part in done.stderr
    assert "3 of 4 data sets failed, with the errors above: filmtrust-random, ciao-time, yelp2018" in done.output
    refused = run(*PANEL, *output, "douban-book", "--seed", "1", exit_code=1)
    assert "is of another seed; name another folder" in " ".join(refused.output.split())
    assert not refused.stdout


@pytest.mark.usefixtures("root")
def test_an_error_that_no_one_foresaw_is_shown_and_stops_no_other_data_set(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = measuring.tune

    def fail(dataset: Dataset, *rest: Any) -> Any:  # the arguments and the result of `tune`
        if dataset.name == "douban-book":
            raise ZeroDivisionError("by zero")
        return plain(dataset, *rest)

    monkeypatch.setattr(panel, "tune", fail)
    done = run(*PANEL, "--output", str(tmp_path), exit_code=1)
    assert "douban-book: unexpected ZeroDivisionError: by zero" in done.stderr
    assert "| douban-book-social | random |" in done.stdout


@pytest.mark.usefixtures("root")
def test_a_data_set_whose_measurement_is_not_finished_is_not_in_the_table(run: Run, tmp_path: Path) -> None:
    run(*PANEL, "--output", str(tmp_path))
    path = tmp_path / "douban-book--item_knn.regret.json"
    saved = json.loads(path.read_text())
    path.write_text(json.dumps({**saved, "measured": saved["measured"][:2]}))
    done = run(*PANEL, "--output", str(tmp_path), "--table")
    assert "not in the table, as their measurement is not finished: douban-book\n" in done.stderr
    assert "| douban-book |" not in done.stdout
    assert "| douban-book-social |" in done.stdout
    done = run(*PANEL, "--output", str(tmp_path), "--table", "douban-book", exit_code=1)
    assert "no data set is measured" in done.output


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((), 2, "--panel needs --output"),
        (("--output", "x", "--model", "popularity", "--model", "ials"), 2, "--panel needs --output"),
        *(
            (("--output", "x", *option), 2, f"{option[0]} is not used with --panel")
            for option in (("--drawn", "time"), ("--set", "a=1"), ("--defaults",), ("--label", "a"), ("--plot", "a"),
                           ("--without", "A"), ("--only", "A"), ("--ablate", "A"), ("--social", "a"))
        ),
        (("--output", "x", "douban-bok"), 1, "the panel has no data set 'douban-bok'; did you mean douban-book"),
        (("--output", "x", "ml-100k-u1"), 1, "the panel has no data set 'ml-100k-u1'"),
        (("--output", "x", "--model", "itemknn"), 1, "no model 'itemknn'; did you mean item_knn"),
        (("--output", "x", "--model", "itemknn", "--table"), 1, "no model 'itemknn'; did you mean item_knn"),
        (("--output", "x", "--memory", "much"), 1, "'much' is no amount of memory"),
        (("--output", "x", "--table"), 1, "folder x has no regrets of graph_filter; `graphrec benchmark --panel"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("root")
def test_wrong_usage_of_the_panel_says_what_to_do(
    run: Run, arguments: tuple[str, ...], code: int, message: str
) -> None:
    assert message in " ".join(run("benchmark", "--panel", *arguments, exit_code=code).output.split())


def test_a_panel_needs_a_folder_of_data_sets(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output = ("benchmark", "--panel", "--output", str(tmp_path / "out"))
    monkeypatch.setenv("GRAPHREC_DATA", str(tmp_path))
    assert "no data set is measured; set GRAPHREC_DATA" in run(*output, exit_code=1).output
    monkeypatch.delenv("GRAPHREC_DATA")
    assert "GRAPHREC_DATA, which is not set" in " ".join(run(*output, exit_code=1).output.split())


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((), 2, "give a data set (gowalla, "),
        (("a", "b", "c"), 2, "give the name of one data set, or two files"),
        (("gowalla", "--social", "x"), 2, "give the name of one data set, or two files"),
        (("douban-book", "--drawn", "random"), 2, "--drawn is for two files TRAIN and TEST"),
        (("--drawn", "random"), 2, "--drawn is for two files TRAIN and TEST"),
        (("a", "b", "--drawn", "newest"), 2, "'newest' is not one of 'random', 'time', 'last', 'next', 'unknown'"),
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
