"""What can be wrong with a file: each function gives the broken file of a whole one, or None where it cannot have it.

A function of `TOLD` makes a defect that must be an error or be counted, one of `HARMLESS` a file that means the same as
before, and one of `EITHER` a file that may be one or the other (a list without its last word is a list).
"""

import gzip
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from .whole_folders import Part

MEGABYTES = 10
#: What a spreadsheet would run as a formula, and a text like any other here.
FORMULA = "=HYPERLINK(A1)&cmd' /C calc'!A0"
_TIMES = ("99999999999999999", "-99999999999", "99999999999", "yesterday", "0000-00-00", "1e400")
_NO_NUMBERS = ("many", "1e999", "nan", "-inf", "4 stars", "1_000", "9" * 400, "½")


@dataclass(frozen=True)
class Broken:
    """A file as it is written, under another name than before where `name` says so; None: it is left out."""

    content: bytes | None
    name: str = ""
    folder: bool = False


Defect = Callable[[Part, Random], Broken | None]


def fields(part: Part, line: str) -> list[str]:
    """The fields of a line as they stand, quotes and all."""
    return line.split(part.separator)


def _row(part: Part, rng: Random) -> int:
    """The position of some row."""
    return rng.randrange(part.header, len(part.lines))


def _with_lines(part: Part, lines: list[str], encoding: str = "") -> Broken:
    return Broken(part.content(lines, encoding))


def _with_value(part: Part, row: int, role: str, value: str) -> Broken | None:
    """The file with another value in one row; None where it has no value of the role."""
    if role not in part.columns:
        return None
    column, lines = part.columns[role], list(part.lines)
    if part.separator == "json":
        lines[row] = json.dumps({**json.loads(lines[row]), column: value}, ensure_ascii=False)
    else:
        row_fields = fields(part, lines[row])
        quoted = row_fields[column].startswith('"')
        row_fields[column] = f'"{value}"' if quoted else value
        lines[row] = part.separator.join(row_fields)
    return _with_lines(part, lines)


def _is_list(part: Part) -> bool:
    """Whether rows may have any number of fields."""
    return not part.header and part.separator == " " and not part.columns


def empty(part: Part, rng: Random) -> Broken:
    return Broken(part.packed(b"") if rng.random() < 0.5 else b"")


def no_rows(part: Part, _: Random) -> Broken | None:
    return _with_lines(part, [part.lines[0]]) if part.header else Broken(part.packed(b"\n\n"))


def missing(_: Part, __: Random) -> Broken:
    return Broken(None)


def a_folder(_: Part, __: Random) -> Broken:
    return Broken(None, folder=True)


def cut_gzip(part: Part, rng: Random) -> Broken:
    whole = part.content() if part.name.endswith((".gz", ".parquet")) else gzip.compress(part.content() * 50, mtime=0)
    name = part.name if part.name.endswith((".gz", ".parquet")) else f"{part.name}.gz"
    return Broken(whole[: rng.randrange(12, len(whole) - 4)], name)


def damaged_gzip(part: Part, rng: Random) -> Broken:
    whole = bytearray(gzip.compress(part.content(), mtime=0))
    at = rng.randrange(10, len(whole) - 8)
    whole[at] ^= 0xFF
    name = part.name if part.name.endswith(".gz") else f"{part.name}.gz"
    return Broken(bytes(whole), name)


def mixed_encodings(part: Part, rng: Random) -> Broken | None:
    """Bytes of another encoding in one line; in a latin-1 file every byte is a letter."""
    if part.encoding != "utf-8" or part.name.endswith(".parquet"):
        return None
    row, lines = _row(part, rng), list(part.lines)
    at = rng.randrange(1, len(lines[row]))
    lines[row] = lines[row][:at] + "\udcff\udce9" + lines[row][at:]
    return _with_lines(part, lines)


def utf_16(part: Part, _: Random) -> Broken | None:
    return None if part.name.endswith(".parquet") else _with_lines(part, list(part.lines), "utf-16")


def random_bytes(_: Part, rng: Random) -> Broken:
    return Broken(rng.randbytes(3000))


def a_web_page(part: Part, _: Random) -> Broken:
    return Broken(part.packed(b"<!DOCTYPE html>\n<html><body>\n<h1>404, Not Found</h1>\n</body></html>\n"))


def a_zip(_: Part, rng: Random) -> Broken:
    return Broken(b"PK\x03\x04\x14\x00\x00\x00\x08\x00" + rng.randbytes(500))


def one_long_line(part: Part, _: Random) -> Broken | None:
    """All rows on one line of ten megabytes."""
    if part.name.endswith(".parquet"):
        return None
    line = " ".join(part.lines) + " "
    return _with_lines(part, [line * (MEGABYTES * 1_000_000 // len(line))])


def long_value(part: Part, rng: Random) -> Broken | None:
    """A value of ten megabytes where a number or a time stands."""
    role = "number" if "number" in part.columns else "time"
    return _with_value(part, _row(part, rng), role, "7" * (MEGABYTES * 1_000_000))


def nul_bytes(part: Part, rng: Random) -> Broken | None:
    if part.name.endswith(".parquet"):
        return None
    row, lines = _row(part, rng), list(part.lines)
    at = rng.randrange(len(lines[row]))
    lines[row] = lines[row][:at] + "\0" + lines[row][at:]
    return _with_lines(part, lines)


def no_column(part: Part, rng: Random) -> Broken | None:
    """A column under another name, or left out where nothing names it."""
    lines = list(part.lines)
    if part.separator == "json":
        key = rng.choice(sorted(json.loads(lines[0])))
        lines = [json.dumps({name: v for name, v in json.loads(line).items() if name != key}) for line in lines]
    elif part.header:
        names = fields(part, lines[0])
        names[rng.randrange(len(names))] = '"x"' if names[0].startswith('"') else "x"
        lines[0] = part.separator.join(names)
    elif _is_list(part):
        return None
    else:
        lines = [part.separator.join(fields(part, line)[:-1]) for line in lines]
    return _with_lines(part, lines)


def too_few_fields(part: Part, rng: Random) -> Broken | None:
    if part.separator == "json" or part.name.endswith(".parquet") or _is_list(part):
        return None
    row, lines = _row(part, rng), list(part.lines)
    lines[row] = part.separator.join(fields(part, lines[row])[:-1])
    return _with_lines(part, lines)


def too_many_fields(part: Part, rng: Random) -> Broken | None:
    if part.separator == "json" or part.name.endswith(".parquet") or _is_list(part):
        return None
    row, lines = _row(part, rng), list(part.lines)
    lines[row] += part.separator + fields(part, lines[row])[-1]
    return _with_lines(part, lines)


def no_json(part: Part, rng: Random) -> Broken | None:
    if part.separator != "json":
        return None
    lines = list(part.lines)
    bad = ("{'a': ", '{"a": 1', "[1, 2]", "[" * 100_000, "null", '{"a": 1}}', "os.system('true')")
    lines[_row(part, rng)] = rng.choice(bad)
    return _with_lines(part, lines)


def no_number(part: Part, rng: Random) -> Broken | None:
    return _with_value(part, _row(part, rng), "number", rng.choice(_NO_NUMBERS))


def absurd_time(part: Part, rng: Random) -> Broken | None:
    return _with_value(part, _row(part, rng), "time", rng.choice(_TIMES))


def formula_as_number(part: Part, rng: Random) -> Broken | None:
    return _with_value(part, _row(part, rng), "number", FORMULA)


def open_quote(part: Part, rng: Random) -> Broken | None:
    return _with_value(part, _row(part, rng), "text", '"Lamp')


def cut_row(part: Part, rng: Random) -> Broken | None:
    """The file ends within its last row, as a download that was cut off does."""
    if part.name.endswith(".parquet"):
        return None
    last = part.lines[-1]
    return _with_lines(part, [*part.lines[:-1], last[: rng.randrange(1, len(last))]])


def twice(part: Part, rng: Random) -> Broken:
    return _with_lines(part, [*part.lines, part.lines[_row(part, rng)]])


def formula(part: Part, rng: Random) -> Broken | None:
    return _with_value(part, _row(part, rng), "text", FORMULA)


def windows_ends(part: Part, _: Random) -> Broken | None:
    return None if part.name.endswith(".parquet") else _with_lines(part, [f"{line}\r" for line in part.lines])


def byte_order_mark(part: Part, _: Random) -> Broken | None:
    if part.name.endswith(".parquet") or part.encoding != "utf-8":
        return None
    return Broken(part.packed(b"\xef\xbb\xbf" + "\n".join([*part.lines, ""]).encode()))


def no_last_end(part: Part, _: Random) -> Broken | None:
    if part.name.endswith(".parquet"):
        return None
    return Broken(part.packed("\n".join(part.lines).encode(part.encoding)))


TOLD: Mapping[str, Defect] = {
    each.__name__: each
    for each in (
        empty,
        no_rows,
        cut_gzip,
        damaged_gzip,
        mixed_encodings,
        utf_16,
        random_bytes,
        a_web_page,
        a_zip,
        one_long_line,
        long_value,
        too_few_fields,
        too_many_fields,
        no_json,
        no_number,
        absurd_time,
        formula_as_number,
    )
}
HARMLESS: Mapping[str, Defect] = {each.__name__: each for each in (formula, windows_ends, byte_order_mark, no_last_end)}
EITHER: Mapping[str, Defect] = {
    each.__name__: each for each in (missing, a_folder, nul_bytes, no_column, open_quote, cut_row, twice)
}
