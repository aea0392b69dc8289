"""Explain why an item gets its score for a user."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from . import _completion, _options, _terminal

if TYPE_CHECKING:
    from graphrec.explanation import Explanation

#: Cap on the reasons in the table.
REASONS = 10


@click.command(epilog="Example: graphrec explain --user 2 --item 51 --svg why.svg")
@click.argument("ids", metavar="", nargs=-1)
@click.option("--user", help="Id of the user, or `source:key`.")
@click.option("--item", help="Id of the item, or `source:key`.")
@click.option(
    "--run",
    "run",
    shell_complete=_completion.runs,
    help="Saved run: its id, its first letters, or `latest`; by default the active run, else the newest.",
)
@click.option("--top", type=_options.Number(1, 10_000), default=10, show_default=True, help="Number of paths listed.")
@click.option("--cypher", is_flag=True, help="Print only a Cypher statement that shows the listed paths.")
@click.option("--svg", type=_options.OutPath(dir_okay=False), help="SVG file to draw the explanation to.")
@click.option("--rewrite", is_flag=True, help="Let a language model write the sentence: give --url and --model.")
@click.option("--url", default="", help="Address of an OpenAI-compatible endpoint: http://localhost:8000/v1.")
@click.option("--model", default="", help="Model that the endpoint is asked for. Its key is in GRAPHREC_LLM_KEY.")
@click.option("--timeout", type=_options.Decimal(0.1, 3600), default=10, show_default=True, help="Seconds to wait.")
@_options.json_option
def command(
    ids: tuple[str, ...],
    user: str | None,
    item: str | None,
    run: str | None,
    top: int,
    cypher: bool,
    svg: Path | None,
    rewrite: bool,
    url: str,
    model: str,
    timeout: float,
    as_json: bool,
) -> None:
    """Explain why an item gets its score for a user.

    The score of graph_filter is split exactly into contributions of paths: from the user's history, friends and
    attributes, through other users and shared values, to the item. A score that is a sum over the history is split
    exactly, too. For models of vectors the contributions are approximate, and the output says so.

    With --rewrite a language model sees the reasons without names and numbers. Its sentence is shown only if it states
    nothing else; otherwise, and if the endpoint fails, it is the plain one.
    """
    if cypher and as_json:
        raise click.UsageError("--cypher and --json both print to stdout; give one of them")
    _require_rewrite(rewrite)
    user, item = _parse_ids(ids, user, item)
    _options.check_ending(svg, (".svg",), "--svg", "a picture")
    from graphrec import LlmConfig

    with _terminal.open_graph() as graph:
        found = graph.explain(user, item, run, top)
        rewritten = graph.rewrite(found, LlmConfig(url, model, timeout, retries=1)) if rewrite else None
    if rewritten is not None and not rewritten.rewritten:
        _terminal.note(f"the sentence is the plain one: {rewritten.problem}")
    from graphrec import explanation
    from graphrec.atomic_write import atomic_write, is_stdout

    if svg is not None:
        with atomic_write(svg) as partial:
            partial.write_text(explanation.as_svg(found), encoding="utf-8")
        if is_stdout(svg):
            return
        _terminal.note(f"the picture is in {svg}")
    if cypher:
        click.echo(explanation.as_cypher(found))
    elif as_json:
        record = explanation.as_record(found)
        _terminal.print_json(record if rewritten is None else {**record, "sentence": rewritten.sentence})
    else:
        _show(found, explanation.as_sentence(found) if rewritten is None else rewritten.sentence)


def _require_rewrite(rewrite: bool) -> None:
    """Raise UsageError if an option of the language model is given that has no effect without --rewrite."""
    context = click.get_current_context()
    for name in () if rewrite else ("url", "model", "timeout"):
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"--{name} has no effect without --rewrite; give --rewrite, or leave out --{name}")


def _parse_ids(ids: tuple[str, ...], user: str | None, item: str | None) -> tuple[str, str]:
    """The user and the item, by option or, in this order, by position."""
    given = list(ids)
    user = given.pop(0) if user is None and given else user
    item = given.pop(0) if item is None and given else item
    if user is None or item is None or given:
        raise click.UsageError("name one user and one item: graphrec explain --user ID --item ID")
    return user, item


def _show(found: "Explanation", sentence: str) -> None:
    """Show the sentence, the reasons and the paths on stdout, and a note on deleted edges on stderr."""
    from graphrec import explanation

    _terminal.say(f"{sentence}\n")
    accuracy = "exactly" if found.exact else "approximately"
    reasons = explanation.reasons_frame(found)
    rows = ([_format_percent(row.share), row.because, row.through] for row in reasons.head(REASONS).itertuples())
    title = f"Reasons for the score of {found.score:.4g}, {accuracy}"
    _terminal.print_table(title, ["share", "because", "through"], rows)
    if len(reasons) > REASONS:
        rest = float(reasons["share"][REASONS:].sum())
        _terminal.say(f"  and {len(reasons) - REASONS:,} more, {_format_percent(rest)} together\n")
    paths = explanation.as_frame(found)
    shown = ([f"{row.contribution:.3g}", _format_percent(row.share), row.path] for row in paths.itertuples())
    _terminal.print_table("The strongest paths, and the rest", ["contribution", "share", "path"], shown)
    deleted = sum(any(step.gone for step in path.steps) for path in found.paths)
    if deleted:
        _terminal.note(f"{deleted} of the paths are no longer in the graph, which changed since the run was trained")


def _format_percent(share: Any) -> str:  # a float; rows of a frame have values of any type
    from graphrec.explanation.text import percent

    return percent(float(share))
