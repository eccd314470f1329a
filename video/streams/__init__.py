"""Streams to clients: MJPEG and the WebSocket."""
