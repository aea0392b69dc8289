"""Notes before a training begins: why the split is not by time, zeros that mean "not rated", and too little memory."""

from collections.abc import Callable, Iterable, Iterator

import psutil

from graphrec.evaluation import zero_ratings
from graphrec.evaluation.default_split import choose_split
from graphrec.evaluation.memory_estimate import bytes_to_train, shape_of
from graphrec.hetero import HeteroGraph, interactions


def resolve_split(given: str | None, graph: HeteroGraph, note: Callable[[str], None]) -> str:
    """The given split, else the one that distinguishes models best; `note` is called with the reason."""
    choice = choose_split(interactions(graph))
    if not given and choice.reason:
        note(f"{graph.target[1]}: {choice.reason}")
    return given or choice.split


def training_notes(graph: HeteroGraph, models: Iterable[str], workers: int = 1) -> Iterator[str]:
    """Sentences about zeros that mean "not rated", and about too little memory."""
    if zeros := zero_ratings.describe_missing_zeros_in_graph(graph):
        yield zeros
    shape, available, names = shape_of(graph), psutil.virtual_memory().available, list(models)
    need = bytes_to_train(shape, names, workers)
    if need <= available:
        return
    remedies = ["end other programs"]
    remedies += ["use one worker"] if workers > 1 and bytes_to_train(shape, names) <= available else []
    if bytes_to_train(shape, ["popularity"]) < min(need, available):
        remedies.append("use popularity or item_knn")
    yield (
        f"training may need {need / 1e9:,.1f} GB and {available / 1e9:,.1f} GB are free, so the system may end it; "
        + ", or ".join(remedies)
    )
