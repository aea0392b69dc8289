"""stdout and stderr that accept any text; if writing fails, the command ends with one sentence and an exit code."""

import codecs
import contextlib
import errno
import io
import os
import sys
import unicodedata
from typing import IO

#: Exit codes: the output could not be written; the reader of the output has ended (128 + SIGPIPE).
FAILED, READER_GONE = 1, 141

#: Error numbers of failed writes to a stream.
_OUTPUT_FAILS = (errno.ENOSPC, errno.EBADF, errno.EIO, errno.EFBIG, errno.EDQUOT, errno.EPIPE)

#: Name of our ASCII codec; if the encoding is named `ascii`, click writes UTF-8.
ASCII = "graphrec_ascii"
#: Error handler that replaces characters an encoding lacks by similar ones, or by a question mark.
REPLACE = "graphrec_replace"
_SIMILAR = {
    "–": "-", "—": "-", "−": "-", "…": "...", "→": "->", "←": "<-", "✓": "+", "✗": "x", "×": "x", "•": "*", "·": "-",
    "≈": "~", "≥": ">=", "≤": "<=", "“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "∅": "(none)", "▲": "^", "▼": "v",
    "★": "*", "─": "-", "│": "|", "━": "-", "\xa0": " ", "\u202f": " ",
}  # fmt: skip


def prepare() -> None:
    """Make stdout and stderr accept any text, even if they are closed or their encoding has few characters."""
    codecs.register_error(REPLACE, _replace)
    codecs.register(_find_codec)
    for number, name in ((1, "stdout"), (2, "stderr")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, io.TextIOWrapper(io.BufferedWriter(_Closed()), encoding="utf-8", errors=REPLACE))
        elif isinstance(stream, io.TextIOWrapper):
            plain = codecs.lookup(stream.encoding).name == "ascii"
            stream.reconfigure(encoding=ASCII if plain else None, errors=REPLACE)
        _open_if_closed(number)


def silence(stream: IO[str]) -> None:
    """Discard all further output to a stream that failed, so that the process ends without another error."""
    try:
        number = stream.fileno()
    except (OSError, ValueError):  # closed when the process started
        for name in ("stdout", "stderr"):
            if getattr(sys, name) is stream:
                setattr(sys, name, io.StringIO())
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)


def finish(code: int) -> int:
    """Flush the output, and return the exit code of a command that ended with `code`."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        try:
            stream.flush()
        except (OSError, ValueError) as error:
            silence(stream)
            if name == "stdout" and code == 0:
                code = report(error)
    return code


def report(error: Exception) -> int:
    """Report on stderr, if possible, that the output failed with this error, and return the exit code."""
    if isinstance(error, BrokenPipeError):
        return READER_GONE
    reason = getattr(error, "strerror", None) or str(error)
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"Error: the output cannot be written to stdout: {reason}\n")
        sys.stderr.flush()
    return FAILED


def is_stdout_error(error: OSError) -> bool:
    """Whether an error comes from writing to stdout: the stream is full, closed or broken, and no file is named."""
    return error.filename is None and error.errno in _OUTPUT_FAILS


def can_encode(text: str) -> bool:
    """Whether stdout's encoding has all characters of the text."""
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def fit_to_encoding(text: str) -> str:
    """The text with replacements for characters that stdout's encoding lacks, so that its width can be measured."""
    if can_encode(text):
        return text
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return text.encode(encoding, REPLACE).decode(encoding)


def _replace(error: UnicodeError) -> tuple[str, int]:
    """Replacements of the characters that the encoding lacks, and the position after them."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    encoding = "ascii" if error.encoding == ASCII else error.encoding
    return "".join(_replace_character(sign, encoding) for sign in error.object[error.start : error.end]), error.end


def _replace_character(sign: str, encoding: str) -> str:
    plain = "".join(part for part in unicodedata.normalize("NFKD", sign) if not unicodedata.combining(part))
    for found in (_SIMILAR.get(sign), plain):
        if found:
            with contextlib.suppress(UnicodeEncodeError):
                found.encode(encoding)
                return found
    return "" if unicodedata.combining(sign) else "?"


def _find_codec(name: str) -> codecs.CodecInfo | None:
    if name != ASCII:
        return None
    found = codecs.lookup("ascii")
    return codecs.CodecInfo(
        found.encode,
        found.decode,
        found.streamreader,
        found.streamwriter,
        found.incrementalencoder,
        found.incrementaldecoder,
        ASCII,
    )


def _open_if_closed(number: int) -> None:
    """Open a closed descriptor; otherwise the next opened file would get its number, and receive the output."""
    try:
        os.fstat(number)
    except OSError:
        opened = os.open(os.devnull, os.O_RDONLY)
        if opened != number:
            os.dup2(opened, number)
            os.close(opened)


class _Closed(io.RawIOBase):
    """A stream that was closed when the process started."""

    def writable(self) -> bool:
        return True

    def write(self, _content: object) -> int:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
