"""The HTTP server: uvicorn and its protocols, TLS, the application and its routes."""
