"""Parses the input of a table: files, frames in memory, or a SQL query."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast
from urllib.parse import quote

from graphrec.errors import nearest
from graphrec.tabular import frames, paths
from graphrec.tabular.spec import FileInput, FileQueryInput, Format, FrameInput, QueryInput, Shape, TableInput
from graphrec.tabular.toml_section import TomlSection

_NUMBER_KEYS = ("decimal", "thousands")
_TEXT_KEYS = ("separator", "quote", "escape", "encoding", "header", "skip", "comment")
#: Keys of a data frame; the other file keys describe how a file is written.
_FRAME_KEYS = ("file", "where", "missing", "shape", *_NUMBER_KEYS)
FILE_KEYS = ("file", "format", *_TEXT_KEYS, "missing", "where", "records", "sheet", "shape", *_NUMBER_KEYS)
QUERY_KEYS = ("sql", "url", "connection", "files")
INPUT_KEYS = (*FILE_KEYS, *QUERY_KEYS)

_FORMATS = ("csv", "tsv", "jsonl", "json", "parquet", "xlsx", "ods")
_SHAPES = ("table", "basket", "wide")
#: Formats by key, for keys that only some formats have.
_ONLY = {
    "records": ("json",),
    "sheet": ("xlsx", "ods"),
    "skip": ("csv", "tsv", "xlsx", "ods"),
    "comment": ("csv", "tsv"),
}
#: Allowed thousands separators besides "" (no separator).
_THOUSANDS = (".", ",", " ", "'", "\u00a0", "\u202f", "\u2019", "_")
_VARIABLE = re.compile(r"\$\{(\w+)\}")


def parse_input(section: TomlSection, connections: Mapping[str, str], folder: Path) -> TableInput:
    """The files, frame or query of a section; DataError if it has none or several, or a file does not exist."""
    if section.has("file") == section.has("sql"):
        raise section.error("file", "or sql is needed, and not both: where the rows come from")
    if not section.has("sql"):
        _refuse(section, QUERY_KEYS, "goes with sql")
        return _parse_files(section, folder)
    hint = (
        "write it in the sql" if not section.has("files") else "write it for each file: files = { name = { file = … } }"
    )
    _refuse(section, tuple(key for key in FILE_KEYS if key not in _NUMBER_KEYS), f"goes with file; {hint}")
    numbers = _parse_number_separators(section)
    if not section.has("files"):
        url, values = _parse_url(section, connections)
        return QueryInput(section.text("sql"), url, folder, *numbers, values)
    _refuse(section, ("url", "connection"), "is the address of a database, and files are read without one")
    return FileQueryInput(section.text("sql"), _parse_named_files(section, folder), *numbers)


def _parse_files(section: TomlSection, folder: Path) -> FileInput | FrameInput:
    """The file, files or frame that a section describes."""
    if frames.is_frame(section.values.get("file")):
        return _parse_frame(section)
    file_paths = tuple(path for name in _parse_file_names(section) for path in paths.find_files(section, name, folder))
    if not file_paths:
        raise section.error("file", "must name at least one file")
    encoding = _parse_encoding(section)
    declared = section.has("format")
    detected = "" if declared else paths.detect_common_format(section, file_paths, encoding)
    form = section.choice("format", _FORMATS, detected)
    for key, formats in _ONLY.items():
        if section.has(key) and form not in formats:
            raise section.error(key, f"goes with the format {' or '.join(formats)}, and this is {form}")
    separator = section.text("separator", "\t" if form == "tsv" else ",")
    quote_char = section.text("quote", '"' if form == "csv" else "", may_be_empty=True)
    is_separator = 1 <= len(separator.encode()) <= 4 and not set(separator) & set("\r\n\0")
    if len(quote_char) > 1 or not is_separator or separator == quote_char:
        raise section.error("separator", "must be one to four characters, and quote at most one that is another")
    shape = _parse_shape(section)
    if shape == "basket" and form not in ("csv", "tsv"):
        raise section.error("shape", f"basket is for lines of text, and this is {form}")
    files = FileInput(
        file_paths,
        cast(Format, "csv" if form == "tsv" else form),
        separator,
        quote_char,
        encoding,
        section.texts("header") if section.has("header") else None,
        section.texts("missing") if section.has("missing") else None,
        _parse_where(section),
        _parse_line_count(section, "skip"),
        _parse_character(section, "comment", separator + quote_char),
        *_parse_number_separators(section),
        _parse_character(section, "escape", separator),
        _parse_pointer(section),
        section.text("sheet", ""),
        shape,
    )
    if files.escape and not quote_char:
        raise section.error("escape", "is the character before a quote, and this table has no quote")
    return replace(files, escape="") if files.escape == quote_char else files


def _parse_file_names(section: TomlSection) -> tuple[str, ...]:
    """The paths and patterns of a section; mappings from Python may contain Path objects."""
    value = section.values["file"]
    values = value if isinstance(value, list | tuple) else [value]
    texts = [os.fspath(each) if isinstance(each, os.PathLike) else each for each in values]
    return TomlSection(section.place, {"file": texts if all(isinstance(text, str) for text in texts) else value}).texts(
        "file"
    )


def _parse_frame(section: TomlSection) -> FrameInput:
    """The frame of a section."""
    _refuse(section, tuple(key for key in FILE_KEYS if key not in _FRAME_KEYS), "is for a file, and this is a frame")
    shape = _parse_shape(section)
    if shape == "basket":
        raise section.error("shape", "basket is for lines of text, and this is a frame")
    table = frames.to_arrow(section.values["file"], section.place)
    missing = section.texts("missing") if section.has("missing") else None
    return FrameInput(table, _parse_where(section), missing, *_parse_number_separators(section), shape)


def _parse_named_files(section: TomlSection, folder: Path) -> dict[str, FileInput | FrameInput]:
    """The files of a query by their table names in the SQL."""
    part = section.section("files")
    if not part.values:
        raise section.error("files", 'must name at least one, such as { orders = "orders.csv" }')
    files: dict[str, FileInput | FrameInput] = {}
    for name, value in part.values.items():
        file_section = TomlSection(f"{part.place} {name}", value if isinstance(value, dict) else {"file": value})
        file_section.require_known(FILE_KEYS)
        if not re.fullmatch(r"[^\W\d]\w*", name) or name.casefold() in map(str.casefold, files):
            raise part.error(name, "must be a name of letters, digits and _ that no other file has")
        if not file_section.has("file"):
            raise file_section.error("file", "is missing; it is needed")
        files[name] = _parse_files(file_section, folder)
    return files


def _parse_shape(section: TomlSection) -> Shape:
    return cast(Shape, section.choice("shape", _SHAPES, "table"))


def _parse_line_count(section: TomlSection, key: str) -> int:
    number = section.whole(key, 0)
    if not 0 <= number <= 1_000_000:
        raise section.error(key, f"must be a number of lines, 0 to 1,000,000, not {number}")
    return number


def _parse_character(section: TomlSection, key: str, others: str) -> str:
    """The single character at a key, which may not be in `others`; "" if the key is missing."""
    character = section.text(key, "", may_be_empty=True)
    if len(character) > 1 or character in tuple("\r\n\0") or (character and character in others):
        raise section.error(key, f"must be one character that nothing else of the table is, not {character!r}")
    return character


def _parse_number_separators(section: TomlSection) -> tuple[str, str]:
    """The decimal and the thousands separator."""
    decimal = section.choice("decimal", (".", ","), ".")
    thousands = section.text("thousands", "", may_be_empty=True)
    if thousands not in ("", *_THOUSANDS) or thousands == decimal:
        raise section.error(
            "thousands",
            "must be one of . , ' _ and the space (also U+00A0, U+202F and U+2019), and not what decimal is"
            f" ({decimal!r}); is decimal missing?",
        )
    return decimal, thousands


def _parse_pointer(section: TomlSection) -> str:
    """The JSON pointer of the array of rows."""
    pointer = section.text("records", "", may_be_empty=True)
    if pointer and not pointer.startswith("/"):
        raise section.error("records", f"must be a path of keys such as /orders or /data/rows; write /{pointer}")
    return pointer


def expand_variables(section: TomlSection, key: str, text: str) -> tuple[str, tuple[str, ...]]:
    """The text with ${NAME} replaced by environment variables, and the values that were inserted.

    A value in the place of a URL's password is percent-encoded. Messages never show the values.
    """
    values: list[str] = []

    def replace_variable(match: re.Match[str]) -> str:
        inserted = os.environ.get(match[1])
        if inserted is None:
            raise section.error(key, f"needs the environment variable {match[1]}, which is not set; export it first")
        values.append(inserted)
        before, after = text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1]
        return quote(inserted, safe="") if before == ":" and after == "@" else inserted

    return _VARIABLE.sub(replace_variable, text), tuple(values)


def _parse_url(section: TomlSection, connections: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    """The URL of the database, and the values of environment variables in it."""
    if section.has("url") == section.has("connection"):
        raise section.error(
            "url", "or connection is needed with sql, and not both: which database answers; or files, which it reads"
        )
    if section.has("url"):
        return expand_variables(section, "url", section.text("url"))
    name = section.text("connection")
    if name not in connections:
        if "://" in name or "=" in name:
            raise section.error("connection", "is the name of one in [connections], not an address; write url instead")
        close = nearest(name, connections, 1)
        hint = f"did you mean {close[0]}?" if close else "add it there"
        raise section.error("connection", f"'{name}' is not in [connections]; {hint}")
    return expand_variables(section, "connection", connections[name])


def _parse_encoding(section: TomlSection) -> str:
    name = section.text("encoding", "utf-8")
    try:
        "".encode(name)
    except (LookupError, ValueError) as error:
        raise section.error("encoding", f"'{name}' is unknown; utf-8, latin-1, cp1252 and utf-16 are common") from error
    return name


def _parse_where(section: TomlSection) -> dict[str, tuple[str, ...]]:
    part = section.section("where")
    return {name: part.texts(name) for name in part.values}


def _refuse(section: TomlSection, keys: Sequence[str], reason: str) -> None:
    for key in keys:
        if section.has(key):
            raise section.error(key, reason)
