"""Models by name; one model is one file and one line here. Importing this loads no torch."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from importlib import import_module
from typing import TYPE_CHECKING, Any

from graphrec.errors import DataError, UnknownNameError

if TYPE_CHECKING:
    from graphrec.models.base import Model

#: Name of a model (and of its file here) -> its class.
MODELS = {
    "popularity": "Popularity",
    "item_knn": "ItemKNN",
    "user_knn": "UserKNN",
    "rp3beta": "RP3Beta",
    "ease": "EASE",
    "slim": "SLIM",
    "ials": "IALS",
    "graph_filter": "GraphFilter",
    "mf": "MF",
    "lightgcn": "LightGCN",
    "xsimgcl": "XSimGCL",
    "ultragcn": "UltraGCN",
    "hetero_gnn": "HeteroGNN",
    "diffnet": "DiffNet",
    "fastrp": "FastRP",
    "node2vec": "Node2Vec",
    "metapath2vec": "MetaPath2Vec",
    "ensemble": "Ensemble",
}


def model_class(name: str) -> "type[Model[Any]]":  # each model has a config of its own
    """The class of a model; UnknownNameError with the nearest names if it is unknown."""
    if name not in MODELS:
        raise UnknownNameError("model", name, MODELS)
    found: type[Model[Any]] = getattr(import_module(f"graphrec.models.{name}"), MODELS[name])
    return found


def models_where(holds: "Callable[[type[Model[Any]]], bool]") -> list[str]:
    """The names of the models whose class fulfils a condition on what it supports."""
    return [name for name in MODELS if holds(model_class(name))]


def make(name: str, device: object = "cpu", **config: object) -> "Model[Any]":
    """An unfitted model that works on `device`. Settings may be given as text (`rank="64"`), as from a command line.

    Raises:
        UnknownNameError: there is no such model or setting.
        DataError: a setting has the wrong type or an impossible value.
    """
    found = model_class(name)
    return found(found.config_class(**_typed(name, found.config_class, config)), str(device))


def _typed(name: str, config_class: type[Any], config: Mapping[str, object]) -> dict[str, object]:
    defaults = {field.name: field.default for field in fields(config_class)}
    typed: dict[str, object] = {}
    for key, value in config.items():
        if key not in defaults:
            raise UnknownNameError(f"setting of {name}", key, defaults)
        noun, convert = _KINDS[type(defaults[key])]
        try:
            typed[key] = convert(str(value))
        except (ValueError, KeyError) as error:
            raise DataError(f"{name}: {key} takes {noun}, not {value!r}") from error
    return typed


#: Type of a default -> how a message calls it, and how it is read from text.
_KINDS: dict[type, tuple[str, Callable[[str], object]]] = {
    bool: ("true or false", lambda text: {"true": True, "false": False}[text.lower()]),
    int: ("a whole number", int),
    float: ("a number", float),
    str: ("a text", str),
}
