"""The two lanes of tests: units, and parts.

A unit test stays in its process: it starts no other process, connects only to loopback, and does not import
TensorFlow. So units run in parallel and take a minute or two. Every other test has the mark `parts`: because
of its folder, a fixture, what its module imports, or a `pytest.mark.parts` of its own. `make test-unit`
selects the units with `-m "not parts"`, `make test-parts` the others with `-m parts`.

Those of the parts that need a program or a service that a machine may lack have the mark `outside` too. CI
runs the rest of the parts where nothing but Python and make is installed, and these where everything is.
Those with the mark `cluster` come last: our images, kubectl and a cluster take a while to prepare.
"""

import ipaddress
import multiprocessing.util
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, Final

import pytest

from tests.imports import imports_tensorflow

TESTS: Final = Path(__file__).parent
FOLDERS: Final = tuple(TESTS / name for name in ("e2e", "integration", "k8s"))
FIXTURES: Final = {
    "browser",
    "chromium",
    "cluster",
    "detect_folder",
    "emonet_folder",
    "engine",
    "exported",
    "guarded_kafka",
    "int8_folder",
    "kafka_bootstrap",
    "model_folder",
    "model_server",
    "only_broker",
    "postgresql",
    "system_python",
    "three_brokers",
    "toy",
}
"""Fixtures that start a process or import TensorFlow."""

OUTSIDE_FOLDERS: Final = tuple(TESTS / name for name in ("e2e", "k8s"))
OUTSIDE: Final = {
    "caddy",
    "certificate",
    "chromium",
    "engine",
    "firefox",
    "guarded_kafka",
    "ipv6",
    "ipv6_network",
    "kafka_bootstrap",
    "nginx",
    "node",
    "only_broker",
    "own_network",
    "pair",
    "postgresql",
    "prometheus",
    "promtool",
    "pytorch",
    "system_python",
    "three_brokers",
}
"""Fixtures that call `tests.conftest.missing`."""

CLUSTER_FOLDER: Final = TESTS / "k8s"
CLUSTER: Final = {"cluster", "engine", "images"}
"""Fixtures that need our images, kubectl or a cluster."""

UNITS: Final = "not parts"
"""The start of an expression for pytest's option -m that selects units."""

STARTS: Final = (
    *((os, name) for name in ("execv", "execve", "fork", "forkpty", "posix_spawn", "posix_spawnp", "system")),
    (subprocess.Popen, "__init__"),
    (multiprocessing.util, "spawnv_passfds"),
)
"""The calls that start a process, or become another one."""

CONNECTS: Final = ("connect", "connect_ex", "sendto")
"""The methods of a socket whose last argument is an address."""

LIBRARIES: Final = {"keras", "tensorflow"}

HOW: Final = "a unit test must not; mark it with pytest.mark.parts if it needs to (see tests/lanes.py)"


class NotAUnitError(BaseException):
    """A unit test left its process; no `except Exception` hides it."""


def is_parts(module: Path) -> bool:
    """Whether all tests of a module belong to the parts."""
    return any(folder in module.parents for folder in FOLDERS) or imports_tensorflow(module)


def needs_cluster(item: pytest.Item) -> bool:
    """Whether a test needs our images, kubectl or a cluster."""
    return CLUSTER_FOLDER in item.path.parents or not CLUSTER.isdisjoint(getattr(item, "fixturenames", ()))


def needs_outside(item: pytest.Item) -> bool:
    """Whether a test needs something that this machine may lack, as far as its folder and fixtures tell."""
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    return (
        any(folder in item.path.parents for folder in OUTSIDE_FOLDERS)
        or bool(OUTSIDE.intersection(getattr(item, "fixturenames", ())))
        or parameters.get("broker") == "kafka"
    )


class Guard:
    """Keeps unit tests in their process: while one runs, calls that would leave it are replaced.

    Not with `sys.addaudithook`: a thread may be interrupted in a hook while it installs coverage's trace
    function, and then no other thread can install its own.
    """

    def __init__(self) -> None:
        self._process = os.getpid()
        self._guards_imports = False
        self._guards_calls = False
        self._refused: list[str] = []

    @contextmanager
    def importing(self) -> Iterator[None]:
        """Refuse TensorFlow while a module is imported."""
        self._guards_imports = True
        try:
            yield
        finally:
            self._guards_imports = False

    @contextmanager
    def running(self) -> Iterator[None]:
        """Refuse TensorFlow and leaving the process, in any thread, and fail if something tried."""
        self._refused = []
        self._guards_imports = self._guards_calls = True
        try:
            with pytest.MonkeyPatch.context() as patch:
                for owner, name in STARTS:
                    patch.setattr(owner, name, self._refusing(owner, name))
                for name in CONNECTS:
                    patch.setattr(socket.socket, name, self._staying_near(name))
                yield
        finally:
            self._guards_imports = self._guards_calls = False
        if self._refused:
            raise NotAUnitError(self._refused[0])

    @property
    def is_on(self) -> bool:
        """Whether a unit is running."""
        return self._guards_calls and self._guards_imports

    def _refusing(self, owner: Any, name: str) -> Callable[..., Any]:
        call = getattr(owner, name)

        @wraps(call)
        def refused(*arguments: Any, **options: Any) -> Any:
            if self._is_guarded():
                self._refuse(f"{owner.__name__}.{name}")
            return call(*arguments, **options)

        return refused

    def _staying_near(self, name: str) -> Callable[..., Any]:
        call = getattr(socket.socket, name)

        @wraps(call)
        def near(this: socket.socket, *arguments: Any) -> Any:
            if self._is_guarded() and not _is_near(arguments[-1]):
                self._refuse(f"socket.{name} {arguments[-1]}")
            return call(this, *arguments)

        return near

    def _is_guarded(self) -> bool:
        return self._guards_calls and os.getpid() == self._process

    def find_spec(self, name: str, *_: object) -> None:
        """Check an import of a module that is not loaded yet."""
        if self._guards_imports and name.partition(".")[0] in LIBRARIES:
            self._refuse(f"import {name}")

    def _refuse(self, what: str) -> None:
        self._refused.append(f"{what}: {HOW}")
        raise NotAUnitError(self._refused[-1])


def _is_near(address: Any) -> bool:
    """Whether an address is on loopback, or a Unix socket's."""
    if not isinstance(address, tuple):
        return True
    host = str(address[0])
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Lanes:
    """Sorts the tests into lanes, and guards the units."""

    def __init__(self, guard: Guard, only_units: bool) -> None:
        self.guard = guard
        self._only_units = only_units

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Ignore modules that would only be deselected: importing TensorFlow takes seconds."""
        ignored = self._only_units and collection_path.suffix == ".py" and is_parts(collection_path)
        return True if ignored else None

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Mark the parts, and those that need something outside."""
        for item in items:
            if needs_outside(item):
                item.add_marker(pytest.mark.outside)
            if item.get_closest_marker("outside"):
                item.add_marker(pytest.mark.parts)
            if needs_cluster(item):
                item.add_marker(pytest.mark.cluster)
            if FIXTURES.intersection(getattr(item, "fixturenames", ())) or is_parts(item.path):
                item.add_marker(pytest.mark.parts)

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Iterator[None]:
        """Guard the import of a module with units."""
        if not self._only_units or not isinstance(collector, pytest.Module) or is_parts(collector.path):
            return (yield)
        with self.guard.importing():
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Fail a test that is skipped although its marks do not say that it may be."""
        report = yield
        if report.skipped and not any(map(item.get_closest_marker, ("outside", "skipif", "xfail"))):
            report.outcome, why = "failed", report.longrepr
            report.longrepr = f"mark it with pytest.mark.outside, so that it runs somewhere in CI: {why}"
        return report

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Iterator[None]:
        """Guard the fixtures of a unit."""
        return (yield from self._guarded(item))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        """Guard a unit."""
        return (yield from self._guarded(item))

    def _guarded(self, item: pytest.Item) -> Iterator[None]:
        if item.get_closest_marker("parts"):
            return (yield)
        with self.guard.running():
            return (yield)


def pytest_configure(config: pytest.Config) -> None:
    """Begin."""
    config.addinivalue_line("markers", "parts: starts a process, imports TensorFlow, or leaves this machine")
    config.addinivalue_line("markers", "outside: needs a program or a service that this machine may lack")
    config.addinivalue_line("markers", "cluster: needs our images, kubectl or a cluster")
    config.addinivalue_line("markers", "exceeds(name): exceeds this limit (tests/limits.py)")
    guard = Guard()
    sys.meta_path.insert(0, guard)
    config.pluginmanager.register(Lanes(guard, config.option.markexpr.startswith(UNITS)), "lanes")
