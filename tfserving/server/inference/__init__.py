"""Inference that REST and gRPC share."""
