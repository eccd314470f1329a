"""A stamped JPEG can be restored, and stamped with the labels of one model."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.stamp import stamp, stamp_restorably
from pipeline.stamp.captions import COLOURS, write_captions
from pipeline.wire import covered, picture
from pipeline.wire.frame import Frame
from pipeline.wire.predictions import Prediction, Result
from tests.consumer.fakes import PROPERTY
from tests.pipeline.stamp.jpegs import camera_jpeg, coded, framed, noise

CAT = Prediction("imagenet_1", (Result("cat", 0.9),), 1, 40)
FACE = Prediction("emonet_2", (Result("happy", 0.8, (200, 90, 60, 60)),), 1, 40)
BOTH = (CAT, FACE)
IMAGE = noise(400, 240)


@PROPERTY
@given(
    st.integers(1, 500),
    st.integers(1, 400),
    st.integers(1, 100),
    st.sampled_from([(), (CAT,), BOTH, (FACE,) * 4]),
)
def test_our_own_jpeg_comes_back_bit_for_bit(
    width: int, height: int, quality: int, predictions: tuple[Prediction, ...]
) -> None:
    image = noise(width, height)
    frame = framed(picture.encode(image, quality), image, *predictions)

    stamped = stamp_restorably(frame, None)

    assert stamped.jpeg == stamp(frame, None)
    assert stamped.covered
    assert covered.restore(stamped.jpeg, stamped.covered) == frame.jpeg


def test_only_the_tiles_under_the_labels_are_carried() -> None:
    frame = framed(picture.encode(noise(1280, 720), 85), noise(1280, 720), CAT, CAT)

    stamped = stamp_restorably(frame, None)

    assert 0 < len(stamped.covered) < len(stamped.jpeg) / 4


def test_a_cameras_jpeg_comes_back_with_the_same_pixels() -> None:
    frame = framed(camera_jpeg(IMAGE, 80, 0x22), IMAGE, *BOTH)

    stamped = stamp_restorably(frame, None)
    restored = covered.restore(stamped.jpeg, stamped.covered)

    assert np.array_equal(picture.decode(restored), picture.decode(frame.jpeg))
    assert not np.array_equal(picture.decode(stamped.jpeg), picture.decode(frame.jpeg))


@pytest.mark.parametrize("quality", [None, 50])
def test_a_jpeg_that_is_encoded_as_a_whole_comes_back_too(quality: int | None) -> None:
    progressive = coded(IMAGE, cv2.IMWRITE_JPEG_PROGRESSIVE, 1)

    stamped = stamp_restorably(framed(progressive, IMAGE, *BOTH), quality)

    assert covered.restore(stamped.jpeg, stamped.covered) == progressive


@pytest.mark.parametrize("model", ["imagenet_1", "emonet_2"])
def test_restored_and_stamped_again_it_is_as_if_the_model_were_alone(model: str) -> None:
    frame = framed(picture.encode(IMAGE, 85), IMAGE, *BOTH)
    stamped = stamp_restorably(frame, None)

    restored = covered.restore(stamped.jpeg, stamped.covered)

    assert stamp(frame._replace(jpeg=restored), None, model) == stamp(frame, None, model)
    assert stamp(frame, None, "imagenet_1") == stamp(frame._replace(predictions=(CAT,)), None)


def test_a_model_keeps_its_colour() -> None:
    (only,) = write_captions(BOTH, "emonet_2")

    assert only.label == "happy"
    assert only.colour == COLOURS[1]


def test_a_model_that_has_found_nothing_says_so() -> None:
    empty = Prediction("detect_3", (), 1, 40)

    (caption,) = write_captions((*BOTH, empty), "detect_3")

    assert caption.end == "Nothing"


def test_a_picture_without_room_for_labels_is_restorable_too() -> None:
    frame = Frame("door", 1, 1, picture.encode(noise(2, 2), 85), 2, 2, BOTH)

    stamped = stamp_restorably(frame, None)

    assert covered.restore(stamped.jpeg, stamped.covered) == frame.jpeg
