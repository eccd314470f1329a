"""Cameras that are changed at one video server, on a real Kafka."""

import json
import re
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from uuid import uuid4

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, ConfigResource  # type: ignore[attr-defined]

from pipeline.cameras.seal import new_key
from tests.parts import Service, free_port, wait_for
from tests.video.fakes import GREY

LINK = "rtsp://admin:geheim99@192.168.1.20/stream1"


def send(page: str, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    """Return the status and the JSON of an answer."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        page + path, data, {"Content-Type": "application/json", **headers}, method=method
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def test_what_one_server_stores_the_others_show(kafka_bootstrap: str, tmp_path: Path) -> None:
    name = f"cameras-{uuid4().hex[:8]}"
    frames = f"display-{uuid4().hex[:8]}"
    variables = {
        "KAFKAPORT": kafka_bootstrap,
        "TOPICNAME": frames,
        "CAMERASTOPIC": name,
        "CAMERASKEY": new_key(),
        "TOPICNAMESTATUS": f"status-{uuid4().hex[:8]}",
    }

    def serve(tag: str) -> tuple[Service, str]:
        port = free_port()
        settings = {**variables, "DISPLAYPORT": f"127.0.0.1:{port}", "NODEPORT": f":{port}"}
        service = Service("video", settings, tmp_path, tag)
        return service, f"http://127.0.0.1:{port}/"

    def is_known(page: str, camera: str) -> bool:
        try:
            return send(page, "GET", f"api/cameras/{camera}")[0] == 200
        except OSError:
            return False

    first, here = serve("1")
    second, there = serve("2")
    with first, second:

        def is_added() -> bool:
            try:
                return send(here, "PUT", "api/cameras/door", {"link": LINK, "group": "In"})[0] in {200, 201}
            except OSError:
                return False

        wait_for(is_added, 60, "the first camera")
        wait_for(lambda: is_known(there, "door"), 30, "the other server")
        status, camera = send(there, "GET", "api/cameras/door")
        assert (status, camera["group"]) == (200, "In")
        assert camera["config"]["link"] == "rtsp://admin:***@192.168.1.20/stream1"

        admin = AdminClient({"bootstrap.servers": kafka_bootstrap})
        resource = ConfigResource(ConfigResource.Type.TOPIC, name)
        (described,) = admin.describe_configs([resource]).values()
        assert described.result()["cleanup.policy"].value == "compact"

        kafka = Producer({"bootstrap.servers": kafka_bootstrap})
        kafka.produce(frames, key=b"door", value=GREY, headers={"captured": b"%d" % time.time_ns()})
        kafka.flush(10)
        wait_for(lambda: send(there, "GET", "api/cameras/door")[1]["state"] == "live", 30, "a frame")

        link = re.search(r"to change cameras from another machine: http://\S+/\?token=(\S+)", first.text)
        assert link is not None
        elsewhere = {"X-Forwarded-For": "192.0.2.1"}
        bearer = {**elsewhere, "Authorization": f"Bearer {link[1]}"}
        assert send(here, "DELETE", "api/cameras/door", **elsewhere)[0] == 403
        assert send(here, "DELETE", "api/cameras/door", **bearer)[0] == 204
        assert send(here, "GET", "api/cameras/door")[0] == 404
        wait_for(lambda: not is_known(there, "door"), 30, "the camera's end")
        assert send(here, "POST", "api/cameras", {"name": "yard", "link": LINK})[0] == 201
        assert "geheim99" not in first.text + second.text
        assert first.text.count(link[1]) == 1

    later, page = serve("3")
    with later:
        wait_for(lambda: is_known(page, "yard"), 60, "the camera after a restart")
        assert send(page, "GET", "api/cameras")[1][0]["name"] == "yard"
