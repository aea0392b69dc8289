"""A training on disk after each few epochs, so that one that was killed goes on where it stopped."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from graphrec.atomic_write import atomic_write
from graphrec.errors import DataError, GraphrecError


@dataclass(frozen=True)
class Checkpoints:
    """Where a training is kept, how many epochs lie between two writings, and of what it is.

    `identity` distinguishes trainings: settings and data in a few words. A file with another one is refused, never
    overwritten.
    """

    path: Path
    every: int = 1
    identity: str = ""

    def read(self) -> dict[str, Any] | None:  # tensors, numbers and texts by name, as `write` got them
        """What was written last, None where nothing was.

        Raises:
            GraphrecError: the file cannot be read.
            DataError: it belongs to another training.
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
        """Put `content` in the place of what was there, whole or not at all."""
        with atomic_write(self.path) as partial, partial.open("wb") as file:
            torch.save({"identity": self.identity, **content}, file)

    def due(self, epoch: int, last: bool) -> bool:
        """Whether to write after an epoch, counted from 1."""
        return last or epoch % self.every == 0
