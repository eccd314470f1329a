"""A TensorFlow runtime behind the gRPC and REST APIs of TensorFlow Serving."""
