"""Cameras that send JPEGs, over HTTP and RTSP, through a real producer."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pipeline.wire import picture
from tests.integration.conftest import Pipeline
from tests.integration.test_pipeline import Spy
from tests.parts import Process, free_port, wait_for
from tests.producer.http_camera import HttpCamera

# RTP carries the parameters of a JPEG's tables, and its entropy-coded data bit for bit (RFC 2435).
RTSP_CAMERA = """
import sys
from tests import rtsp_camera
rtsp_camera.PIPELINE = (
    "( multifilesrc location={pictures} loop=true caps=image/jpeg,framerate=25/1,width=320,height=240"
    " ! rtpjpegpay name=pay0 pt=26 )"
)
rtsp_camera.main(*sys.argv[1:])
"""


@pytest.fixture(scope="module")
def jpegs() -> list[bytes]:
    """The camera's eight pictures, 320 x 240, which no two encoders would write alike."""
    noise = np.random.default_rng(1)
    return [picture.encode(noise.integers(0, 256, (240, 320, 3), np.uint8), 85) for _ in range(8)]


@pytest.fixture
def spy(pipeline: Pipeline) -> Iterator[Spy]:
    """A reader of the frames that the producer publishes."""
    spy = Spy(pipeline.bootstrap, pipeline.topic_in)
    spy.wait_until_assigned()
    yield spy
    spy.close()


def published(spy: Spy, count: int) -> list[bytes]:
    """Return the JPEGs of the first frames."""

    def enough() -> bool:
        spy.read(0.2)
        return len(spy.frames) >= count

    wait_for(enough, 60, "frames")
    return [frame.jpeg for frame in spy.frames]


def test_jpegs_over_http_are_published_unchanged(pipeline: Pipeline, spy: Spy, jpegs: list[bytes]) -> None:
    with HttpCamera(jpegs) as camera:
        producer = pipeline.producer("door", camera.link, FRAMEINTERVAL="30ms")
        came = published(spy, 50)

    assert set(came) == set(jpegs)
    assert "Traceback" not in producer.text


def test_jpegs_over_http_are_encoded_again_if_a_quality_is_set(
    pipeline: Pipeline, spy: Spy, jpegs: list[bytes]
) -> None:
    with HttpCamera(jpegs) as camera:
        pipeline.producer("door", camera.link, JPEGQUALITY="40")
        came = published(spy, 20)

    assert set(came) <= {picture.encode(picture.decode(jpeg), 40) for jpeg in jpegs}


def test_broken_jpegs_are_reported_and_every_frame_is_accounted_for(
    pipeline: Pipeline, spy: Spy, jpegs: list[bytes]
) -> None:
    with HttpCamera([jpegs[0], jpegs[1][:-1000], b"no JPEG", b""]) as camera:
        producer = pipeline.producer("door", camera.link, FRAMEINTERVAL="30ms")
        came = published(spy, 20)
        counts = producer.ledger()["door"]

    assert set(came) == {jpegs[0]}
    assert counts["dropped"]["bad_picture"] >= 15  # one of the other three parts is a JPEG, cut short
    assert producer.text.count("skipped a frame of door") == 1
    assert counts["in"] == counts["out"] + sum(counts["dropped"].values()) + counts["pending"]


def test_jpegs_over_rtsp_are_published_unchanged(
    pipeline: Pipeline, spy: Spy, jpegs: list[bytes], system_python: str, tmp_path: Path
) -> None:
    for number, jpeg in enumerate(jpegs):
        (tmp_path / f"{number:04d}.jpg").write_bytes(jpeg)
    port = free_port()
    command = [system_python, "-c", RTSP_CAMERA, str(port), str(tmp_path / "%04d.jpg")]

    with Process(command, {}, tmp_path / "rtsp.log") as camera:
        wait_for(lambda: "serving" in camera.text, 20, "the camera")
        pipeline.producer("door", f"rtsp://127.0.0.1:{port}/camera")
        came = published(spy, 20)

    pictures = [picture.decode(jpeg) for jpeg in jpegs]
    for jpeg in came[:8]:
        assert any((picture.decode(jpeg) == pixels).all() for pixels in pictures)
