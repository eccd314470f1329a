"""Stand-ins for what surrounds the training service: users' code, runs, Kafka."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from training.control.publisher import PublishError, UnansweredError
from training.runners.runner import Run, RunnerError, Waiting

UNTRAINED = b"\x89HDF\r\n\x1a\n, and so on"
"""The file that `FakeCode` builds."""


class FakeCode:
    """Takes any code that sets `model`, and arguments such as `epochs=5`; keeps what it has checked."""

    def __init__(self) -> None:
        self.checked = list[str]()

    def check(self, framework: str, imports: str, code: str, *, distributed: bool) -> None:  # noqa: ARG002
        self.checked.append(imports + code)
        if "model" not in code:
            raise ValueError("line 1: expected a variable `model`")

    def build(self, framework: str, imports: str, code: str, *, distributed: bool, file: Path) -> None:
        self.check(framework, imports, code, distributed=distributed)
        file.write_bytes(UNTRAINED)

    def check_trained(
        self,
        framework: str,
        imports: str,  # noqa: ARG002
        code: str,  # noqa: ARG002
        *,
        file: Path,
        keep: Callable[[Path], object],
    ) -> None:
        if b"another model" in file.read_bytes():
            raise ValueError("the trained model has other shapes")
        if framework == "tf":
            exported = file.with_name("exported")
            exported.mkdir()
            (exported / "saved_model.pb").write_bytes(b"imported")
            keep(exported)

    def arguments(self, text: str, framework: str, use: Literal["fit", "val"]) -> dict[str, Any]:
        found = dict(part.strip().split("=") for part in text.split(",") if part)
        needed = {"tf": "epochs", "pth": "max_epochs"}[framework]
        if use == "fit" and not found.get(needed, "").isdigit():
            raise ValueError(f"expected {needed}, such as {needed}=5")
        return {name: int(value) for name, value in found.items()}


class FakeRunner:
    """Keeps what it should run. It fails at the run named `fails_at`."""

    def __init__(self) -> None:
        self.runs = dict[str, Run]()
        self.stopped = list[str]()
        self.forgotten = list[str]()
        self.fails_at = ""
        self.queue = list[Waiting]()

    def start(self, run: Run) -> None:
        if run.name == self.fails_at:
            raise RunnerError("there is no room")
        self.runs[run.name] = run

    def stop(self, name: str) -> None:
        self.runs.pop(name, None)
        self.stopped.append(name)

    def names(self) -> set[str]:
        return {*self.runs}

    def renew(self, name: str, variables: Mapping[str, str]) -> None:
        if run := self.runs.get(name):
            self.runs[name] = replace(run, variables={**run.variables, **variables})

    def waiting(self) -> list[Waiting]:
        return self.queue

    def log(self, name: str) -> str:
        return f"the log of {name}"

    def forget(self, name: str) -> None:
        self.runs.pop(name, None)
        self.forgotten.append(name)


class FakeControl:
    """Keeps what is published, unless it is away."""

    def __init__(self) -> None:
        self.published = list[tuple[bytes, bytes]]()
        self.is_away = False
        self.refusal = ""

    def publish(self, key: bytes, value: bytes) -> None:
        if self.is_away:
            raise UnansweredError("Kafka does not answer at 127.0.0.1:9 (connection refused): start Kafka")
        if self.refusal:
            raise PublishError(self.refusal)
        self.published.append((key, value))


class FakeMessage:
    """A message of a topic with one partition."""

    def __init__(
        self, offset: int, key: bytes | None, value: bytes | None, sent: int, topic: str = "control"
    ) -> None:
        self._parts = offset, key, value, sent, topic

    def topic(self) -> str:
        return self._parts[4]

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self._parts[0]

    def key(self) -> bytes | None:
        return self._parts[1]

    def value(self) -> bytes | None:
        return self._parts[2]

    def timestamp(self) -> tuple[int, int]:
        return 1, self._parts[3]


class FakeConsumer:
    """A consumer of no topics."""
