"""Inference, shared by REST and gRPC."""
