"""Clients of gRPC that send too much, too slowly, or nothing, next to one that sends an ordinary request."""

import socket
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from tensorflow_serving.apis import predict_pb2

from pipeline.wire import protobuf
from tests.networks import MANY_ADDRESSES
from tests.tfserving.server.rpc_client import Client, Status, failure, request
from tfserving.runtime import tf
from tfserving.server.models.catalog import Catalog
from tfserving.server.rpc import methods
from tfserving.server.rpc.methods import LARGEST_REQUEST
from tfserving.server.rpc.options import RpcOptions
from tfserving.server.rpc.server import RpcServer

PATIENCE = 20.0
PREDICT = b"/tensorflow.serving.PredictionService/Predict"
DATA, HEADERS, RST_STREAM, SETTINGS, GOAWAY = 0, 1, 3, 4, 7


class Slow:
    """A connection on which requests begin, and do not end."""

    def __init__(self, port: int, source: str = "127.0.0.1") -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE, (source, 0))
        self.socket.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0, b""))
        self._stream = -1

    def begin(self, length: int, sent: int = 0) -> None:
        """Send the beginning of a request whose message has a declared length."""
        self._stream += 2
        fields = {
            b":method": b"POST",
            b":scheme": b"http",
            b":path": PREDICT,
            b":authority": b"a",
            b"t\x65": b"trailers",
            b"content-type": b"application/grpc",
        }
        block = b"".join(b"\0" + bytes([len(k)]) + k + bytes([len(v)]) + v for k, v in fields.items())
        self.socket.sendall(frame(HEADERS, 4, self._stream, block))
        self.socket.sendall(frame(DATA, 0, self._stream, b"\0" + length.to_bytes(4) + bytes(sent)))

    def complete(self, length: int) -> None:
        """Send the rest of the last request."""
        self.socket.sendall(frame(DATA, 1, self._stream, bytes(length)))

    def ends(self) -> int:
        """Wait for the end of a request; return the type of the frame that says so."""
        while True:
            head = self._exactly(9)
            body = self._exactly(int.from_bytes(head[:3]))
            if head[3] in (RST_STREAM, GOAWAY) or (head[3] == HEADERS and head[4] & 1):
                self.trailers = body
                return head[3]

    def _exactly(self, length: int) -> bytes:
        data = b""
        while len(data) < length:
            more = self.socket.recv(length - len(data))
            assert more, "the connection was closed"
            data += more
        return data


def frame(kind: int, flags: int, stream: int, body: bytes) -> bytes:
    return len(body).to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4) + body


@pytest.fixture(scope="module")
def port(rpc_catalog: Catalog) -> Iterator[int]:
    server = RpcServer(rpc_catalog, RpcOptions(threads=2))
    yield server.start()
    server.close()


@pytest.fixture
def client(port: int) -> Iterator[Client]:
    client = Client(f"127.0.0.1:{port}")
    yield client
    client.channel.close()


@pytest.fixture
def slow(port: int) -> Iterator[Slow]:
    slow = Slow(port)
    yield slow
    slow.socket.close()


def good(client: Client) -> bool:
    answer = client.predictions.Predict(request(x=[1.0]), timeout=PATIENCE)
    return list(answer.outputs["y"].float_val) == [2.0]


@pytest.mark.exceeds("tfserving.server.rpc.methods.MOST_ARRIVING")
def test_requests_that_never_arrive_hold_up_no_other(
    slow: Slow, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(methods, "LONGEST_ARRIVAL", 600.0)
    for _ in range(methods.MOST_ARRIVING + 1):
        slow.begin(100, sent=10)

    assert slow.ends()
    assert all(good(client) for _ in range(5))


@MANY_ADDRESSES
def test_slow_requests_of_one_client_end_none_of_another(
    port: int, slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(methods, "LONGEST_ARRIVAL", 600.0)
    other = Slow(port, "127.0.0.2")
    other.begin(100, sent=10)
    for _ in range(methods.MOST_ARRIVING):
        slow.begin(100, sent=10)
    assert slow.ends()

    other.complete(90)

    assert other.ends() == HEADERS
    assert b"Invalid PredictRequest" in other.trailers
    other.socket.close()


@pytest.mark.exceeds("tfserving.server.rpc.methods.LONGEST_ARRIVAL")
def test_a_request_that_never_arrives_is_given_up(slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(methods, "LONGEST_ARRIVAL", 0.2)
    slow.begin(100)

    assert slow.ends()


@pytest.mark.exceeds("tfserving.server.rpc.methods.LARGEST_REQUEST")
def test_a_message_is_refused_by_its_declared_length(slow: Slow, client: Client) -> None:
    slow.begin(LARGEST_REQUEST + 1)

    assert slow.ends() == HEADERS
    assert b"Received message larger than max" in slow.trailers
    assert (
        failure(client.predictions.Predict, request(s=[bytes(LARGEST_REQUEST)]))[0]
        == Status.RESOURCE_EXHAUSTED
    )
    assert good(client)


def test_a_client_that_goes_away_frees_its_thread(client: Client) -> None:
    calls = [
        client.predictions.Predict.future(request("spin", turns=np.array([10**12])), timeout=0.2)
        for _ in range(6)
    ]

    assert {call.exception().code() for call in calls} == {Status.DEADLINE_EXCEEDED}
    assert good(client)


@pytest.mark.exceeds("pipeline.wire.protobuf.MOST_FIELDS")
def test_a_message_that_would_grow_when_it_is_parsed_is_refused(client: Client) -> None:
    asked = request(x=[1.0]).SerializeToString() + b"\x12\0" * protobuf.MOST_FIELDS
    call = client.channel.unary_unary(PREDICT.decode(), bytes, bytes)

    code, text = failure(call, asked, timeout=PATIENCE)

    assert code == Status.INVALID_ARGUMENT
    assert "at most 100000 fields" in text
    assert good(client)


@pytest.mark.parametrize("data", [b"\xff\xff", b"\x0a\x05", b"\x0b\x0c"])
def test_bytes_that_are_not_a_message_are_refused(client: Client, data: bytes) -> None:
    code, text = failure(client.channel.unary_unary(PREDICT.decode(), bytes, bytes), data, timeout=PATIENCE)

    assert (code, "Invalid PredictRequest" in text) == (Status.INVALID_ARGUMENT, True)


@pytest.mark.parametrize(
    "shape", [[2**31, 0], [-1], [2**62], [2**62, 2**62], [0, 2**62], [2**20, 2**20], [1] * 65, [0] * 100]
)
@pytest.mark.exceeds("tfserving.server.graph.sizes.MOST_ELEMENTS")
def test_a_shape_that_no_memory_holds_is_refused(client: Client, shape: list[int]) -> None:
    proto = predict_pb2.PredictRequest().inputs["x"]
    proto.dtype = tf.float32.as_datatype_enum
    for size in shape:
        proto.tensor_shape.dim.add(size=size)

    assert failure(client.predictions.Predict, request(x=proto), timeout=PATIENCE) == (
        Status.INVALID_ARGUMENT,
        "tensor parsing error: x",
    )


@pytest.mark.exceeds(
    "tfserving.server.graph.sizes.MOST_STRINGS", "tfserving.server.graph.sizes.LARGEST_FILLED"
)
@pytest.mark.parametrize(
    ("alias", "dtype", "size"), [("s", tf.string, 100_001), ("x", tf.float32, 10_000_000)]
)
def test_a_tensor_that_would_be_filled_up_to_any_size_is_refused(
    client: Client, alias: str, dtype: Any, size: int
) -> None:
    proto = predict_pb2.PredictRequest().inputs["x"]
    proto.dtype = dtype.as_datatype_enum
    proto.tensor_shape.dim.add(size=size)
    asked = request("join" if alias == "s" else "", **{alias: proto})

    code, text = failure(client.predictions.Predict, asked, timeout=PATIENCE)

    assert (code, text) == (Status.INVALID_ARGUMENT, f"tensor parsing error: {alias}")


def test_many_requests_at_once_are_all_answered(client: Client) -> None:
    answers: list[bool] = []
    threads = [threading.Thread(target=lambda: answers.append(good(client))) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)

    assert answers == [True] * 40
