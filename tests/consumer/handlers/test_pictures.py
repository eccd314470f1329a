"""Frames are decoded once, however many models need their pixels."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
import numpy as np
import pytest

from consumer.handlers.classify import Classify, ClassifyOptions
from consumer.handlers.detect import Detect, DetectOptions
from consumer.handlers.emonet import Emonet, EmonetOptions
from consumer.handlers.handler import Handler
from consumer.handlers.pictures import Pictures
from pipeline.model_server.tensors import Signature, TensorInfo
from pipeline.wire import picture
from pipeline.wire.frame import Frame
from pipeline.wire.picture import PictureError
from tests.clock import SECOND
from tests.consumer.fakes import BROKEN, a_frame
from tests.consumer.handlers.conftest import Film, coloured

GREY = cv2.IMREAD_GRAYSCALE
COLOUR = cv2.IMREAD_COLOR
PIXELS = Signature({"images": TensorInfo("float32", (-1, 64, 64, 3))}, {})


class Decoder:
    """OpenCV's decoder, which counts; `meanwhile` is called while it decodes."""

    def __init__(self) -> None:
        self.modes: list[int] = []
        self.meanwhile: Callable[[], object] = lambda: None
        self._decode = cv2.imdecode

    def __call__(self, data: Any, mode: int) -> Any:
        self.modes.append(mode)
        self.meanwhile()
        return self._decode(data, mode)


@pytest.fixture
def decoder(monkeypatch: pytest.MonkeyPatch) -> Decoder:
    """The decoder that is used everywhere."""
    decoder = Decoder()
    monkeypatch.setattr(cv2, "imdecode", decoder)
    return decoder


def three_handlers(pictures: Pictures) -> list[Handler[Any]]:
    """Return handlers of three models that take pixels."""

    def signature() -> Signature:
        return PIXELS

    return [
        Classify(ClassifyOptions(), signature, pictures),
        Detect(DetectOptions(), signature, pictures),
        Emonet(EmonetOptions(), signature, pictures),
    ]


def test_three_models_that_take_pixels_decode_a_frame_once(decoder: Decoder) -> None:
    handlers = three_handlers(Pictures(models=3))

    for seq in range(1, 4):
        frame = coloured(200, 100, 50)
        for handler in handlers:
            handler.question(frame._replace(seq=seq))

    assert decoder.modes == [COLOUR] * 3


def test_whichever_model_is_first_a_cameras_second_frame_is_decoded_once(decoder: Decoder) -> None:
    classify, detect, emonet = three_handlers(Pictures(models=3))
    modes = []

    for seq in range(1, 4):
        frame = coloured(200, 100, 50)._replace(seq=seq)
        for handler in (emonet, classify, detect):
            handler.question(frame)
        modes.append(decoder.modes.copy())
        decoder.modes.clear()

    assert modes == [[GREY, COLOUR], [COLOUR], [COLOUR]]


def test_for_emonet_alone_only_grey_is_decoded(decoder: Decoder) -> None:
    emonet = three_handlers(Pictures(models=1))[2]

    for seq in range(1, 4):
        emonet.question(coloured(200, 100, 50)._replace(seq=seq))

    assert decoder.modes == [GREY] * 3


def test_after_the_colours_are_no_longer_needed_only_grey_is_decoded(decoder: Decoder) -> None:
    pictures = Pictures(models=2)
    first, second, third = (coloured(200, 100, 50)._replace(seq=seq) for seq in (1, 2, 3))
    pictures.colour(first)
    decoder.modes.clear()

    for frame in (first, second, third):
        pictures.grey(frame, 1)

    assert decoder.modes == [COLOUR, GREY]


@pytest.mark.parametrize("ask", [Pictures.colour, lambda pictures, frame: pictures.grey(frame, 2)])
def test_two_workers_that_ask_at_once_decode_once(
    decoder: Decoder, ask: Callable[[Pictures, Frame], Any]
) -> None:
    pictures, frame = Pictures(models=2), coloured(200, 100, 50)
    decoding, go_on = threading.Event(), threading.Event()

    def meanwhile() -> None:
        decoding.set()
        go_on.wait(10)

    decoder.meanwhile = meanwhile
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(ask, pictures, frame)
        assert decoding.wait(10)
        second = threads.submit(ask, pictures, frame)
        go_on.set()
        images = [first.result(10), second.result(10)]

    assert len(decoder.modes) == 1
    assert images[0] is images[1]


def test_another_cameras_picture_is_decoded_meanwhile(decoder: Decoder) -> None:
    pictures, done = Pictures(models=2), list[str]()

    def meanwhile() -> None:
        if not done:
            done.append("yard")
            pictures.colour(coloured(1, 2, 3)._replace(camera="yard"))

    decoder.meanwhile = meanwhile
    pictures.colour(coloured(200, 100, 50))

    assert len(decoder.modes) == 2


def test_a_picture_is_dropped_once_every_model_has_had_it() -> None:
    pictures, frame = Pictures(models=2), coloured(200, 100, 50)

    pictures.colour(frame)
    after_one = pictures.kept_bytes
    pictures.colour(frame)

    assert after_one == 96 * 64 * 3
    assert pictures.kept_bytes == 0


def test_a_single_model_keeps_nothing() -> None:
    pictures = Pictures(models=1)

    pictures.colour(coloured(200, 100, 50))

    assert pictures.kept_bytes == 0


def test_only_the_newest_picture_of_a_camera_is_kept() -> None:
    pictures = Pictures(models=2)

    for seq in range(5):
        pictures.colour(coloured(200, 100, 50)._replace(seq=seq))

    assert pictures.kept_bytes == 96 * 64 * 3


def test_many_cameras_keep_no_more_than_the_limit_and_the_newest_stay(decoder: Decoder) -> None:
    pictures = Pictures(models=2, most_bytes=5 * 96 * 64 * 3)
    frames = [coloured(200, 100, 50)._replace(camera=f"camera {number}") for number in range(20)]

    for frame in frames:
        pictures.colour(frame)
        assert pictures.kept_bytes <= 5 * 96 * 64 * 3
    decoder.modes.clear()
    pictures.colour(frames[-1])

    assert decoder.modes == []


def test_a_picture_larger_than_the_limit_is_not_kept() -> None:
    pictures = Pictures(models=2, most_bytes=100)

    assert pictures.colour(coloured(200, 100, 50)).shape == (64, 96, 3)
    assert pictures.kept_bytes == 0


def test_a_forgotten_cameras_picture_is_dropped() -> None:
    pictures = Pictures(models=2)
    pictures.colour(coloured(200, 100, 50))

    pictures.forget("door")

    assert pictures.kept_bytes == 0


def test_no_model_can_change_the_pixels_of_the_others() -> None:
    image = Pictures(models=2).colour(coloured(200, 100, 50))

    with pytest.raises(ValueError, match="read-only"):
        image[0, 0] = 0


@pytest.mark.parametrize("jpeg", [b"", b"not a picture", BROKEN])
def test_anything_but_a_picture_is_a_picture_error_in_either_form(jpeg: bytes) -> None:
    pictures = Pictures(models=2)

    with pytest.raises(PictureError):
        pictures.colour(a_frame(jpeg=jpeg))
    with pytest.raises(PictureError):
        pictures.grey(a_frame(jpeg=jpeg), 1)


@pytest.mark.parametrize("reduced", [1, 2, 4])
@pytest.mark.parametrize("size", [(1280, 720), (175, 143), (33, 17)])
def test_grey_from_colours_is_nearly_what_is_decoded_directly(reduced: int, size: tuple[int, int]) -> None:
    coarse = np.random.default_rng(1).integers(0, 256, (2, 3, 3), np.uint8)
    image = np.asarray(cv2.resize(coarse, size, interpolation=cv2.INTER_LINEAR), np.uint8)
    frame = Frame("door", 1, SECOND, picture.encode(image, 90), *size)
    both = Pictures(models=2)
    both.colour(frame)

    direct, converted = Pictures().grey(frame, reduced), both.grey(frame, reduced)

    assert direct.shape == converted.shape
    assert np.abs(direct.astype(int) - converted).mean() < 1.5


def test_the_same_faces_are_found_either_way(film: Film) -> None:
    def boxes(frames: list[Frame], pictures: Pictures, *, colour: bool) -> list[Any]:
        emonet = Emonet(EmonetOptions(), lambda: PIXELS, pictures)
        found = []
        for frame in frames:
            if colour:
                pictures.colour(frame)
            found.append(emonet.question(frame).boxes)
        return found

    frames = film("carphone_pristine", most=60, size=(704, 576))

    grey = boxes(frames, Pictures(), colour=False)
    colour = boxes(frames, Pictures(models=2), colour=True)

    same = [len(one) == len(other) for one, other in zip(grey, colour, strict=True)]
    assert same.count(True) >= 0.95 * len(frames)
    moved = [
        max(abs(a - b) for a, b in zip(one[0], other[0], strict=True))
        for one, other in zip(grey, colour, strict=True)
        if len(one) == len(other) == 1
    ]
    assert np.median(moved) <= 8, "pixels of a face of some 200"
