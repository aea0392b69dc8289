"""Results as files, as one table and as a picture."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from graphrec.benchmark.ablation import Ablation, RelationEffect
from graphrec.benchmark.literature import LiteratureResult
from graphrec.benchmark.plot import _separate_heights, plot
from graphrec.benchmark.results import load_all, markdown, save
from graphrec.benchmark.run import Result
from graphrec.errors import DataError
from graphrec.evaluation.report.label_placement import place
from graphrec.evaluation.result import Difference, Estimate

CHEBY = LiteratureResult("ChebyCF", {"recall@20": 0.1941, "ndcg@20": 0.1616}, "README")


def result(label: str, metrics: Mapping[str, float], data: str = "gowalla", fit: float = 5.66) -> Result:
    return Result(
        data=data,
        model="graph_filter",
        label=label,
        without=(),
        config={"rank": 64},
        trials=40,
        metrics=metrics,
        seconds={"tune": 132.6, "fit": fit, "recommend": 11.94},
        peak_mib={"read": 500, "tune": 1300, "fit": 1300, "recommend": 1312, "gpu": 9000},
        counts={"users": 3},
        edges={"INTERACTED": 5},
        cut={},
        seed=0,
        device="cpu",
        threads=2,
        load=0.5,
        versions={"python": "3.11.7", "torch": "2.13.0"},
        machine="a processor, 2 cores",
        measured_at="2026-11-25T01:02:03+00:00",
        published=(CHEBY,) if data == "gowalla" else (),
    )


GOOD = result("graph_filter", {"recall@20": 0.196, "ndcg@20": 0.1635})
POOR = result("popularity", {"recall@20": 0.0416, "ndcg@20": 0.0317}, fit=0.004)


def test_results_are_kept_one_file_each_and_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "results"
    first = save(POOR, folder)
    assert save(replace(POOR, seed=1), folder) == first
    save(GOOD, folder)
    save(replace(GOOD, without=("FOLLOWS",)), folder)
    assert sorted(path.name for path in folder.iterdir()) == [
        "gowalla--graph_filter--without-FOLLOWS.json",
        "gowalla--graph_filter.json",
        "gowalla--popularity.json",
    ]
    found = load_all(folder)
    assert [(saved["label"], saved["seed"]) for saved in found] == [
        ("graph_filter", 0),
        ("graph_filter", 0),
        ("popularity", 1),
    ]


def test_a_label_is_no_path(tmp_path: Path) -> None:
    path = save(replace(GOOD, label="../lightgcn, softmax"), tmp_path)
    assert path == tmp_path / "gowalla--..-lightgcn-softmax.json"


def test_a_folder_without_results_or_with_something_else_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no results; `graphrec benchmark DATA --output"):
        load_all(tmp_path)
    (tmp_path / "a.json").write_text(json.dumps({"data": 1}))
    with pytest.raises(
        DataError, match=r"a\.json is not a result of this version of `graphrec benchmark`: it lacks ablations"
    ):
        load_all(tmp_path)
    (tmp_path / "a.json").write_text("3")
    with pytest.raises(DataError, match=r"a\.json is not a result of `graphrec benchmark`; move it elsewhere"):
        load_all(tmp_path)


def test_a_result_with_an_ablation_of_an_earlier_version_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    path = save(GOOD, tmp_path)
    content = json.loads(path.read_text(encoding="utf-8"))
    change = {"metric": "ndcg@20", "users": "all", "num_users": 3, "with_it": 0.2, "without_it": 0.1, "difference": 0.1}
    old = {"without": ["FOLLOWS"], "config": {}, "metrics": {}, "seconds": {}, "differences": [change]}
    path.write_text(json.dumps({**content, "ablations": [old]}), encoding="utf-8")
    with pytest.raises(DataError, match=r"graph_filter\.json is not a result of this version .* lacks effects; "):
        load_all(tmp_path)
    old["effects"] = [change]
    path.write_text(json.dumps({**content, "ablations": [old]}), encoding="utf-8")
    with pytest.raises(DataError, match=r"graph_filter\.json is not a result of `graphrec benchmark`; move it"):
        load_all(tmp_path)


def test_a_result_whose_published_figures_do_not_say_by_whom_is_read(tmp_path: Path) -> None:
    path = save(GOOD, tmp_path)
    content = json.loads(path.read_text(encoding="utf-8"))
    for entry in content["published"]:
        del entry["is_published"]
    path.write_text(json.dumps(content), encoding="utf-8")
    assert "published: README" in markdown(load_all(tmp_path))


def lines(tmp_path: Path, *results: Result) -> list[str]:
    for one in results:
        save(one, tmp_path)
    return markdown(load_all(tmp_path)).splitlines()


def test_the_table_has_the_best_first_and_what_is_published_among_them(tmp_path: Path) -> None:
    found = lines(tmp_path, POOR, GOOD)
    assert found[0].startswith(
        "| data | model | Recall@20 (or RMSE) | NDCG@20 (or MAE) | tune s | fit s | recommend s |"
    )
    assert found[2:5] == [
        "| gowalla | graph_filter | 0.1960 | 0.1635 | 133 | 5.7 | 11.9 | 1,312 | [1] |",
        "| gowalla | *ChebyCF* | *0.1941* | *0.1616* | – | – | – | – | published: README |",
        "| gowalla | popularity | 0.0416 | 0.0317 | 133 | 0.00 | 11.9 | 1,312 | [1] |",
    ]
    note = "[1] a processor, 2 cores; device cpu, 2 threads; python 3.11.7, torch 2.13.0; seed 0; 2026-11-25"
    assert found[6] == note


def test_next_items_have_a_table_of_their_own_and_one_among_sampled_items(tmp_path: Path) -> None:
    metrics = {"hit_rate@10": 0.25, "ndcg@10": 0.125, "hit_rate@20": 0.4, "ndcg@20": 0.15}
    published = (LiteratureResult("SASRec", {"hit_rate@10": 0.26, "ndcg@10": 0.124}, "its README"),)
    one = replace(result("ease", metrics, "ml-1m"), published=published)
    sampled = result("ease", {**metrics, "sampled_hit_rate@10": 0.75, "sampled_ndcg@10": 0.5}, "ml-1m-ncf")
    found = lines(tmp_path, GOOD, one, sampled)
    assert found[4] == ""
    assert found[5].startswith("| data | model | HR@10 | NDCG@10 | tune s |")
    assert found[7:10] == [
        "| ml-1m | ease | 0.2500 | 0.1250 | 133 | 5.7 | 11.9 | 1,312 | [1] |",
        "| ml-1m | *SASRec* | *0.2600* | *0.1240* | – | – | – | – | published: its README |",
        "| ml-1m-ncf | ease | 0.2500 | 0.1250 | 133 | 5.7 | 11.9 | 1,312 | [1] |",
    ]
    assert found[11].startswith("| data | model | HR@10 among 100 | NDCG@10 among 100 |")
    assert found[13].startswith("| ml-1m-ncf | ease | 0.7500 | 0.5000 |")


def test_short_lists_have_tables_of_their_own(tmp_path: Path) -> None:
    """The first five of CFGAN's split with the published figure, and the first ten of DiffRec's."""
    published = (LiteratureResult("CFGAN", {"precision@5": 0.444, "ndcg@5": 0.476}, "its paper"),)
    five = result("cfgan", {"recall@20": 0.36, "ndcg@20": 0.43, "precision@5": 0.4401, "ndcg@5": 0.47}, "ml-100k-gan")
    ten = result("multvae", {"recall@20": 0.18, "ndcg@20": 0.11, "recall@10": 0.1, "ndcg@10": 0.08}, "ml-1m-diffrec")
    found = lines(tmp_path, replace(five, published=published), ten)
    heads = [line.split("|")[3:5] for line in found if line.startswith("| data")]
    assert [" ".join(map(str.strip, head)) for head in heads] == [
        "Recall@20 (or RMSE) NDCG@20 (or MAE)",
        "P@5 NDCG@5",
        "Recall@10 NDCG@10",
    ]
    assert any(line.startswith("| ml-100k-gan | cfgan | 0.4401 | 0.4700 ") for line in found)
    assert any(line.startswith("| ml-100k-gan | *CFGAN* | *0.4440* | *0.4760* ") for line in found)
    assert any(line.startswith("| ml-1m-diffrec | multvae | 0.1000 | 0.0800 ") for line in found)


def test_results_of_other_versions_get_a_note_of_their_own(tmp_path: Path) -> None:
    found = lines(tmp_path, replace(POOR, versions={"python": "3.12.1"}), GOOD)
    assert [line[-6:] for line in (found[2], found[4])] == ["[1] |".rjust(6), "[2] |".rjust(6)]
    assert found[7].startswith("[2] a processor, 2 cores; device cpu, 2 threads; python 3.12.1; ")


def test_five_folds_get_a_mean(tmp_path: Path) -> None:
    folds = [result("mf", {"rmse": 0.9 + k / 100, "mae": 0.7}, f"ml-100k-u{k}", fit=k) for k in range(1, 6)]
    found = lines(tmp_path, *folds)
    assert "| ml-100k | mf, mean of u1 to u5 | 0.9300 | 0.7000 | – | 3.0 | – | – | the five rows |" in found
    assert any(line.startswith("| ml-100k | *SVD++* | *0.9190* | *0.7210* |") for line in found)
    assert "mean of" not in markdown(load_all(tmp_path)[:4])


def test_what_relations_add_is_a_table_of_its_own(tmp_path: Path) -> None:
    difference = Difference("with", "without", "ndcg@20", Estimate(0.06, 0.05, 0.07), 0.5, 0.001, 0.001, "better")
    change = RelationEffect("all", 12638, 0.26, 0.2, difference)
    found = lines(tmp_path, replace(GOOD, ablations=(Ablation(("VIEWED", "CARTED"), {}, {}, {}, (change,)),)))
    assert found[-1] == (
        "| gowalla | graph_filter | VIEWED, CARTED | ndcg@20 | all (12,638) | 0.2600 | 0.2000 | +0.0600 | "
        "+0.0500 to +0.0700 | +30.0% |"
    )


def test_a_plot_is_written_as_svg_and_png(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="plots need matplotlib, which is optional")
    for fold in (1, 2):
        save(result("mf", {"rmse": 0.91, "mae": 0.7}, f"ml-100k-u{fold}"), tmp_path)
    for one in (GOOD, POOR):
        save(one, tmp_path)
    written = plot(load_all(tmp_path), tmp_path / "quality.png")
    assert [path.name for path in written] == ["quality.svg", "quality.png"]
    assert written[1].read_bytes().startswith(b"\x89PNG")
    svg = written[0].read_text(encoding="utf-8")
    assert "gowalla" in svg
    assert "ChebyCF 0.1616" in svg
    assert "popularity 0.0317" in svg  # so much worse that it stands at the edge, with its value
    assert ("ml-100k-u1" in svg, "ml-100k-u2" in svg) == (True, False)
    plot(load_all(tmp_path), tmp_path / "again")
    assert (tmp_path / "again.svg").read_text(encoding="utf-8") == svg


def test_a_plot_of_next_items_has_marks_of_more_published_results(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="plots need matplotlib, which is optional")
    metrics = {"hit_rate@10": 0.3, "ndcg@10": 0.17, "hit_rate@20": 0.4, "ndcg@20": 0.2}
    names = [f"paper {number}" for number in range(9)]
    published = [
        LiteratureResult(name, {"hit_rate@10": 0.3, "ndcg@10": 0.19 - number / 500}, "its README")
        for number, name in enumerate(names)
    ]
    save(replace(result("sasrec", metrics, "ml-1m"), published=tuple(published)), tmp_path)
    svg = plot(load_all(tmp_path), tmp_path / "quality")[0].read_text(encoding="utf-8")
    assert [name for name in names if name in svg] == names[:7]
    assert "NDCG@10" in svg


def test_a_plot_of_nothing_is_an_error(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="plots need matplotlib, which is optional")
    with pytest.raises(DataError, match="no results to plot"):
        plot([], tmp_path / "a")


def test_labels_stand_apart_in_their_order() -> None:
    assert _separate_heights([0.3, 0.1, 0.12], 0.05) == pytest.approx([0.3, 0.1, 0.15])
    assert _separate_heights([], 0.05) == []


def test_names_stand_beside_their_points_in_the_frame_and_do_not_overlap() -> None:
    """Three points close together at the right edge, one alone in the middle."""
    points = np.array([[95.0, 50.0], [95.0, 52.0], [95.0, 54.0], [50.0, 20.0]])
    sizes = np.array([[20.0, 6.0]] * 4)
    centres = place(points, sizes, (0, 0, 100, 100))
    assert centres[3].tolist() == [50 + 7 + 10, 20]  # to the right
    low, high = centres - sizes / 2, centres + sizes / 2
    assert (low >= 0).all()
    assert (high <= 100).all()
    for first in range(4):
        for second in range(first):
            assert not ((low[first] < high[second]).all() and (low[second] < high[first]).all())


def test_a_name_that_is_too_large_hides_least() -> None:
    """To the right it would cover the other point; to the left, above and below as much of it leaves the frame."""
    points = np.array([[50.0, 50.0], [75.0, 50.0]])
    centres = place(points, np.array([[60.0, 60.0], [4.0, 4.0]]), (0, 0, 100, 100))
    low, high = centres[0] - 30, centres[0] + 30
    assert not ((low < points).all(axis=1) & (points < high).all(axis=1)).any()
    assert ((low > -20) & (high < 120)).all()
