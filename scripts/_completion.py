"""Shell completion of models, queries, sources, and runs on disk; it starts no store."""

import os
from collections.abc import Iterable
from importlib import resources
from pathlib import Path

import click
from click.shell_completion import CompletionItem

Items = list[CompletionItem]


def models(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> Items:
    """Models by name."""
    from graphrec.models import MODELS

    return _matching(MODELS, incomplete)


def queries(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> Items:
    """Query files by name."""
    files = (file.name for file in resources.files("graphrec.cypher").iterdir())
    return _matching((name.removesuffix(".cypher") for name in files if name.endswith(".cypher")), incomplete)


def sources(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> Items:
    """Sources by name, and files, because a TOML file may describe a source."""
    from graphrec import loader_registry

    return [*_matching(loader_registry.names(), incomplete), CompletionItem(incomplete, type="file")]


def loaded_sources(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> Items:
    """Sources loaded from this machine."""
    return _matching(_folders("loads"), incomplete)


def runs(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> Items:
    """Runs saved on disk, and `latest`."""
    found = [path.parent.name for path in home().glob("runs/[!.]*/run.json")]
    return _matching([*found, *(["latest"] if found else [])], incomplete)


def _folders(name: str) -> list[str]:
    return [path.name for path in home().glob(f"{name}/[!.]*") if path.is_dir()]


def home() -> Path:
    """GRAPHREC_HOME as in `config.Settings`, whose import would need half a second."""
    if given := os.environ.get("GRAPHREC_HOME"):
        return Path(given).expanduser()
    from platformdirs import user_data_path

    return user_data_path("graphrec", appauthor=False)


def _matching(names: Iterable[str], incomplete: str) -> Items:
    return [CompletionItem(name) for name in sorted(names) if name.startswith(incomplete)]
