"""Shell completion of models, queries, sources and runs on disk, without starting a store."""

import os
from collections.abc import Iterable
from importlib import resources
from pathlib import Path

import click
from click.shell_completion import CompletionItem

Items = list[CompletionItem]


def models(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> Items:
    """Names of models."""
    from graphrec.models import MODELS

    return _complete(MODELS, incomplete)


def queries(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> Items:
    """Names of query files."""
    files = (file.name for file in resources.files("graphrec.cypher").iterdir())
    return _complete((name.removesuffix(".cypher") for name in files if name.endswith(".cypher")), incomplete)


def sources(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> Items:
    """Names of sources, and files, because a TOML file may describe a source."""
    from graphrec import loader_registry

    return [*_complete(loader_registry.names(), incomplete), CompletionItem(incomplete, type="file")]


def loaded_sources(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> Items:
    """Names of sources that were loaded from this machine."""
    return _complete(_list_folders("loads"), incomplete)


def runs(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> Items:
    """Ids of runs on disk, and `latest`."""
    found = [path.parent.name for path in home().glob("runs/[!.]*/run.json")]
    return _complete([*found, *(["latest"] if found else [])], incomplete)


def _list_folders(name: str) -> list[str]:
    return [path.name for path in home().glob(f"{name}/[!.]*") if path.is_dir()]


def home() -> Path:
    """The home folder, as in `config.Settings`, whose import needs half a second."""
    if given := os.environ.get("GRAPHREC_HOME"):
        return Path(given).expanduser()
    from platformdirs import user_data_path

    return user_data_path("graphrec", appauthor=False)


def _complete(names: Iterable[str], incomplete: str) -> Items:
    return [CompletionItem(name) for name in sorted(names) if name.startswith(incomplete)]
