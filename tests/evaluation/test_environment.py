"""Versions, the machine, its memory and its load."""

import os
import platform

import numpy as np
import torch

from graphrec.evaluation.environment import load, machine, peak_mib, versions


def test_versions_are_those_in_use() -> None:
    found = versions()
    assert (found["python"], found["numpy"]) == (platform.python_version(), np.__version__)
    assert found["torch"] == torch.__version__


def test_the_machine_is_told_with_its_cores() -> None:
    assert machine().endswith(f", {os.cpu_count()} cores")


def test_the_peak_of_memory_is_in_mebibytes_and_never_falls() -> None:
    before = peak_mib()
    assert 50 < before < 1_000_000  # torch alone takes more
    block = np.ones(((before + 64) << 20) // 8)  # more than all that was there
    after = peak_mib()
    assert after >= before + 64
    del block
    assert peak_mib() >= after


def test_the_load_is_a_number() -> None:
    assert load() >= -1
