import sys
from typing import Any

import pytest

from producer.sources import device
from producer.sources.source import CaptureError, Limits


@pytest.mark.skipif(sys.platform != "linux", reason="devices have these names on Linux")
@pytest.mark.parametrize("link", ["99", "/dev/video99", "/dev/null", str(2**31), "9" * 60])
def test_a_missing_device_is_reported(link: str) -> None:
    with pytest.raises(CaptureError, match=r"not plugged in|not a camera"):
        device.open_source(link, Limits(1, 1))


@pytest.mark.parametrize(
    ("platform", "link", "opened"),
    [
        ("linux", "0", ("/dev/video0", "v4l2")),
        ("linux", "12", ("/dev/video12", "v4l2")),
        ("linux", "/dev/video1", ("/dev/video1", "v4l2")),
        ("darwin", "0", ("0", "avfoundation")),
    ],
)
def test_a_number_names_a_device(
    monkeypatch: pytest.MonkeyPatch, platform: str, link: str, opened: tuple[str, str]
) -> None:
    calls = []

    def open_video(address: str, *_: Any, form: str) -> None:
        calls.append((address, form))
        raise CaptureError

    monkeypatch.setattr(device, "open_video", open_video)
    monkeypatch.setattr(sys, "platform", platform)

    with pytest.raises(CaptureError):
        device.open_source(link, Limits(1, 1))

    assert calls == [opened]


def test_other_systems_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")

    with pytest.raises(CaptureError, match="Linux and macOS"):
        device.open_source("0", Limits(1, 1))
