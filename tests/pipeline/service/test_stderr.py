"""What libraries write to standard error becomes one line of the log."""

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.service import stderr
from tests.parts import ROOT

SERVICE = """
import os, time
from contextlib import suppress
import cv2, numpy as np
from pipeline.service import startup
from pipeline.service.settings import Settings

def serve(settings):
    picture = np.random.default_rng(1).integers(0, 256, (200, 200, 3), np.uint8)
    broken = bytearray(cv2.imencode(".jpg", picture)[1].tobytes())
    for at in range(3000, len(broken) - 100, 97):
        broken[at] ^= 0x55
    for _ in range(300):
        cv2.imdecode(np.frombuffer(broken, np.uint8), cv2.IMREAD_COLOR)
    while (lines := startup._LINES._value.get()) < 300:
        time.sleep(0.1)
    with suppress(BlockingIOError):  # a library that writes more than can be read does not wait
        for _ in range(100):
            os.write(2, bytes(100_000))
    print("lines:", int(lines), flush=True)
    return 0

startup.main("example", Settings, serve)
"""


@pytest.mark.parts
def test_hundreds_of_lines_of_a_decoder_are_counted_and_become_one_of_ours() -> None:
    command = [sys.executable, "-c", SERVICE]

    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)

    assert run.returncode == 0, run.stderr
    assert int(run.stdout.removeprefix("lines: ")) >= 300
    (damaged, *others) = (json.loads(line)["message"] for line in run.stderr.splitlines())
    assert damaged.startswith("a library says: Corrupt JPEG data: ")
    assert [other.rstrip("\0") for other in others] in ([], ["a library says: "])


def test_each_kind_of_line_is_logged_and_an_endless_number_of_kinds_is_not(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    damaged = [f"Corrupt JPEG data: {number} extraneous bytes" for number in range(9)]
    names = ["".join(letters) for letters in itertools.product("ab", repeat=7)]
    written = tmp_path / "written"
    written.write_text("\n".join(["Not a JPEG file: starts with 0x6e", *damaged, *names]))
    lines = []

    stderr._read(os.open(written, os.O_RDONLY), lambda: lines.append(1))

    logged = [record.getMessage().removeprefix("a library says: ") for record in caplog.records]
    assert logged[:2] == ["Not a JPEG file: starts with 0x6e", damaged[0]]
    assert logged[2:] == names[: stderr._KINDS - 2 + 1]
    assert len(lines) == 1 + 9 + 128


@pytest.mark.parts
def test_a_crash_of_a_library_leaves_a_traceback() -> None:
    service = (
        "import os\n"
        "from pipeline.service import startup\n"
        "from pipeline.service.settings import Settings\n"
        "startup.main('example', Settings, lambda _: os.abort())\n"
    )

    run = subprocess.run(
        [sys.executable, "-c", service], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert run.returncode == -6
    assert "Fatal Python error: Aborted" in run.stderr


@pytest.mark.parts
def test_a_wrong_setting_still_is_one_line_on_standard_error() -> None:
    service = (
        "from pipeline.service import startup\n"
        "from pipeline.service.settings import Settings\n"
        "startup.main('example', Settings, lambda _: 0)\n"
    )

    run = subprocess.run(
        [sys.executable, "-c", service],
        cwd=ROOT,
        env={"HEALTHPORT": "x"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 2
    assert run.stderr.startswith("example: HEALTHPORT='x': ")
    assert len(run.stderr.splitlines()) == 1
