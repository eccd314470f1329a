"""What a frame costs each service in processor time, and what the services take of memory."""

import time
from pathlib import Path

import cv2
import psutil

from pipeline import picture
from producer.capture import Capture
from tests.bench.figures import Figure
from tests.bench.system import System

_SECONDS = 15


def measure(system: System, clip: Path) -> list[Figure]:
    """Return costs per frame as ratios to the bare work with OpenCV, and the memory of each service."""
    services = {"producer": system.producer, "consumer": system.consumer, "video": system.video}
    before = {name: _spent(service.pid) for name, service in services.items()}
    frames = {name: service.ledger()["bunny"]["out"] for name, service in services.items()}
    time.sleep(_SECONDS)
    each = {}
    for name, service in services.items():
        made = service.ledger()["bunny"]["out"] - frames[name]
        each[name] = (_spent(service.pid) - before[name]) / made
    bare = _bare(clip)
    figures = [
        Figure(
            "consumer, cost of a frame",
            each["consumer"] / bare,
            "x",
            f"bare decode, draw, encode: {1e3 * bare:.1f} ms",
        ),
        Figure("producer, cost of a frame", each["producer"] / bare, "x", "the same"),
        Figure("video, cost of a frame", each["video"] / bare, "x", "the same"),
    ]
    for name, service in services.items():
        figures.append(Figure(f"{name}, memory", service.rss(), "MB", "resident, after a minute", goal=120))
    return figures


def _spent(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def _bare(clip: Path) -> float:
    """Return the processor time in s that OpenCV alone takes to label one of the clip's frames."""
    capture = Capture(str(clip), is_file=True, read_timeout=5)
    jpegs = [picture.encode(capture.read().image, 85) for _ in range(50)]
    begun = time.process_time()
    for jpeg in jpegs * 4:
        image = picture.decode(jpeg)
        for color, width in ((0, 0, 0), 6), ((255, 255, 255), 2):
            cv2.putText(
                image, "tench 93% 41 ms", (12, 32), cv2.FONT_HERSHEY_SIMPLEX, 1.1, color, width, cv2.LINE_AA
            )
        picture.encode(image, 85)
    return (time.process_time() - begun) / (4 * len(jpegs))
