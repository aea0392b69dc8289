"""Check arguments of the Python interface: ids, numbers of results and names of runs."""

import math
import uuid
from collections.abc import Iterable, Sequence
from operator import index
from typing import Any, SupportsIndex, TypeAlias

from graphrec.errors import DataError, UnknownNameError, first_few

#: The name of the newest run.
LATEST = "latest"

#: An id as callers may pass it; the graph stores texts. The integer 15 is the id "15", also as a numpy integer or as a
#: whole float, since pandas converts a column of integers to floats if one is missing.
Id: TypeAlias = str | SupportsIndex | float

#: Maximum number of results that may be requested; a list is never longer than the number of items.
MAX_K = 1_000_000_000

#: Maximum number of digits of an integer id; Python does not convert integers of more than 4,300 to text.
MAX_DIGITS = 1_000

#: Bits of precision of a float64; above 2**53 a float may differ from the integer that it was read from.
_EXACT_BITS = 53


def id_text(value: object, what: str = "id") -> str:
    """An id as a text: "15" for the text "15", for the integer 15 (also a numpy one) and for 15.0.

    A float is accepted if it is whole and below 2**53 (float32: 2**24), because pandas converts a column of integers to
    floats if one is missing. A UUID becomes its usual text.

    Raises:
        DataError: the value is missing, True or False, not whole, or of another type.
    """
    if isinstance(value, str):
        return str(value)  # also a numpy.str_
    if isinstance(value, uuid.UUID):
        return str(value)
    number = _to_integer(value)
    if number is None and _is_float(value) and _is_whole(value):
        number = int(value)  # type: ignore[call-overload]  # a float of Python or numpy
    if number is not None and abs(number) < 10**MAX_DIGITS:
        return str(number)
    raise DataError(f"{what}: {_format(value)} is no id; an id is a text or an integer")


def id_texts(values: Iterable[object], what: str = "ids") -> list[str]:
    """The ids of a list, a Series, an Index or an array as texts, in their order.

    Raises DataError if one is not an id, or if `values` is a single text or not iterable.
    """
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise DataError(f"{what}: {_format(values)} is no list of ids; put it into a list: [{_format(values)}]")
    return [id_text(value, what) for value in values]


def is_one_id(value: object) -> bool:
    """Whether an argument for one id or several is a single value: a text, a number, or any value without elements."""
    return isinstance(value, str | bytes) or not isinstance(value, Iterable) or getattr(value, "ndim", 1) == 0


def count(value: object, name: str = "k", least: int = 1, most: int = MAX_K) -> int:
    """A number of results from `least` to `most`, as an int; numpy integers are accepted.

    Raises DataError if it is not an integer (True and 10.0 are not) or is out of range.
    """
    number = _to_integer(value)
    if number is None:
        raise DataError(f"{name} is an integer, not {_format(value)}")
    if not least <= number <= most:
        raise DataError(f"{name} is an integer from {least:,} to {most:,}, not {_format(number)}")
    return number


def name_of_run(name: object, newest_first: Sequence[str], kind: str = "run", hint: str = "") -> str:
    """The id of the run with a name: its id, the first letters of it that no other id has, or `latest`.

    Raises:
        UnknownNameError: no run id begins with the name, or no run is saved.
        DataError: several ids begin with it.
    """
    text = name if isinstance(name, str) else str(name)
    if text in newest_first:
        return text
    if text == LATEST and newest_first:
        return newest_first[0]
    matches = [run for run in newest_first if text and run.startswith(text)]
    if len(matches) > 1:
        raise DataError(
            f"{len(matches)} runs begin with '{text}': {first_few(matches)}; write more letters of one of them"
        )
    if not matches:
        raise UnknownNameError(kind, text, newest_first, hint=hint)
    return matches[0]


def _to_integer(value: object) -> int | None:
    """The value as an int; None for truth values, also those of numpy, and for values that are not integers."""
    if type(value).__name__ in ("bool", "bool_") or not isinstance(value, SupportsIndex):
        return None
    try:
        return index(value)
    except TypeError:  # every array has __index__, which fails unless it has one element
        return None


def _is_float(value: object) -> bool:
    return isinstance(value, float) or type(value).__name__ in ("float16", "float32")


def _is_whole(value: Any) -> bool:  # a float of Python or numpy
    size = getattr(getattr(value, "dtype", None), "itemsize", 8)  # bytes
    bits = {2: 11, 4: 24}.get(size, _EXACT_BITS)
    return math.isfinite(value) and float(value).is_integer() and abs(value) < 2**bits


def _format(value: object) -> str:
    if isinstance(value, int) and abs(value) >= 10**MAX_DIGITS:
        return f"an integer of more than {MAX_DIGITS} digits"
    return first_few([repr(value)])
