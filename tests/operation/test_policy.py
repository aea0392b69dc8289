"""The policy: its TOML file, defaults and errors; and drift by hand."""

from pathlib import Path

import numpy as np
import pytest

from graphrec.errors import DataError
from graphrec.operation import OperationPolicy, PublishPolicy, RetrainPolicy, SearchPolicy, WatchPolicy
from graphrec.operation.changes import Changes, measure_drift
from graphrec.operation.policy import parse_policy, read_policy


def test_a_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(
        'model = "item_knn"\nevery = "5m"\n[retrain]\nevents = 50\nage = "2w"\nunknown = 0\n[search]\nevery = "0s"\n'
        '[publish]\nk = 20\nrules = "rules.toml"\nreasons = true\n'
        '[watch]\nclicks = ["CLICKED"]\nwindow = "90m"\nsplit = 0.5\n',
        encoding="utf-8",
    )
    assert read_policy(file) == OperationPolicy(
        model="item_knn",
        every=300,
        retrain=RetrainPolicy(events=50, age=14 * 86_400, unknown=0),
        search=SearchPolicy(every=0),
        publish=PublishPolicy(k=20, rules=tmp_path / "rules.toml", reasons=True),
        watch=WatchPolicy(clicks=("CLICKED",), window=5_400, split=0.5),
    )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"retrian": {}}, "retrian is not a key of this table; did you mean retrain?"),
        ({"retrain": {"event": 3}}, r"\[retrain\]: event is not a key of this table; did you mean events?"),
        ({"retrain": {"age": 7}}, r"\[retrain\]: age must be text, not 7"),
        ({"retrain": {"age": "a week"}}, "age must be a number of seconds, minutes, hours, days or weeks"),
        ({"retrain": {"events": -1}}, "events must not be negative"),
        ({"retrain": {"events": 0}}, "retrain.events is 0, and must be at least 1"),
        ({"retrain": {"unknown": 2}}, "retrain.unknown is a share from 0 to 1, not 2"),
        ({"retrain": {"drift": "much"}}, r"drift must be a number, not 'much'"),
        ({"watch": {"alpha": 1}}, "watch.alpha is between 0 and 1"),
        ({"watch": {"split": float("nan")}}, "watch.split is a share"),
        ({"watch": {"split": 1}}, "watch.split is 1, so no user would get the new run"),
        ({"publish": {"keep": 0}}, "publish.keep is 0"),
    ],
)
def test_a_wrong_value_is_named(values: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        parse_policy(values, Path("policy.toml"))


def test_each_part_of_the_policy_asks_for_a_training() -> None:
    policy = RetrainPolicy(events=1_000, unknown=0.1, drift=0.2, age=86_400)
    assert Changes(10, 999, 86_399, 0.09, 0.0, 0.19).reasons(policy) == []
    assert Changes(10, 1_000, 0).reasons(policy) == ["1,000 new events reach 1,000"]
    assert Changes(10, 0, 10**9).reasons(policy) == [], "without a new event nothing is older"
    assert len(Changes(10, 1, 86_400, 0.1, 0.2, 0.3).reasons(policy)) == 4
    assert Changes(10, 1, 0, 1.0, 1.0, 1.0).reasons(RetrainPolicy(unknown=0, drift=0)) == [], "0 turns a part off"


def test_drift_is_zero_for_few_events_of_the_same_items_and_one_for_others() -> None:
    rng = np.random.default_rng(0)
    before = rng.gamma(0.5, 100, 500).round()
    same = [measure_drift(before, rng.multinomial(200, before / before.sum()).astype(float), rng) for _ in range(20)]
    assert sum(each > 0 for each in same) <= 4
    assert max(same) < 0.03
    half = np.where(np.arange(500) < 250, before, 0.0)
    other = before - half
    assert measure_drift(half, other, rng) == pytest.approx(1, abs=0.06)
    assert measure_drift(half, half * 3, rng) == 0
    assert measure_drift(half, np.zeros(500), rng) == 0
    # two items, all events on the second: p = (1/2, 1/2), q = (0, 1), m = (1/4, 3/4)
    by_hand = (0.5 * np.log2(2) + 0.5 * np.log2(2 / 3) + np.log2(4 / 3)) / 2
    assert measure_drift(np.array([10.0, 10.0]), np.array([0.0, 1e6]), rng) == pytest.approx(by_hand, abs=1e-3)
