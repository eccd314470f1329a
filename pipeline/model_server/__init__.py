"""Clients of model servers: REST and gRPC."""
