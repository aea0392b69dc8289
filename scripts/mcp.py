"""Serve tools for language models."""

import os

import click

from . import _options, _terminal


@click.command(epilog="Example: graphrec mcp --url https://recommend.example.org")
@click.option("--url", help="A graphrec server that answers; by default the local graph.")
@click.option("--http", "over_http", is_flag=True, help="Listen at a port of this machine instead of reading stdin.")
@click.option(
    "--port", type=_options.Number(0, 65_535), default=8765, show_default=True, help="Port of --http (0: any free one)."
)
def command(url: str | None, over_http: bool, port: int) -> None:
    """Serve tools for assistants by the Model Context Protocol: recommend, explain, similar, query and schema.

    The tools read only. If the environment variable GRAPHREC_KEY has an API key with the scope `write`, events can be
    recorded too. A client starts the command and speaks to it over stdin and stdout; --http serves several clients of
    this machine at http://127.0.0.1:PORT/mcp, who need the key if there is one.
    """
    from graphrec.mcp.options import KEY, ToolOptions

    with _terminal.open_graph() as graph:
        graph.serve_tools(ToolOptions(url, os.environ.get(KEY) or None, over_http, port))
