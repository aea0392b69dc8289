"""Published splits as files, strictly read, and the benchmark on them."""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest

from graphrec.errors import DataError, UnknownNameError
from graphrec.evaluation.presplit import benchmark, read, read_pairs

DATA = Path(os.environ.get("GRAPHREC_DATA", Path(__file__).parents[3] / "shared" / "data"))


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_lines_become_pairs(tmp_path: Path) -> None:
    """Spaces, tabs, carriage returns, an empty line, a user without items, a user on two lines."""
    found = read_pairs(write(tmp_path, "a.txt", "0 3 1\r\n\n2\t0\t \n1\n0 2\n"))
    assert list(zip(found.user_index.tolist(), found.item_index.tolist(), strict=True)) == [
        (0, 3),
        (0, 1),
        (2, 0),
        (0, 2),
    ]
    assert (found.num_users, found.num_items) == (3, 4)


def test_gzip_is_recognised_by_content(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(gzip.compress(b"0 1 2\n"))
    assert read_pairs(path).item_index.tolist() == [1, 2]
    path.write_bytes(gzip.compress(b"0 1 2\n" * 1000)[:-10])
    with pytest.raises(DataError, match="cannot be read"):
        read_pairs(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0 1\n1 -2\n", "line 2: '-2' is not a position"),
        ("0 1\n\n1 2 x\n", "line 3: 'x' is not a position"),
        ("0 1.5\n", "line 1: '1.5' is not a position"),
        ("0,1\n", "line 1: '0,1' is not a position"),
        ("0 99999999999999999999\n", "line 1: '99999999999999999999' is not a position"),
        ("0 ١\n", "line 1: '١' is not a position"),
    ],
)
def test_anything_else_is_an_error_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_pairs(write(tmp_path, "a.txt", text))


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no file"):
        read_pairs(tmp_path / "a.txt")
    with pytest.raises(DataError, match="cannot be read"):
        read_pairs(tmp_path)


def test_sizes_cover_all_files(tmp_path: Path) -> None:
    train, test = write(tmp_path, "a", "0 1\n1 0\n"), write(tmp_path, "b", "2 5\n")
    social = write(tmp_path, "c", "0 6\n")
    graph, known, truth = read(train, test, social)
    assert (known.num_users, known.num_items) == (truth.num_users, truth.num_items) == (7, 6)
    assert (len(graph.users), len(graph.items)) == (7, 6)
    assert graph.data["User", "INTERACTED", "Item"].edge_index.tolist() == [[0, 1], [1, 0]]
    assert graph.data["Item", "rev_INTERACTED", "User"].edge_index.tolist() == [[1, 0], [0, 1]]
    assert graph.data["User", "FOLLOWS", "User"].edge_index.tolist() == [[0], [6]]
    assert graph.data["User", "rev_FOLLOWS", "User"].edge_index.tolist() == [[6], [0]]


def blocks(folder: Path) -> tuple[Path, Path]:
    """Two blocks of 30 users and 30 items, a third of the cells in test."""
    rng = np.random.default_rng(0)
    train, test = [], []
    for user in range(60):
        items = rng.permutation(np.arange(user % 2, 60, 2))
        train.append(f"{user} {' '.join(map(str, items[:20]))}")
        test.append(f"{user} {' '.join(map(str, items[20:]))}")
    return write(folder, "train", "\n".join(train)), write(folder, "test", "\n".join(test))


@pytest.mark.parametrize("name", ["popularity", "item_knn", "graph_filter"])
def test_a_benchmark_tells_quality_and_cost(tmp_path: Path, name: str) -> None:
    found = benchmark(*blocks(tmp_path), name, np.random.default_rng(0))
    quality = found["recall@20"]
    assert isinstance(quality, float)
    assert quality < 0.7 if name == "popularity" else quality > 0.8
    assert (found["model"], found["num_users"], found["num_items"], found["num_test_users"]) == (name, 60, 60, 60)
    assert {"config", "ndcg@20", "seconds_tune", "seconds_fit", "seconds_recommend", "peak_rss_mb"} <= set(found)


def test_the_same_seed_gives_the_same_benchmark(tmp_path: Path) -> None:
    files = blocks(tmp_path)
    first, second = (benchmark(*files, "graph_filter", np.random.default_rng(3)) for _ in range(2))
    assert (first["config"], first["ndcg@20"]) == (second["config"], second["ndcg@20"])


def test_an_unknown_model_is_found_before_the_files_are_read(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="no model 'x'"):
        benchmark(tmp_path / "a", tmp_path / "b", "x", np.random.default_rng(0))


@pytest.mark.slow
def test_gowalla_is_as_good_as_we_claim() -> None:
    """ChebyCF, the best published on this split, has Recall@20 0.1941 and NDCG@20 0.1616."""
    folder = DATA / "gowalla"
    if not folder.exists():
        pytest.skip(f"the Gowalla split is not in {folder}; set GRAPHREC_DATA to the folder that has gowalla/")
    found = benchmark(folder / "train.txt.gz", folder / "test.txt.gz", "graph_filter", np.random.default_rng(0))
    recall, ndcg = found["recall@20"], found["ndcg@20"]
    assert isinstance(recall, float)
    assert isinstance(ndcg, float)
    assert recall > 0.1941
    assert ndcg > 0.1616
