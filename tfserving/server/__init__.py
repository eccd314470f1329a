"""A TensorFlow runtime behind the REST API of TensorFlow Serving."""
