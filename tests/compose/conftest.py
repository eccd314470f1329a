"""Simulated parts, kept running by the real runner."""

import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

import pytest

from compose.parts import Part
from tests.parts import ROOT

CHILD = Path(__file__).with_name("child.py")


class Run:
    """A runner in another process, its two outputs in files; `constants` replace those of compose.job."""

    def __init__(
        self,
        parts: list[Part],
        folder: Path,
        *,
        kafka: str = "k:1",
        seconds: float | None = None,
        **constants: float,
    ) -> None:
        self.parts = parts
        self.folder = folder
        given: dict[str, Any] = {
            "parts": [asdict(part) for part in parts],
            "kafka": kafka,
            "seconds": seconds,
            "constants": constants,
        }
        self._out = (folder / "out").open("wb")
        self._err = (folder / "err").open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.compose.driver", json.dumps(given)],
            cwd=ROOT,
            stdout=self._out,
            stderr=self._err,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()  # what it started ends with it
        self.process.wait()
        self._out.close()
        self._err.close()

    @property
    def out(self) -> str:
        return (self.folder / "out").read_text()

    @property
    def err(self) -> str:
        return (self.folder / "err").read_text()

    def is_ready(self) -> bool:
        return "ready: here\n" in self.out

    def starts(self, name: str) -> list[tuple[int, str]]:
        """Return the process id and the broker's address of each start of a part."""
        file = self.folder / f"{name}.starts"
        lines = file.read_text().splitlines() if file.exists() else []
        return [(int(line.split()[0]), line.split()[1]) for line in lines]


Play = Callable[..., Part]
Runs = Callable[..., Run]


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    """Makes a part; its kind decides how it behaves (child.py)."""
    with ExitStack() as stack:

        def part(kind: str, role: Any = "consumer", *, name: str = "", kafka: tuple[str, ...] = ()) -> Part:
            # Held until the test ends: while a part restarts, no other program can take its port.
            holder = stack.enter_context(socket.socket())
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            holder.bind(("127.0.0.1", 0))
            name, port = name or role, holder.getsockname()[1]
            command = (sys.executable, str(CHILD), kind, str(port), str(tmp_path / name))
            return Part(name, role, command, kafka=kafka, port=port)

        yield part


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Runs]:
    """Starts runners, and kills those that are left at the end of the test."""
    with ExitStack() as stack:

        def start(*parts: Part, **options: Any) -> Run:
            return stack.enter_context(Run(list(parts), tmp_path, **options))

        yield start
