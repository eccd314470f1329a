"""Which size does for a width, and making it."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.wire.jpeg import size
from tests.video.fakes import PROPERTY, grey
from video.cameras.scale import SCALES, ScaleError, scale_for, shrink, thumbnail


@pytest.mark.parametrize(
    ("wanted", "scale"),
    [(0, 1), (4000, 1), (1280, 1), (801, 1), (800, 2), (640, 2), (401, 2), (400, 4), (200, 8), (1, 8)],
)
def test_the_coarsest_size_that_nearly_fills_the_width(wanted: int, scale: int) -> None:
    assert scale_for(1280, wanted) == scale


@PROPERTY
@given(width=st.integers(1, 65_535), wanted=st.integers(1, 65_535))
def test_no_coarser_size_would_do(width: int, wanted: int) -> None:
    scale = scale_for(width, wanted)

    assert scale == 1 or width / scale + 1 > 0.8 * wanted
    assert all(-(-width // coarser) < 0.8 * wanted for coarser in SCALES if coarser > scale)


@pytest.mark.parametrize("scale", [2, 4, 8])
@pytest.mark.parametrize("size", [(64, 48), (1, 1), (637, 271), (17, 5)])
def test_a_smaller_picture_has_the_reported_size(size: tuple[int, int], scale: int) -> None:
    jpeg, width, height = shrink(grey(*size), scale)

    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    assert image.shape == (height, width, 3)
    assert (width, height) == tuple(-(-side // scale) for side in size)
    assert abs(image.mean() - 90) < 3


@pytest.mark.parametrize("jpeg", [b"", b"no picture", grey()[:40]])
def test_what_cannot_be_decoded_is_an_error(jpeg: bytes) -> None:
    with pytest.raises(ScaleError, match=f"{len(jpeg)} bytes"):
        shrink(jpeg, 2)


def test_a_thumbnail_is_as_small_as_the_width_allows() -> None:
    jpeg = grey(640, 480)

    widths = [size(thumbnail(jpeg, wanted))[0] for wanted in (0, 1, 80, 110, 300, 640, 9_000)]

    assert widths == [640, 80, 80, 160, 320, 640, 640]


@pytest.mark.parametrize("jpeg", [b"", b"no picture", grey(640, 480)[:200] + b"\xff\xd9"])
def test_what_cannot_be_made_smaller_stays_as_it_is(jpeg: bytes) -> None:
    assert thumbnail(jpeg, 80) == jpeg
