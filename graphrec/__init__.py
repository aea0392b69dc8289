"""graphrec: a graph-based recommender system, from records of several sources to recommendations as edges.

>>> import graphrec
>>> with graphrec.connect() as graph:  # doctest: +SKIP
...     graph.load("movielens")
...     graph.publish(graph.train("graph_filter"))
...     graph.recommend("15")
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from graphrec.client import Client
    from graphrec.evaluation.trial import EvaluationConfig
    from graphrec.graph import Graph, connect
    from graphrec.ingest.read import LoadConfig
    from graphrec.pipeline.config import (
        BenchmarkConfig,
        EmbedConfig,
        EnrichConfig,
        JudgeConfig,
        LlmConfig,
        PanelConfig,
        PublishConfig,
        TrainConfig,
        TuneConfig,
    )
    from graphrec.reranking.spec import RerankingRules
    from graphrec.tuning.tune import TuningBudget

__version__ = "0.1.0"

__all__ = [
    "BenchmarkConfig",
    "Client",
    "EmbedConfig",
    "EnrichConfig",
    "EvaluationConfig",
    "Graph",
    "JudgeConfig",
    "LlmConfig",
    "LoadConfig",
    "PanelConfig",
    "PublishConfig",
    "RerankingRules",
    "TrainConfig",
    "TuneConfig",
    "TuningBudget",
    "connect",
]

#: Public name -> the module that defines it, imported when the name is first used: the database's driver takes a second
#: to import, torch several.
_MODULES = {
    "BenchmarkConfig": "graphrec.pipeline.config",
    "Client": "graphrec.client",
    "EmbedConfig": "graphrec.pipeline.config",
    "EnrichConfig": "graphrec.pipeline.config",
    "EvaluationConfig": "graphrec.evaluation.trial",
    "Graph": "graphrec.graph",
    "JudgeConfig": "graphrec.pipeline.config",
    "LlmConfig": "graphrec.pipeline.config",
    "LoadConfig": "graphrec.ingest.read",
    "PanelConfig": "graphrec.pipeline.config",
    "PublishConfig": "graphrec.pipeline.config",
    "RerankingRules": "graphrec.reranking.spec",
    "TrainConfig": "graphrec.pipeline.config",
    "TuneConfig": "graphrec.pipeline.config",
    "TuningBudget": "graphrec.tuning.tune",
    "connect": "graphrec.graph",
}


def __getattr__(name: str) -> object:
    """A public name, imported now."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
