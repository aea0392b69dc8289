"""Checkpoints: the state of a training on disk, from which an interrupted training resumes."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from graphrec.atomic_write import atomic_write
from graphrec.errors import DataError, GraphrecError


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoint file of a training.

    path: the file.
    every: number of epochs between two writes.
    identity: text that distinguishes trainings, such as a hash of settings and data. A file with another identity is
        rejected and never overwritten.
    """

    path: Path
    every: int = 1
    identity: str = ""

    def read(self) -> dict[str, Any] | None:  # tensors, numbers and texts by name, as passed to `write`
        """The content of the last write; None if there is no file.

        Raises:
            GraphrecError: the file cannot be read.
            DataError: the file belongs to another training.
        """
        if not self.path.exists():
            return None
        try:
            content: dict[str, Any] = torch.load(self.path, weights_only=True, map_location="cpu")
            identity = content["identity"]
        except Exception as error:  # torch raises many kinds for a damaged file
            raise GraphrecError(
                f"the checkpoint {self.path} cannot be read ({type(error).__name__}); delete it to start anew"
            ) from error
        if identity != self.identity:
            raise DataError(
                f"the checkpoint {self.path} is of another training ({identity}, this one is {self.identity}); "
                "delete it or choose another place"
            )
        return content

    def write(self, content: Mapping[str, object]) -> None:
        """Replace the file by one with this content, atomically."""
        with atomic_write(self.path) as partial, partial.open("wb") as file:
            torch.save({"identity": self.identity, **content}, file)

    def is_due(self, epoch: int, last: bool) -> bool:
        """Whether to write after an epoch (counted from 1): after every `every` epochs, and after the last one."""
        return last or epoch % self.every == 0
