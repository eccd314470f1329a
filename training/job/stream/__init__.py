"""Trains on an endless stream, mini-batch by mini-batch."""
