"""Propose the TOML file that describes your own files to `graphrec load table`."""

from pathlib import Path

import click

from . import _terminal


@click.command(
    epilog="Example: graphrec sniff ratings.csv movies.csv --out films.toml && graphrec load table films.toml"
)
@click.argument("files", nargs=-1, required=True, type=_terminal.InPath())
@click.option("--out", type=_terminal.OutPath(dir_okay=False), help="File to write instead of stdout.")
@_terminal.json_option
def command(files: tuple[Path, ...], out: Path | None, as_json: bool) -> None:
    """Propose the TOML file that describes FILES to `graphrec load table`.

    Looks at the first rows of each file. Where it cannot know, it writes a comment that says what to fill in.
    """
    from graphrec.errors import GraphrecError
    from graphrec.files import is_stdout, written_whole
    from graphrec.tabular.proposal import propose

    if out is not None and (out.is_file() or out.is_dir()) and not is_stdout(out):
        raise GraphrecError(f"{out} is there already; choose another name, or remove it first")
    if out is not None and not out.absolute().parent.is_dir():
        raise GraphrecError(f"there is no folder {out.absolute().parent} to write {out.name} into; create it first")
    text = propose(files, out.absolute().parent if out else Path.cwd())
    if out is not None:
        with written_whole(out) as path:
            path.write_text(text, encoding="utf-8")
    if as_json:
        _terminal.print_json({"file": str(out) if out else None, "toml": text})
    elif out is None:
        _terminal.say(text, end="")
    else:
        _terminal.note(f"{out} written; read it through, then run: graphrec load table {out}")
