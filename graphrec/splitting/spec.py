"""The name of a split with its options, as commands accept it, such as `time(validation=0.1, test=0.2)`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime

from graphrec.errors import DataError, GraphrecError, UnknownNameError

#: Name of a split -> its options, in the order in which they are printed.
OPTIONS: Mapping[str, tuple[str, ...]] = {
    "time": ("validation", "test"),
    "rolling": ("windows", "validation", "test"),
    "next-item": ("validation", "test"),
    "next-basket": ("hours", "validation", "test"),
    "leave-last-out": (),
    "leave-two-out": (),
    "random": ("validation", "test"),
    "random-by-user": ("validation", "test"),
    "k-fold": ("folds", "validation"),
    "cold-items": ("validation", "test"),
    "cold-users": ("validation", "test"),
    "files": ("files",),
}

#: The splits by one global time, whose parts may begin at two given times.
BY_TIMES = ("time", "next-item", "next-basket")

#: The options that are whole numbers.
WHOLE_NUMBERS = ("windows", "folds", "hours")

#: The names of all splits, the default first.
SPLIT_NAMES: tuple[str, ...] = tuple(OPTIONS)

#: Range of times that can be printed as a date, in Unix seconds: the years 1 to 9999.
_EARLIEST, _LATEST = -62_135_596_800, 253_402_300_799

_PATTERN = re.compile(r"\s*([^\s(]+)\s*(?:\((.*)\)\s*)?", re.DOTALL)
_ENDINGS = (".csv", ".tsv", ".csv.gz", ".tsv.gz")


@dataclass(frozen=True)
class SplitSpec:
    """A kind of split with its options; `str()` returns the name with all options, which `parse_split` accepts.

    validation, test: shares of the units that are divided, from 0 to 1; for the splits of BY_TIMES also two times, at
        which the parts begin, in Unix seconds (int).
    windows, folds: number of windows of a rolling split, and of folds.
    hours: hours after a user's first interaction in a part that a basket lasts, at least 0.
    files: paths of two or three files with the columns user_id and item_id: train, validation (optional) and test.

    Raises:
        UnknownNameError: the split does not exist, or an option is set that it does not have.
        DataError: a value is out of range.
    """

    name: str
    validation: float | int = 0.1
    test: float | int = 0.1
    windows: int = 3
    folds: int = 5
    hours: int = 24
    files: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.name not in OPTIONS:
            raise UnknownNameError("split", self.name, OPTIONS)
        for option in fields(self)[1:]:
            if option.name not in OPTIONS[self.name] and getattr(self, option.name) != option.default:
                raise UnknownNameError("option", option.name, OPTIONS[self.name], owner=f"the split {self.name}")
        for name, least in (("windows", 1), ("folds", 2), ("hours", 0)):
            count = getattr(self, name)
            if not isinstance(count, int) or count < least:
                raise DataError(f"split {self.name}: {name} must be a whole number from {least} on, not {count}")
        if self.by_points:
            _require_points(self.name, int(self.validation), int(self.test))
        elif {"validation", "test"} & set(OPTIONS[self.name]):
            _require_shares(self)
        if self.name == "files":
            _require_files(self.files)

    @property
    def by_points(self) -> bool:
        """Whether validation and test are times, not shares; DataError if only one of them is a time."""
        are_times = [isinstance(value, int) for value in (self.validation, self.test)]
        if any(are_times) and (self.name not in BY_TIMES or not all(are_times)):
            raise DataError(
                f"split {self.name}: validation={self.validation} and test={self.test} are not valid; give two shares "
                "such as 0.1, or, in a split by time, two dates such as 2024-01-01"
            )
        return all(are_times)

    def __str__(self) -> str:
        if self.name == "files":
            return f"files({', '.join(self.files)})"
        options = ", ".join(f"{name}={self._format_option(name)}" for name in OPTIONS[self.name])
        return f"{self.name}({options})" if options else self.name

    def _format_option(self, name: str) -> str:
        value = getattr(self, name)
        if name not in ("validation", "test") or not isinstance(value, int):
            return str(value)
        return datetime.fromtimestamp(value, UTC).replace(tzinfo=None).isoformat().removesuffix("T00:00:00")


def parse_split(text: str) -> SplitSpec:
    """The split that a text names: `time`, `time(validation=2024-01-01, test=2024-03-01)`, `files(a.tsv, b.tsv)` …

    Dates and times of day without a time zone are in UTC; a whole number is Unix seconds.

    Raises:
        UnknownNameError: the split does not exist, or does not have the option.
        DataError: the text has another form, or a value is out of range.
    """
    match = _PATTERN.fullmatch(text)
    if match is None:
        raise DataError(f"split '{text}' is not a name with options, such as time or time(validation=0.1, test=0.2)")
    name, arguments = match[1], (match[2] or "").strip()
    if name not in OPTIONS:
        raise UnknownNameError("split", name, OPTIONS)
    parts = [part.strip() for part in arguments.split(",")] if arguments else []
    if name == "files":
        return SplitSpec(name, files=tuple(parts))
    values: dict[str, float | int] = {}
    for part in parts:
        option, equals, value = (word.strip() for word in part.partition("="))
        if not OPTIONS[name]:
            raise DataError(f"the split {name} has no options, but '{part}' is given; remove it")
        if not equals:
            raise DataError(f"split {name}: '{part}' is not an option with a value, such as {OPTIONS[name][-1]}=0.1")
        if option not in OPTIONS[name]:
            raise UnknownNameError("option", option, OPTIONS[name], owner=f"the split {name}")
        if option in values:
            raise DataError(f"split {name}: {option} is given twice; give it once")
        values[option] = _parse_value(name, option, value)
    return SplitSpec(name, **values)  # type: ignore[arg-type]  # __post_init__ checks that windows and folds are whole


def _parse_value(name: str, option: str, text: str) -> float | int:
    """The value of an option: a share as float; a whole number, or a time in Unix seconds, as int."""
    try:
        if option in WHOLE_NUMBERS:
            return int(text)
        if re.fullmatch(r"-?\d{2,}", text):
            return int(text)
        if re.fullmatch(r"[+-]?[\d.]+(e[+-]?\d+)?", text, re.IGNORECASE):
            return float(text)
        moment = datetime.fromisoformat(text)
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError) as error:
        expected = "a whole number" if option in WHOLE_NUMBERS else "a share such as 0.1"
        takes_dates = name in BY_TIMES and option not in WHOLE_NUMBERS
        dates = ", a date such as 2024-03-01 or Unix seconds" if takes_dates else ""
        raise DataError(f"split {name}: {option} must be {expected}{dates}, not '{text}'") from error


def _require_points(name: str, validation: int, test: int) -> None:
    if not _EARLIEST <= validation < test <= _LATEST:
        raise DataError(
            f"split {name}: validation begins at {validation} and test at {test} (Unix seconds), but test must begin "
            "after validation, and both in the years 1 to 9999; change one of them"
        )


def _require_shares(spec: SplitSpec) -> None:
    test = 1 / spec.folds if spec.name == "k-fold" else spec.test
    windows = spec.windows if spec.name == "rolling" else 1
    if not (0 <= spec.validation < 1 and 0 < test < 1 and spec.validation + windows * test < 1 - 1e-9):
        raise DataError(
            f"split {spec}: the shares must be between 0 and 1 and leave a rest for train, but validation has "
            f"{spec.validation:g} and test {windows * test:g} in total; make them smaller"
        )


def _require_files(files: tuple[str, ...]) -> None:
    if len(files) not in (2, 3):
        raise DataError(
            f"split files needs two or three files, not {len(files)}: files(train.tsv, test.tsv) or "
            "files(train.tsv, validation.tsv, test.tsv)"
        )
    for path in files:
        if not path.endswith(_ENDINGS):
            raise DataError(f"split files: '{path}' does not end in {', '.join(_ENDINGS)}; name a table of that form")
        if "," in path or path != path.strip():
            raise DataError(f"split files: '{path}' contains a comma, or begins or ends with a space; rename it")


def shorten(spec: str) -> str:
    """The name of a split whose options are the defaults, else its whole text."""
    name = spec.partition("(")[0]
    try:
        return name if str(parse_split(name)) == spec else spec
    except GraphrecError:  # its options have no defaults
        return spec
