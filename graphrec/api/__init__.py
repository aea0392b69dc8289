"""The HTTP server: recommendations, explanations and events as REST, for applications with API keys.

FastAPI is imported only in this package, and by no module that commands other than `serve` import.
"""
