"""The embedded broker, with real clients in another process."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from compose import broker
from compose.broker import Broker
from compose.errors import BrokerError
from tests.parts import ROOT, Process, embedded_broker, wait_for
from tests.topic import held, write

COMMAND = [sys.executable, "-m", "compose.broker"]

CLIENT = """
import json, sys, time
from confluent_kafka import Consumer, Producer

address, topic = sys.argv[1:]
producer = Producer({"bootstrap.servers": address})
partitions = {name: len(found.partitions) for name, found in producer.list_topics(timeout=20).topics.items()}
producer.produce(topic, b"picture" * 100_000, key="door", headers={"seq": b"17"})
producer.flush(20)
consumer = Consumer({"bootstrap.servers": address, "group.id": "g", "auto.offset.reset": "earliest"})
assigned = []
begun = time.monotonic()
consumer.subscribe([topic], on_assign=lambda _, partitions: assigned.extend(partitions))
while not assigned and time.monotonic() < begun + 20:
    consumer.poll(0.05)
seconds = time.monotonic() - begun
message = None
while message is None and time.monotonic() < begun + 40:
    message = consumer.poll(0.1)
consumer.close()
print(json.dumps({
    "partitions": partitions,
    "assigned": len(assigned),
    "seconds": seconds,
    "key": message.key().decode(),
    "size": len(message.value()),
    "seq": dict(message.headers())["seq"].decode(),
}))
"""


def announced(process: Process) -> str:
    """Return the address that a broker tells."""
    found = wait_for(lambda: re.search("KAFKA_BOOTSTRAP=(.*)\n", process.text), 20, "the broker")
    return str(found[1])


def client(address: str, topic: str) -> dict[str, object]:
    """Return the findings of a client in another process."""
    command = [sys.executable, "-c", CLIENT, address, topic]
    found: dict[str, object] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return found


@pytest.mark.parts
def test_clients_of_another_process_find_the_topics_and_are_assigned_at_once() -> None:
    with Broker({"videocam": 3, "videodisplay": 8}) as started:
        found = client(started.bootstrap, "videocam")

    assert found["partitions"] == {"videocam": 3, "videodisplay": 8}
    assert found["assigned"] == 3
    assert float(str(found["seconds"])) < 1.5, "by default a group waits 3 s for more members"
    assert (found["key"], found["size"], found["seq"]) == ("door", 700_000, "17")


@pytest.mark.parts
def test_it_runs_as_a_process(tmp_path: Path) -> None:
    with embedded_broker(tmp_path) as (address, process):
        found = client(address, "new")
        assert found["assigned"] == 4
        assert process.stop(5) == 0
        assert process.text == f"KAFKA_BOOTSTRAP={address}\n", "librdkafka is silent"


@pytest.mark.parts
def test_what_it_keeps_is_there_when_it_runs_again(tmp_path: Path) -> None:
    found = []
    for text in ("first", "second", "third"):
        command = [*COMMAND, "--keep=logouts:1"]
        log = tmp_path / f"{text}.log"
        with Process(command, {"STATEFOLDER": f" {tmp_path / 'state'} "}, log) as process:
            address = announced(process)
            found.append(held(address, "logouts"))
            write(address, "logouts", (b"key", text.encode()))
            assert process.stop(5) == 0
            assert process.text == f"KAFKA_BOOTSTRAP={address}\n"

    assert found == [[], [(b"key", b"first")], [(b"key", b"second")]]


@pytest.mark.parts
def test_it_runs_without_keeping_anything_if_the_folder_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    command = [*COMMAND, "--keep=logouts:1"]
    with Process(command, {"STATEFOLDER": str(tmp_path / "file")}, tmp_path / "log") as process:
        assert held(announced(process), "logouts") == []
        assert process.stop(5) == 0

    assert "python -m compose.broker: what topic logouts holds is not kept" in process.text


@pytest.mark.parts
def test_ctrl_c_ends_it() -> None:
    command = [*COMMAND, "--topic", "a:2"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("KAFKA_BOOTSTRAP=")
        process.send_signal(signal.SIGINT)

        assert process.wait(5) == 0


@pytest.mark.parts
def test_it_dies_with_its_parent() -> None:
    code = f"import subprocess, time; subprocess.Popen({COMMAND}, cwd={str(ROOT)!r}); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline().startswith("KAFKA_BOOTSTRAP=")
        os.kill(parent.pid, signal.SIGKILL)

        assert parent.stdout.read() == "", "the pipe ends with the last process that holds it"


@pytest.mark.parametrize(
    "topic", ["videocam", "videocam:", ":3", "videocam:0", "videocam:x", "videocam:99999"]
)
def test_an_invalid_topic_is_one_line(topic: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        broker.main([f"--topic={topic}"])

    (line,) = capsys.readouterr().err.splitlines()
    assert ended.value.code == 2
    assert f"--topic: {topic!r}: expected NAME:PARTITIONS" in line


def test_it_tells_its_address_and_runs_until_a_signal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    waited: list[float] = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr("compose.broker.time", SimpleNamespace(sleep=wait))  # not for other threads
    try:
        assert broker.main(["--topic=videocam:4", "--topic=videodisplay:8"]) == 0
    finally:
        for number, handler in zip((signal.SIGTERM, signal.SIGINT), before, strict=True):
            signal.signal(number, handler)

    assert capsys.readouterr().out.startswith(broker.ANNOUNCEMENT)
    assert len(waited) == 1


def test_a_broker_that_cannot_be_started_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(broker, "_FUNCTIONS", {"rd_kafka_no_such_function": (None, ())})
    try:
        assert broker.main([]) == 2
    finally:
        for number, handler in zip((signal.SIGTERM, signal.SIGINT), before, strict=True):
            signal.signal(number, handler)

    (line,) = capsys.readouterr().err.splitlines()
    assert "rd_kafka_no_such_function" in line


def test_closing_twice_does_no_harm() -> None:
    started = Broker()
    started.close()
    started.close()


def test_without_the_client_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "confluent_kafka", None)

    with pytest.raises(BrokerError, match="confluent_kafka"):
        Broker()


def test_a_client_library_without_a_mock_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker, "_FUNCTIONS", {"rd_kafka_no_such_function": (None, ())})

    with pytest.raises(BrokerError, match="rd_kafka_no_such_function"):
        Broker()
