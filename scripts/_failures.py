"""Errors of a command: one sentence on stderr and an exit code."""

import contextlib
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from . import _streams


@contextmanager
def as_click_errors() -> Iterator[None]:
    """A `with` block that raises expected errors as errors of click, which prints their sentence.

    Exit codes: 1 for an error of graphrec or of the system, 2 for wrong usage, 141 without a message if the reader of
    stdout has ended.
    """
    from graphrec.errors import GraphrecError, sentence

    try:
        yield
    except GraphrecError as error:
        raise click.ClickException(str(error)) from error
    except click.ClickException as error:
        raise _shorten(error) from None
    except (OSError, MemoryError, ImportError, RuntimeError) as error:
        if isinstance(error, OSError) and _streams.is_stdout_error(error):
            _streams.silence(sys.stdout)
            raise SystemExit(_streams.report(error)) from error
        from graphrec.resource_errors import shortage_of

        text = shortage_of(error)
        if not text and isinstance(error, OSError):
            place = f"{error.filename}: " if error.filename is not None else ""
            text = f"{place}{error.strerror or error}"
        if not text:
            raise
        raise click.ClickException(sentence(text)) from error


def show(error: click.ClickException) -> int:
    """Print the sentence of an error on stderr, if that can be written, and return its exit code."""
    try:
        error.show()
    except (OSError, ValueError):
        _streams.silence(sys.stderr)
    return error.exit_code


def report_unexpected(error: BaseException) -> int:
    """Print an unexpected error as a sentence, with GRAPHREC_DEBUG its traceback, and return the exit code."""
    if isinstance(error, OSError) and _streams.is_stdout_error(error):
        _streams.silence(sys.stdout)
        return _streams.report(error)
    from graphrec.errors import sentence
    from graphrec.redaction import redact

    if os.environ.get("GRAPHREC_DEBUG"):
        text = redact("".join(traceback.format_exception(error))).rstrip()
    else:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        text = sentence(
            f"Error: unexpected {type(error).__name__} in {Path(frame.filename).name}, line {frame.lineno}: {error}; "
            "please report it as a bug of graphrec, with the command; GRAPHREC_DEBUG=1 shows the whole traceback"
        )
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
    return 1


def _shorten(error: click.ClickException) -> click.ClickException:
    """The error in the style of a GraphrecError: short, without control characters; unknown options as names."""
    from graphrec.errors import sentence

    text = error.format_message()
    if isinstance(error, click.NoSuchOption):
        close = error.possibilities or ()
        hint = f"did you mean {' or '.join(close)}?" if close else "--help lists all options"
        text = f"there is no option '{error.option_name}'; {hint}"
    short = sentence(text)
    if short == error.format_message():
        return error
    return click.UsageError(short, error.ctx) if isinstance(error, click.UsageError) else click.ClickException(short)
