"""Draw attributes of nodes from their texts by a language model."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from . import _load_report, _options, _terminal

if TYPE_CHECKING:
    from graphrec.pipeline.enrichment import Enriched


@click.command(
    epilog="Example: graphrec enrich Item --properties title,description --attributes genre,mood "
    "--url http://localhost:8000/v1 --model llama3.1"
)
@click.argument("label", default="Item")
@click.option("--properties", required=True, metavar="NAME,…", help="Text properties that are sent.")
@click.option(
    "--attributes",
    default="genre",
    show_default=True,
    metavar="NAME,…",
    help="Attributes to draw: genre, mood, audience, brand.",
)
@click.option(
    "--values",
    multiple=True,
    metavar="ATTRIBUTE=VALUE,…",
    help="The only values of an attribute; by default those of the graph's other sources, else a built-in list.",
)
@click.option(
    "--min-confidence",
    type=_options.Decimal(0, 1),
    default=0.5,
    show_default=True,
    help="Leave out values of which the model is less certain.",
)
@click.option("--source", default="", help="Name of the source that is written; by default llm- and the model.")
@click.option("--dry-run", is_flag=True, help="Estimate requests and tokens, send nothing and change nothing.")
@_options.llm_options
@_options.json_option
def command(
    label: str,
    properties: str,
    attributes: str,
    values: tuple[str, ...],
    min_confidence: float,
    source: str,
    dry_run: bool,
    as_json: bool,
    llm: dict[str, Any],  # Any: values of options
) -> None:
    """Draw attributes of LABEL nodes, by default of items, from their texts by a language model.

    They are nodes such as Genre, with edges that have the confidence, the model and a source of their own, so that
    `graphrec unlink` removes them. Only values of a list, or words of the text itself, are written. Nothing leaves
    this machine unless --url names an endpoint elsewhere, and texts that read as instructions are not sent. Answers
    are kept, so a repeated call asks only about new texts.
    """
    from graphrec import EnrichConfig, LlmConfig
    from graphrec.errors import GraphrecError

    allowed = dict(_options.parse_pair(text, "--values") for text in values)
    config = EnrichConfig(
        _options.split_names(attributes),
        {name: _options.split_names(text) for name, text in allowed.items()},
        min_confidence,
        source,
        dry_run,
    )
    with _terminal.open_graph() as graph, _terminal.progress_bar() as progress:
        enriched = graph.enrich(label, _options.split_names(properties), LlmConfig(**llm), config, progress)
    if as_json:
        _terminal.print_json(asdict(enriched))
    elif enriched.answered or not enriched.unanswered:
        _show(enriched)
    if enriched.unanswered and not enriched.answered:
        raise GraphrecError(
            f"none of {enriched.unanswered:,} nodes has an answer, so nothing is written: {enriched.problem}"
        )


def _show(enriched: "Enriched") -> None:
    from graphrec.errors import quantity

    if enriched.withheld:
        _terminal.note(f"{enriched.withheld:,} texts read as instructions to a model and are not sent")
    if enriched.dry_run:
        _terminal.say(
            f"{quantity(enriched.nodes, f'{enriched.label} node')} with a text: "
            f"{quantity(enriched.requests, 'request')} with about {enriched.tokens:,} tokens, "
            f"{quantity(enriched.cached, 'answer')} from before"
        )
        return
    drawn = ", ".join(f"{number:,} of {name}" for name, number in enriched.values.items())
    _load_report.show_written(
        f"{enriched.source}: {enriched.answered:,} of {enriched.nodes:,} {enriched.label} nodes have an answer; "
        f"edges: {drawn}",
        enriched.written,
    )
    _terminal.note(
        f"{quantity(enriched.requests, 'request')}, {quantity(enriched.retries, 'repetition')}, "
        f"{quantity(enriched.failures, 'failure')}, about {enriched.tokens:,} tokens, "
        f"{quantity(enriched.cached, 'answer')} from before"
    )
    if enriched.unanswered:
        _terminal.note(
            f"{enriched.unanswered:,} nodes have no answer and keep what they have ({enriched.problem}); the same "
            "command asks again"
        )
    _terminal.note(f"`graphrec unlink {enriched.source}` removes these attributes")
