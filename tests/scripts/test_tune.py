"""`graphrec tune`: a search that is killed goes on, and `train` takes what it found."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.sizes import EVERYTHING, NEO4J_IS_SLOW

from .conftest import Run

Json = Callable[..., Any]  # any JSON


@pytest.fixture
def loaded(environment: Path, run: Run, lastfm_folder: Path) -> Path:
    run("load", "lastfm", str(lastfm_folder))
    return environment


def trials_in(study: Path) -> int:
    if not study.is_file():
        return 0
    return sum(json.loads(line).get("op_code") == 4 for line in study.read_bytes().splitlines() if line.endswith(b"}"))


@pytest.mark.slow  # tests/tuning/test_study.py has searches that end at any trial, without processes
@NEO4J_IS_SLOW
@pytest.mark.usefixtures("loaded")
def test_a_search_killed_at_any_trial_ends_like_one_left_alone(run_json: Json, tmp_path: Path) -> None:
    study, whole = tmp_path / "killed.journal", tmp_path / "whole.journal"
    trials = 7 if EVERYTHING else 4
    arguments = ["tune", "lightgcn", "--trials", str(trials), "--split", "random(validation=0.2, test=0.2)"]
    for most in (2, 5) if EVERYTHING else (2,):
        command = [sys.executable, "-m", "graphrec", *arguments, "--study", str(study)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=os.environ) as process:
            deadline = time.monotonic() + 60
            while trials_in(study) < most and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.005)
            process.send_signal(signal.SIGKILL)
        assert most <= trials_in(study) < trials + 1, process.stderr
    resumed = run_json(*arguments, "--study", str(study))
    alone = run_json(*arguments, "--study", str(whole))
    assert {**resumed, "study": ""} == {**alone, "study": ""}
    assert len(alone["trials"]) == trials + 1
    assert trials_in(study) == trials_in(whole) == trials + 1


@NEO4J_IS_SLOW
@pytest.mark.usefixtures("loaded")
def test_train_takes_the_settings_that_were_found(run: Run, run_json: Json, tmp_path: Path) -> None:
    study = tmp_path / "ials.journal"
    found = run_json("tune", "ials", "--trials", "3", "--study", str(study))
    trained = run_json("train", "--model", "ials", "--study", str(study))
    assert trained["config"] == found["config"]
    other = run_json("train", "--model", "ials", "--study", str(study), "--set", "factors=3", "--no-metrics")
    assert other["config"]["factors"] == 3
    told = run("train", "--model", "item_knn", "--study", str(study), exit_code=1)
    assert "belongs to ials, not to item_knn" in told.stderr


@NEO4J_IS_SLOW
def test_a_study_has_its_place_and_its_words(loaded: Path, run: Run) -> None:
    told = run("tune", "item_knn", "--trials", "2")
    (study,) = (loaded / "studies").glob("item_knn-*.journal")
    assert f"kept in {study}" in told.stderr.replace("\n", "")
    assert f"graphrec train --model item_knn --study {study}" in told.stderr
    assert "default" in told.stdout
    assert "chosen" in told.stdout
    again = run("tune", "item_knn", "--trials", "2")
    assert again.stdout == told.stdout
    assert len(list((loaded / "studies").glob("*.journal"))) == 1
    assert "no settings to search" in run("tune", "popularity", exit_code=1).stderr
    assert "did you mean item_knn" in run("tune", "item_kn", exit_code=1).stderr
