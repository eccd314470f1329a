"""TensorFlow Serving's client, and requests for it."""

from typing import Any

import grpc
from tensorflow_serving.apis import (
    inference_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from tests.tfserving.server.rpc_calls import failure
from tfserving.runtime import tf

__all__ = ["Client", "Status", "asking", "examples", "failure", "request"]

Status = grpc.StatusCode


class Client:
    """Both services over one connection."""

    def __init__(self, where: str | grpc.Channel) -> None:
        unlimited = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
        self.channel = grpc.insecure_channel(where, unlimited) if isinstance(where, str) else where
        self.predictions: Any = prediction_service_pb2_grpc.PredictionServiceStub(self.channel)
        self.models: Any = model_service_pb2_grpc.ModelServiceStub(self.channel)


def request(signature: str = "", model: str = "toy", **inputs: Any) -> Any:
    """Return a PredictRequest; values that are not a TensorProto are converted."""
    asked = predict_pb2.PredictRequest()
    asked.model_spec.name = model
    asked.model_spec.signature_name = signature
    for alias, value in inputs.items():
        proto = value if hasattr(value, "tensor_shape") else tf.make_tensor_proto(value)
        asked.inputs[alias].CopyFrom(proto)
    return asked


def examples(*values: float | None, context: float | None = None, feature: str = "x") -> Any:
    """Return an Input with an Example for each value of the feature."""
    features = [
        tf.train.Example(
            features={"feature": {feature: {"float_list": {"value": [value]}}}} if value is not None else {}
        )
        for value in (*values, context)
    ]
    source = inference_pb2.MultiInferenceRequest().input
    if context is None:
        source.example_list.examples.extend(features[:-1])
    else:
        source.example_list_with_context.examples.extend(features[:-1])
        source.example_list_with_context.context.CopyFrom(features[-1])
    return source


def asking(kind: Any, signature: str, source: Any = None, model: str = "tasks") -> Any:
    """Return a ClassificationRequest or a RegressionRequest."""
    asked = kind()
    asked.model_spec.name, asked.model_spec.signature_name = model, signature
    if source is not None:
        asked.input.CopyFrom(source)
    return asked
