"""Amounts of memory as text, such as `2GiB`, and the default memory budget."""

import re

from graphrec.errors import DataError

#: Default budget in bytes of one top-k search.
MEMORY_BUDGET = 1 << 30

#: Bytes per unit; a unit without `i` is a power of 1,000.
UNITS = {
    "": 1,
    "b": 1,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "tb": 10**12,
    "kib": 2**10,
    "mib": 2**20,
    "gib": 2**30,
    "tib": 2**40,
}

_AMOUNT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]*)\s*")


def parse_memory(text: str) -> int:
    """The number of bytes of a text such as `2GiB`, `256 MiB`, `1.5GB` or `1073741824`, in any case.

    Raises DataError if the text is not an amount of memory of at least one byte.
    """
    match = _AMOUNT.fullmatch(text)
    unit = UNITS.get(match[2].lower()) if match else None
    if match is None or unit is None or float(match[1]) * unit < 1:
        raise DataError(
            f"'{text}' is no amount of memory; write a number with KiB, MiB, GiB, KB, MB or GB, such as 2GiB, "
            "or the bytes alone"
        )
    return int(float(match[1]) * unit)
