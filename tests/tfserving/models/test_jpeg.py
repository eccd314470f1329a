"""JPEGs in a graph: what is decoded, and what is refused before it is."""

import cv2
import numpy as np
import pytest

from tests.jpegs import segment
from tfserving.models import jpeg
from tfserving.runtime import tf

WIDE = np.random.default_rng(1).integers(0, 256, (32, 64, 3), np.uint8)
PROGRESSIVE = cv2.imencode(".jpg", WIDE, (cv2.IMWRITE_JPEG_PROGRESSIVE, 1))[1].tobytes()


@tf.function(input_signature=[tf.TensorSpec([], tf.string)])  # type: ignore[untyped-decorator]
def decoded(data: tf.Tensor) -> tf.Tensor:
    """Decode within a graph, as the models do."""
    return jpeg.decoded(data)


def claiming(width: int, height: int) -> bytes:
    """Return the JPEG with another size in its frame header."""
    at = PROGRESSIVE.index(b"\xff\xc2") + 5
    return PROGRESSIVE[:at] + height.to_bytes(2) + width.to_bytes(2) + PROGRESSIVE[at + 4 :]


def test_a_jpeg_is_decoded_as_tensorflow_does() -> None:
    assert (decoded(PROGRESSIVE).numpy() == tf.io.decode_jpeg(PROGRESSIVE, channels=3).numpy()).all()


@pytest.mark.exceeds("tfserving.models.largest.MOST_PIXELS")
@pytest.mark.parametrize(("width", "height"), [(4001, 4000), (65_500, 65_500), (46_341, 46_341)])
def test_a_jpeg_of_too_many_pixels_is_refused(width: int, height: int) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match="16000000 pixels"):
        decoded(claiming(width, height))


@pytest.mark.exceeds("tfserving.models.largest.MOST_SCANS")
def test_a_jpeg_of_too_many_scans_is_refused() -> None:
    last = PROGRESSIVE[PROGRESSIVE.rindex(b"\xff\xda") : -2]

    with pytest.raises(tf.errors.InvalidArgumentError, match="100 scans"):
        decoded(PROGRESSIVE[:-2] + 100 * last + PROGRESSIVE[-2:])


def test_a_thumbnail_does_not_count() -> None:
    thumbnail = segment(0xE1, cv2.imencode(".jpg", WIDE)[1].tobytes())

    assert decoded(PROGRESSIVE[:2] + thumbnail + PROGRESSIVE[2:]).shape == (32, 64, 3)


@pytest.mark.parametrize("form", [".png", ".gif", ".bmp", ".webp"])
def test_other_formats_are_refused(form: str) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError):
        decoded(cv2.imencode(form, WIDE)[1].tobytes())
