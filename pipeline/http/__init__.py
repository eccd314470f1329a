"""HTTP servers: uvicorn and its protocols with limits, and TLS."""
