"""The members of a model that combines others: made from their text, fitted, and saved in one state."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from torch import Tensor

from graphrec.hetero import HeteroGraph
from graphrec.interactions import Interactions
from graphrec.linalg.csr import State
from graphrec.models import make, settings_for
from graphrec.models.base import Model
from graphrec.models.ensemble.members import parse_members, write_members
from graphrec.progress import Progress

Members = list[Model[Any]]  # of any configs


class FitCounter:
    """Reports the number of fitted members to a progress callback."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self.progress, self.count, self.total = progress, 0, total

    def done(self) -> None:
        """Report one more fit."""
        self.count += 1
        if self.progress is not None:
            self.progress(self.count, self.total)


def resolve_members(text: str, graph: HeteroGraph) -> str:
    """The members with all their settings; those without settings have their model's default for the graph."""
    named = [(m.name, settings_for(m.name, graph, m.settings)) for m in parse_members(text)]
    return write_members([(name, asdict(make(name, **settings).config)) for name, settings in named])


def make_members(text: str, device: torch.device) -> Members:
    """The unfitted members that a text names."""
    return [make(m.name, device, **m.settings) for m in parse_members(text)]


def fit_members(
    members: Members, graph: HeteroGraph, interactions: Interactions, seeds: Sequence[int], steps: FitCounter
) -> Members:
    """The members, fitted with a seed for each."""
    for member, seed in zip(members, seeds, strict=True):
        member.fit(graph, interactions, np.random.default_rng(seed))
        member.forget_variants()
        steps.done()
    return members


def pack_members(members: Members) -> State:
    """The states of all members with the member's number as prefix."""
    return {
        f"{number}/{name}": value for number, member in enumerate(members) for name, value in member.state().items()
    }


def restore_members(text: str, device: torch.device, state: Mapping[str, Tensor]) -> Members:
    """The members that a text names, restored from a state with `pack_members`."""
    members = make_members(text, device)
    for number, member in enumerate(members):
        prefix = f"{number}/"
        member.restore({key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)})
    return members
