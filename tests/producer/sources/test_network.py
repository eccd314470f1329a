import socket
import subprocess
import sys

import pytest

from pipeline.wire.picture import PictureError
from producer.sources.network import open_source
from producer.sources.source import CaptureError, Timeouts
from tests.parts import ROOT
from tests.producer.http_camera import HttpCamera
from tests.producer.sources.reading import jpegs, read


@pytest.mark.parametrize("tells_length", [True, False])
def test_a_cameras_jpegs_are_read_unchanged(tells_length: bool) -> None:
    sent = jpegs()

    with HttpCamera(sent, tells_length=tells_length) as camera:
        source = open_source(camera.link, Timeouts(5, 5))
        came = [read(source).picture for _ in range(2 * len(sent))]
        source.close()

    first = sent.index(came[0])  # type: ignore[arg-type]
    assert came == (sent * 3)[first : first + 2 * len(sent)]


@pytest.mark.parametrize("form", ["HTTP{}", "async:http{}"])
def test_every_scheme_that_names_a_network_camera_opens_it(form: str) -> None:
    with HttpCamera(jpegs()) as camera:
        source = open_source(form.format(camera.link.removeprefix("http")), Timeouts(5, 5))

        assert read(source).picture in jpegs()
        source.close()


@pytest.mark.parametrize(
    "bad", [b"", b"this is not a JPEG", jpegs()[1][:-40]], ids=["nothing", "text", "half"]
)
def test_a_broken_jpeg_is_reported_and_the_next_one_read(bad: bytes) -> None:
    good = jpegs()[0]

    with HttpCamera([good, bad]) as camera:
        source = open_source(camera.link, Timeouts(5, 5))
        broken = 0
        for _ in range(6):
            source.grab()
            try:
                assert source.retrieve().picture == good
            except PictureError:
                broken += 1
        source.close()

    assert broken == 3


@pytest.mark.parts
def test_an_unreachable_camera_is_reported_without_its_address(closed_port: int) -> None:
    # FFmpeg's log level is set once per process: in this one, only the source sets it.
    address = f"joe:hunter2@127.0.0.1:{closed_port}/x"
    lines = [
        "from producer.sources import network",
        "from producer.sources.source import CaptureError, Timeouts",
        f"for link in ('rtsp://{address}', 'http://{address}', '/no/such/hunter2.avi'):",
        "    try: network.open_source(link, Timeouts(1, 1))",
        "    except CaptureError as error: print(error)",
    ]

    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.stderr == ""
    assert done.stdout.count("it cannot be opened") == len(done.stdout.splitlines()) == 3
    assert "hunter2" not in done.stdout


def test_opening_a_silent_camera_times_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        link = f"rtsp://127.0.0.1:{silent.getsockname()[1]}/x"

        with pytest.raises(CaptureError, match="it cannot be opened"):
            open_source(link, Timeouts(0.3, 1))
