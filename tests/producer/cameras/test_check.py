"""The command that opens a camera and says what to change."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.wire import picture
from producer.cameras.advice import advice, hint
from producer.cameras.check import report
from producer.cameras.measure import Measured, Shape
from producer.sources.source import CaptureError, SilentError
from tests.producer.cameras.conftest import Run
from tests.producer.http_camera import HttpCamera

FINE = Measured("h264", 1280, 720, 25, 23.8, 60_000, 0.008, passes=False)
SHAPE = Shape(0.042)


def jpeg(width: int, height: int) -> bytes:
    """Return a picture of noise."""
    return picture.encode(np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8), 85)


def changed(**fields: object) -> Measured:
    """Return a camera that differs from a good one."""
    values = {name: getattr(FINE, name) for name in Measured.__slots__}
    return Measured(**(values | fields))


def test_nothing_is_to_be_changed_at_a_good_camera() -> None:
    assert advice(FINE, SHAPE) == []
    assert advice(changed(codec="mjpeg", passes=True), SHAPE) == []
    assert advice(changed(codec="picture", rate=1, passes=True), Shape(1)) == []


@pytest.mark.parametrize(
    ("found", "shape", "texts"),
    [
        (changed(width=3840, height=2160), SHAPE, ["sub-stream"]),
        (changed(width=3840, height=2160), Shape(0.042, 0, (0.5, 0.5)), []),
        (changed(codec="hevc"), SHAPE, ["H.265 takes"]),
        (changed(rate=30, published=5), Shape(0.2), ["of which 5.0 are published"]),
        (changed(rate=5, published=5), SHAPE, ["fewer than the 23.8"]),
        (changed(work=0.03), SHAPE, ["71% of a processor core"]),
        (changed(size=500_000), SHAPE, ["11.9 MB/s"]),
        (changed(codec="mjpeg"), SHAPE, ["decoded and encoded again"]),
        (changed(bad=3), SHAPE, ["3 frames held no picture"]),
    ],
)
def test_what_to_change_is_said(found: Measured, shape: Shape, texts: list[str]) -> None:
    lines = advice(found, shape)

    assert len(lines) == len(texts)
    for line, text in zip(lines, texts, strict=True):
        assert text in line


def test_a_single_frame_has_no_rate() -> None:
    assert "a single frame" in report(changed(rate=0.0, published=0.0), SHAPE)


def test_causes_have_hints() -> None:
    assert hint(str(SilentError(20)))
    assert hint(str(CaptureError("the camera has nothing at this path")))
    assert hint("something else") is None


def test_a_film_is_measured(run: Run, clips: Path) -> None:
    ran = run("check", str(clips / "bikes.mp4"), "--seconds", "0.5")

    assert ran.status == 0
    lines = dict(line.split(None, 1) for line in ran.out.splitlines())
    assert lines["codec"].startswith("H.264, decoded")
    assert lines["size"] == "640 x 272"
    assert "per 42ms" in lines["rate"]
    assert "kB per frame" in lines["JPEG"]
    assert ran.err.startswith("opening ")


def test_jpegs_over_http_pass_undecoded(run: Run) -> None:
    pictures = [jpeg(64, 48), jpeg(64, 48)[:-2] + b"\xff\xd9"]
    with HttpCamera(pictures) as camera:
        ran = run("check", camera.link, "--seconds", "0.5")

    assert ran.status == 0
    assert "Motion JPEG, published undecoded" in ran.out
    assert "64 x 48" in ran.out


@pytest.mark.usefixtures("kafka")
def test_a_camera_is_checked_by_name_as_it_is_published(run: Run) -> None:
    with HttpCamera([jpeg(64, 48)]) as camera:
        run("add", "door", camera.link, "--scale", "0.5", "--interval", "1ms")
        ran = run("check", "door", "--seconds", "0.5")

    assert ran.status == 0
    assert "at most one per 1ms" in ran.out
    assert "decoded and encoded again" in ran.out
    assert "did you mean 'door'?" in run("check", "dor").err


@pytest.mark.parametrize("way", ["argument", "stdin"])
def test_a_camera_that_is_away_is_status_1_with_a_hint(run: Run, closed_port: int, way: str) -> None:
    link = f"rtsp://joe:hunter2@127.0.0.1:{closed_port}/s"

    ran = run("check", link if way == "argument" else "-", stdin=link)

    assert (ran.status, ran.out) == (1, "")
    assert "nothing answers at this port" in ran.err
    assert "hint: RTSP uses port 554" in ran.err
    assert "hunter2" not in ran.err


def test_a_film_without_pictures_is_status_1(run: Run, tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(b"nonsense" * 100)

    assert run("check", str(film)).status == 1
    assert "no such file" in run("check", str(tmp_path / "other.mp4")).err


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "1e9"])
def test_other_times_are_refused(run: Run, seconds: str) -> None:
    assert "--seconds" in run("check", "rtsp://host/", f"--seconds={seconds}").err


def test_a_name_needs_kafka(run: Run) -> None:
    assert "set KAFKAPORT" in run("check", "door").err
    assert "expected a file" in run("check", "foo://x").err
