"""Each service with its own wiring: without Kafka it starts, says what is missing, and ends."""

import importlib
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError

import pytest

from pipeline.service import process
from pipeline.service.settings import load
from tests.parts import free_port, get, reads, wait_for

INTERRUPTED = """
import importlib.abc, os, runpy, signal, sys

class Interrupt(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == sys.argv[1] + ".settings":
            os.kill(os.getpid(), signal.SIGINT)

signal.signal(signal.SIGINT, signal.default_int_handler)
sys.meta_path.insert(0, Interrupt())
runpy.run_module(sys.argv[1], run_name="__main__")
"""


@pytest.fixture
def kafka() -> str:
    """The address of a Kafka that is not there."""
    return f"127.0.0.1:{free_port()}"


@pytest.fixture
def settings(kafka: str, tmp_path: Path) -> dict[str, dict[str, str]]:
    """Enough settings for each service."""
    labels = tmp_path / "labels.json"
    labels.write_text('["tench"]')
    url = f"http://127.0.0.1:{free_port()}/v1/models/imagenet:predict"
    return {
        "producer": {"VIDEOLINK": str(tmp_path / "none.mp4"), "KAFKAPORT": kafka},
        "consumer": {
            "KAFKAPORTIN": kafka,
            "KAFKAPORTOUT": kafka,
            "MODELURLS": json.dumps({"imagenet_1": url}),
            "LABELURLS": json.dumps({"imagenet_1": str(labels)}),
            "TOPICNAMEPREDICTIONS": "predictions",
        },
        "video": {"KAFKAPORT": kafka, "DISPLAYPORT": f"127.0.0.1:{free_port()}"},
        "training": {
            "KAFKAPORT": kafka,
            "DISPLAYPORT": f"127.0.0.1:{free_port()}",
            "DATAFOLDER": str(tmp_path / "training"),
            "STATEFOLDER": str(tmp_path / "state"),
        },
    }


@pytest.fixture
def handlers() -> Iterator[None]:
    """Put the process' own signal handlers back afterwards."""
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.mark.usefixtures("handlers")
@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("producer", "camera"),
        ("consumer", "topic"),
        ("video", "topic"),
        ("training", "Kafka does not answer"),
    ],
)
def test_a_service_says_what_is_missing_and_ends_on_sigterm(
    name: str, missing: str, settings: dict[str, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    module = importlib.import_module(f"{name}.__main__")
    kind = getattr(importlib.import_module(f"{name}.settings"), f"{name.capitalize()}Settings")
    health = f"127.0.0.1:{free_port()}"
    for variable in kind.model_fields:
        monkeypatch.delenv(variable.upper(), raising=False)
    for variable, value in {"HEALTHPORT": health, **settings[name]}.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setattr(process, "tune", lambda: None)  # of this process, others would run slower
    reasons: list[str] = []
    main = threading.main_thread().ident or 0

    def unready() -> str:
        try:
            get(f"http://{health}/readyz")
        except HTTPError as error:
            return error.read().decode()
        return ""

    def look() -> None:
        try:
            wait_for(lambda: reads(f"http://{health}/healthz"), 20, "the service")
            reasons.append(wait_for(unready, 20, "what is missing"))
        finally:
            signal.pthread_kill(main, signal.SIGTERM)

    thread = threading.Thread(target=look)
    thread.start()
    status = module.serve(load(kind))
    thread.join()

    assert status == 0
    assert len(reasons) == 1
    assert missing in reasons[0]


@pytest.mark.parts
@pytest.mark.parametrize("name", ["producer", "consumer", "video", "training"])
def test_ctrl_c_during_the_imports_ends_a_service_without_a_word(name: str) -> None:
    run = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, name], capture_output=True, text=True, timeout=60, check=False
    )

    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
