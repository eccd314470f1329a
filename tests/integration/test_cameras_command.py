"""The command for cameras, with a real Kafka and real RTSP cameras."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from confluent_kafka.admin import AclOperation, AdminClient  # type: ignore[attr-defined]
from confluent_kafka.cimpl import NewTopic

from pipeline.wire import picture
from producer.cameras.settings import CommandSettings
from tests.guarded import GuardedKafka
from tests.integration.conftest import RtspCamera
from tests.integration.test_capture import RTSP_CAMERA
from tests.parts import ROOT, Process, free_port, wait_for

LINK = "rtsp://joe:hunter2@192.168.1.20/stream1"


def command(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run a command with these settings only."""
    ours = {name.upper() for name in CommandSettings.model_fields}
    return subprocess.run(
        [sys.executable, "-m", "producer.cameras", *arguments],
        cwd=ROOT,
        env={**{name: value for name, value in os.environ.items() if name not in ours}, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_topic_is_created_for_cameras(kafka_bootstrap: str) -> None:
    topic = f"cameras-{free_port()}"
    settings = {"KAFKAPORT": kafka_bootstrap, "CAMERASTOPIC": topic}

    added = command("add", "door", LINK, **settings)
    ran = command("list", "--json", **settings)

    assert added.returncode == 0, added.stderr
    assert "warning" not in added.stderr + ran.stderr
    assert [each["name"] for each in json.loads(ran.stdout)] == ["door"]
    assert command("remove", "door", **settings).returncode == 0
    assert json.loads(command("list", "--json", **settings).stdout) == []


def test_a_topic_without_compaction_is_warned_of(kafka_bootstrap: str) -> None:
    topic = f"cameras-{free_port()}"
    admin = AdminClient({"bootstrap.servers": kafka_bootstrap})
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result()
    settings = {"KAFKAPORT": kafka_bootstrap, "CAMERASTOPIC": topic}

    added = command("add", "door", LINK, **settings)

    assert added.returncode == 0
    for ran in (added, command("list", **settings)):
        (line,) = (line for line in ran.stderr.splitlines() if "warning" in line)
        assert f"topic {topic} has cleanup.policy=delete" in line
        assert f"--entity-name {topic} --add-config cleanup.policy=compact" in line


def test_missing_rights_are_named(guarded_kafka: GuardedKafka) -> None:
    topic = f"cameras-{free_port()}"
    guarded_kafka.create(topic)
    settings = {
        "KAFKAPORT": guarded_kafka.ports["SASL_PLAINTEXT"],
        "CAMERASTOPIC": topic,
        "KAFKACONFIG": json.dumps(guarded_kafka.login),
    }
    wrong = {**settings, "KAFKACONFIG": json.dumps({**guarded_kafka.login, "sasl.password": "hunter2"})}

    refused = command("list", **wrong)
    guarded_kafka.allow(AclOperation.READ, topic)
    guarded_kafka.allow(AclOperation.DESCRIBE, topic)
    wait_for(lambda: command("list", "--json", **settings).returncode == 0, 60, "the right to read")
    added = command("add", "door", LINK, **settings)

    assert (refused.returncode, added.returncode) == (1, 1)
    assert "does not accept this user" in refused.stderr
    assert "hunter2" not in refused.stderr + added.stderr
    assert "does not permit this user to write topic" in added.stderr
    assert len(added.stderr.splitlines()) == 1


def test_an_rtsp_camera_is_checked(rtsp_camera: RtspCamera) -> None:
    port = free_port()
    with rtsp_camera(port) as camera:
        wait_for(lambda: "serving" in camera.text, 60, "the RTSP server")
        ran = command("check", f"rtsp://127.0.0.1:{port}/camera")
        missing = command("check", f"rtsp://127.0.0.1:{port}/other")

    assert ran.returncode == 0, ran.stderr
    assert "H.264, decoded" in ran.stdout
    assert "640 x 272" in ran.stdout
    assert "opened after" in ran.stderr
    assert missing.returncode == 1
    assert "the camera has nothing at this path" in missing.stderr
    assert "hint: " in missing.stderr


def test_jpegs_over_rtsp_pass_undecoded(system_python: str, tmp_path: Path) -> None:
    noise = np.random.default_rng(1)
    for number in range(8):
        image = noise.integers(0, 256, (240, 320, 3), np.uint8)
        (tmp_path / f"{number:04d}.jpg").write_bytes(picture.encode(image, 85))
    port = free_port()
    camera = [system_python, "-c", RTSP_CAMERA, str(port), str(tmp_path / "%04d.jpg")]
    with Process(camera, {}, tmp_path / "rtsp.log") as serving:
        wait_for(lambda: "serving" in serving.text, 60, "the RTSP server")
        ran = command("check", f"rtsp://127.0.0.1:{port}/camera")

    assert ran.returncode == 0, ran.stderr
    assert "Motion JPEG, published undecoded" in ran.stdout
    assert "320 x 240" in ran.stdout


@pytest.mark.parametrize("way", [("list",), ("add", "door", LINK)])
def test_kafka_that_is_away_is_named(way: tuple[str, ...]) -> None:
    ran = command(*way, KAFKAPORT=f"127.0.0.1:{free_port()}")

    assert ran.returncode == 1
    assert "Kafka does not answer" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert len(ran.stderr.splitlines()) == 1
