"""Write the vectors of texts on nodes."""

from dataclasses import asdict

import click

from . import _options, _terminal


@click.command(epilog="Example: graphrec embed Item --properties title,genres --similar 100")
@click.argument("label", default="Item")
@click.option("--properties", required=True, metavar="NAME,…", help="Text properties that are joined to one text.")
@click.option(
    "--with",
    "encoder",
    default="tfidf",
    show_default=True,
    metavar="ENCODER",
    help="tfidf, wordllama (extra text), sentence-transformers:NAME or :FOLDER (extra sentences), or endpoint.",
)
@click.option("--url", default="", help="Address of an OpenAI-compatible endpoint, such as http://localhost:8000/v1.")
@click.option("--model", default="", help="Model that the endpoint is asked for. Its key is in GRAPHREC_LLM_KEY.")
@click.option(
    "--similar",
    type=_options.Number(0),
    help="Also write SIMILAR_TEXT edges to so many nearest texts, which models read; 0 deletes them.",
)
@click.option(
    "--dimensions", type=_options.Number(1, 4096), default=256, show_default=True, help="Dimensions of tfidf."
)
@click.option("--refit", is_flag=True, help="Fit tfidf to the present texts again, and embed all of them.")
@_options.json_option
def command(
    label: str,
    properties: str,
    encoder: str,
    url: str,
    model: str,
    similar: int | None,
    dimensions: int,
    refit: bool,
    as_json: bool,
) -> None:
    """Write the vector of each LABEL node's text, by default of items, as the property text_embedding.

    Only texts that are new or changed are encoded, and each batch is written before the next, so a repeated or
    interrupted call does only what is left. Nothing leaves this machine unless --url names an endpoint elsewhere.
    `graphrec query find_items_like_text` searches by the vectors, and models read them and the edges of --similar.
    """
    from graphrec import EmbedConfig

    names = _options.split_names(properties)
    config = EmbedConfig(encoder, url, model, similar, dimensions, refit)
    with _terminal.open_graph() as graph, _terminal.progress_bar() as progress:
        embedded = graph.embed(label, names, config, progress)
    if as_json:
        _terminal.print_json(asdict(embedded))
        return
    _terminal.say(
        f"{embedded.nodes:,} {label} nodes have vectors of {embedded.dimensions} dimensions by {embedded.model}"
    )
    _terminal.note(
        f"{embedded.encoded:,} encoded, {embedded.kept:,} unchanged, {embedded.removed:,} removed, "
        f"{embedded.without_text:,} without a text"
    )
    if similar is not None:
        _terminal.note(f"{embedded.similar:,} SIMILAR_TEXT edges")
