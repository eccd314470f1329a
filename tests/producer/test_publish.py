import json
from typing import Any, cast

import cv2
import numpy as np
import pytest
from prometheus_client import REGISTRY

from pipeline.flow.ledger import Ledger
from pipeline.kafka.publisher import Publisher
from pipeline.wire import jpeg, mat, picture
from pipeline.wire.frame import Frame, Message, decode
from pipeline.wire.picture import Image
from producer.camera import Camera
from producer.publish import FramePublisher
from producer.sources.source import Captured, Source


class FakePublisher:
    def __init__(self) -> None:
        self.published: list[tuple[Message, str, int]] = []
        self.partitions: list[int | None] = []
        self.polls = 0

    def publish(self, message: Message, *, camera: str, captured: int, partition: int | None = None) -> None:
        self.published.append((message, camera, captured))
        self.partitions.append(partition)

    def poll(self) -> None:
        self.polls += 1


class Kit:
    """A camera's slot, the publisher that empties it, and the fake broker that receives its messages."""

    def __init__(self, **changed: Any) -> None:
        self.ledger = Ledger()
        self.camera = Camera(
            "front", no_source, open_timeout=20, interval=1, frozen_after=5, ledger=self.ledger
        )
        self.sent = FakePublisher()
        options: dict[str, Any] = {
            "scale": (1, 1),
            "rotate": 0,
            "quality": None,
            "frame_format": "jpeg",
            "most_pixels": 64_000_000,
        }
        self.frames = FramePublisher(
            self.camera, cast("Publisher", self.sent), self.ledger, **options | changed
        )

    def publish(self, image: Image, at: int = 0) -> Message:
        height, width = image.shape[:2]
        self.step(Captured(image, width, height, at))
        return self.sent.published[-1][0]

    def publish_jpeg(self, data: bytes) -> Message:
        self.step(Captured(data, *jpeg.size(data), 0))
        return self.sent.published[-1][0]

    def step(self, captured: Captured) -> None:
        self.camera.frames.put("front", captured)
        self.frames.step()


def no_source() -> Source:
    raise AssertionError("nothing is captured here")


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


@pytest.mark.parametrize("form", ["jpeg", "mat"])
@pytest.mark.parametrize("is_jpeg", [False, True])
@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_pictures_are_turned_clockwise_and_then_scaled(degrees: int, is_jpeg: bool, form: str) -> None:
    image = np.zeros((48, 64, 3), np.uint8)
    image[:, :32] = (250, 120, 20)
    kit = Kit(rotate=degrees, scale=(1, 0.5), frame_format=form)

    frame = read(kit.publish_jpeg(picture.encode(image, 95)) if is_jpeg else kit.publish(image))

    expected = np.rot90(image, -degrees // 90)
    height, width = expected.shape[:2]
    assert (frame.width, frame.height) == (width, height // 2)
    difference = picture.decode(frame.jpeg).astype(int) - expected[::2]
    assert np.abs(difference).mean() < 5


def test_a_picture_that_keeps_its_size_is_left_unchanged() -> None:
    kit = Kit(frame_format="mat")
    image = np.random.default_rng(1).integers(0, 256, (48, 64, 3), np.uint8)

    message = kit.publish(image)

    assert (mat.decode(message.value) == image).all()


def test_the_quality_comes_from_the_settings() -> None:
    image = np.random.default_rng(1).integers(0, 256, (48, 64, 3), np.uint8)

    assert Kit(quality=30).publish(image).value == picture.encode(image, 30)
    assert Kit().publish(image).value == picture.encode(image, 85)


def jpeg_of(width: int = 64, height: int = 48) -> bytes:
    """Return a JPEG that this system would not write: 4:2:2, no restart markers."""
    image = np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)
    sampling = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422]
    return cv2.imencode(".jpg", image, sampling)[1].tobytes()


def test_a_cameras_jpeg_is_published_unchanged() -> None:
    data = jpeg_of()

    frame = read(Kit().publish_jpeg(data))

    assert frame.jpeg == data
    assert (frame.seq, frame.width, frame.height) == (0, 64, 48)


def test_a_cameras_jpeg_is_encoded_again_if_a_quality_is_set() -> None:
    data = jpeg_of()

    assert Kit(quality=30).publish_jpeg(data).value == picture.encode(picture.decode(data), 30)


@pytest.mark.parametrize("form", ["jpeg", "mat"])
@pytest.mark.parametrize("scale", [(2, 1), (0.9, 0.5), (0.5, 0.5), (0.25, 0.25), (0.3, 0.2), (0.1, 0.1)])
def test_a_cameras_jpeg_is_scaled(scale: tuple[float, float], form: str) -> None:
    frame = read(Kit(scale=scale, frame_format=form).publish_jpeg(jpeg_of()))

    assert (frame.width, frame.height) == (round(64 * scale[0]), round(48 * scale[1]))


def test_a_cameras_jpeg_can_be_published_in_the_original_format() -> None:
    data = jpeg_of()

    message = Kit(frame_format="mat").publish_jpeg(data)

    assert (mat.decode(message.value) == picture.decode(data)).all()


def test_an_undecodable_jpeg_is_counted_and_the_next_frame_published() -> None:
    kit, good = Kit(quality=85), jpeg_of()
    tables = good.index(b"\xff\xdb")
    broken = good[: tables + 4] + b"\x77" + good[tables + 5 :]  # there is no such table

    kit.step(Captured(broken, 64, 48, 0))
    kit.publish_jpeg(good)

    assert len(kit.sent.published) == 1
    assert kit.ledger.totals()["dropped"] == {"not_encodable": 1}


@pytest.mark.parametrize(
    ("size", "scale", "form", "result"),
    [
        ((1920, 1080), (8, 8), "jpeg", "15360 x 8640"),
        ((8001, 8000), (1, 1), "jpeg", "8001 x 8000"),
        ((9000, 10), (8, 1), "jpeg", "72000 x 10"),
        ((10, 65_501), (1, 1), "jpeg", "10 x 65501"),
        ((4100, 10), (4, 1), "mat", "16400 x 10"),
    ],
)
def test_pictures_that_no_reader_accepts_are_reported_and_not_sent(
    size: tuple[int, int],
    scale: tuple[float, float],
    form: str,
    result: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    kit = Kit(scale=scale, frame_format=form)

    for _ in range(3):  # nothing is decoded or scaled
        kit.step(Captured(b"", *size, 0))

    assert kit.sent.published == []
    assert kit.ledger.totals()["dropped"] == {"too_large": 3}
    reason = kit.frames.unready() or ""
    assert [record.getMessage() for record in caplog.records] == [reason]
    assert len(reason.splitlines()) == 1
    factors = f"IMAGESCALEX={scale[0]} and IMAGESCALEY={scale[1]}"
    assert all(part in reason for part in ("front", factors, f"{size[0]} x {size[1]}", result)), reason


def test_the_largest_pictures_are_sent_and_readiness_returns() -> None:
    kit = Kit()
    kit.step(Captured(b"", 8001, 8000, 0))

    kit.step(Captured(b"a", 8000, 8000, 0))
    kit.step(Captured(b"b", 65_500, 10, 0))

    assert len(kit.sent.published) == 2
    assert kit.frames.unready() is None


@pytest.mark.parametrize(("width", "fits"), [(jpeg.LONGEST_SIDE, True), (jpeg.LONGEST_SIDE + 1, False)])
def test_the_longest_side_is_the_longest_that_can_be_encoded(width: int, fits: bool) -> None:
    image = np.zeros((1, width, 3), np.uint8)
    try:
        encoded = bool(picture.encode(image, 85))
    except picture.PictureError:
        encoded = False

    assert encoded == fits


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


def test_delivery_reports_are_read_while_no_frame_arrives() -> None:
    kit = Kit()

    kit.frames.step()

    assert kit.sent.published == []
    assert kit.sent.polls == 1


def test_a_frame_left_at_the_end_is_counted() -> None:
    kit = Kit()
    kit.ledger.came("front")
    kit.camera.frames.put("front", Captured(picture_of(), 64, 48, 0))

    kit.frames.close()
    kit.frames.close()

    assert kit.ledger.totals() == {"in": 1, "out": 0, "dropped": {"stopping": 1}, "pending": 0}
