import pytest

from producer.sources import device
from producer.sources.source import CaptureError, Timeouts


@pytest.mark.parametrize("link", ["99", "/dev/video99", "/dev/null", str(2**31), "9" * 60])
def test_a_missing_device_is_reported(link: str) -> None:
    with pytest.raises(CaptureError, match="it cannot be opened"):
        device.open_source(link, Timeouts(1, 1))


@pytest.mark.parametrize(("link", "address"), [("0", 0), ("12", 12), ("/dev/video0", "/dev/video0")])
def test_a_number_is_opened_as_a_number(
    monkeypatch: pytest.MonkeyPatch, link: str, address: int | str
) -> None:
    opened = []

    def open_capture(address: int | str) -> None:
        opened.append(address)
        raise CaptureError

    monkeypatch.setattr(device, "open_capture", open_capture)

    with pytest.raises(CaptureError):
        device.open_source(link, Timeouts(1, 1))

    assert opened == [address]
