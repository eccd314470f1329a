import pytest

from producer.sources.device import open_source
from producer.sources.source import CaptureError


@pytest.mark.parametrize("link", ["99", "/dev/video99", "/dev/null", str(2**31), "9" * 60])
def test_a_missing_device_is_reported(link: str) -> None:
    with pytest.raises(CaptureError, match="it cannot be opened"):
        open_source(link, 1)
