"""The HTTP server: uvicorn with its protocols, TLS, application and routes."""
