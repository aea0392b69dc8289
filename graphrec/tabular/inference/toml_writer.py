"""Formats parts of a TOML specification: values, inputs, properties and times."""

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from graphrec.schema import SYSTEM_PROPERTIES
from graphrec.tabular import archives, paths
from graphrec.tabular.inference.column_profile import ColumnProfile
from graphrec.tabular.spec import FileInput, FileQueryInput, QueryInput, TimeColumn

_KINDS = {"int": "int", "float": "float", "bool": "bool", "str": "text"}
_RESERVED = SYSTEM_PROPERTIES | {"id", "keys", "source", "source_id", "target_id", "timestamp"}


def format_text(value: str) -> str:
    """A text as a TOML string."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def format_key(name: str) -> str:
    """A TOML key, quoted if necessary."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else format_text(name)


def format_comment(words: str) -> str:
    """A text without line breaks and control characters, for comments."""
    return re.sub(r"[\x00-\x1f\x7f]", " ", words)


def format_input(
    source: FileInput | QueryInput | FileQueryInput,
    used: Sequence[ColumnProfile],
    folder: Path,
    header_is_guessed: bool,
) -> Iterator[str]:
    """The lines of a table's input; `used` are the columns whose missing words and number notation are declared."""
    missing = list(dict.fromkeys(word for column in used for word in column.missing))
    if isinstance(source, FileInput):
        for name, value, remark in format_file(source, folder):
            is_guessed = header_is_guessed and name == "header"
            yield f"{name} = {value}" + ("  # fill in: the file has no header line" if is_guessed else remark)
        if missing:
            yield f"missing = [{', '.join(map(format_text, ['', *missing]))}]"
    elif isinstance(source, FileQueryInput):
        parts = []
        for name, file in source.files.items():
            if not isinstance(file, FileInput):
                continue
            said = [(k, v) for k, v, _ in format_file(file, folder)]
            if missing:
                said.append(("missing", f"[{', '.join(map(format_text, ['', *missing]))}]"))
            only = len(said) == 1 and said[0][0] == "file"
            parts.append(f"{name} = " + (said[0][1] if only else f"{{ {', '.join(f'{k} = {v}' for k, v in said)} }}"))
        yield f"sql = {format_text(source.sql)}"
        yield f"files = {{ {', '.join(parts)} }}"
    else:
        yield f"sql = {format_text(source.sql)}"
        yield f"url = {format_text(source.url)}"
    yield from format_numbers(used)


def format_numbers(used: Sequence[ColumnProfile]) -> Iterator[str]:
    """The keys `decimal` and `thousands`, if the numbers of the columns need them."""
    decimal, thousands = find_notation(used)
    if decimal != ".":
        yield f"decimal = {format_text(decimal)}"
    if thousands:
        yield f"thousands = {format_text(thousands)}"


def find_notation(used: Sequence[ColumnProfile]) -> tuple[str, str]:
    """The most frequent decimal and thousands separator of these columns."""
    shown = [column.notation for column in used if column.numeric and (column.time_format is None)]
    special = [signs for signs in shown if signs != (".", None)]
    if not special:
        return ".", ""
    decimals = [signs[0] for signs in special]
    decimal = max(dict.fromkeys(decimals), key=decimals.count)
    between = [signs[1] for signs in special if signs[0] == decimal and signs[1]]
    return decimal, between[0] if between else ""


def fits(column: ColumnProfile, signs: tuple[str, str]) -> bool:
    """Whether the numbers of a column can be read with these separators."""
    own = column.notation
    if own == (".", None):
        return column.kind == "int" or signs[0] == "."
    return own[0] == signs[0] and (own[1] or "") in ("", signs[1])


def format_file(files: FileInput, folder: Path) -> Iterator[tuple[str, str, str]]:
    """Keys, values and comments of a file: its name, and the dialect unless it is the default of its format."""
    yield "file", _names(files.paths, folder), ""
    usual = paths.detect_format(files.paths[0], files.encoding, bool(files.records))
    tabs = usual == "tsv"
    if files.format != ("csv" if tabs else usual):
        yield "format", format_text(files.format), ""
    if (files.format == "csv" and files.shape != "basket") or files.separator != ",":
        if files.separator != ("\t" if tabs else ","):
            yield "separator", format_text(files.separator), ""
        if files.quote != ("" if tabs else '"'):
            yield "quote", format_text(files.quote), ""
    if files.encoding != "utf-8":
        yield "encoding", format_text(files.encoding), ""
    if files.escape:
        yield "escape", format_text(files.escape), ""
    if files.skip:
        yield "skip", str(files.skip), "  # lines before the table"
    if files.comment:
        yield "comment", format_text(files.comment), ""
    if files.records:
        yield "records", format_text(files.records), ""
    if files.sheet:
        yield "sheet", format_text(files.sheet), ""
    if files.header is not None:
        yield "header", f"[{', '.join(map(format_text, files.header))}]", ""
    if files.shape != "table":
        yield "shape", format_text(files.shape), ""


def _names(found: Sequence[Path], folder: Path) -> str:
    """The value of `file`: a path, a pattern that matches exactly these files, or a list."""
    if len(found) == 1:
        return format_text(relative_path(_whole_archive(found) or found[0], folder))
    if whole := _whole_archive(found):
        return format_text(relative_path(whole, folder))
    if pattern := _pattern(found):
        return format_text(relative_path(pattern, folder))
    return f"[{', '.join(format_text(relative_path(path, folder)) for path in found)}]"


def _whole_archive(found: Sequence[Path]) -> Path | None:
    """The zip archive, if these files are all of its data files."""
    archive = archives.find_archive(found[0])
    if archive is not None and set(archives.find_members(archive)) == set(found):
        return archive
    return None


def _pattern(found: Sequence[Path]) -> Path | None:
    """A pattern with the common prefix and suffix of the names, if it matches no other files; else None."""
    parents = {path.parent for path in found}
    if len(parents) > 1:
        return None
    names = [path.name for path in found]
    start = _common_start(names)
    end = _common_start([name[::-1] for name in names])[::-1]
    start = start[: min(len(start), min(map(len, names)) - len(end))]
    parent = parents.pop()
    if re.search(r"[*?\[\]]", start + end + str(parent)) or not end or not parent.is_dir():
        return None
    pattern = parent / f"{start}*{end}"
    fitting = {path.name for path in parent.glob(pattern.name) if path.is_file()}
    return pattern if fitting == set(names) else None


def _common_start(names: Sequence[str]) -> str:
    first, last = min(names), max(names)
    same = next((place for place, sign in enumerate(first) if last[place : place + 1] != sign), len(first))
    return first[:same]


def relative_path(path: Path, folder: Path) -> str:
    """The path relative to the folder of the TOML file."""
    try:
        return Path(os.path.relpath(path.absolute(), folder.absolute())).as_posix()
    except ValueError:  # on another drive
        return path.absolute().as_posix()


def make_property_name(column: str) -> str:
    """The property name of a column."""
    column = re.sub(r":(token|token_seq|float|float_seq)$", "", column)
    return re.sub(r"\W+", "_", column.rpartition("/")[2] or column).strip("_") or "value"


def format_properties(
    columns: Sequence[ColumnProfile],
    rating: str | None,
    signs: tuple[str, str],
    taken: Iterable[str] = (),
    title: str | None = None,
) -> tuple[str, dict[str, str]]:
    """The line of all properties ("" for none), and property names by column; `title` is the column of titles."""
    made, names = [], {}
    used = set(_RESERVED) | set(taken)
    for column in columns:
        rated = column.name == rating and "rating" not in used
        name = "rating" if rated else "title" if column.name == title else make_property_name(column.name)
        while name in used:
            name += "_"
        used.add(name)
        names[column.name] = name
        kind = "float" if rated else _KINDS[column.kind]
        if column.numeric and not fits(column, signs):
            kind = "text"
        if column.time_format is not None and column.time_format.format and column.kind == "int":
            kind = "int"
        if name == column.name and kind == "text":
            made.append(format_text(name))
            continue
        parts = {"name": name} | ({} if name == column.name else {"column": column.name})
        parts |= {} if kind == "text" else {"type": kind}
        made.append(f"{{ {', '.join(f'{k} = {format_text(v)}' for k, v in parts.items())} }}")
    return (f"properties = [{', '.join(made)}]" if made else ""), names


def format_time(found: TimeColumn, zoned: bool) -> str:
    """The value of the key `time`."""
    parts: Mapping[str, str | None] = {"column": found.column, "format": found.format, "unit": found.unit}
    written = ", ".join(f"{name} = {format_text(value)}" for name, value in parts.items() if value)
    if found.unit or (zoned and not (found.format and re.search(r"\b(UTC|GMT)\b", found.format))):
        return f"{{ {written} }}"
    return f'{{ {written}, zone = "UTC" }}' + ("" if zoned else "  # fill in: the time zone")
