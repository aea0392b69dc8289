"""The graph classes of PyTorch Geometric, imported without the compiler of torch.

`torch_geometric.isinstance` imports `torch._dynamo` to recognise compiled modules, which takes as long as all the rest
of the import. torch imports it by itself when something first uses it.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

import torch

_COMPILER = "torch._dynamo"


@contextmanager
def _without_compiler() -> Iterator[None]:
    """An empty module in the place of the compiler, unless it is imported already."""
    if _COMPILER in sys.modules:
        yield
        return
    placeholder = sys.modules[_COMPILER] = ModuleType(_COMPILER)
    # Whatever needs the compiler at its import gets the real one.
    placeholder.__getattr__ = _import_compiler  # type: ignore[method-assign]  # PEP 562
    try:
        yield
    finally:
        if sys.modules.get(_COMPILER) is placeholder:
            del sys.modules[_COMPILER]


def _import_compiler(name: str) -> object:
    if name.startswith("__"):  # the import system asks for __path__ and __spec__
        raise AttributeError(name)
    sys.modules.pop(_COMPILER, None)
    return getattr(torch._dynamo, name)


with _without_compiler():
    from torch_geometric.data import HeteroData
    from torch_geometric.data.storage import BaseStorage, EdgeStorage, NodeStorage

__all__ = ["BaseStorage", "EdgeStorage", "HeteroData", "NodeStorage"]
