"""Captures a camera and publishes its frames."""
