"""The command line: one click command, one file; `graphrec load` is load.py.

Only the command that is asked for is imported, and a command imports the library in its body, so that help
answers at once.
"""

import ast
import contextlib
import gc
import os
import re
import sys
import traceback
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from . import _streams

_FOLDER = Path(__file__).parent
_NO_MEMORY = "there is not enough memory for this; end other programs, or use a machine with more"
#: How torch says that memory lacks, on processors and on graphics cards.
_LACKS_MEMORY = re.compile(r"out of memory|can't allocate memory|not enough memory", re.IGNORECASE)


class Commands(click.Group):
    """The commands found by file name; a file that begins with an underscore is none."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """The names of all commands, sorted."""
        return sorted(path.stem for path in _FOLDER.glob("[a-z]*.py"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name, imported now."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = import_module(f"graphrec.scripts.{cmd_name}").command
        return command

    def main(self, *arguments: Any, **options: Any) -> Any:  # Any: click's signature
        """Run the command line as click does, with streams that take any text."""
        _streams.prepare()
        return super().main(*arguments, **options)

    def make_context(self, *arguments: Any, **options: Any) -> click.Context:  # Any: click's signature
        """As click does, with messages that are cut short."""
        try:
            return super().make_context(*arguments, **options)
        except click.ClickException as error:
            raise _short(error) from None

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; an error that graphrec raises on purpose, or the system's, is one sentence and exit code 1.

        Wrong usage is exit code 2, and output that nobody reads any more 141, without a word.
        """
        from graphrec.errors import GraphrecError, sentence

        try:
            return super().invoke(ctx)
        except GraphrecError as error:
            raise click.ClickException(str(error)) from error
        except click.ClickException as error:
            raise _short(error) from None
        except OSError as error:
            if _streams.is_of_stdout(error):
                _streams.silence(sys.stdout)
                raise SystemExit(_streams.tell(error)) from error
            place = f"{error.filename}: " if error.filename is not None else ""
            raise click.ClickException(sentence(f"{place}{error.strerror or error}")) from error
        except MemoryError as error:
            raise click.ClickException(
                f"{_NO_MEMORY} ({sentence(str(error))})" if str(error) else _NO_MEMORY
            ) from error
        except RuntimeError as error:
            if not _LACKS_MEMORY.search(str(error)):
                raise
            raise click.ClickException(f"{_NO_MEMORY} ({sentence(str(error))[:200]})") from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands with the first line of each file, read without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, _summary(name)) for name in self.list_commands(ctx)])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, naming the nearest command where there is none of the name."""
        from graphrec.errors import nearest

        if args and args[0] not in self.list_commands(ctx) and not args[0].startswith("-"):
            close = nearest(args[0], self.list_commands(ctx))
            hint = f" Did you mean {' or '.join(close)}?" if close else " `graphrec --help` lists all commands."
            ctx.fail(f"there is no command '{args[0]}'.{hint}")
        return super().resolve_command(ctx, args)


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: graphrec load movielens && graphrec train --model graph_filter",
)
@click.version_option(package_name="graphrec")
def cli() -> None:
    """Records of people and things become recommendations that live in a graph database."""


def _short(error: click.ClickException) -> click.ClickException:
    """The error, or one of its kind whose text is as short and plain as that of a GraphrecError."""
    from graphrec.errors import sentence

    said = error.format_message()
    told = sentence(said)
    if told == said:
        return error
    return click.UsageError(told, error.ctx) if isinstance(error, click.UsageError) else click.ClickException(told)


def main() -> None:
    """Run the command line and end the process, whose exit code says what became of the command and its output."""
    # Threads that wait for each other give way, instead of spinning: on a machine with other work a small eigenvalue
    # problem took 9.5 s spinning and 0.09 s so, and a large matrix product the same either way.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # What a command imports stays: looking for cycles in it costs 0.7 s while torch is loaded and 0.9 s at the end.
    gc.set_threshold(100_000, 50, 50)
    code: int | None = 1
    try:
        cli(prog_name="graphrec")
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
    except BaseException as error:
        code = _unexpected(error)
    code = _streams.finish(code)
    gc.freeze()
    sys.exit(code)


def _unexpected(error: BaseException) -> int:
    """The exit code after an error that nobody foresaw, told in one sentence; its traceback only if it is asked for."""
    if isinstance(error, OSError) and _streams.is_of_stdout(error):
        _streams.silence(sys.stdout)
        return _streams.tell(error)
    from graphrec.errors import sentence
    from graphrec.redaction import redacted

    if os.environ.get("GRAPHREC_DEBUG"):
        told = redacted("".join(traceback.format_exception(error))).rstrip()
    else:
        place = traceback.extract_tb(error.__traceback__)[-1]
        told = sentence(
            f"Error: unexpected {type(error).__name__} in {Path(place.filename).name}, line {place.lineno}: {error}; "
            "please report it as a fault of graphrec, with the command; GRAPHREC_DEBUG=1 shows the whole traceback"
        )
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"{told}\n")
        sys.stderr.flush()
    return 1


def _summary(name: str) -> str:
    docstring = ast.get_docstring(ast.parse((_FOLDER / f"{name}.py").read_text(encoding="utf-8"))) or ""
    return docstring.partition("\n")[0]
