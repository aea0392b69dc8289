"""Arguments of the Python interface, checked where they enter: ids and numbers of results."""

import math
import uuid
from collections.abc import Iterable, Sequence
from operator import index
from typing import Any, SupportsIndex, TypeAlias

from graphrec.errors import DataError, UnknownNameError, first_few

#: The name of the newest run, wherever a run is named.
LATEST = "latest"

#: An id as a caller may write it: the graph keeps texts, and the integer 15 is the id "15"; numpy's integers count too,
#: and whole floats, which pandas makes of a column of integers if one is missing.
Id: TypeAlias = str | SupportsIndex | float

#: Largest number of results that may be asked for; a list is never longer than there are items.
MAX_K = 1_000_000_000

#: Most digits of an integer id; Python refuses to write integers of more than 4,300.
MAX_DIGITS = 1_000

#: Bits of precision of a float64: above 2**53 a whole number may be the neighbour of the id that it was read from.
_EXACT_BITS = 53


def id_text(value: object, what: str = "id") -> str:
    """An id as the text that the graph has: "15" of the text "15", of the integer 15 (numpy's too) and of 15.0.

    A float is accepted if it is whole and below 2**53 (float32: 2**24), because pandas turns a column of integers into
    floats if one is missing. A UUID is its usual text.

    Raises:
        DataError: it is True or False, no whole number, missing, or no id at all.
    """
    if isinstance(value, str):
        return str(value)  # also a numpy.str_
    if isinstance(value, uuid.UUID):
        return str(value)
    number = _integer(value)
    if number is None and _is_float(value) and _is_whole(value):
        number = int(value)  # type: ignore[call-overload]  # a float of Python or numpy
    if number is not None and abs(number) < 10**MAX_DIGITS:
        return str(number)
    raise DataError(f"{what}: {_shown(value)} is no id; an id is a text or an integer")


def id_texts(values: Iterable[object], what: str = "ids") -> list[str]:
    """The ids of a list, a Series, an Index or an array as texts, in their order.

    Raises DataError if one is no id, or if `values` is a single text or not iterable.
    """
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise DataError(f"{what}: {_shown(values)} is no list of ids; put it into a list: [{_shown(values)}]")
    return [id_text(value, what) for value in values]


def is_one_id(value: object) -> bool:
    """Whether an argument that takes one id or many holds one: a text, a number, or what is no id at all."""
    return isinstance(value, str | bytes) or not isinstance(value, Iterable) or getattr(value, "ndim", 1) == 0


def count(value: object, name: str = "k", least: int = 1, most: int = MAX_K) -> int:
    """A number of results, `least` to `most`, as an int; numpy's integers are accepted.

    Raises DataError if it is not an integer (True and 10.0 are not) or out of range.
    """
    number = _integer(value)
    if number is None:
        raise DataError(f"{name} is an integer, not {_shown(value)}")
    if not least <= number <= most:
        raise DataError(f"{name} is an integer from {least:,} to {most:,}, not {_shown(number)}")
    return number


def name_of_run(name: object, newest_first: Sequence[str], kind: str = "run", hint: str = "") -> str:
    """The id of the run that is meant: by its id, by the first letters that no other run has, or by `latest`.

    Raises:
        UnknownNameError: no run id begins with it, or no run is saved.
        DataError: several runs begin so.
    """
    text = name if isinstance(name, str) else str(name)
    if text in newest_first:
        return text
    if text == LATEST and newest_first:
        return newest_first[0]
    found = [run for run in newest_first if text and run.startswith(text)]
    if len(found) > 1:
        raise DataError(f"{len(found)} runs begin with '{text}': {first_few(found)}; write more letters of one of them")
    if not found:
        raise UnknownNameError(kind, text, newest_first, hint=hint)
    return found[0]


def _integer(value: object) -> int | None:
    """The int that Python or numpy means, None for truth values (numpy's have another class) and all others."""
    if type(value).__name__ in ("bool", "bool_") or not isinstance(value, SupportsIndex):
        return None
    try:
        return index(value)
    except TypeError:  # an array has __index__, but only one of one element can answer
        return None


def _is_float(value: object) -> bool:
    return isinstance(value, float) or type(value).__name__ in ("float16", "float32")


def _is_whole(value: Any) -> bool:  # a float of Python or numpy
    digits = getattr(getattr(value, "dtype", None), "itemsize", 8)
    bits = {2: 11, 4: 24}.get(digits, _EXACT_BITS)
    return math.isfinite(value) and float(value).is_integer() and abs(value) < 2**bits


def _shown(value: object) -> str:
    if isinstance(value, int) and abs(value) >= 10**MAX_DIGITS:
        return f"an integer of more than {MAX_DIGITS} digits"
    return first_few([repr(value)])
