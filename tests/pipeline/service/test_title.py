"""The command line that other users see."""

import subprocess
import sys

import pytest

from pipeline.service.title import masked
from tests.parts import ROOT


def test_links_are_masked_and_everything_else_is_kept() -> None:
    given = [
        b"/opt/a@b/python",
        b"-m",
        b"compose",
        b"--camera",
        b"door=rtsp://joe:hunter2@host/",
        b"--port=1",
        b"",
    ]

    assert masked(given).split(b"\0") == [*given[:4], b"door=rtsp://joe:***@host/", *given[5:]]


@pytest.mark.parts
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /proc")
@pytest.mark.parametrize("password", ["x", "hunter2", "hunter2" * 20])
def test_the_kernel_shows_no_password(password: str) -> None:
    show = (
        "import sys; from pipeline.service.title import mask_arguments; mask_arguments();"
        "print(open('/proc/self/cmdline').read(), sys.argv[1:])"
    )
    link = f"door=rtsp://joe:{password}@host/"

    run = subprocess.run(
        [sys.executable, "-c", show, link, "-v"], cwd=ROOT, capture_output=True, text=True, check=True
    )

    shown, _, own = run.stdout.partition(" [")
    assert f":{password}@" not in shown
    assert "door=rtsp://joe:***@" in shown
    assert link in own
