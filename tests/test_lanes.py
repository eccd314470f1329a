"""The guard that keeps unit tests in their process, and the choice of unit tests."""

import multiprocessing
import os
import socket
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.conftest import missing
from tests.imports import ROOT, heavy, imports_tensorflow
from tests.lanes import Guard, Lanes, NotAUnitError, is_parts, needs_cluster, needs_outside
from tests.parts import free_port


@pytest.mark.parametrize(
    ("leave", "call"),
    [
        (lambda: subprocess.run(["sleep", "1"], check=False), "Popen"),
        (lambda: os.execv("/bin/true", ["true"]), r"os\.execv"),
        (lambda: os.posix_spawn("/bin/true", ["true"], {}), r"os\.posix_spawn"),
        (lambda: os.system("true"), r"os\.system"),
        (multiprocessing.get_context("fork").Process(target=print).start, r"os\.fork"),
        (multiprocessing.get_context("spawn").Process(target=print).start, "spawnv_passfds"),
    ],
)
def test_a_unit_that_leaves_its_process_fails(leave: Callable[[], object], call: str) -> None:
    guard = Guard()

    with pytest.raises(NotAUnitError, match=call), guard.running():
        leave()


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("connect", (("192.0.2.1", 80),)),
        ("connect", (("2001:db8::1", 80, 0, 0),)),
        ("connect_ex", (("example.org", 80),)),
        ("sendto", (b"?", ("192.0.2.1", 53))),
        ("sendto", (b"?", 0, ("192.0.2.1", 53))),
    ],
)
def test_a_unit_that_leaves_this_machine_fails(method: str, arguments: tuple[object, ...]) -> None:
    guard = Guard()

    with socket.socket() as client, pytest.raises(NotAUnitError, match=method), guard.running():
        getattr(client, method)(*arguments)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_a_unit_may_connect_to_its_own_machine(host: str) -> None:
    guard = Guard()

    with guard.running(), suppress(OSError):
        socket.create_connection((host, free_port()), 1)


def test_a_unit_may_use_unix_sockets(tmp_path: Path) -> None:
    guard = Guard()

    with guard.running(), socket.socket(socket.AF_UNIX) as client, pytest.raises(FileNotFoundError):
        client.connect(str(tmp_path / "socket"))


def test_a_thread_that_leaves_the_process_fails_the_unit_too() -> None:
    guard = Guard()

    def fork() -> None:
        with suppress(NotAUnitError):
            os.fork()

    def unit() -> None:
        with guard.running():
            thread = threading.Thread(target=fork)
            thread.start()
            thread.join()

    with pytest.raises(NotAUnitError, match="fork"):
        unit()


def test_a_unit_must_not_import_tensorflow() -> None:
    guard = Guard()

    with pytest.raises(NotAUnitError, match=r"tensorflow\.nn"), guard.importing():
        guard.find_spec("tensorflow.nn")


def test_tensorflow_may_be_imported_outside_units() -> None:
    guard = Guard()
    with guard.running():
        pass

    guard.find_spec("tensorflow")


def test_the_guard_is_on_in_this_test(request: pytest.FixtureRequest) -> None:
    lanes = request.config.pluginmanager.get_plugin("lanes")

    assert isinstance(lanes, Lanes)
    assert lanes.guard.is_on


@pytest.mark.parametrize(
    ("source", "is_heavy"),
    [
        ("import tensorflow", True),
        ("import tensorflow as tf", True),
        ("from tensorflow.python.client import session", True),
        ("from tensorflow_serving.apis import predict_pb2", True),
        ("from tensorflow_serving.config import model_server_config_pb2", False),
        ("import tensorflows", False),
        ("with open('x'):\n    import keras", True),
        ("try:\n    pass\nfinally:\n    import keras", True),
        ("class A:\n    import keras", True),
        ("def f():\n    import keras", False),
        ("if TYPE_CHECKING:\n    import keras", False),
        ("from tfserving.runtime import tf", True),
        ("import tfserving.runtime", True),
        ("from tfserving import runtime", True),
        ("import tfserving", False),
    ],
)
def test_modules_that_import_tensorflow_are_recognised(source: str, is_heavy: bool, tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text(source)

    assert imports_tensorflow(module) is is_heavy


def test_parts_are_recognised_by_their_folder_or_their_imports() -> None:
    tests = ROOT / "tests"

    assert is_parts(tests / "e2e/test_page.py")
    assert is_parts(tests / "integration/test_faults.py")
    assert not is_parts(tests / "test_lanes.py")
    assert "tfserving/runtime.py" in heavy()
    folders = ("code", "job", "inference")
    only_in = ("tfserving/", *(f"training/{folder}/child/" for folder in folders))
    assert not [path for path in heavy() if not path.startswith(only_in)]


@pytest.mark.parametrize(
    ("module", "fixtures", "parameters", "outside"),
    [
        ("tests/e2e/test_page.py", (), {}, True),
        ("tests/consumer/test_main.py", ("tmp_path", "kafka_bootstrap"), {}, True),
        ("tests/integration/test_models.py", ("broker",), {"broker": "kafka"}, True),
        ("tests/integration/test_models.py", ("broker",), {"broker": "embedded"}, False),
        ("tests/consumer/test_main.py", ("tmp_path",), {}, False),
    ],
)
def test_a_folder_a_fixture_or_a_parameter_shows_what_needs_something_outside(
    module: str, fixtures: tuple[str, ...], parameters: dict[str, str], outside: bool
) -> None:
    item = SimpleNamespace(
        path=ROOT / module, fixturenames=fixtures, callspec=SimpleNamespace(params=parameters)
    )

    assert needs_outside(item) is outside  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("module", "fixtures", "cluster"),
    [
        ("tests/k8s/test_key.py", (), True),
        ("tests/e2e/test_images.py", ("engine", "images"), True),
        ("tests/e2e/test_page.py", ("firefox",), False),
    ],
)
def test_a_folder_or_a_fixture_shows_what_needs_images_or_a_cluster(
    module: str, fixtures: tuple[str, ...], cluster: bool
) -> None:
    item = SimpleNamespace(path=ROOT / module, fixturenames=fixtures)

    assert needs_cluster(item) is cluster  # type: ignore[arg-type]


def test_nothing_may_be_missing_from_a_test_without_the_mark() -> None:
    with pytest.raises(pytest.fail.Exception, match=r"pytest\.mark\.outside"):
        missing("openssl", "install it")


@pytest.mark.parametrize(("mark", "outcome"), [("", "failed"), ("outside", "skipped"), ("skipif", "skipped")])
def test_only_a_test_whose_marks_say_so_may_be_skipped(mark: str, outcome: str) -> None:
    item = SimpleNamespace(get_closest_marker=lambda name: name == mark)
    report = SimpleNamespace(skipped=True, outcome="skipped", longrepr="no curl")
    hook = Lanes(Guard(), only_units=False).pytest_runtest_makereport(item)  # type: ignore[arg-type]

    next(hook)
    with pytest.raises(StopIteration):
        hook.send(report)  # type: ignore[arg-type]

    assert report.outcome == outcome
    assert ("mark it" in report.longrepr) == (outcome == "failed")
