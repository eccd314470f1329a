"""Cameras as data: their records, the topic that holds them, and their links."""
