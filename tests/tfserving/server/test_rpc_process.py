"""The server as a process, over gRPC."""

import signal
import socket
import sys
import time
from pathlib import Path

import grpc
import numpy as np
import pytest
from tensorflow_serving.apis import get_model_status_pb2, model_management_pb2

from tests.parts import Process, free_port, wait_for
from tests.tfserving import toys
from tests.tfserving.server.rpc_client import Client, Status, request


class RpcProcess(Process):
    """The server with a toy model, over gRPC alone."""

    def __init__(self, base: Path, logs: Path, *flags: str) -> None:
        self.port = free_port()
        command = [sys.executable, "-m", "tfserving.server", f"--port={self.port}", "--model_name=toy"]
        super().__init__([*command, f"--model_base_path={base}", *flags], {}, logs / "rpc.log")

    def client(self) -> Client:
        """Return a client, when the server takes requests."""
        wait_for(lambda: f"Running gRPC ModelServer at 0.0.0.0:{self.port} ..." in self.text, 60, "the port")
        return Client(f"127.0.0.1:{self.port}")


def test_a_signal_ends_it_during_a_run(toy: Path, tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with RpcProcess(toy, tmp_path, f"--grpc_socket_path={path}") as server:
        client = server.client()
        for each in (client, Client(f"unix:{path}")):
            assert each.predictions.Predict(request(x=[1.0])).model_spec.version.value == 1
        endless = client.predictions.Predict.future(request("spin", turns=np.array([10**12])))
        client.predictions.Predict(request(x=[1.0]))  # on the same connection: the server has both by then
        server.signal(signal.SIGTERM)
        status = server.stop()

    assert status == 0
    assert endless.code() in {Status.CANCELLED, Status.UNAVAILABLE}
    assert "Traceback" not in server.text
    assert f"Running gRPC ModelServer at UNIX socket unix:{path} ..." in server.text


def test_active_requests_are_answered_before_it_ends(toy: Path, tmp_path: Path) -> None:
    with RpcProcess(toy, tmp_path) as server:
        client = server.client()
        client.predictions.Predict(request("spin", turns=np.array([1000])))
        started = time.monotonic()
        client.predictions.Predict(request("spin", turns=np.array([50_000])))
        turns = int(25_000 / (time.monotonic() - started))  # half a second
        spin = client.predictions.Predict.future(request("spin", turns=np.array([turns])))
        client.predictions.Predict(request(x=[1.0]))  # on the same connection: the server has both by then
        server.signal(signal.SIGTERM)

        assert spin.result(20).outputs["turns"].int64_val[0] == turns
        assert server.stop() == 0


def test_the_port_is_closed_until_there_is_a_version(toy: Path, tmp_path: Path) -> None:
    base = tmp_path / "models"
    base.mkdir()
    with RpcProcess(base, tmp_path) as server:
        wait_for(lambda: "No versions of servable toy found" in server.text, 60, "a line")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", server.port), timeout=5)
        (base / "1").symlink_to(toy / "1")

        assert server.client().predictions.Predict(request(x=[1.0]))


def test_a_reload_request_changes_the_served_models(toy: Path, tmp_path: Path) -> None:
    toys.save(tmp_path / "other/2", factor=3.0)
    config = {
        "model_config_list": {
            "config": [{"name": "new", "base_path": str(tmp_path / "other"), "model_platform": "tensorflow"}]
        }
    }
    with RpcProcess(toy, tmp_path) as server:
        client = server.client()

        answer = client.models.HandleReloadConfigRequest(
            model_management_pb2.ReloadConfigRequest(config=config)
        )
        predicted = client.predictions.Predict(request(model="new", x=[1.0]))
        config["model_config_list"]["config"] *= 2
        refused = client.models.HandleReloadConfigRequest.future(
            model_management_pb2.ReloadConfigRequest(config=config)
        )

        assert answer.HasField("status")
        assert answer.status.error_code == 0
        assert predicted.outputs["y"].float_val[0] == 3.0
        assert refused.code() == Status.INVALID_ARGUMENT
        assert refused.details() == "Illegal to list model new multiple times in config list"
        asked = get_model_status_pb2.GetModelStatusRequest(model_spec={"name": "toy"})
        wait_for(
            lambda: client.models.GetModelStatus(asked).model_version_status[0].state == 50,
            10,
            "the end of toy",
        )
        with pytest.raises(grpc.RpcError, match=r"Latest\(toy\)"):
            client.predictions.Predict(request(x=[1.0]))
