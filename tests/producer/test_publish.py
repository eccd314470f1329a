import json
from typing import Any, cast

import numpy as np
import pytest
from prometheus_client import REGISTRY

from pipeline import mat, picture
from pipeline.frame import Frame, Message, decode
from pipeline.ledger import Ledger
from pipeline.picture import Image
from pipeline.publisher import Publisher
from producer.camera import Camera
from producer.capture import Capture, Captured
from producer.publish import FramePublisher


class FakePublisher:
    def __init__(self) -> None:
        self.published: list[tuple[Message, str, int]] = []
        self.polls = 0

    def publish(self, message: Message, *, camera: str, captured: int) -> None:
        self.published.append((message, camera, captured))

    def poll(self) -> None:
        self.polls += 1


class Kit:
    """A camera's slot, the publisher that empties it, and where its messages go."""

    def __init__(self, **changed: Any) -> None:
        self.ledger = Ledger()
        self.camera = Camera(
            "front", no_capture, interval=1, is_file=False, frozen_after=5, ledger=self.ledger
        )
        self.sent = FakePublisher()
        options: dict[str, Any] = {"scale": (1, 1), "quality": 85, "frame_format": "jpeg"}
        self.frames = FramePublisher(
            self.camera, cast("Publisher", self.sent), self.ledger, **options | changed
        )

    def publish(self, image: Image, at: int = 0) -> Message:
        self.camera.frames.put("front", Captured(image, at))
        self.frames.step()
        return self.sent.published[-1][0]


def no_capture() -> Capture:
    raise AssertionError("nothing is to be captured here")


def picture_of(width: int = 64, height: int = 48, grey: int = 77) -> Image:
    return np.full((height, width, 3), grey, np.uint8)


def read(message: Message) -> Frame:
    return decode(message, offset=-1, timestamp=-1)


def identical(camera: str = "front") -> float:
    return REGISTRY.get_sample_value("streamlens_identical_frames_total", {"camera": camera}) or 0.0


def test_a_captured_image_is_published_as_a_frame() -> None:
    kit = Kit()

    kit.publish(picture_of(), at=1234)

    ((message, camera, captured),) = kit.sent.published
    frame = read(message)
    assert (camera, captured) == ("front", 1234)
    assert (frame.camera, frame.seq, frame.captured) == ("front", 0, 1234)
    assert (frame.width, frame.height) == (64, 48)
    assert np.abs(picture.decode(frame.jpeg).astype(int) - 77).max() <= 2


def test_frames_are_numbered_from_zero_without_gaps() -> None:
    kit = Kit()

    for grey in range(5):
        kit.publish(picture_of(grey=grey))

    assert [read(message).seq for message, _, _ in kit.sent.published] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("scale", "size"),
    [
        ((0.5, 0.25), (32, 12)),
        ((2, 1), (128, 48)),
        ((1, 0.5), (64, 24)),
        ((0.33, 0.33), (21, 16)),
        ((0.001, 0.001), (1, 1)),
    ],
)
@pytest.mark.parametrize("form", ["jpeg", "mat"])
def test_pictures_are_scaled(scale: tuple[float, float], size: tuple[int, int], form: str) -> None:
    kit = Kit(scale=scale, frame_format=form)

    frame = read(kit.publish(picture_of()))

    assert (frame.width, frame.height) == size


def test_a_picture_that_keeps_its_size_is_not_touched() -> None:
    kit = Kit(frame_format="mat")
    image = np.random.default_rng(1).integers(0, 256, (48, 64, 3), np.uint8)

    message = kit.publish(image)

    assert (mat.decode(message.value) == image).all()


def test_the_quality_is_that_of_the_settings() -> None:
    image = np.random.default_rng(1).integers(0, 256, (48, 64, 3), np.uint8)

    assert Kit(quality=30).publish(image).value == picture.encode(image, 30)


def test_the_originals_message_has_neither_key_nor_headers() -> None:
    kit = Kit(frame_format="mat")

    message = kit.publish(picture_of(), at=1234)

    assert message.key is None
    assert message.headers == []
    assert json.loads(message.value).keys() == {"mat", "channels", "rows", "cols", "type"}
    assert kit.sent.published[0][1:] == ("front", 1234)


@pytest.mark.parametrize("form", ["jpeg", "mat"])
def test_identical_frames_are_counted_and_published(form: str) -> None:
    kit, before = Kit(frame_format=form), identical()

    for grey in (1, 1, 1, 200, 1):
        kit.publish(picture_of(grey=grey))

    assert identical() - before == 2
    assert len(kit.sent.published) == 5


def test_while_no_frame_comes_reports_are_still_read() -> None:
    kit = Kit()

    kit.frames.step()

    assert kit.sent.published == []
    assert kit.sent.polls == 1


def test_at_the_end_the_frame_that_nobody_took_is_counted() -> None:
    kit = Kit()
    kit.ledger.came("front")
    kit.camera.frames.put("front", Captured(picture_of(), 0))

    kit.frames.close()
    kit.frames.close()

    assert kit.ledger.totals() == {"in": 1, "out": 0, "dropped": {"stopping": 1}, "pending": 0}
