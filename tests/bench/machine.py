"""What the figures were measured on, and with which versions."""

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

# Of malloc.h, for mallopt(3).


def machine() -> dict[str, str]:
    """Return the processors, the memory and the operating system, in words."""
    return {
        "processors": f"{len(os.sched_getaffinity(0))} x {_processor()}",
        "memory": f"{psutil.virtual_memory().total / 2**30:.1f} GiB",
        "system": platform.platform(),
    }


def versions(broker: str) -> dict[str, str]:
    """Return the versions of what matters to the figures, and of which kind the broker is."""
    found = {"python": platform.python_version(), "librdkafka": libversion()[0], "broker": broker}
    for name in _PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:  # TensorFlow has another name on some machines
            continue
    return found


def _processor() -> str:
    """Return the processor's model, or its architecture where Linux does not tell."""
    models = re.findall(r"^model name\s*: (.*)", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return models[0] if models else platform.machine()
