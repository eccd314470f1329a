"""Batching: several requests run together."""
