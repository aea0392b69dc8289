"""The command line: each file is one click command; `graphrec load` is load.py.

Only the requested command is imported, and a command imports the library in its body, so that `--help` answers at once.
"""

import ast
import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from . import _failures, _streams, _terminal

_FOLDER = Path(__file__).parent


class Commands(click.Group):
    """The commands, found by file name; files that begin with an underscore are not commands."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """The names of all commands, sorted."""
        return sorted(path.stem for path in _FOLDER.glob("[a-z]*.py"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name, which is imported; None if there is no such command."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = import_module(f"graphrec.scripts.{cmd_name}").command
        return command

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,  # arguments of click's Context
    ) -> Any:
        """Run the command line as click does, with streams that accept any text and errors of one sentence."""
        _streams.prepare()
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, False, **extra)
        try:
            code = super().main(args, prog_name, complete_var, False, **extra)
        except click.ClickException as error:
            sys.exit(_failures.show(error))
        except click.Abort:
            _terminal.note("Aborted!")
            sys.exit(1)
        sys.exit(code if isinstance(code, int) else 0)

    def make_context(self, *arguments: Any, **options: Any) -> click.Context:  # Any: click's signature
        """The context of the command line, as click makes it."""
        with _failures.as_click_errors():
            return super().make_context(*arguments, **options)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; its errors are raised as errors of click."""
        with _failures.as_click_errors():
            return super().invoke(ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands with the first line of each file, read without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, _read_summary(name)) for name in self.list_commands(ctx)])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Resolve as click does; an unknown name raises an error that names the nearest command."""
        from graphrec.errors import nearest

        if args and args[0] not in self.list_commands(ctx) and not args[0].startswith("-"):
            close = nearest(args[0], self.list_commands(ctx))
            hint = f"did you mean {' or '.join(close)}?" if close else "`graphrec --help` lists all commands"
            ctx.fail(f"there is no command '{args[0]}'; {hint}")
        return super().resolve_command(ctx, args)


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: graphrec load movielens && graphrec train --model graph_filter",
)
@click.version_option(package_name="graphrec")
def cli() -> None:
    """Graph-based recommender system: fuse records of several sources into one property graph, train models on it, and
    publish recommendations as edges.
    """


def main() -> None:
    """Run the command line and end the process with the exit code of the command, or of a failed output."""
    # Waiting threads yield instead of spinning: on a busy machine a small eigenvalue problem needed 9.5 s with spinning
    # and 0.09 s without; a large matrix product needed the same time with both.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # Fewer garbage collections: imported modules are never freed, and searching them for cycles costs 0.7 s while torch
    # loads and 0.9 s at the end.
    gc.set_threshold(100_000, 50, 50)
    code = 1
    try:
        cli(prog_name="graphrec")
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
    except BaseException as error:
        code = _failures.report_unexpected(error)
    code = _streams.finish(code)
    gc.freeze()
    sys.exit(code)


def _read_summary(name: str) -> str:
    docstring = ast.get_docstring(ast.parse((_FOLDER / f"{name}.py").read_text(encoding="utf-8"))) or ""
    return docstring.partition("\n")[0]
