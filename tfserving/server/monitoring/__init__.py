"""Metrics, as TensorFlow Serving names them."""
