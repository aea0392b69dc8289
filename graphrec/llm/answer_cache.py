"""A cache of answers by the content of their questions: one small private file for each."""

import json
from pathlib import Path
from typing import Any

from graphrec.errors import GraphrecError
from graphrec.home import private_folder, write_privately


class AnswerCache:
    """Answers of language models in a folder. A damaged file counts as missing. Threads and processes may share it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, key: str) -> dict[str, Any] | None:  # Any: JSON
        """The answer with a key (hexadecimal digits); None if there is no such answer."""
        try:
            answer = json.loads(self._path(key).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return None
        return answer if isinstance(answer, dict) else None

    def put(self, key: str, answer: dict[str, Any]) -> None:  # Any: JSON
        """Save an answer. Raises GraphrecError if the folder cannot be written."""
        path = self._path(key)
        try:
            private_folder(path.parent)
        except OSError as error:
            raise GraphrecError(
                f"cannot write to {path.parent}: {error.strerror}; set GRAPHREC_HOME to a folder of yours"
            ) from error
        with write_privately(path) as partial:
            partial.write_text(json.dumps(answer), encoding="utf-8")

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.json"
