"""Splits that stand in files: ids looked up, pairs matched, and every defect said with examples."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from graphrec.errors import DataError
from graphrec.interactions import Interactions
from graphrec.splitting import Split, splits
from graphrec.vocabulary import Vocabulary

USERS = Vocabulary.of("User", ["ann", "bob"])
ITEMS = Vocabulary.of("Item", [f"i{number}" for number in range(20)])


def whole(times: list[int] | None = None) -> Interactions:
    """Ann with items 0 to 9, bob with items 0 to 9, at 0 to 19; ann had item 0 once more, in row 20."""
    user = np.array([0] * 10 + [1] * 10 + [0])
    item = np.array([*range(10), *range(10), 0])
    return Interactions(user, item, 2, 20, None, np.arange(21) if times is None else np.array(times))


def table(path: Path, pairs: list[tuple[str, str]], separator: str = "\t", more: str = "") -> str:
    head = separator.join(["user_id", "item_id", *([more] if more else [])])
    lines = [separator.join([*pair, *(["1"] if more else [])]) for pair in pairs]
    text = "\n".join([head, *lines]) + "\n"
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)
    return str(path)


def of(name: str, *numbers: int) -> list[tuple[str, str]]:
    return [(name, f"i{number}") for number in numbers]


def split(*paths: str, data: Interactions | None = None) -> Split:
    given = whole() if data is None else data
    (found,) = splits(f"files({', '.join(paths)})", given, np.random.default_rng(0), USERS, ITEMS)
    return found


def pairs(part: Interactions) -> list[tuple[int, int]]:
    return list(zip(part.user_index.tolist(), part.item_index.tolist(), strict=True))


def test_three_files_are_three_parts_and_the_rest_is_left_out(tmp_path: Path) -> None:
    found = split(
        table(tmp_path / "a.tsv", [*of("ann", 2, 0), *of("bob", 1), *of("bob", 1)]),
        table(tmp_path / "b.csv", of("ann", 3), ",", more="rating"),
        table(tmp_path / "c.tsv.gz", of("bob", 9)),
    )
    assert pairs(found.train) == [(0, 0), (0, 2), (1, 1), (0, 0)]  # as they stand in the graph, all rows of a pair
    assert pairs(found.validation) == [(0, 3)]
    assert pairs(found.test) == [(1, 9)]
    assert found.cut is None  # ann's item 0 at 20 is later than the test part


def test_files_that_time_divides_have_a_cut_and_the_last_tenth_for_validation(tmp_path: Path) -> None:
    train, test = table(tmp_path / "a.tsv", of("bob", *range(9, -1, -1))), table(tmp_path / "b.tsv", of("ann", 0, 1))
    late = whole([*range(30, 40), *range(10), 50])
    found = split(train, test, data=late)
    assert pairs(found.validation) == [(1, 9)]
    assert len(found.train) == 9
    assert pairs(found.test) == [(0, 0), (0, 1), (0, 0)]
    assert found.cut == 9
    # with three files too; but not where a test interaction lies among those of train
    found = split(table(tmp_path / "c.tsv", of("bob", 1)), table(tmp_path / "d.tsv", of("bob", 2)), test, data=late)
    assert found.cut == 2
    mixed = [table(tmp_path / f"{name}.tsv", pairs) for name, pairs in (("e", of("bob", 1, 3)), ("f", of("bob", 2, 4)))]
    assert split(*mixed, test, data=late).cut is None
    equal = whole([9, *range(31, 40), *range(10), 50])  # the last of train and the first of test at one second
    assert split(train, test, data=equal).cut is None


def test_without_times_a_random_tenth_is_validation(tmp_path: Path) -> None:
    train, test = table(tmp_path / "a.csv", of("ann", *range(10)), ","), table(tmp_path / "b.tsv", of("bob", 1))
    plain = Interactions(whole().user_index, whole().item_index, 2, 20)
    seen = set()
    for seed in range(20):
        (found,) = splits(f"files({train}, {test})", plain, np.random.default_rng(seed), USERS, ITEMS)
        held = set(pairs(found.validation))
        assert len(held) == 1
        assert not held & set(pairs(found.train))
        assert sorted(held | set(pairs(found.train))) == [(0, item) for item in range(10)]
        seen |= held
    assert len(seen) > 4


def test_unknown_ids_and_pairs_are_counted_and_named(tmp_path: Path) -> None:
    good = table(tmp_path / "good.tsv", of("ann", 0))
    people = [(f"u{number}", "i0") for number in range(7)]
    with pytest.raises(DataError, match=r"bad.tsv: 7 User ids are not known: u0, u1, u2, u3, u4, …; load the source"):
        split(good, table(tmp_path / "bad.tsv", people))
    with pytest.raises(DataError, match=r"bad.tsv: 2 Item ids are not known: x, y; load the source"):
        split(table(tmp_path / "bad.tsv", [("ann", "x"), ("bob", "y"), ("ann", "y"), ("ann", "i1")]), good)
    with pytest.raises(
        DataError,
        match="bad.tsv: 6 of 7 pairs are not interactions of the graph "
        r"\(ann → i10, ann → i11, ann → i12, ann → i13, ann → i14, …\); load them first",
    ):
        split(good, table(tmp_path / "bad.tsv", of("ann", 1, *range(10, 16))))


def test_pairs_in_two_files_are_counted_and_named(tmp_path: Path) -> None:
    train, test = table(tmp_path / "a.tsv", of("ann", *range(8))), table(tmp_path / "b.tsv", of("ann", *range(2, 10)))
    with pytest.raises(
        DataError,
        match=r"6 pairs are in both .*a.tsv and .*b.tsv \(ann → i2, ann → i3, ann → i4, ann → i5, ann → i6, …\)",
    ):
        split(train, test)
    other = table(tmp_path / "c.tsv", of("bob", 1))
    with pytest.raises(DataError, match=r"1 pairs are in both .*c.tsv and .*d.tsv \(bob → i1\)"):
        split(train, other, table(tmp_path / "d.tsv", of("bob", 1)))


def test_files_that_are_defective(tmp_path: Path) -> None:
    good = table(tmp_path / "good.tsv", of("ann", 0))
    with pytest.raises(DataError, match="none.tsv"):
        split(good, str(tmp_path / "none.tsv"))
    (tmp_path / "bad.tsv").write_text("user\titem_id\nann\ti0\n")
    with pytest.raises(DataError, match="user_id"):
        split(good, str(tmp_path / "bad.tsv"))
