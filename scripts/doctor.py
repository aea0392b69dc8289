"""Check versions, store, permissions, disk, memory and data."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from . import _options, _terminal

if TYPE_CHECKING:
    from rich.text import Text

    from graphrec.doctor import Finding

MARKS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "failed": ("✗", "red")}


@click.command(epilog="Example: graphrec doctor --json")
@_options.json_option
@click.pass_context
def command(context: click.Context, as_json: bool) -> None:
    """Check versions, store, permissions, disk, memory and data, and show a remedy for each finding.

    Nothing is changed. The exit code is 1 if a check failed, so that some command will fail.
    """
    with _terminal.open_graph() as graph, _terminal.progress_bar() as progress:
        found = graph.examine(progress)
    states = Counter(finding.state for findings in found.values() for finding in findings)
    if as_json:
        rows = [{"area": area, **asdict(finding)} for area, findings in found.items() for finding in findings]
        _terminal.print_json({"ok": not states["failed"], "findings": rows})
    else:
        _show(found)
        _terminal.say(f"{states['ok']} ok, {states['warning']} warnings, {states['failed']} failed")
    context.exit(1 if states["failed"] else 0)


def _show(found: "Mapping[str, Sequence[Finding]]") -> None:
    """Print one line for each finding under the name of its area, and its remedy on the next line."""
    from rich.table import Table
    from rich.text import Text

    out = _terminal.console()
    width = max(len(finding.name) for findings in found.values() for finding in findings)
    for area, findings in found.items():
        table = Table.grid(padding=(0, 2), pad_edge=False)
        table.add_column(width=1)
        table.add_column(width=width)
        table.add_column(overflow="fold")
        for finding in findings:
            mark, colour = MARKS[finding.state]
            table.add_row(Text(mark, style=f"bold {colour}"), Text(finding.name), _format_finding(finding))
        out.print(Text(area.capitalize(), style="bold"))
        out.print(table)
        out.print()


def _format_finding(finding: "Finding") -> "Text":
    from rich.text import Text

    text = Text(finding.seen)
    if finding.remedy:
        text.append(f"\n→ {finding.remedy}", style="dim" if finding.state == "ok" else "cyan")
    return text
