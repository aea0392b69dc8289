"""A comparison as values for JSON: the results, equal for the same seed, and separately the costs."""

import math
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any

from graphrec.evaluation.audit import Audit
from graphrec.evaluation.report import findings
from graphrec.evaluation.result import Comparison, Cost, ModelResult, Setup
from graphrec.tuning.trial import Quality, Trial

#: Fields left out of the results: they differ between two runs with one seed, or are too long.
LEFT_OUT: Mapping[type, frozenset[str]] = {
    Trial: frozenset({"seconds"}),
    Quality: frozenset({"values"}),
    Setup: frozenset({"machine"}),
}


def as_json(comparison: Comparison) -> dict[str, Any]:  # what json.dumps takes
    """The comparison without times, memory and machine: equal for two runs with one seed, in the same order.

    Numbers that JSON cannot write (NaN, infinity) are None; mappings are in the order of their keys. `leader` and
    `audit_passed` summarise the result.
    """
    summary = {"leader": findings.find_leader(comparison).name, "audit_passed": findings.passed_audit(comparison)}
    return summary | dict(_to_json(comparison))


def costs_as_json(comparison: Comparison, now: datetime) -> dict[str, Any]:  # what json.dumps takes
    """The fields that `as_json` leaves out: date, machine, and the seconds and memory of each round of each model."""
    return {
        "written_at": now.isoformat(timespec="seconds"),
        "machine": comparison.setup.machine,
        "results": [{"name": result.name, "rounds": _round_costs(result)} for result in comparison.results],
    }


def _round_costs(result: ModelResult) -> list[dict[str, Any]]:
    return [
        {
            "split": round_.split,
            "seed": round_.seed,
            "cost": {field.name: _to_json(getattr(round_.cost, field.name)) for field in fields(Cost)},
            "trial_seconds": [_to_json(trial.seconds) for trial in round_.trials],
        }
        for round_ in result.rounds
    ]


def _to_json(value: Any) -> Any:  # any field of a comparison
    if is_dataclass(value) and not isinstance(value, type):
        return _fields_to_json(value)
    if isinstance(value, Mapping):
        ordered = sorted(value.items(), key=lambda entry: (_natural_key(str(entry[0])), str(entry[0])))
        return {str(key): _to_json(entry) for key, entry in ordered}
    if isinstance(value, list | tuple):
        return [_to_json(entry) for entry in value]
    if isinstance(value, str | bool) or value is None:
        return value
    number = value.item() if hasattr(value, "item") else value  # numpy's numbers
    return None if isinstance(number, float) and not math.isfinite(number) else number


def _fields_to_json(value: Any) -> dict[str, Any]:  # one of the dataclasses of a comparison
    dropped = LEFT_OUT.get(type(value), frozenset())
    names = [field.name for field in fields(value) if field.name not in dropped]
    values = {name: _to_json(getattr(value, name)) for name in names if not isinstance(getattr(value, name), Cost)}
    return {"passed": value.passed, **values} if isinstance(value, Audit) else values


def _natural_key(text: str) -> list[tuple[int, int, str]]:
    """The sort key of natural order, in which `recall@5` is before `recall@20`."""
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in re.split(r"(\d+)", text)]
