"""The panel of realistic files: the share that is described correctly, and whether every proposal can be read."""

from pathlib import Path

import pytest

from graphrec.tabular import read
from graphrec.tabular.proposal import examine

from .panel import Case, comparison
from .panel.comparison import CASES


@pytest.mark.parametrize("step", [4, pytest.param(1, marks=pytest.mark.slow)])
def test_nine_of_ten_are_right(step: int, tmp_path: Path) -> None:
    """Of a quarter of the files, and of all."""
    cases, misses = CASES[::step], []
    for number, case in enumerate(cases):
        folder = tmp_path / str(number)
        folder.mkdir()
        arguments = comparison.write_case(case, folder)
        proposed = comparison.normalise(examine(arguments, folder).toml, folder)
        wrong = comparison.find_differences(comparison.normalise(case.right, folder), proposed)
        misses += [f"{case.name}: {line}" for line in wrong[:3]]
        if not wrong:
            continue
        print(f"{case.name}:\n  " + "\n  ".join(wrong))  # noqa: T201  # shown if the share falls
    wrong_cases = {line.partition(":")[0] for line in misses}
    share = 1 - len(wrong_cases) / len(cases)
    assert len(CASES) >= 60
    assert share >= 0.9, f"{share:.0%} of {len(cases)} are right; these are not: {misses}"


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_proposed_can_be_read(case: Case, tmp_path: Path) -> None:
    arguments = comparison.write_case(case, tmp_path)
    (tmp_path / "spec.toml").write_text(examine(arguments, tmp_path).toml, encoding="utf-8")
    tables = read(tmp_path / "spec.toml")
    assert all(len(table.frame) for table in tables.nodes)
    assert all(len(table.frame) for table in tables.edges)
    rules = [
        rule for table in tables.cleaning.tables for rule in table.rules if rule.rule in ("type", "time", "fields")
    ]
    assert [rule for rule in rules if rule.rule != "fields"] == []
