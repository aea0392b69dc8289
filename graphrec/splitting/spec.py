"""What a split is called: a name with options, as a command takes it, such as `time(validation=0.1, test=0.2)`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime

from graphrec.errors import DataError, UnknownNameError

#: The options of each kind of split, in the order in which they are written.
OPTIONS: Mapping[str, tuple[str, ...]] = {
    "time": ("validation", "test"),
    "rolling": ("windows", "validation", "test"),
    "leave-last-out": (),
    "random": ("validation", "test"),
    "random-by-user": ("validation", "test"),
    "k-fold": ("folds", "validation"),
    "cold-items": ("validation", "test"),
    "cold-users": ("validation", "test"),
    "files": ("files",),
}

#: The names of all splits, the default first.
SPLIT_NAMES: tuple[str, ...] = tuple(OPTIONS)

#: Years 1 to 9999, in Unix seconds: what can be written as a date.
_EARLIEST, _LATEST = -62_135_596_800, 253_402_300_799

_FORM = re.compile(r"\s*([^\s(]+)\s*(?:\((.*)\)\s*)?", re.DOTALL)
_ENDINGS = (".csv", ".tsv", ".csv.gz", ".tsv.gz")


@dataclass(frozen=True)
class SplitSpec:
    """How to split; `str()` of it is the whole name with all its options, which `parse_split` reads back.

    validation, test: shares of what is divided, in 0 … 1; for `time` also both of them Unix seconds (int), the first of
        the part. windows: how many windows a rolling split has; folds: how many folds. files: paths of two or three
        files with the columns user_id and item_id: train, validation (may be left out) and test.

    Raises:
        UnknownNameError: there is no such split.
        DataError: a value is impossible, or an option is set that the split does not have.
    """

    name: str
    validation: float | int = 0.1
    test: float | int = 0.1
    windows: int = 3
    folds: int = 5
    files: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.name not in OPTIONS:
            raise UnknownNameError("split", self.name, OPTIONS)
        for option in fields(self)[1:]:
            if option.name not in OPTIONS[self.name] and getattr(self, option.name) != option.default:
                raise UnknownNameError(f"option of the split {self.name}", option.name, OPTIONS[self.name])
        for name, least in (("windows", 1), ("folds", 2)):
            count = getattr(self, name)
            if not isinstance(count, int) or count < least:
                raise DataError(f"split {self.name}: {name} must be a whole number from {least} on, not {count}")
        if self.by_points:
            _require_points(int(self.validation), int(self.test))
        elif {"validation", "test"} & set(OPTIONS[self.name]):
            _require_shares(self)
        if self.name == "files":
            _require_files(self.files)

    @property
    def by_points(self) -> bool:
        """Whether validation and test are points in time, not shares."""
        given = [isinstance(value, int) for value in (self.validation, self.test)]
        if any(given) and (self.name != "time" or not all(given)):
            raise DataError(
                f"split {self.name}: validation={self.validation} and test={self.test} do not fit; give two shares "
                "such as 0.1, or, in a split by time, two dates such as 2024-01-01"
            )
        return all(given)

    def __str__(self) -> str:
        if self.name == "files":
            return f"files({', '.join(self.files)})"
        options = ", ".join(f"{name}={self._written(name)}" for name in OPTIONS[self.name])
        return f"{self.name}({options})" if options else self.name

    def _written(self, name: str) -> str:
        value = getattr(self, name)
        if name not in ("validation", "test") or not isinstance(value, int):
            return str(value)
        return datetime.fromtimestamp(value, UTC).replace(tzinfo=None).isoformat().removesuffix("T00:00:00")


def parse_split(text: str) -> SplitSpec:
    """The split that a text names: `time`, `time(validation=2024-01-01, test=2024-03-01)`, `files(a.tsv, b.tsv)` …

    Dates and times of day are in UTC where they say nothing else; a whole number is Unix seconds.

    Raises:
        UnknownNameError: there is no such split, or the split has no such option.
        DataError: the text has another form, or a value is impossible.
    """
    found = _FORM.fullmatch(text)
    if found is None:
        raise DataError(f"split '{text}' is no name with options, such as time or time(validation=0.1, test=0.2)")
    name, inside = found[1], (found[2] or "").strip()
    if name not in OPTIONS:
        raise UnknownNameError("split", name, OPTIONS)
    parts = [part.strip() for part in inside.split(",")] if inside else []
    if name == "files":
        return SplitSpec(name, files=tuple(parts))
    values: dict[str, float | int] = {}
    for part in parts:
        option, sign, value = (word.strip() for word in part.partition("="))
        if not OPTIONS[name]:
            raise DataError(f"the split {name} has no options, but '{part}' is given; leave it out")
        if not sign:
            raise DataError(f"split {name}: '{part}' is no option with a value, such as {OPTIONS[name][-1]}=0.1")
        if option not in OPTIONS[name]:
            raise UnknownNameError(f"option of the split {name}", option, OPTIONS[name])
        if option in values:
            raise DataError(f"split {name}: {option} is given twice; give it once")
        values[option] = _number(name, option, value)
    return SplitSpec(name, **values)  # type: ignore[arg-type]  # windows and folds are whole, as __post_init__ checks


def _number(name: str, option: str, text: str) -> float | int:
    """A share as float, a whole number or a point in time as int."""
    try:
        if option in ("windows", "folds"):
            return int(text)
        if re.fullmatch(r"-?\d{2,}", text):
            return int(text)
        if re.fullmatch(r"[+-]?[\d.]+(e[+-]?\d+)?", text, re.IGNORECASE):
            return float(text)
        moment = datetime.fromisoformat(text)
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError) as error:
        wanted = "a whole number" if option in ("windows", "folds") else "a share such as 0.1"
        dates = ", a date such as 2024-03-01 or Unix seconds" if name == "time" else ""
        raise DataError(f"split {name}: {option} must be {wanted}{dates}, not '{text}'") from error


def _require_points(validation: int, test: int) -> None:
    if not _EARLIEST <= validation < test <= _LATEST:
        raise DataError(
            f"split time: validation begins at {validation} and test at {test} (Unix seconds), but test must begin "
            "after validation, and both in the years 1 to 9999; change one of them"
        )


def _require_shares(spec: SplitSpec) -> None:
    test = 1 / spec.folds if spec.name == "k-fold" else spec.test
    windows = spec.windows if spec.name == "rolling" else 1
    if not (0 <= spec.validation < 1 and 0 < test < 1 and spec.validation + windows * test < 1 - 1e-9):
        raise DataError(
            f"split {spec}: the shares must be between 0 and 1 and leave something for train, but validation takes "
            f"{spec.validation:g} and test {windows * test:g} in all; make them smaller"
        )


def _require_files(files: tuple[str, ...]) -> None:
    if len(files) not in (2, 3):
        raise DataError(
            f"split files takes two or three files, not {len(files)}: files(train.tsv, test.tsv) or "
            "files(train.tsv, validation.tsv, test.tsv)"
        )
    for path in files:
        if not path.endswith(_ENDINGS):
            raise DataError(f"split files: '{path}' does not end in {', '.join(_ENDINGS)}; name a table of that form")
        if "," in path or path != path.strip():
            raise DataError(f"split files: '{path}' has a comma or a space at an end; rename it")
