"""The original system's own environment, from its manifests and its Compose file, works unchanged.

Only hosts, ports and the labels' path differ here.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from pipeline.wire.picture import decode
from tests.integration.conftest import RtspCamera
from tests.parts import LABELS, ModelServer, Service, embedded_broker, free_port, get, reads, wait_for

STREAM = "/vod/mp4:BigBuckBunny_175k.mov"

PRODUCER = {
    "TOPICNAME": "videocam",
    "KAFKAPORT": "{kafka}",
    "COMPRESSIONTYPE": "gzip",
    "VIDEOLINK": "rtsp://{rtsp}" + STREAM,
    "FRAMEINTERVAL": "42ms",
}
# The ConfigMap's values span two lines, with spaces at their ends.
MODELS = '{{"imagenet_1":"http://{models}/v1/models/tfModel:predict", \n'
MODELS += '"imagenet_2":"http://{models}/v1/models/tfModel:predict"}}  \n'
FILES = '{{"imagenet_1":"{labels}", \n"imagenet_2":"{labels}"}}  \n'
CONSUMER = {
    "TOPICNAMEIN": "videocam",
    "TOPICNAMEOUT": "videodisplay",
    "KAFKAPORTIN": "{kafka}",
    "KAFKAPORTOUT": "{kafka}",
    "GROUPNAME": "goconsumer",
    "COMPRESSIONTYPE": "gzip",
    "MODELURLS": MODELS,
    "LABELURLS": FILES,
}
VIDEO = {
    "TOPICNAME": "videodisplay",
    "KAFKAPORT": "{kafka}",
    "GROUPNAME": "govideo",
    "DISPLAYPORT": ":{page}",
    "NODEPORT": ":30163",
    "FRAMEINTERVAL": "10ms",
}
MANIFESTS = {"producer": PRODUCER, "consumer": CONSUMER, "video": VIDEO}
COMPOSE = {**MANIFESTS, "producer": {**PRODUCER, "VIDEODEVICE": "0"}}


@pytest.fixture
def places(rtsp_camera: RtspCamera, model_folder: Path, tmp_path: Path) -> Iterator[dict[str, str]]:
    """What the environment refers to, running: its hosts and ports, and the path of the labels."""
    labels = tmp_path / "imagenetLabels.json"
    labels.write_text(
        json.dumps({str(index): label for index, label in enumerate(json.loads(LABELS.read_text()))})
    )
    rtsp = free_port()
    with ExitStack() as stack:
        kafka, _ = stack.enter_context(embedded_broker(tmp_path))
        models = ModelServer(model_folder, free_port(), tmp_path, model="tfModel")
        stack.enter_context(models)
        camera = stack.enter_context(rtsp_camera(rtsp, STREAM))
        wait_for(lambda: "serving" in camera.text, 20, "the RTSP server")
        yield {
            "kafka": kafka,
            "models": models.base.removeprefix("http://"),
            "labels": str(labels),
            "rtsp": f"127.0.0.1:{rtsp}",
            "page": str(free_port()),
        }


@pytest.mark.parametrize("environment", [MANIFESTS, COMPOSE], ids=["manifests", "compose"])
def test_each_service_does_its_work_with_the_originals_environment(
    environment: dict[str, dict[str, str]], places: dict[str, str], tmp_path: Path
) -> None:
    page = f"http://127.0.0.1:{places['page']}"

    def camera() -> dict[str, Any]:
        fields: dict[str, Any] = json.loads(reads(f"{page}/api/cameras/camera") or b"{}")
        return fields

    def labelled() -> bool:
        predictions = camera().get("predictions", [])
        return [each["model"] for each in predictions if each["results"]] == ["imagenet_1", "imagenet_2"]

    with ExitStack() as stack:
        services = [
            stack.enter_context(
                Service(name, {key: value.format(**places) for key, value in settings.items()}, tmp_path)
            )
            for name, settings in environment.items()
        ]
        for service in services:
            service.ready()
        wait_for(labelled, 60, "both models' labels on the picture")

        assert decode(get(f"{page}/snapshot/camera.jpg")).shape == (272, 640, 3)
        assert camera()["predictions"][0]["results"][0]["label"] in json.loads(LABELS.read_text())
        output = "".join(service.text for service in services)
        assert "is not a setting" not in output
        assert "Traceback" not in output
        assert [service.stop() for service in services] == [0, 0, 0]
