"""Shows that the tests really exceed the limits: `python -m tests.limits.prove [NAME...]`.

The tests with the mark `exceeds(NAME)` run with that limit a thousand times as large. At least one of them
must then fail, and pass with the limit as it is; otherwise none exceeds the limit. Only the services'
functions see the larger one; a test that reads or sets the constant has the real one. Limits that are
settings are left out: their tests choose values.
"""

import faulthandler
import os
import signal
import sys
from collections.abc import Sequence
from typing import Final

import pytest
from _pytest.runner import runtestprotocol

from tests.limits.enlarge import enlarge
from tests.limits.table import limits

FACTOR: Final = 1000
PATIENCE: Final = 60  # s for a test; one that still runs has failed
UNSEEN: Final = {
    "pipeline.cameras.record.LONGEST_GROUP",
    "pipeline.cameras.record.LONGEST_LINK",
    "pipeline.cameras.record.MOST_MODELS",
    "pipeline.wire.status._LONGEST_KEY",
    "tfserving.models.largest.MOST_PIXELS",
    "tfserving.models.largest.MOST_SCANS",
    "tfserving.server.rest.request.LARGEST_JSON",
    "training.api.configurations._MOST",
    "training.api.inferences._MOST_REPLICAS",
    "training.fields.LARGEST_NUMBER",
}
"""Read when a module is imported or by TensorFlow from the source, or implied by another limit."""


class Prover:
    """A plugin of pytest: runs the marked tests once for each limit, until one of its tests has failed."""

    def __init__(self, names: Sequence[str]) -> None:
        self.left = set(names)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Select the tests of these limits, or of all."""
        self.left = self.left or {limit.name for limit in limits() if not limit.setting} - UNSEEN
        items[:] = [item for item in items if self._exceeded(item)]

    def pytest_runtest_protocol(self, item: pytest.Item) -> bool:
        """Run a test for each limit that it exceeds."""
        for name in self._exceeded(item):
            if _fails(item, name, FACTOR) and not _fails(item, name, 1):
                self.left.remove(name)
                print(f"{name}: {item.nodeid}", flush=True)
        return True

    def _exceeded(self, item: pytest.Item) -> set[str]:
        return self.left & {name for mark in item.iter_markers("exceeds") for name in mark.args}


def _fails(item: pytest.Item, name: str, factor: int) -> bool:
    """Return whether a test fails with a limit so many times as large, in a process of its own.

    With 1, nothing is changed: a test that sets the constant to less must see that.
    """
    child = os.fork()
    if child == 0:
        failed = False
        try:
            signal.alarm(PATIENCE)
            faulthandler.disable()
            if factor > 1:
                enlarge(name, factor)
            failed = any(report.failed for report in runtestprotocol(item, log=False, nextitem=None))
        finally:
            os._exit(failed)
    return os.waitpid(child, 0)[1] != 0


def main(names: Sequence[str]) -> str | None:
    """Return what is to be reported: the limits that no test exceeds."""
    prover = Prover(names)
    pytest.main(["-q", "-m", "exceeds", "-p", "no:cacheprovider", "tests"], [prover])
    return "\n".join(["no test exceeds:", *sorted(prover.left)]) if prover.left else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
