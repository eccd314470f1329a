"""Asking a server over gRPC that speaks TensorFlow Serving's own messages."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import numpy as np
import pytest

from pipeline.model_server.grpc_client import GrpcClient
from pipeline.model_server.tensors import TensorInfo
from pipeline.model_server.url import ModelUrl
from tfserving.runtime import tf

# The messages are TensorFlow's, which has to be imported quietly first.
from tensorflow_serving.apis import (  # isort: skip
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)
from tensorflow.core.protobuf import meta_graph_pb2  # isort: skip


class Server(
    prediction_service_pb2_grpc.PredictionServiceServicer,  # type: ignore[misc]
    model_service_pb2_grpc.ModelServiceServicer,  # type: ignore[misc]
):
    """Doubles x, and has one signature and one available version."""

    def Predict(self, request: Any, _: object) -> Any:  # noqa: N802
        assert (request.model_spec.name, request.model_spec.version.value) == ("imagenet", 7)
        response = predict_pb2.PredictResponse()
        response.outputs["y"].CopyFrom(tf.make_tensor_proto(2 * tf.make_ndarray(request.inputs["x"])))
        return response

    def GetModelMetadata(self, request: Any, _: object) -> Any:  # noqa: N802
        assert request.metadata_field == ["signature_def"]
        definitions = get_model_metadata_pb2.SignatureDefMap()
        definition = definitions.signature_def["serving_default"]
        shape = tf.TensorShape([None, 64, 64, 1]).as_proto()
        definition.inputs["x"].CopyFrom(meta_graph_pb2.TensorInfo(name="x:0", dtype=1, tensor_shape=shape))
        unknown = tf.TensorShape(None).as_proto()
        definition.outputs["y"].CopyFrom(meta_graph_pb2.TensorInfo(name="y:0", dtype=9, tensor_shape=unknown))
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        response.metadata["signature_def"].Pack(definitions)
        return response

    def GetModelStatus(self, _: object, __: object) -> Any:  # noqa: N802
        return get_model_status_pb2.GetModelStatusResponse(model_version_status=[{"version": 7, "state": 30}])


@pytest.fixture(scope="module")
def client() -> Iterator[GrpcClient]:
    """A client of such a server."""
    server = grpc.server(ThreadPoolExecutor(1))
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(Server(), server)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(Server(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    client = GrpcClient(ModelUrl.parse(f"grpc://127.0.0.1:{port}/v1/models/imagenet/versions/7"), 10)
    yield client
    client.close()
    server.stop(None).wait(10)


def test_a_prediction(client: GrpcClient) -> None:
    answer = client.predict({"x": np.array([1.5, 2.5], np.float32)})

    assert answer["y"].tolist() == [3, 5]


def test_the_signature(client: GrpcClient) -> None:
    signature = client.signature()

    assert signature.inputs == {"x": TensorInfo("float32", (-1, 64, 64, 1))}
    assert signature.outputs == {"y": TensorInfo("int64", None)}


def test_the_status(client: GrpcClient) -> None:
    assert client.missing() is None
