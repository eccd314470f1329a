"""Requests batched together."""
