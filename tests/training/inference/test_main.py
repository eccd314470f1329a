"""A replica with its own wiring: without Kafka and a model it starts, says what is missing, and ends."""

import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError

import pytest

from pipeline.service import process
from pipeline.service.settings import load
from pipeline.service.values import Address
from tests.parts import free_port, get, reads, wait_for
from tests.training.inference.test_settings import GIVEN
from tests.training.job.fakes import FakeService
from training.code.supervise import StoppedError
from training.inference import __main__ as main
from training.inference.settings import InferenceSettings


@pytest.fixture
def handlers() -> Iterator[None]:
    """Put the process' own signal handlers back afterwards."""
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.fixture
def fake() -> Iterator[FakeService]:
    found = FakeService()
    yield found
    found.close()


def settings(monkeypatch: pytest.MonkeyPatch, **changes: str) -> InferenceSettings:
    for name in InferenceSettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    kafka = f"127.0.0.1:{free_port()}"
    given = {**GIVEN, "INPUT_BOOTSTRAP_SERVERS": kafka, "OUTPUT_BOOTSTRAP_SERVERS": kafka, **changes}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return load(InferenceSettings)


@pytest.mark.usefixtures("handlers")
def test_it_says_what_is_missing_and_ends_on_sigterm(
    fake: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    health = f"127.0.0.1:{free_port()}"
    given = settings(
        monkeypatch,
        HEALTHPORT=health,
        MODELSERVER=f"http://127.0.0.1:{free_port()}/v1/models/m:predict",
        INFERENCE_URL=fake.url.replace("results", "inferences"),
    )
    monkeypatch.setattr(process, "tune", lambda: None)  # of this process, others would run slower
    reasons: list[str] = []
    thread_of_main = threading.main_thread().ident or 0

    def look() -> None:
        try:
            wait_for(lambda: reads(f"http://{health}/healthz"), 20, "the replica")
            wait_for(lambda: fake.sent("/inferences/7/progress"), 20, "a report")
            try:
                get(f"http://{health}/readyz")
            except HTTPError as unready:
                reasons.append(unready.read().decode())
        finally:
            signal.pthread_kill(thread_of_main, signal.SIGTERM)

    thread = threading.Thread(target=look)
    thread.start()
    status = main.serve(given)
    thread.join()

    assert status == 0
    assert len(reasons) == 1
    assert "cannot connect" in reasons[0] or "has not been asked" in reasons[0]
    assert health.encode() in fake.sent("/inferences/7/progress")[0]


def test_the_files_of_a_model_are_fetched(
    fake: FakeService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopping = threading.Event()
    urls = {"MODEL_URL": fake.url, "MODEL_ARCH_URL": fake.url}

    keras = main._fetch(settings(monkeypatch, **urls), stopping, tmp_path)
    torch = main._fetch(settings(monkeypatch, FRAMEWORK="pth", **urls), stopping, tmp_path)

    parts = {"distributed": False, "both": False}
    assert keras == {"framework": "tf", **parts, "model": str(tmp_path / "model.h5")}
    assert torch.keys() == {"framework", *parts, "model", "code"}
    assert {Path(path).read_bytes() for path in (keras["model"], torch["model"], torch["code"])} == {
        b"untrained"
    }


def test_fetching_ends_with_the_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stopping = threading.Event()
    stopping.set()
    given = settings(monkeypatch, MODEL_URL=f"http://127.0.0.1:{free_port()}/results/model/1")

    with pytest.raises(StoppedError):
        main._fetch(given, stopping, tmp_path)


def test_on_every_interface_the_machines_name_says_where_it_is() -> None:
    name = socket.gethostname()

    assert [main._host(Address.parse(each)) for each in (":9000", "0.0.0.0:1", "[::]:1", "10.0.0.7:1")] == [
        *(name, name, name),
        "10.0.0.7",
    ]


def test_a_part_of_a_chain_gives_both_outputs_and_has_a_topic_above(
    fake: FakeService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kafka = f"127.0.0.1:{free_port()}"
    upper = {"LIMIT": "0.9", "OUTPUT_UPPER": "up", "UPPER_BOOTSTRAP_SERVERS": kafka}
    given = settings(monkeypatch, DISTRIBUTED="true", MODEL_URL=fake.url, UPPERAWAY="leave", **upper)

    about = main._fetch(given, threading.Event(), tmp_path)
    made = main._upper(given)

    assert (about["distributed"], about["both"]) == (True, True)
    assert made is not None
    made.close()
    assert main._upper(settings(monkeypatch)) is None
