"""Addresses of what runs, and commands with them, as they are printed for the user."""

import os
import shlex
import sys
from collections.abc import Iterable, Mapping

from compose.parts import Part
from pipeline.service.trim import trimmed


def page_address(port: int, inherited: Mapping[str, str]) -> str:
    """Return the page's address for browsers on this machine, given the user's environment."""
    root = trimmed(inherited.get("ROOTPATH", ""))
    return f"{_here(port, inherited)}{root.removesuffix('/')}/"


def training_address(port: int, inherited: Mapping[str, str]) -> str:
    """Return the training service's address for browsers on this machine, given the user's environment."""
    return f"{_here(port, inherited)}/"


def served_address(parts: Iterable[Part]) -> str:
    """Return where the model server serves models, for programs on this machine, up to the model's name."""
    (port, *_) = (part.port for part in parts if part.role == "tfserving")
    return f"http://127.0.0.1:{port}/v1/models/"


def _here(port: int, inherited: Mapping[str, str]) -> str:
    scheme = "https" if trimmed(inherited.get("TLSCERT", "")) else "http"
    return f"{scheme}://127.0.0.1:{port}"


def command_for_cameras(kafka: str, key: Mapping[str, str]) -> str:
    """Return the command that lists and changes the cameras at this Kafka."""
    # A key itself is not printed: without its file, it is the user's, or lasts only for this run.
    file = {name: shlex.quote(value) for name, value in key.items() if name == "CAMERASKEYFILE"}
    variables = {"KAFKAPORT": kafka, **file}
    given = " ".join(f"{name}={value}" for name, value in variables.items())
    return f"{given} {os.path.relpath(sys.executable)} -m producer.cameras list"
