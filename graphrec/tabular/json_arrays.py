"""Streams the elements of an array in a JSON document, and writes each on its own line (JSON Lines)."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from graphrec.errors import DataError, first_few, nearest
from graphrec.tabular.json_pointer import escape_key, unescape_key
from graphrec.tabular.spec import FileInput

#: Block size, and maximum length of one element, in characters.
_BLOCK = 1 << 20
_MAX_ELEMENT = 16_000_000
_SPACE = re.compile(r"[ \t\r\n]*")
_SKIPPED = re.compile(r'"(?:[^"\\]|\\.)*("?)|[\[\]{}]', re.DOTALL)
_DECODER = json.JSONDecoder()


def copy_rows(text: TextIO, out: TextIO, files: FileInput, path: Path) -> None:
    """Write each element of the array at `files.records` on its own line; only one element is in memory.

    Raises DataError if the document is invalid or truncated JSON, or has no array there.
    """
    document = _JsonReader(text, path)
    keys = [unescape_key(key) for key in files.records.split("/")[1:]]
    for depth, key in enumerate(keys):
        document.enter(key, "/" + "/".join(keys[:depth]) if depth else "")
    if document.peek() != "[":
        place = f"at {files.records}" if keys else "at its top level"
        raise DataError(f"{path} has no array of rows {place}; {document.suggest_records()}")
    for element in document.elements():
        out.write(element.replace("\r", " ").replace("\n", " ") + "\n")
    if not keys and document.peek():
        raise document.damage_error()


class _JsonReader:
    """Streaming parser of a JSON text, which keeps only a part of it in memory."""

    def __init__(self, text: TextIO, path: Path) -> None:
        self._stream, self._path = text, path
        self._text, self._at = "", 0
        self._before = 0  # number of characters already discarded
        self._fill()
        self._text = self._text.removeprefix("\ufeff")

    def peek(self) -> str:
        """The next character that is not whitespace; "" at the end."""
        while True:
            match = _SPACE.match(self._text, self._at)
            assert match is not None  # the pattern also matches the empty text
            self._at = match.end()
            if self._at < len(self._text) or not self._fill():
                return self._text[self._at : self._at + 1]

    def elements(self) -> Iterator[str]:
        """The texts of the elements of the array that begins here; afterwards the position is behind the array."""
        self._consume("[")
        if self.peek() == "]":
            self._at += 1
            return
        while True:
            yield self._read_value()
            if self._consume(",]") == "]":
                return

    def enter(self, key: str, place: str) -> None:
        """Move to the value of a key of the object that begins here, or of an index of the array."""
        seen: list[str] = []
        if self.peek() == "[" and key.isdecimal():
            self._consume("[")
            while self.peek() not in ("]", ""):
                if len(seen) == int(key):
                    return
                seen.append(str(len(seen)))
                self._skip_value()
                if self._consume(",]") == "]":
                    break
        elif self.peek() == "{":
            self._consume("{")
            while self.peek() not in ("}", ""):
                name = self._read_name()
                if name == key:
                    return
                seen.append(name)
                self._skip_value()
                if self._consume(",}") == "}":
                    break
        if self.peek() == "" and not seen:
            raise self.damage_error()
        close = nearest(key, seen, 1)
        hint = f"did you mean {close[0]}?" if close else f"it has {first_few(seen, 12) or 'none'}"
        raise DataError(
            f"{self._path} has no {key} {f'in {place}' if place else 'at its top level'}, which records names; {hint}"
        )

    def suggest_records(self) -> str:
        """What to write as `records` if the value here is not an array."""
        arrays: list[str] = []
        if self.peek() == "{":
            self._consume("{")
            while self.peek() not in ("}", ""):
                name = self._read_name()
                if self.peek() == "[":
                    arrays.append("/" + escape_key(name))
                self._skip_value()
                if self._consume(",}") == "}":
                    break
        if not arrays:
            return 'write one object on each line, with format = "jsonl", or an array of objects'
        return f"name one: records = {' or '.join(json.dumps(each, ensure_ascii=False) for each in arrays[:3])}"

    def damage_error(self) -> DataError:
        """The error for a document that is not valid JSON from here on."""
        place = self._before + self._at
        return DataError(
            f"{self._path} is truncated or invalid JSON after {place:,} characters, or has an element longer than "
            f"{_MAX_ELEMENT // 1_000_000} MB there; export or download it again"
        )

    def _read_name(self) -> str:
        """The next key of an object; afterwards the position is behind its colon."""
        if self.peek() != '"':
            raise self.damage_error()
        name = json.loads(self._read_value())
        self._consume(":")
        return str(name)

    def _consume(self, expected: str) -> str:
        """Consume and return the next character, which must be one of `expected`."""
        character = self.peek()
        if not character or character not in expected:
            raise self.damage_error()
        self._at += 1
        return character

    def _read_value(self) -> str:
        """The text of the complete value that begins here."""
        self.peek()
        while True:
            try:
                end = _DECODER.raw_decode(self._text, self._at)[1]
            except (ValueError, RecursionError) as error:
                if isinstance(error, RecursionError) or len(self._text) - self._at > _MAX_ELEMENT or not self._fill():
                    raise self.damage_error() from error
                continue
            if end < len(self._text) or not self._fill():
                value = self._text[self._at : end]
                self._at = end
                return value

    def _skip_value(self) -> None:
        """Skip the value that begins here, of any length."""
        if self.peek() not in ("[", "{"):
            self._read_value()
            return
        depth = 0
        while True:
            match = _SKIPPED.search(self._text, self._at)
            if match is None or (match[0].startswith('"') and not match[1]):
                self._at = len(self._text) if match is None else match.start()  # a string continues in the next block
                if len(self._text) - self._at > _MAX_ELEMENT or not self._fill():
                    raise self.damage_error()
                continue
            self._at = match.end()
            depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(match[0], 0)
            if depth == 0:
                return

    def _fill(self) -> bool:
        """Read more text, return whether there was any; the buffer doubles, so long elements take linear time."""
        more = self._stream.read(max(_BLOCK, len(self._text) - self._at))
        if more:
            self._before += self._at
            self._text, self._at = self._text[self._at :] + more, 0
        return bool(more)
