"""The regret of settings, computed by hand; the leave-one-set-out default, the table, and the files."""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from graphrec.benchmark.regret import (
    LEGEND,
    MeasuredConfig,
    Regret,
    leave_one_out_default,
    load_regrets,
    read_regret,
    regret_path,
    regret_table,
    save_regret,
    summarise,
)
from graphrec.benchmark.results import load_all
from graphrec.errors import DataError


def of(data: str, ndcg: Mapping[int, float], candidates: int, selected: int, seconds: float = 1.0) -> Regret:
    """A data set whose configs {"rank": n, "share": 0.5} have these NDCG; the first `candidates` are candidates."""
    configs = {number: {"rank": number, "share": 0.5} for number in ndcg}
    return Regret(
        data=data,
        model="graph_filter",
        interactions=ord(data[0]),
        drawn="random",
        fingerprint="f",
        seed=0,
        num_trials=None,
        candidates=tuple(configs[number] for number in list(ndcg)[:candidates]),
        device="cpu",
        threads=1,
        versions={"graphrec": "0"},
        machine="m",
        selected=configs[selected],
        tried=3,
        search_seconds=seconds,
        measured=tuple(MeasuredConfig(configs[number], value, value / 2, 0.1) for number, value in ndcg.items()),
    )


@pytest.fixture
def three() -> list[Regret]:
    """Candidates 1, 2 and 3, of C also 4; the searches of B and C select others, that of C the best of all."""
    return [
        of("A", {1: 0.2, 2: 0.4, 3: 0.3}, 3, 3, 10.0),
        of("B", {1: 0.5, 2: 0.25, 3: 0.4, 9: 0.45}, 3, 9, 20.0),
        of("C", {1: 0.45, 2: 0.6, 3: 0.81, 4: 0.9, 7: 1.0}, 4, 7, 330.0),
    ]


def test_regret_is_the_relative_distance_to_the_best_measured_config(three: list[Regret]) -> None:
    assert [[regret.regret(config) for config in regret.candidates] for regret in three] == [
        pytest.approx([0.5, 0.0, 0.25]),
        pytest.approx([0.0, 0.5, 0.2]),
        pytest.approx([0.55, 0.4, 0.19, 0.1]),
    ]
    assert [regret.best.config["rank"] for regret in three] == [2, 1, 7]
    assert [regret.regret(regret.selected) for regret in three] == pytest.approx([0.25, 0.1, 0.0])
    nothing = of("D", {1: 0.0, 2: 0.0}, 2, 1)
    assert nothing.regret({"rank": 2, "share": 0.5}) == 0.0
    with pytest.raises(DataError, match="A: graph_filter with .*77.* was not measured"):
        three[0].regret({"rank": 77})


def test_the_default_of_the_other_sets_has_their_least_mean_regret(three: list[Regret]) -> None:
    """Without A the means are 0.275, 0.45, 0.195; without B 0.525, 0.2, 0.22; without C 0.25, 0.25, 0.225."""
    chosen = [leave_one_out_default(three, position) for position in range(3)]
    assert [config and config["rank"] for config in chosen] == [3, 2, 3]
    assert [list(row.values()) for row in summarise(three)] == [
        pytest.approx([0.5, 0.25, 0.25]),
        pytest.approx([0.0, 0.5, 0.1]),
        pytest.approx([0.55, 0.19, 0.0]),
    ]
    assert [list(row) for row in summarise(three)] == [["default", "leave_one_out", "search"]] * 3


@pytest.mark.parametrize("position", [0, 1, 2])
def test_results_on_a_set_do_not_change_its_own_default(three: list[Regret], position: int) -> None:
    rng = np.random.default_rng(position)
    expected = [leave_one_out_default(three, place) for place in range(3)]
    found = []
    for _ in range(20):
        drawn = tuple(replace(measured, ndcg=float(rng.random())) for measured in three[position].measured)
        changed = [*three]
        changed[position] = replace(three[position], measured=drawn, selected=drawn[0].config)
        found.append([leave_one_out_default(changed, place) for place in range(3)])
    assert all(defaults[position] == expected[position] for defaults in found)
    others = [place for place in range(3) if place != position]
    assert any(defaults[place] != expected[place] for defaults in found for place in others)


def test_only_candidates_of_all_sets_can_be_the_default() -> None:
    """Config 2 is the best on A and B, but no candidate of C, where it was not measured."""
    three = [
        of("A", {1: 0.1, 2: 0.9, 3: 0.5}, 3, 2),
        of("B", {1: 0.1, 2: 0.9, 3: 0.5}, 3, 2),
        of("C", {1: 0.2, 3: 0.15}, 2, 1),
    ]
    chosen = [leave_one_out_default(three, position) for position in range(3)]
    assert [config and config["rank"] for config in chosen] == [3, 3, 3]
    assert leave_one_out_default(three[:1], 0) is None
    assert leave_one_out_default([three[0], of("D", {8: 0.1}, 1, 8)], 0) is None


def test_the_table(three: list[Regret]) -> None:
    head, _, *rows = regret_table(three).split("\n\n")[0].splitlines()
    assert head.split(" | ")[2:6] == ["default", "default of the other sets", "search", "best in hindsight"]
    assert rows == [
        "| A | random | 0.2000 [1] | 0.3000 [3] | 0.3000 [3] | 0.4000 [2] | 50.00 | 25.00 | 25.00 | 10.0 |",
        "| B | random | 0.5000 [1] | 0.2500 [2] | 0.4500 [search] | 0.5000 [1] | 0.00 | 50.00 | 10.00 | 20.0 |",
        "| C | random | 0.4500 [1] | 0.8100 [3] | 1.0000 [search] | 1.0000 [search] | 55.00 | 19.00 | 0.00 | 330 |",
        "| **mean** |  |  |  |  |  | 35.00 | 31.33 | 11.67 | 120 |",
        "| **worst** |  |  |  |  |  | 55.00 | 50.00 | 25.00 | 330 |",
    ]
    assert regret_table(three).split("\n\n")[1:] == [
        LEGEND,
        "- [1] the default\n- [2] `rank=2`\n- [3] `rank=3`\n- [search] on B: `rank=9`\n- [search] on C: `rank=7`\n",
    ]


def test_a_table_of_one_set_has_no_default_of_others(three: list[Regret]) -> None:
    rows = regret_table(three[:1]).splitlines()
    assert rows[2] == "| A | random | 0.2000 [1] | – | 0.3000 [3] | 0.4000 [2] | 50.00 | – | 25.00 | 10.0 |"
    assert rows[3] == "| **mean** |  |  |  |  |  | 50.00 | – | 25.00 | 10.0 |"


def test_the_same_config_has_one_number_on_all_sets() -> None:
    """Candidates are compared by their settings: 5 is the third of A and the second of B."""
    rows = regret_table([of("A", {1: 0.1, 2: 0.2, 5: 0.4}, 3, 5), of("B", {1: 0.1, 5: 0.2}, 2, 5)]).splitlines()
    assert [row.split(" | ")[4] for row in rows[2:4]] == ["0.4000 [3]", "0.2000 [3]"]
    assert "- [3] `rank=5`" in rows


def test_what_is_complete(three: list[Regret]) -> None:
    whole = three[2]
    assert whole.is_complete
    assert [config["rank"] for config in whole.configs] == [1, 2, 3, 4, 7]
    assert not replace(whole, measured=whole.measured[:-1]).is_complete
    assert not replace(whole, measured=whole.measured[1:]).is_complete
    assert not replace(whole, selected=None).is_complete


def test_files_are_read_as_they_were_written(tmp_path: Path, three: list[Regret]) -> None:
    for regret in [three[2], three[0], replace(three[1], selected=None, measured=())]:
        save_regret(regret, regret_path(tmp_path, regret.data, regret.model))
    save_regret(replace(three[0], model="ease"), regret_path(tmp_path, "A", "ease"))
    found = load_regrets(tmp_path, "graph_filter")
    assert found == [three[0], replace(three[1], selected=None, measured=()), three[2]]
    assert load_regrets(tmp_path, "graph_filter", ["C"]) == [three[2]]
    with pytest.raises(DataError, match=r"has no regrets of graph_filter on D; `graphrec benchmark --panel"):
        load_regrets(tmp_path, "graph_filter", ["C", "D"])
    with pytest.raises(DataError, match=r"has no regrets of ials \(but of ease, graph_filter\); `graphrec"):
        load_regrets(tmp_path, "ials")
    with pytest.raises(DataError, match="has no results"):
        load_all(tmp_path)  # results of another form of the command may be in the same folder


@pytest.mark.parametrize("change", ["{", "[]", "null", "7", "lacks", "more", "config"])
def test_another_file_is_refused(tmp_path: Path, three: list[Regret], change: str) -> None:
    content = asdict(three[0])
    if change == "lacks":
        del content["seed"]
    elif change == "more":
        content["more"] = 1
    elif change == "config":
        del content["measured"][1]["ndcg"]
    path = regret_path(tmp_path, "A", "graph_filter")
    path.write_text(json.dumps(content) if len(change) > 4 else change)
    with pytest.raises(DataError, match=r"is not a file of this version of `graphrec benchmark --panel`; move it"):
        read_regret(path)
    with pytest.raises(DataError, match="cannot be read"):
        read_regret(tmp_path)
