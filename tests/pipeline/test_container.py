"""What only containers use: how a service is started as process 1, and how its health is asked for."""

import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from pipeline import probe
from pipeline.flow.ledger import Ledger
from pipeline.service.health import HealthServer
from pipeline.service.values import Address
from tests.parts import ROOT, Process, free_port, wait_for

# A service that takes its time to import.
SLOW = """
import time
print("importing", flush=True)
time.sleep(60)
"""


@pytest.mark.parts
def test_a_service_ends_at_once_also_while_it_is_imported(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(SLOW)
    command = [sys.executable, "-u", "-m", "pipeline", "slow"]

    with Process(command, {"PYTHONPATH": str(tmp_path)}, tmp_path / "log") as slow:
        wait_for(lambda: "importing" in slow.text, 10, "the import")
        slow.signal(signal.SIGTERM)

        assert slow.stop(5) == 0


@pytest.mark.parts
def test_a_service_runs_as_by_its_own_name(tmp_path: Path) -> None:
    (tmp_path / "service.py").write_text("import sys; print(__name__, len(sys.argv))")
    command = [sys.executable, "-m", "pipeline", "service"]

    with Process(command, {"PYTHONPATH": str(tmp_path)}, tmp_path / "log") as service:
        wait_for(lambda: service.text, 10, "its output")

        assert service.text == "__main__ 1\n"


@pytest.mark.parts
@pytest.mark.parametrize("arguments", [[], ["producer", "consumer"]])
def test_without_one_name_it_says_what_is_wanted(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "pipeline", *arguments]

    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert run.returncode == 1
    assert run.stderr == "usage: python -m pipeline producer|consumer|video|training\n"


@pytest.mark.parametrize(
    ("arguments", "answer", "status"),
    [([], 200, 0), ([], 503, 1), (["/readyz"], 200, 0), (["/readyz"], 503, 1)],
)
def test_the_probe_tells_what_the_service_answers(
    arguments: list[str],
    answer: int,
    status: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = []

    class Health(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(answer)
            self.end_headers()
            self.wfile.write(b"this is how it is\n")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Health) as server:
        threading.Thread(target=server.handle_request).start()
        monkeypatch.setenv("HEALTHPORT", f'":{server.server_port}"\n')

        assert probe.main(*arguments) == status

    assert asked == (arguments or ["/healthz"])
    assert capsys.readouterr().out == "this is how it is\n"


@pytest.mark.parametrize("form", ["", "[{}]"])
def test_the_probe_asks_over_ipv6(form: str, ipv6: str, monkeypatch: pytest.MonkeyPatch) -> None:
    address = Address(ipv6, 0)
    server = HealthServer(address, alive=lambda: None, ready=lambda: None, ledger=Ledger())
    server.start()
    monkeypatch.setenv("HEALTHPORT", f"{form.format(ipv6)}:{server.port}")

    assert probe.main() == 0

    server.stop()


def test_the_probe_tells_that_nobody_answers(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HEALTHPORT", f"127.0.0.1:{free_port()}")

    assert probe.main() == 1

    assert "no answer on HEALTHPORT" in capsys.readouterr().out
