"""The registry of models: one model is one file and one line here. Importing it loads no torch."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from importlib import import_module
from math import isfinite
from typing import TYPE_CHECKING, Any

from graphrec.errors import DataError, UnknownNameError

if TYPE_CHECKING:
    from graphrec.hetero import HeteroGraph
    from graphrec.models.base import Model

#: Name of a model, which is also the name of its module here -> name of its class.
MODELS = {
    "popularity": "Popularity",
    "item_knn": "ItemKNN",
    "user_knn": "UserKNN",
    "rp3beta": "RP3Beta",
    "ease": "EASE",
    "slim": "SLIM",
    "ials": "IALS",
    "graph_filter": "GraphFilter",
    "sequence_filter": "SequenceFilter",
    "content": "Content",
    "mf": "MF",
    "lightgcn": "LightGCN",
    "xsimgcl": "XSimGCL",
    "ultragcn": "UltraGCN",
    "hetero_gnn": "HeteroGNN",
    "diffnet": "DiffNet",
    "fastrp": "FastRP",
    "node2vec": "Node2Vec",
    "metapath2vec": "MetaPath2Vec",
    "gru4rec": "GRU4Rec",
    "nextitnet": "NextItNet",
    "sasrec": "SASRec",
    "neumf": "NeuMF",
    "multvae": "MultVAE",
    "cfgan": "CFGAN",
    "ensemble": "Ensemble",
    "hybrid": "Hybrid",
}


def model_class(name: str) -> "type[Model[Any]]":  # configs differ by model
    """The class of a model. Raises UnknownNameError with the nearest names if there is no such model."""
    if name not in MODELS:
        raise UnknownNameError("model", name, MODELS)
    model: type[Model[Any]] = getattr(import_module(f"graphrec.models.{name}"), MODELS[name])
    return model


def select_models(condition: "Callable[[type[Model[Any]]], bool]") -> list[str]:
    """The names of the models whose class fulfils a condition, such as that it supports fold-in."""
    return [name for name in MODELS if condition(model_class(name))]


def make(name: str, device: object = "cpu", **config: object) -> "Model[Any]":
    """An unfitted model that computes on `device`. Settings may be texts (`rank="64"`), as from a command line.

    Raises:
        UnknownNameError: there is no such model or setting.
        DataError: a setting has the wrong type or an impossible value.
    """
    model = model_class(name)
    return model(model.config_class(**_convert_settings(name, model.config_class, config)), str(device))


def settings_for(name: str, graph: "HeteroGraph", given: Mapping[str, object]) -> Mapping[str, object]:
    """The given settings; without any, all settings of the model's default for a graph, its first candidate."""
    return given or asdict(model_class(name).candidates(graph)[0])


def _convert_settings(name: str, config_class: type[Any], config: Mapping[str, object]) -> dict[str, object]:
    """Settings converted to the types of their defaults."""
    defaults = {field.name: field.default for field in fields(config_class)}
    converted: dict[str, object] = {}
    for key, value in config.items():
        if key not in defaults:
            raise UnknownNameError("setting", key, defaults, owner=name)
        noun, convert = _CONVERTERS[type(defaults[key])]
        try:
            converted[key] = convert(str(value))
        except (ValueError, KeyError) as error:
            raise DataError(f"{name}: {key} takes {noun}, not {value!r}") from error
    return converted


def _read_finite(text: str) -> float:
    """The number in a text. Raises ValueError for `nan` and `inf` too, with which every score would be the same."""
    value = float(text)
    if not isfinite(value):
        raise ValueError(f"{text} is not finite")
    return value


#: Type of a default -> its name in messages, and the function that reads it from text.
_CONVERTERS: dict[type, tuple[str, Callable[[str], object]]] = {
    bool: ("true or false", lambda text: {"true": True, "false": False}[text.lower()]),
    int: ("a whole number", int),
    float: ("a finite number", _read_finite),
    str: ("a text", str),
}
