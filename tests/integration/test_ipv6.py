"""The whole pipeline on a network with IPv6 only, and on one without IPv6."""

import json
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.compatibility.over_http import motion, parts
from tests.compatibility.pictures import JPEGS
from tests.integration.conftest import Pipeline
from tests.networks import Network
from tests.parts import LABELS, ROOT, ModelServer, Process, Service, free_port, wait_for
from tests.producer.sources.http import web


def probed(network: Network, service: Service) -> str:
    """Return what a container's health check prints on this network."""
    health = service.health.removeprefix("http://")
    command = network.command("env", f"HEALTHPORT={health}", sys.executable, "-m", "pipeline.probe")
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False).stdout


def test_the_whole_pipeline_runs_with_ipv6_only(
    ipv6_network: Network, ipv6_broker: str, clips: Path, model_folder: Path, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        camera = stack.enter_context(web.Server({"/": motion(parts(JPEGS))}, "::"))
        files = {"/labels.json": web.body(LABELS.read_bytes(), "application/json")}
        labels = stack.enter_context(web.Server(files, ipv6_network.here))
        models = stack.enter_context(ModelServer(model_folder, free_port(), tmp_path, network=ipv6_network))
        pipeline = Pipeline(ipv6_broker, tmp_path, stack.enter_context, ipv6_network)
        page = pipeline.display.rpartition(":")[2]
        places = json.dumps({"imagenet_1": f"http://{labels.host}/labels.json", "imagenet_2": str(LABELS)})

        pipeline.producer("bikes", clips / "bikes.mp4")
        pipeline.producer("door", f"http://[fe80::1%25eth0]:{camera.server_port}/")
        consumer = pipeline.consumer(models.url, f"{models.grpc}imagenet", LABELURLS=places)
        video = pipeline.video(DISPLAYPORT=f":{page}").ready(60)

        wait_for(lambda: labelled_by(pipeline.camera("bikes")) == {"imagenet_1", "imagenet_2"}, 60, "labels")
        wait_for(lambda: pipeline.camera("door").get("state") == "live", 60, "the other camera")
        assert pipeline.snapshot("door").startswith(b"\xff\xd8")
        assert probed(ipv6_network, consumer) == probed(ipv6_network, video) == "ok\n"


def labelled_by(camera: dict[str, Any]) -> set[str]:
    """Return the models whose labels a camera has."""
    return {each["model"] for each in camera.get("predictions", []) if each["results"]}


@pytest.mark.usefixtures("model_folder")
def test_the_whole_pipeline_runs_without_ipv6(own_network: Network, tmp_path: Path) -> None:
    off = "echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6; cat /proc/net/if_inet6"
    assert subprocess.check_output(own_network.command("sh", "-c", off)) == b""
    command = own_network.command(sys.executable, "-m", "compose", "--no-training")

    with Process(command, {}, tmp_path / "compose.log") as run:
        wait_for(lambda: "ready: http://127.0.0.1:30163/" in run.text, 120, "the page")

        assert run.stop(20) == 0
