"""What a split is called: read, checked, and written so that it reads back the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphrec.errors import DataError, UnknownNameError
from graphrec.splitting import SPLIT_NAMES, SPLITS, SplitSpec, parse_split


@pytest.mark.parametrize(
    ("text", "spec", "written"),
    [
        ("time", SplitSpec("time"), "time(validation=0.1, test=0.1)"),
        (" time ( test = .2 ) ", SplitSpec("time", test=0.2), "time(validation=0.1, test=0.2)"),
        ("time(validation=0, test=0.2)", SplitSpec("time", 0.0, 0.2), "time(validation=0.0, test=0.2)"),
        (
            "time(validation=2024-01-01, test=2024-03-01T12:30)",
            SplitSpec("time", 1704067200, 1709296200),
            "time(validation=2024-01-01, test=2024-03-01T12:30:00)",
        ),
        (
            "time(validation=1704067200, test=2024-03-01T00:00+01:00)",
            SplitSpec("time", 1704067200, 1709247600),
            "time(validation=2024-01-01, test=2024-02-29T23:00:00)",
        ),
        ("rolling(windows=2)", SplitSpec("rolling", windows=2), "rolling(windows=2, validation=0.1, test=0.1)"),
        ("leave-last-out", SplitSpec("leave-last-out"), "leave-last-out"),
        ("leave-last-out()", SplitSpec("leave-last-out"), "leave-last-out"),
        ("k-fold(folds=3)", SplitSpec("k-fold", folds=3), "k-fold(folds=3, validation=0.1)"),
        ("cold-users(test=0.3)", SplitSpec("cold-users", test=0.3), "cold-users(validation=0.1, test=0.3)"),
        ("files(a/train.tsv, b.csv.gz)", SplitSpec("files", files=("a/train.tsv", "b.csv.gz")),
         "files(a/train.tsv, b.csv.gz)"),
    ],
)  # fmt: skip
def test_a_text_is_a_spec_and_back(text: str, spec: SplitSpec, written: str) -> None:
    assert parse_split(text) == spec
    assert str(spec) == written
    assert parse_split(written) == spec


SHARES = st.floats(0.001, 0.3)


@given(
    st.one_of(
        st.builds(SplitSpec, st.sampled_from(["time", "random", "random-by-user", "cold-items"]), SHARES, SHARES),
        st.builds(
            lambda a, b: SplitSpec("time", min(a, b), max(a, b) + 1), st.integers(0, 2**32), st.integers(0, 2**32)
        ),
        st.builds(lambda n, a: SplitSpec("k-fold", a, folds=n), st.integers(2, 9), SHARES),
        st.builds(lambda n, a: SplitSpec("rolling", a, 0.05, windows=n), st.integers(1, 9), SHARES),
    )
)
def test_every_spec_reads_back_from_its_text(spec: SplitSpec) -> None:
    assert parse_split(str(spec)) == spec


def test_the_names_that_there_were_are_there_with_the_default_first() -> None:
    assert set(SPLITS) < set(SPLIT_NAMES)
    assert SPLIT_NAMES[0] == "time"
    assert all(str(parse_split(name)).startswith(name) for name in SPLIT_NAMES if name != "files")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tine", "there is no split 'tine'; did you mean time"),
        ("temporal(test=0.1)", "there is no split 'temporal'; "),
        ("time(tset=0.1)", "the split time has no option 'tset'; did you mean test"),
        ("random(folds=3)", "the split random has no option 'folds'; it has 2: validation, test"),
    ],
)
def test_unknown_names_say_what_there_is(text: str, message: str) -> None:
    with pytest.raises(UnknownNameError, match=message):
        parse_split(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("time(test=0.1", r"split 'time\(test=0.1' is not a name with options, such as time"),
        ("", "split '' is not a name"),
        ("time(0.1)", "split time: '0.1' is not an option with a value, such as test=0.1"),
        ("leave-last-out(test=0.1)", "the split leave-last-out has no options, but 'test=0.1' is given"),
        ("time(test=0.1, test=0.2)", "split time: test is given twice"),
        (
            "time(test=soon)",
            "split time: test must be a share such as 0.1, a date such as 2024-03-01 or Unix seconds, not",
        ),
        ("random(test=much)", "split random: test must be a share such as 0.1, not 'much'"),
        ("time(test=2024-02-30)", "split time: test must be a share"),
        ("k-fold(folds=2.5)", "split k-fold: folds must be a whole number, not '2.5'"),
        ("k-fold(folds=1)", "split k-fold: folds must be a whole number from 2 on, not 1"),
        ("rolling(windows=0)", "split rolling: windows must be a whole number from 1 on, not 0"),
        ("time(test=2024-03-01)", "validation=0.1 and test=1709251200 are not valid; give two shares"),
        ("random(validation=2024-01-01, test=2024-03-01)", "split random: .* are not valid"),
        ("time(validation=2024-03-01, test=2024-01-01)", "test must begin after validation"),
        ("random(test=0)", r"split random\(validation=0.1, test=0.0\): the shares must be between 0 and 1"),
        ("random(validation=0.5, test=0.5)", "leave a rest for train, but validation has 0.5 and test 0.5 in total"),
        ("rolling(windows=9)", "validation has 0.1 and test 0.9 in total"),
        ("k-fold(folds=2, validation=0.5)", "validation has 0.5 and test 0.5 in total"),
        ("files", "split files needs two or three files, not 0"),
        ("files(a.tsv)", "split files needs two or three files, not 1"),
        ("files(a.tsv, b.txt)", "'b.txt' does not end in .csv, .tsv, .csv.gz, .tsv.gz"),
    ],
)
def test_what_cannot_be_is_said(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        parse_split(text)


def test_a_spec_made_in_code_is_checked_too() -> None:
    with pytest.raises(UnknownNameError, match="there is no split 'later'"):
        SplitSpec("later")
    with pytest.raises(UnknownNameError, match="the split time has no option 'folds'"):
        SplitSpec("time", folds=3)
    with pytest.raises(DataError, match="contains a comma, or begins or ends with a space"):
        SplitSpec("files", files=("a,b.tsv", "c.tsv"))
