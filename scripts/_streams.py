"""stdout and stderr that take any text, and whose failure is one sentence and an exit code."""

import codecs
import contextlib
import errno
import io
import os
import sys
import unicodedata
from typing import IO

#: Exit codes: of a command whose output could not be written, and of one whose reader has gone (128 + SIGPIPE).
FAILED, READER_GONE = 1, 141

_OUTPUT_FAILS = (errno.ENOSPC, errno.EBADF, errno.EIO, errno.EFBIG, errno.EDQUOT, errno.EPIPE)

#: The ASCII codec under a name that click does not know: to one that it knows it writes UTF-8 all the same.
ASCII = "graphrec_ascii"
#: The error handler that writes what an encoding lacks by signs that look alike, or as a question mark.
REPLACE = "graphrec_replace"
_ALIKE = {
    "–": "-", "—": "-", "−": "-", "…": "...", "→": "->", "←": "<-", "✓": "+", "✗": "x", "×": "x", "•": "*", "·": "-",
    "≈": "~", "≥": ">=", "≤": "<=", "“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "∅": "(none)", "▲": "^", "▼": "v",
    "★": "*", "─": "-", "│": "|", "━": "-", "\xa0": " ", "\u202f": " ",
}  # fmt: skip


def prepare() -> None:
    """Make stdout and stderr take any text, also if they are closed or their encoding has few characters."""
    codecs.register_error(REPLACE, _replaced)
    codecs.register(_ascii)
    for number, name in ((1, "stdout"), (2, "stderr")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, io.TextIOWrapper(io.BufferedWriter(_Closed()), encoding="utf-8", errors=REPLACE))
        elif isinstance(stream, io.TextIOWrapper):
            plain = codecs.lookup(stream.encoding).name == "ascii"
            stream.reconfigure(encoding=ASCII if plain else None, errors=REPLACE)
        _occupy(number)


def silence(stream: IO[str]) -> None:
    """Let what is still to be written to a stream that failed go nowhere, so that the end of the process is quiet."""
    try:
        number = stream.fileno()
    except (OSError, ValueError):  # the process was started without it
        for name in ("stdout", "stderr"):
            if getattr(sys, name) is stream:
                setattr(sys, name, io.StringIO())
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)


def finish(code: int) -> int:
    """The exit code of a command that ended with `code`, after the last of its output is written."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        try:
            stream.flush()
        except (OSError, ValueError) as error:
            silence(stream)
            if name == "stdout" and code == 0:
                code = tell(error)
    return code


def tell(error: Exception) -> int:
    """The exit code of a command whose output failed by this error, after saying so on stderr if that can be done."""
    if isinstance(error, BrokenPipeError):
        return READER_GONE
    reason = getattr(error, "strerror", None) or str(error)
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"Error: the output cannot be written to stdout: {reason}\n")
        sys.stderr.flush()
    return FAILED


def is_of_stdout(error: OSError) -> bool:
    """Whether an error looks like one of writing to stdout: of a full, closed or broken stream, and of no file."""
    return error.filename is None and error.errno in _OUTPUT_FAILS


def takes(text: str) -> bool:
    """Whether stdout's encoding has all characters of the text."""
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def fitted(text: str) -> str:
    """The text as stdout will show it, so that its width is known."""
    if takes(text):
        return text
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return text.encode(encoding, REPLACE).decode(encoding)


def _replaced(error: UnicodeError) -> tuple[str, int]:
    """Signs for those that the encoding lacks, and where to go on."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    encoding = "ascii" if error.encoding == ASCII else error.encoding
    return "".join(_sign(sign, encoding) for sign in error.object[error.start : error.end]), error.end


def _sign(sign: str, encoding: str) -> str:
    plain = "".join(part for part in unicodedata.normalize("NFKD", sign) if not unicodedata.combining(part))
    for found in (_ALIKE.get(sign), plain):
        if found:
            with contextlib.suppress(UnicodeEncodeError):
                found.encode(encoding)
                return found
    return "" if unicodedata.combining(sign) else "?"


def _ascii(name: str) -> codecs.CodecInfo | None:
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


def _occupy(number: int) -> None:
    """Open a descriptor that is closed, or the next file would get its number and whatever is printed there."""
    try:
        os.fstat(number)
    except OSError:
        opened = os.open(os.devnull, os.O_RDONLY)
        if opened != number:
            os.dup2(opened, number)
            os.close(opened)


class _Closed(io.RawIOBase):
    """A stream that the process was started without."""

    def writable(self) -> bool:
        return True

    def write(self, _content: object) -> int:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
