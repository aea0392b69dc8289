"""Language models behind an OpenAI-compatible HTTP endpoint: embeddings and chat, with retries and a budget."""

from graphrec.llm.client import Endpoint, EndpointConfig, EndpointError, Usage

__all__ = ["Endpoint", "EndpointConfig", "EndpointError", "Usage"]
