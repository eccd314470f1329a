"""The machine and the versions that figures are measured with."""

import importlib.metadata
import os
import platform
import re
from pathlib import Path
from typing import Final

import psutil
from confluent_kafka import libversion

_PACKAGES: Final = (
    "confluent-kafka",
    "numpy",
    "opencv-python-headless",
    "simplejpeg",
    "starlette",
    "uvicorn",
    "uvloop",
    "grpcio",
    "tensorflow-cpu",
)

# From malloc.h, for mallopt(3).


def machine() -> dict[str, str]:
    """Return the processors, the memory and the operating system as text."""
    return {
        "processors": f"{len(os.sched_getaffinity(0))} x {_processor()}",
        "memory": f"{psutil.virtual_memory().total / 2**30:.1f} GiB",
        "system": platform.platform(),
    }


def versions(broker: str) -> dict[str, str]:
    """Return the versions that matter to the figures, and the kind of broker."""
    found = {"python": platform.python_version(), "librdkafka": libversion()[0], "broker": broker}
    for name in _PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except (
            importlib.metadata.PackageNotFoundError
        ):  # TensorFlow's package has another name on some machines
            continue
    return found


def _processor() -> str:
    """Return the processor's model, or its architecture if Linux does not report it."""
    models = re.findall(r"^model name\s*: (.*)", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return models[0] if models else platform.machine()
