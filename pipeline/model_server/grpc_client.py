"""Asks a model over TensorFlow Serving's gRPC API.

https://github.com/tensorflow/serving/tree/master/tensorflow_serving/apis
"""

import re
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

import grpc
from google.protobuf.message import DecodeError, Message

from pipeline.model_server import serving_pb2 as messages
from pipeline.model_server import tensor_proto
from pipeline.model_server.connection import LARGEST_ANSWER, LIFETIME, TRIES, remedy, shown
from pipeline.model_server.errors import ModelError, unavailable
from pipeline.model_server.login import NO_LOGIN, Login
from pipeline.model_server.tensors import Array, Signature, TensorInfo, Tensors
from pipeline.model_server.url import ModelUrl
from pipeline.wire import protobuf

_PREDICT: Final = "/tensorflow.serving.PredictionService/Predict"
_METADATA: Final = "/tensorflow.serving.PredictionService/GetModelMetadata"
_STATUS: Final = "/tensorflow.serving.ModelService/GetModelStatus"
_STATES: Final = {10: "START", 20: "LOADING", 30: "AVAILABLE", 40: "UNLOADING", 50: "END"}
_PORT: Final = 8500

_CHANNEL: Final = [
    ("grpc.max_receive_message_length", LARGEST_ANSWER),
    ("grpc.max_send_message_length", -1),
    ("grpc.enable_retries", 0),
    # Otherwise channels to one address share a connection, and so a single one of a Service's pods.
    ("grpc.use_local_subchannel_pool", 1),
]
_REFUSALS: Final = {grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.OUT_OF_RANGE}

_Answer = TypeVar("_Answer", bound=Message)


class GrpcClient:
    """Asks the model at a URL such as `grpc://host:8500/v1/models/imagenet`; for one thread.

    `signature` and `missing` use their own channels, so any thread may call them.
    """

    def __init__(
        self,
        url: ModelUrl,
        timeout: float,
        login: Login = NO_LOGIN,
        *,
        reconnected: Callable[[], object] = lambda: None,
    ) -> None:
        """Call `reconnected` whenever the server answers again after a connection was lost."""
        self._url = url
        self._login = login
        self._timeout = timeout
        self._address = url.host if re.search(r":\d+$", url.host) else f"{url.host}:{_PORT}"
        self._spec = messages.ModelSpec(name=url.name)
        if url.version is not None:
            self._spec.version.value = url.version
        if url.label:
            self._spec.version_label = url.label
        self.version: int | None = None
        self._channel: grpc.Channel | None = None
        self._opened = 0.0
        self._reconnected = reconnected
        self._has_answered = self._is_lost = False

    def predict(self, inputs: Tensors, wanted: Sequence[str] = ()) -> dict[str, Array]:
        """Return the `wanted` outputs for a batch, or all; raise ModelError if there is no valid answer."""
        request = messages.PredictRequest(model_spec=self._spec, output_filter=wanted)
        for name, array in inputs.items():
            request.inputs[name].CopyFrom(tensor_proto.message(array))
        answer = self._ask(_PREDICT, request, messages.PredictResponse)
        self.version = answer.model_spec.version.value if answer.model_spec.HasField("version") else None
        try:
            return {name: tensor_proto.array(tensor) for name, tensor in answer.outputs.items()}
        except (ValueError, OverflowError) as error:
            raise ModelError("nonsense", f"invalid answer: {error}") from None

    def signature(self) -> Signature:
        """Return the model's signature; raise ModelError if it is not available."""
        request = messages.GetModelMetadataRequest(model_spec=self._spec, metadata_field=["signature_def"])
        answer = self._ask_apart(_METADATA, request, messages.GetModelMetadataResponse)
        try:
            signatures = parsed(
                answer.metadata["signature_def"].value, messages.SignatureDefMap
            ).signature_def
        except ValueError as error:
            raise ModelError("nonsense", f"invalid metadata: {error}") from None
        if "serving_default" not in signatures:
            raise ModelError("nonsense", "the metadata has no signature serving_default")
        definition = signatures["serving_default"]
        return Signature(
            {name: _info(info) for name, info in definition.inputs.items()},
            {name: _info(info) for name, info in definition.outputs.items()},
        )

    def missing(self) -> str | None:
        """Return why the server does not offer the model, or None."""
        request = messages.GetModelStatusRequest(model_spec=self._spec)
        try:
            answer = self._ask_apart(_STATUS, request, messages.GetModelStatusResponse)
        except ModelError as error:
            return str(error)
        states = [_STATES.get(version.state, "UNKNOWN") for version in answer.model_version_status]
        return None if "AVAILABLE" in states else str(unavailable(states))

    def close(self) -> None:
        """Close the connection; the next request opens it again."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None

    def _ask_apart(self, method: str, request: Message, kind: type[_Answer]) -> _Answer:
        client = GrpcClient(self._url, min(1.0, self._timeout), self._login)
        try:
            return client._ask(method, request, kind)
        finally:
            client.close()

    def _ask(self, method: str, request: Message, kind: type[_Answer]) -> _Answer:
        deadline = time.monotonic() + self._timeout
        if time.monotonic() > self._opened + LIFETIME:
            self.close()
        try:
            answer = self._exchange(method, request, deadline)
        except grpc.RpcError as error:
            raise self._explained(error) from None
        try:
            return parsed(answer, kind)
        except ValueError as error:
            raise ModelError("nonsense", f"invalid answer: {error}") from None

    def _exchange(self, method: str, request: Message, deadline: float) -> bytes:
        for _ in range(TRIES - 1):
            try:
                return self._try(method, request, deadline)
            except grpc.RpcError as error:
                if error.code() != grpc.StatusCode.UNAVAILABLE or time.monotonic() > deadline:
                    raise
                self._lose()
        return self._try(method, request, deadline)

    def _try(self, method: str, request: Message, deadline: float) -> bytes:
        if self._channel is None:
            self._channel = self._open()
            self._opened = time.monotonic()
        call = self._channel.unary_unary(method, type(request).SerializeToString, bytes)
        login = self._login.header()
        metadata = (("authorization", login),) if login else None
        answer: bytes = call(request, timeout=max(0.0, deadline - time.monotonic()), metadata=metadata)
        if self._is_lost:
            self._is_lost = False
            self._reconnected()
        self._has_answered = True
        return answer

    def _lose(self) -> None:
        """Close a connection that has failed, or could not be made."""
        self._is_lost = self._has_answered
        self.close()

    def _open(self) -> grpc.Channel:
        if self._url.scheme == "grpcs":
            return grpc.secure_channel(self._address, grpc.ssl_channel_credentials(), _CHANNEL)
        return grpc.insecure_channel(self._address, _CHANNEL)

    def _explained(self, error: Any) -> ModelError:
        code, details = error.code(), shown(str(error.details() or "").encode(errors="replace"))
        if code == grpc.StatusCode.DEADLINE_EXCEEDED:
            return ModelError("timeout", f"no answer within {self._timeout:g} s")
        if code == grpc.StatusCode.UNAVAILABLE:
            self._lose()
            if "HTTP/2" in details:
                details = (
                    "its port does not speak gRPC: set the port for gRPC, 8500 by default, or a URL http://"
                )
            return ModelError("unreachable", details)
        too_long = code == grpc.StatusCode.RESOURCE_EXHAUSTED and "message larger than max" in details
        if too_long and "CLIENT" in details:
            return ModelError("too_large", f"the answer is longer than {LARGEST_ANSWER >> 20} MiB")
        kind = f"grpc_{code.name.lower()}"
        said = f"the server answered {code.name}: {details}"
        is_unknown = code == grpc.StatusCode.UNAUTHENTICATED
        said += remedy(said, has_login=self._login != NO_LOGIN, is_unknown=is_unknown)
        return ModelError(kind, said, refused=too_long or code in _REFUSALS)


def parsed(data: bytes, kind: type[_Answer]) -> _Answer:
    """Return a message; raise ValueError if it is invalid, or much larger than its bytes."""
    protobuf.check(data, kind.DESCRIPTOR)
    try:
        return kind.FromString(data)
    except DecodeError as error:
        raise ValueError(error) from None


def _info(info: messages.TensorInfo) -> TensorInfo:
    shape = info.tensor_shape
    sizes = None if shape.unknown_rank else tuple(dim.size for dim in shape.dim)
    return TensorInfo(tensor_proto.DTYPES.get(info.dtype, "unknown"), sizes)
