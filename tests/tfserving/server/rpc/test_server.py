"""The gRPC server over real connections."""

import threading
import time
from typing import Any

import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tensorflow_serving.apis import (
    session_service_pb2,
)

from tests.tfserving.server.rpc_client import Client, Status, failure, request
from tfserving.server.errors import Code
from tfserving.server.models.catalog import Catalog
from tfserving.server.monitoring.monitoring import Monitor
from tfserving.server.rpc.options import RpcOptions
from tfserving.server.rpc.server import RpcServer


def test_a_long_message_is_truncated(client: Client) -> None:
    _, text = failure(client.predictions.Predict, request("é" * 2000, x=[1.0]))

    assert text.startswith('Serving signature key "éé')
    assert text.endswith("é...TRUNCATED")
    assert len(text.removesuffix("...TRUNCATED").encode()) in {1023, 1024}


def test_a_deadline_ends_the_run(client: Client) -> None:
    asked = request("spin", turns=np.array([10**12]))
    started = time.monotonic()

    # More than there are threads: each has to be freed.
    for _ in range(9):
        assert failure(client.predictions.Predict, asked, timeout=0.2)[0] == Status.DEADLINE_EXCEEDED

    assert client.predictions.Predict(request(x=[1.0]), timeout=5)
    assert time.monotonic() - started < 10


def test_concurrent_requests_are_answered(client: Client) -> None:
    answers: list[Any] = []
    threads = [
        threading.Thread(target=lambda: answers.append(client.predictions.Predict(request(x=[1.0]))))
        for _ in range(30)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert [answer.outputs["y"].float_val[0] for answer in answers] == [2.0] * 30


def test_health(client: Client) -> None:
    stub = health_pb2_grpc.HealthStub(client.channel)
    serving = health_pb2.HealthCheckResponse.SERVING

    for name in ("", "ModelService", "PredictionService"):
        assert stub.Check(health_pb2.HealthCheckRequest(service=name)).status == serving
    got, _ = failure(stub.Check, health_pb2.HealthCheckRequest(service="nope"))
    assert got == Status.NOT_FOUND


def test_there_is_no_session_service(client: Client) -> None:
    run = client.channel.unary_unary(
        "/tensorflow.serving.SessionService/SessionRun",
        session_service_pb2.SessionRunRequest.SerializeToString,
        session_service_pb2.SessionRunResponse.FromString,
    )

    assert failure(run, session_service_pb2.SessionRunRequest())[0] == Status.UNIMPLEMENTED


def test_requests_are_counted(client: Client, rpc_monitor: Monitor) -> None:
    client.predictions.Predict(request(x=[1.0]))
    failure(client.predictions.Predict, request(model="uncounted"))

    text = rpc_monitor.text().decode()
    assert ':tensorflow:serving:request_count{model_name="uncounted",status="NOT_FOUND"} 1\n' in text
    assert ':request_latency_count{model_name="toy",API="Predict",entrypoint="GRPC"} ' in text
    assert ':runtime_latency_count{model_name="toy",API="Predict",runtime="TF1"} ' in text


def test_tensors_can_be_returned_as_content(rpc_catalog: Catalog) -> None:
    server = RpcServer(rpc_catalog, RpcOptions(as_content=True))
    client = Client(f"127.0.0.1:{server.start()}")

    output = client.predictions.Predict(request(x=[1.0, 2.0])).outputs["y"]

    assert not output.float_val
    assert np.frombuffer(output.tensor_content, np.float32).tolist() == [2.0, 4.0]
    client.channel.close()
    server.close()


def test_a_taken_port_is_reported(rpc_catalog: Catalog) -> None:
    server, other = RpcServer(rpc_catalog, RpcOptions()), None
    port = server.start()
    try:
        other = RpcServer(rpc_catalog, RpcOptions(port=port))
        with pytest.raises(OSError, match=f"0.0.0.0:{port} cannot be bound for gRPC"):
            other.start()
    finally:
        server.close()
        if other:
            other.close()


def test_all_status_codes_are_those_of_grpc() -> None:
    assert {code.name: int(code) for code in Code} == {code.name: code.value[0] for code in Status}
