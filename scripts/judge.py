"""Judge links that fusion proposes by a language model."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from . import _load_report, _options, _terminal

if TYPE_CHECKING:
    from graphrec.pipeline.judging import Judged


@click.command(epilog="Example: graphrec judge Item --url http://localhost:8000/v1 --model llama3.1")
@click.argument("label", default="Item")
@click.option(
    "--properties",
    default="",
    metavar="NAME,…",
    help="Properties that are compared; by default those of the rules by title or by several fields.",
)
@click.option("--apply", is_flag=True, help="Make the proposed links with a yes; else verdicts are only kept.")
@click.option(
    "--min-confidence",
    type=_options.Decimal(0, 1),
    default=0.8,
    show_default=True,
    help="With --apply, the least confidence of fusion in a link that a yes makes.",
)
@click.option("--source", default="", help="Name of the source of the verdicts; by default judge- and the model.")
@click.option("--dry-run", is_flag=True, help="Estimate requests and tokens, send nothing and change nothing.")
@_options.llm_options
@_options.json_option
def command(
    label: str,
    properties: str,
    apply: bool,
    min_confidence: float,
    source: str,
    dry_run: bool,
    as_json: bool,
    llm: dict[str, Any],  # Any: values of options
) -> None:
    """Judge the links between LABEL records, by default of items, that fusion proposes and does not make.

    A language model answers yes, no or unsure with a reason, which are kept and shown in the reports of later loads.
    No link changes without --apply. With it a yes makes the proposed link, and `graphrec unlink` of the source of the
    verdicts takes it back. Pairs whose texts read as instructions are not sent, and a yes must pass two control
    questions.
    """
    from graphrec import JudgeConfig, LlmConfig
    from graphrec.errors import GraphrecError

    names = _options.split_names(properties)
    config = JudgeConfig(names, apply, min_confidence, source, dry_run)
    with _terminal.open_graph() as graph, _terminal.progress_bar() as progress:
        judged = graph.judge(label, LlmConfig(**llm), config, progress)
    if as_json:
        _terminal.print_json(asdict(judged))
    else:
        _show(judged)
    if judged.unanswered == len(judged.links) > 0:
        raise GraphrecError(f"none of {judged.unanswered:,} proposed links has an answer: {judged.problem}")


def _show(judged: "Judged") -> None:
    from graphrec.errors import quantity

    if not judged.links:
        _terminal.say(f"fusion proposes no link between {judged.label} records that it does not make")
        return
    if judged.dry_run:
        _terminal.say(
            f"{quantity(len(judged.links), 'proposed link')}: at most {quantity(judged.requests, 'request')} "
            f"with about {judged.tokens:,} tokens, {quantity(judged.cached, 'answer')} from before"
        )
        return
    rows = [
        [each.left_key, each.right_key, f"{each.confidence:.2f}", each.evidence, each.verdict or "", each.reason]
        for each in judged.links
    ]
    title = f"{judged.source}: {judged.count('yes'):,} of {len(rows):,} proposed links have a yes"
    _terminal.print_table(title, ["record", "record", "confidence", "evidence", "verdict", "reason"], rows)
    if judged.written:
        _load_report.show_written("Written", judged.written)
    confirmed = sum(each.confirmed for each in judged.links)
    if confirmed:
        _terminal.note(
            f"{quantity(confirmed, 'new link')}; `graphrec unlink {judged.source}` deletes what verdicts made"
        )
    elif judged.count("yes"):
        _terminal.note("no link is changed; with --apply those with a yes are made")
    if judged.controlled:
        _terminal.note(f"{judged.controlled:,} times a yes was taken back by a control question")
    if 0 < judged.unanswered < len(judged.links):
        _terminal.note(f"{judged.unanswered:,} links have no answer ({judged.problem}); the same command asks again")
    _terminal.note(
        f"{quantity(judged.requests, 'request')}, {quantity(judged.retries, 'repetition')}, "
        f"{quantity(judged.failures, 'failure')}, about {judged.tokens:,} tokens, "
        f"{quantity(judged.cached, 'answer')} from before"
    )
