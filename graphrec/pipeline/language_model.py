"""Open the worker of a language model, and check what may be sent to it."""

import os
import re
from collections.abc import Iterable

from graphrec.arguments import count
from graphrec.config import Settings
from graphrec.errors import DataError, RefusedError, first_few
from graphrec.llm import KEY_VARIABLE, Endpoint, EndpointConfig
from graphrec.llm.answer_cache import AnswerCache
from graphrec.llm.screening import is_personal
from graphrec.llm.worker import Worker
from graphrec.pipeline.config import LlmConfig


def open_worker(settings: Settings, config: LlmConfig) -> Worker:
    """The worker of an endpoint; its answers are kept in the home folder.

    Raises:
        GraphrecError: no address or model is given, or one is invalid.
        DataError: a number is out of range.
    """
    if not config.url or not config.model:
        raise DataError(
            "no language model is given, and nothing is sent anywhere by default; name an OpenAI-compatible endpoint "
            "and its model: --url http://localhost:8000/v1 --model NAME"
        )
    endpoint = EndpointConfig(
        config.url,
        config.model,
        os.environ.get(KEY_VARIABLE, ""),
        config.timeout,
        count(config.retries, "retries", least=0),
        count(config.max_tokens, "max_tokens", least=0),
        count(config.max_requests, "max_requests", least=0),
    )
    return Worker(Endpoint(endpoint), AnswerCache(settings.answers), count(config.parallel, "parallel"))


def require_not_personal(label: str, properties: Iterable[str], config: LlmConfig) -> None:
    """Raise RefusedError if a property is personal and `config` does not allow to send such."""
    personal = [name for name in properties if is_personal(label, name)]
    if personal and not config.allow_personal:
        raise RefusedError(
            f"{label}: {first_few(personal)} may be personal, and is sent to a language model only with "
            "--allow-personal (in Python allow_personal=True)"
        )


def name_source(given: str, prefix: str, model: str) -> str:
    """The name of a source: the given one, else the prefix and the model without characters that a name cannot have."""
    return given or f"{prefix}-{re.sub(r'[^A-Za-z0-9._-]+', '-', model).strip('-')[:80]}"


def require_share(value: float, name: str) -> None:
    """Raise DataError if a value is not between 0 and 1."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise DataError(f"{name} must be between 0 and 1")
