"""TensorFlow, imported without its startup messages: use `from tfserving.runtime import tf`."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["sessions", "tf"]


@contextmanager
def _without_stderr() -> Iterator[None]:
    kept = os.dup(2)
    sink = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(sink, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(sink)
        os.close(kept)


os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Some lines are written before TensorFlow reads that level.
with _without_stderr():
    import tensorflow as tf
    from tensorflow.python.client import pywrap_tf_session as sessions

tf.get_logger().setLevel("ERROR")
