"""The specification that sniff proposes for files with given content."""

import tomllib
from pathlib import Path
from typing import Any

from graphrec.tabular.proposal import examine


def propose_spec(folder: Path, *arguments: str, **files: str) -> tuple[dict[str, Any], list[str]]:
    """The proposed description of files as a mapping, and the questions."""
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_text(content, encoding="utf-8")
    found = examine(arguments or [folder / name.replace("__", ".") for name in files], folder)
    return tomllib.loads(found.toml), list(found.questions)
