import platform
import subprocess
import sys

import pytest

from tests.parts import ROOT

pytestmark = pytest.mark.parts

THREADS = """
import os
import {service}.__main__
from pipeline.service import process
process.tune()
import cv2, numpy
cv2.resize(numpy.zeros((720, 1280, 3), numpy.uint8), (500, 300))
print(len(os.listdir("/proc/self/task")))
"""

FAULTS = """
import resource, threading
import numpy
from pipeline.wire import picture
from pipeline.service import process
process.tune()
jpeg = picture.encode(numpy.zeros((720, 1280, 3), numpy.uint8), 85)

def decode(times):
    for _ in range(times):
        picture.decode(jpeg)

def work():
    decode(5)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    decode(50)
    print((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) // 50)

worker = threading.Thread(target=work)
worker.start()
worker.join()
"""


def output(code: str) -> int:
    command = [sys.executable, "-c", code]
    return int(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="counts threads in /proc")
@pytest.mark.parametrize("service", ["producer", "consumer"])
def test_the_libraries_start_no_threads_of_their_own(service: str) -> None:
    assert output(THREADS.format(service=service)) == 1


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the setting is for glibc")
def test_frames_reuse_the_memory_of_earlier_ones() -> None:
    assert output(FAULTS) < 100, "of the 675 pages of an image"
