"""Language models behind an OpenAI-compatible HTTP endpoint: embeddings, and chat as a worker of fusion."""

from graphrec.llm.client import KEY_VARIABLE, BudgetError, Endpoint, EndpointConfig, EndpointError, Usage

__all__ = ["KEY_VARIABLE", "BudgetError", "Endpoint", "EndpointConfig", "EndpointError", "Usage"]
