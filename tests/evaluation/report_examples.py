"""Comparisons to write reports of: a rich one with everything that can be ugly, and the smallest there is."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from graphrec.evaluation.audit import Audit, Check
from graphrec.evaluation.result import (
    Bin,
    Comparison,
    Cost,
    DataSummary,
    Difference,
    Epoch,
    Estimate,
    ExampleUser,
    Group,
    ModelResult,
    ReasonPath,
    RecommendedItem,
    Setup,
    SplitSummary,
    TrialResult,
)
from graphrec.splitting import Part, SplitRecord
from graphrec.tuning.trial import Quality, Trial

KS = (10, 20, 50)

#: Name, model, and recall@20, which all other values are made from.
MODELS = (
    ("popularity", "popularity", 0.0431),
    ("item_knn", "item_knn", 0.1518),
    ("ease", "ease", 0.1703),
    ("ials", "ials", 0.1611),
    ("lightgcn", "lightgcn", 0.1664),
    ("graph_filter of run 2026-11-24-lastfm-all-relations", "graph_filter", 0.1722),
)
LEADER = MODELS[-1][0]

KINDS = (
    "test edges, or their reverses, among the edges of training",
    "events after the cut, of any behaviour",
    "tag assignments after the cut",
    "the same pair under another behaviour",
    "duplicates that fusion left, across the cut",
    "attribute edges made from later events",
    "aggregates that count later events",
)

#: Times a metric's value at 20 in comparison to recall@20.
ACCURACY = {"recall": 1.0, "ndcg": 0.83, "precision": 0.31, "map": 0.42, "mrr": 1.35, "hit_rate": 2.9}

HOSTILE = '<script>alert("x")</script> & | $a_b$ `q`'


def rich(seconds: float = 1.0, passed: bool = True) -> Comparison:
    """Six models on two splits with two seeds; `seconds` scales all that differs between two runs."""
    results = tuple(_result(row, seconds) for row in range(len(MODELS)))
    return Comparison(
        headline="ndcg@20",
        baseline="popularity",
        ks=KS,
        data=DataSummary(
            relation="LISTENED",
            num_users=1892,
            num_items=17632,
            num_interactions=92834,
            first=1122847200,
            last=1304940000,
            relations={"FRIEND": 12717, "LISTENED": 92834, "HAS_TAG": 108437, "TAGGED": 186479},
            user_degree=(1, 50, 50, 50, 50),
            item_degree=(1, 1, 1, 3, 611),
        ),
        splits=tuple(_division(number, passed) for number in range(2)),
        num_users=1483,
        results=results,
        differences=_differences(results),
        examples=_examples(),
        setup=Setup(
            command="graphrec evaluate --model popularity --model item_knn --model ease --model ials --model lightgcn "
            "--run 2026-11-24-lastfm-all-relations --split 'rolling(windows=2, validation=0.1, test=0.1)' --seeds 0,1",
            seeds=(0, 1),
            num_trials=20,
            versions={"python": "3.11.7", "graphrec": "0.1.0", "torch": "2.9.1", "numpy": "2.4.6", "scipy": "1.17.0"},
            machine=f"a processor at {seconds} GHz, 2 cores",
        ),
        titles={
            "u1": "an item whose id is that of a user",
            "a1": "Sigur Rós",
            "a2": "坂本龍一",
            "a3": "Мумий Тролль",
            "a4": "Godspeed You! Black Emperor",
            "a5": HOSTILE,
            "a6": "…And You Will Know Us by the Trail of Dead (the whole and quite long name of it)",
        },
    )


def smallest() -> Comparison:
    """One model, no times, no intervals, no examples, nothing that can be missing."""
    record = SplitRecord("random(validation=0.1, test=0.1)", None, _parts(0, timed=False))
    return Comparison(
        headline="ndcg@10",
        baseline="popularity",
        ks=(10,),
        data=DataSummary("BOUGHT", 3, 4, 7, None, None, {"BOUGHT": 7}, (2, 2, 2, 3, 3), (1, 1, 2, 2, 2)),
        splits=(SplitSummary(0, 7, record, Audit(_checks(True)), (), 3, 0),),
        num_users=3,
        results=(
            ModelResult(
                "popularity", "popularity", "tuned", {"ndcg@10": Estimate(0.5)}, {}, (), (),
                (TrialResult(0, 7, {}, (), {"ndcg@10": 0.5}, Cost(0.0, 0.01, 0.02, 312)),),
            ),
        ),
        differences=(),
        examples=(),
        setup=Setup("graphrec evaluate --model popularity", (7,), 1, {"python": "3.11.7"}, "a machine"),
        titles={},
    )  # fmt: skip


def nameless(comparison: Comparison) -> Comparison:
    """The same with a leader whose name is hostile."""
    results = tuple(replace(r, name=HOSTILE if r.name == LEADER else r.name) for r in comparison.results)
    return replace(comparison, results=results)


def _metrics(row: int, scale: float = 1.0) -> dict[str, Estimate]:
    base = MODELS[row][2] * scale
    found = {}
    for k in KS:
        for name, factor in ACCURACY.items():
            value = base * factor * (k / 20) ** (-0.45 if name == "precision" else 0.5 if name == "recall" else 0.2)
            found[f"{name}@{k}"] = Estimate(value, value * 0.965, value * 1.035)
        deep = math.log(k) * (row + 1)
        found[f"coverage@{k}"] = Estimate(min(0.002 * k * (row + 1) ** 1.2, 1.0))
        found[f"gini@{k}"] = Estimate(0.99 - 0.02 * deep)
        found[f"novelty@{k}"] = Estimate(3.1 + 0.4 * deep, 3.05 + 0.4 * deep, 3.15 + 0.4 * deep)
        found[f"diversity@{k}"] = Estimate(0.62 + 0.05 * ((row * 7) % 5), 0.61 + 0.05 * ((row * 7) % 5), 0.9)
        found[f"personalisation@{k}"] = Estimate(0.1 + 0.14 * row)
        if row != 3:  # one model lacks it, which must leave no hole
            found[f"tail_share@{k}"] = Estimate(0.04 * row, 0.04 * row * 0.9, 0.04 * row * 1.1)
    return found


def _result(row: int, seconds: float) -> ModelResult:
    name, model, base = MODELS[row]
    ks = range(1, 51)
    curve = {
        "recall": tuple((k, base * (k / 20) ** 0.5) for k in ks),
        "ndcg": tuple((k, base * 0.83 * (k / 20) ** 0.2) for k in ks),
    }
    learning = tuple(Epoch(n, 0.3 + 6.0 / (n + 1)) for n in range(1, 41)) if model in ("lightgcn", "ials") else ()
    rounds = tuple(_round(row, split, seed, seconds) for split in range(2) for seed in range(2))
    origin = "tuned" if model != "graph_filter" else "run 2026-11-24-lastfm-all-relations"
    return ModelResult(name, model, origin, _metrics(row), curve, _groups(row), learning, rounds)


def _round(row: int, split: int, seed: int, seconds: float) -> TrialResult:
    config: dict[str, Any] = {"num_neighbours": 40 + 10 * row, "shrink": 2.5 * 10**-row, "weights": "FRIEND=0.05"}
    trials = tuple(
        Trial(
            config | {"shrink": float(number) / 3, "num_neighbours": 20 * number},
            {"validation": Quality(0.1 + 0.01 * number, np.ones(4))},
            seconds * number,
            {1: 0.1, 2: 0.15},
            number == 3,
        )
        for number in range(1, 6 if row else 1)
    )
    values = {name: found.value for name, found in _metrics(row, 1 + 0.01 * split - 0.004 * seed * row).items()}
    cost = Cost(seconds * 4 * row, seconds * 0.003 * 9**row, seconds * 0.4 * (row + 1), 400 + int(90 * seconds) * row)
    return TrialResult(split, seed, config if row else {}, trials, values, cost)


def _groups(row: int) -> tuple[Group, ...]:
    activity = ("1 to 38 interactions", "39 to 44 interactions", "45 to 45 interactions", "46 to 1,043 interactions")
    ndcg, recall = MODELS[row][2] * 0.83, MODELS[row][2]
    found = [_group("user activity", name, 471, {"ndcg": ndcg * (0.7 + 0.2 * n)}) for n, name in enumerate(activity)]
    shares = (("head", 1.5), ("middle", 0.6), ("tail", 0.05 * row))
    found += [_group("item popularity", name, 1700, {"recall": recall * factor}) for name, factor in shares]
    warmth = (("warm", 1860, 1.0), ("cold", 1, 0.3))
    found += [_group("warmth", name, size, {"ndcg": ndcg * f}) for name, size, f in warmth]
    return tuple(found)


def _group(kind: str, name: str, num_users: int, values: Mapping[str, float]) -> Group:
    metrics = {f"{name}@{k}": Estimate(v, v * 0.9, v * 1.1) for name, v in values.items() for k in KS}
    return Group(kind, name, num_users, metrics)


def _differences(results: tuple[ModelResult, ...]) -> tuple[Difference, ...]:
    """All models to the baseline in two metrics, and all to the leader in the headline; only ease is close to it."""
    pairs = [(r, results[0], m) for r in results[1:] for m in ("ndcg@20", "recall@20")]
    pairs += [(results[-1], r, "ndcg@20") for r in results[1:-1]]
    found = []
    for first, second, metric in pairs:
        value = first.metrics[metric].value - second.metrics[metric].value
        close = second.name == "ease"
        half = 0.004 if close else 0.0008
        verdict = "not significant" if close else "better" if value > 0 else "worse"
        estimate = Estimate(value, value - half, value + half)
        found.append(Difference(first.name, second.name, metric, estimate, value * 8, 0.2 if close else 0.0002,
                                0.4 if close else 0.0018, verdict))  # fmt: skip
    return tuple(found)


def _parts(number: int, timed: bool = True) -> tuple[Part, ...]:
    sizes = (("train", 74268, 1892, 16100), ("validation", 9283, 1511, 4210), ("test", 9283, 1498, 4377))
    start = 1122847200 if timed else None
    return tuple(
        Part(name, size, users, items, start, None if start is None else start + 40_000_000 * (n + 2 + number),
             f"{number}{n}" + "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f0"[:62])
        for n, (name, size, users, items) in enumerate(sizes)
    )  # fmt: skip


def _checks(passed: bool) -> tuple[Check, ...]:
    found = [Check(kind, 92834 if n != 2 else 0, 0, ()) for n, kind in enumerate(KINDS)]
    if not passed:
        found[1] = Check(KINDS[1], 92834, 3, ("TAGGED u1 → a2 at 2011-02-03, after the cut", f"LISTENED {HOSTILE}"))
    return tuple(found)


def _division(number: int, passed: bool) -> SplitSummary:
    start, step = 1122847200, 4_500_000
    bins = []
    for place in range(40):
        total = 60 * (place + 2) ** 2 // 2
        train, validation = (total, 0) if place < 30 + number else (total // 5, total // 2)
        test = 0 if place < 34 + number else total
        bins.append(Bin(start + step * place, start + step * (place + 1), train, validation if not test else 0, test))
    record = SplitRecord("rolling(windows=2, validation=0.1, test=0.1)", start + step * 34, _parts(number))
    return SplitSummary(number, 0, record, Audit(_checks(passed or number == 0)), tuple(bins), 1480, 18)


def _examples() -> tuple[ExampleUser, ...]:
    reasons = (
        ReasonPath(("u1", "LISTENED", "a1", "HAS_TAG", "post-rock", "HAS_TAG", "a4"), 0.46, (2, 6)),
        ReasonPath(("u1", "FRIEND", "Ólafur", "LISTENED", "a4"), 0.31, (4,)),
        ReasonPath(("u1", "LISTENED", "a6", "LISTENED", "u2", "LISTENED", "a5"), 0.071, (2, 6)),
    )
    shown = (
        RecommendedItem("a4", True, reasons),
        RecommendedItem(
            "a2", False, (ReasonPath(("u1", "LISTENED", "a1", "LISTENED", "u3", "LISTENED", "a2"), 0.62, (2, 6)),)
        ),
        RecommendedItem("a5", True, (reasons[2],)),
        RecommendedItem("a6", False, ()),
        RecommendedItem("unknown-item-without-title-4711", False, ()),
    )
    history = ("a1", "a3", "a6", *(f"artist {n}" for n in range(30)))
    bare = tuple(replace(entry, reasons=()) for entry in shown[::-1])
    return (
        ExampleUser("u1", LEADER, history, ("a4", "a5"), shown, 120, 2),
        ExampleUser("u1", "ease", history, ("a4", "a5"), bare, 120, 2),
        ExampleUser(HOSTILE, LEADER, ("a2",), ("a1",), (RecommendedItem("a1", False, reasons[2:]),), 1, 1),
    )
