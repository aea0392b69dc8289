"""What becomes of an error of a command: one sentence on stderr and an exit code."""

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
def told() -> Iterator[None]:
    """Run a command in a `with` block; an error that is foreseen becomes one of click's, which shows its sentence.

    Exit codes: 1 for an error of graphrec or of the system, 2 for wrong usage, 141 without a word if no program reads
    the output any more.
    """
    from graphrec.errors import GraphrecError, sentence

    try:
        yield
    except GraphrecError as error:
        raise click.ClickException(str(error)) from error
    except click.ClickException as error:
        raise _short(error) from None
    except (OSError, MemoryError, ImportError, RuntimeError) as error:
        if isinstance(error, OSError) and _streams.is_of_stdout(error):
            _streams.silence(sys.stdout)
            raise SystemExit(_streams.tell(error)) from error
        from graphrec.resource_errors import shortage_of

        said = shortage_of(error)
        if not said and isinstance(error, OSError):
            place = f"{error.filename}: " if error.filename is not None else ""
            said = f"{place}{error.strerror or error}"
        if not said:
            raise
        raise click.ClickException(sentence(said)) from error


def show(error: click.ClickException) -> int:
    """The exit code of an error, after showing its sentence on stderr if that can be written."""
    try:
        error.show()
    except (OSError, ValueError):
        _streams.silence(sys.stderr)
    return error.exit_code


def unexpected(error: BaseException) -> int:
    """The exit code after an unforeseen error, said in one sentence; its traceback only if it is asked for."""
    if isinstance(error, OSError) and _streams.is_of_stdout(error):
        _streams.silence(sys.stdout)
        return _streams.tell(error)
    from graphrec.errors import sentence
    from graphrec.redaction import redacted

    if os.environ.get("GRAPHREC_DEBUG"):
        said = redacted("".join(traceback.format_exception(error))).rstrip()
    else:
        place = traceback.extract_tb(error.__traceback__)[-1]
        said = sentence(
            f"Error: unexpected {type(error).__name__} in {Path(place.filename).name}, line {place.lineno}: {error}; "
            "please report it as a fault of graphrec, with the command; GRAPHREC_DEBUG=1 shows the whole traceback"
        )
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"{said}\n")
        sys.stderr.flush()
    return 1


def _short(error: click.ClickException) -> click.ClickException:
    """The error, or one of its kind whose text is as short and plain as that of a GraphrecError."""
    from graphrec.errors import sentence

    said = error.format_message()
    short = sentence(said)
    if short == said:
        return error
    return click.UsageError(short, error.ctx) if isinstance(error, click.UsageError) else click.ClickException(short)
