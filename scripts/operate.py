"""Retrain, gate, publish, watch clicks and roll back by a policy."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import _options, _terminal

if TYPE_CHECKING:
    from graphrec.operation import Decision
    from graphrec.operation.cycle import CycleResult


@click.command(epilog="Example: graphrec operate policy.toml --once")
@click.argument("policy", type=_options.InPath(dir_okay=False), required=False)
@click.option("--once", is_flag=True, help="Run one cycle and end, for cron and timers of systemd.")
@click.option("--log", "show_log", is_flag=True, help="Print the journal of all decisions, the oldest first, and end.")
@click.option("--limit", type=_options.Number(), help="With --log: the newest decisions only.")
@_options.json_option
def command(policy: Path | None, once: bool, show_log: bool, limit: int | None, as_json: bool) -> None:
    """Operate the graph by the TOML file POLICY, or by default values (docs/operation.md).

    A cycle measures what came in since the last training, trains again if the policy says so, keeps the settings
    between full searches, and publishes the run if it passes the gate. It compares the click rate of the newest run
    with that of the run before, and rolls back if it is worse. One process leads at a time, on all machines. Every
    decision is kept in the graph. Without --once a cycle runs every 10 minutes until SIGTERM or Ctrl-C.
    """
    if show_log and (once or policy is not None):
        raise click.UsageError("--log prints the journal; give neither --once nor a policy with it")
    if limit is not None and not show_log:
        raise click.UsageError("--limit is for --log")
    with _terminal.open_graph() as graph:
        if show_log:
            decisions = graph.list_decisions(limit)[::-1]
            _print_decisions(decisions, as_json)
            if not decisions and not as_json:
                _terminal.note("no decisions are in the journal")
            return
        if not once:
            graph.operate_until_ended(policy, lambda found: _print_decisions(found.decisions, as_json, lines=True))
            return
        with _terminal.progress_bar() as progress:
            found = graph.operate(policy, None, progress)
    if as_json:
        _terminal.print_json(_as_dict(found))
        return
    _print_decisions(found.decisions, as_json)
    if found.leader:
        _terminal.note(f"nothing was decided, as another process leads: {found.leader}")


def _as_dict(found: "CycleResult") -> dict[str, object]:
    return {"leader": found.leader or None, "decisions": [each.as_dict() for each in found.decisions]}


def _print_decisions(decisions: "list[Decision] | tuple[Decision, ...]", as_json: bool, lines: bool = False) -> None:
    """One line each: when, what, on which run, and why; JSON as one list, or with `lines` one object a line."""
    from graphrec.time_format import moment_text

    if as_json and not lines:
        _terminal.print_json([each.as_dict() for each in decisions])
        return
    for each in decisions:
        if as_json:
            import json

            click.echo(json.dumps(each.as_dict(), default=str))
            continue
        run = f" {each.run}" if each.run else ""
        again = f" ({each.repeats} times since {moment_text(each.since // 1000)})" if each.repeats > 1 else ""
        _terminal.say(f"{moment_text(each.at // 1000)} {each.kind}{run}: {each.sentence}{again}")
