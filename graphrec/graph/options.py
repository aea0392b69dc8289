"""Errors for keyword arguments of `Graph` that belong into a config object."""

from collections.abc import Callable, Iterable
from dataclasses import fields
from functools import wraps
from inspect import signature
from typing import Any, ParamSpec, TypeVar

import graphrec
from graphrec.errors import DataError, nearest

P = ParamSpec("P")
R = TypeVar("R")


def takes(config: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A decorator for a method whose options are fields of `graphrec.<config>`.

    An unknown keyword argument raises a TypeError that names the config object, which Python's own does not.
    """

    def decorate(method: Callable[P, R]) -> Callable[P, R]:
        known = signature(method).parameters

        @wraps(method)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            for name in kwargs:
                if name not in known:
                    raise TypeError(
                        f"Graph.{method.__name__}() has no argument '{name}'; {_place_in_config(config, name)}"
                    )
            return method(*args, **kwargs)

        return call

    return decorate


def require_settings(names: Iterable[str], model: str, config: str) -> None:
    """Raise DataError for the first name that is no setting of a model but a field of `graphrec.<config>`."""
    from graphrec.models import model_class

    settings = {field.name for field in fields(model_class(model).config_class)}
    options = {field.name for field in fields(getattr(graphrec, config))}
    for name in names:
        if name in options - settings:
            raise DataError(f"{model} has no setting '{name}'; {_place_in_config(config, name)}")


def _place_in_config(config: str, name: str) -> str:
    """Where an option is written: the field of the config with this or the nearest name."""
    config_class: Any = getattr(graphrec, config)  # any dataclass of options
    options = [field.name for field in fields(config_class)]
    if name in options:
        return f"{name} is a field of {config}: write config={config}({name}=…)"
    close = nearest(name, options, 1)
    return f"did you mean config={config}({close[0]}=…)?" if close else f"options are fields of config={config}(…)"
