"""Decode JPEGs within a graph, except those that would take too much memory or time.

TensorFlow reads the size with the library that decodes the picture, so both find the same one.
"""

from typing import Final

from tfserving.models.largest import MOST_PIXELS, MOST_SCANS
from tfserving.runtime import tf

_START_OF_SCAN: Final = b"\xff\xda"


def decoded(jpeg: tf.Tensor) -> tf.Tensor:
    """Decode a JPEG (a string scalar) into [height, width, 3], values 0..255.

    Running the graph fails with INVALID_ARGUMENT for a larger one, and for what is not a JPEG.
    """
    sides = tf.cast(tf.io.extract_jpeg_shape(jpeg)[:2], tf.int64)
    scans = tf.size(tf.strings.split(jpeg, _START_OF_SCAN)) - 1
    most = tf.constant(MOST_PIXELS, tf.int64)
    checks = [
        tf.debugging.assert_less_equal(
            tf.reduce_prod(sides), most, f"a JPEG of more than {MOST_PIXELS} pixels"
        ),
        tf.debugging.assert_less_equal(scans, MOST_SCANS, f"a JPEG of more than {MOST_SCANS} scans"),
    ]
    with tf.control_dependencies(checks):
        return tf.io.decode_jpeg(tf.identity(jpeg), channels=3)
