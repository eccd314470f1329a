"""What model servers and label files say."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

import numpy as np

from consumer.handlers.classify import Classify, ClassifyOptions
from consumer.handlers.detect import Detect, DetectOptions
from consumer.handlers.handler import Handler, Question
from consumer.labels.formats import parse
from consumer.labels.labels import Labels
from pipeline.model_server import serving_pb2 as messages
from pipeline.model_server import tensor_proto
from pipeline.model_server.errors import LONGEST_REASON, ModelError
from pipeline.model_server.grpc_client import parsed
from pipeline.model_server.rest_client import RestClient, outputs
from pipeline.model_server.tensors import Signature, Tensors
from pipeline.model_server.url import ModelUrl
from pipeline.wire.frame import Frame

_FRAME: Final = Frame("door", 1, 1, b"", 64, 48)
_NO_SIGNATURE: Final = Signature({}, {})
_LABELS: Final = Labels(("cat", "dog"))
_FILES: Final = ("", "labels.csv", "labels.tsv")
_HANDLERS: Final[Sequence[Handler[Any]]] = (
    Classify(ClassifyOptions(), lambda: _NO_SIGNATURE),
    Detect(DetectOptions(), lambda: _NO_SIGNATURE, report=lambda _: None),
)


class _Scripted(RestClient):
    """A client that is given the server's answers."""

    def __init__(self, answer: bytes) -> None:
        super().__init__(ModelUrl.parse("http://host/v1/models/m:predict"), 1)
        self._answer = answer

    def _get(self, what: str) -> bytes:  # noqa: ARG002
        return self._answer


def answer(data: bytes) -> None:
    """Read an answer of the REST API: to a prediction, or about a model's signature or state."""
    client = _Scripted(data)
    _check_reason(client.missing() or "")
    with suppress(ModelError):
        client.signature()
    with suppress(ModelError):
        _results(outputs(data))


def message(data: bytes) -> None:
    """Read a message of the gRPC API: an answer, or a signature."""
    for kind in (messages.PredictResponse, messages.SignatureDefMap, messages.GetModelStatusResponse):
        try:
            found = parsed(data, kind)
        except ValueError:
            continue
        if isinstance(found, messages.PredictResponse):
            tensors = {}
            for name, tensor in found.outputs.items():
                try:
                    tensors[name] = tensor_proto.array(tensor)
                except (ValueError, OverflowError):
                    continue
            _results(tensors)


def labels(data: bytes) -> None:
    """Read a file of labels. The first byte chooses its name."""
    with suppress(ValueError):
        found = parse(data[1:], _FILES[data[0] % len(_FILES)] if data else "")
        assert all(name.strip() for name in found.names)
        assert found.numbers is None or len(found.numbers) == len(found.names)


def _results(tensors: Tensors) -> None:
    """Let the handlers make results of an answer's tensors."""
    question = Question(_FRAME, {})
    for handler in _HANDLERS:
        try:
            results = handler.results(question, tensors, _LABELS)
        except ValueError:
            continue
        for result in results:
            assert 0 <= result.score <= 1
            if result.box:
                x, y, width, height = result.box
                assert 0 <= x < x + width <= _FRAME.width
                assert 0 <= y < y + height <= _FRAME.height


def _check_reason(text: str) -> None:
    assert text.isprintable()
    assert len(text) <= LONGEST_REASON


def answers() -> Sequence[bytes]:
    """Return valid answers of the REST API."""
    return [
        b'{"predictions": [[0.25, 0.75]]}',
        b'{"predictions": [{"classes": 1, "probabilities": [0.1, 0.9]}]}',
        b'{"predictions": [{"detection_boxes": [[0.1, 0.2, 0.3, 0.4]], "detection_scores": [0.9],'
        b' "detection_classes": [1.0], "num_detections": 1.0}]}',
        b'{"predictions": ["cat", "dog"]}',
        b'{"error": "Servable not found for request: Latest(m)"}',
        b'{"model_version_status": [{"version": "1", "state": "AVAILABLE",'
        b' "status": {"error_code": "OK", "error_message": ""}}]}',
        b'{"metadata": {"signature_def": {"signature_def": {"serving_default": {"inputs": {"x": {"dtype":'
        b' "DT_FLOAT", "tensor_shape": {"dim": [{"size": "-1"}],'
        b' "unknown_rank": false}}}, "outputs": {}}}}}}',
    ]


def messages_() -> Sequence[bytes]:
    """Return valid messages of the gRPC API."""
    predicted = messages.PredictResponse()
    for name, tensor in {
        "detection_boxes": np.array([[[0.1, 0.2, 0.3, 0.4]]], np.float32),
        "detection_scores": np.array([[0.9]], np.float32),
        "detection_classes": np.array([[1.0]], np.float32),
    }.items():
        predicted.outputs[name].CopyFrom(tensor_proto.message(tensor))
    texts = messages.PredictResponse()
    texts.outputs["y"].CopyFrom(tensor_proto.message(np.array([b"cat"], object)))
    values = messages.PredictResponse()
    values.outputs["y"].CopyFrom(
        messages.Tensor(dtype=1, tensor_shape={"dim": [{"size": 1}, {"size": 2}]}, float_val=[0.25, 0.75])
    )
    status = messages.GetModelStatusResponse(model_version_status=[{"version": 1, "state": 30}])
    return [each.SerializeToString() for each in (predicted, texts, values, status)]


def files() -> Sequence[bytes]:
    """Return valid files of labels."""
    return [
        b'\0["cat", "dog"]',
        b'\0{"0": "cat", "1": "dog"}',
        b'\0{"cat": 0, "dog": 1}',
        b'\0{"categories": [{"id": 1, "name": "cat"}]}',
        b'\0{"0": ["n01440764", "tench"]}',
        b"\0cat\ndog\n",
        b"\0000 cat\n1 dog\n",
        b"\0n01440764 tench, Tinca tinca\n",
        b"\0/m/011k07,Tortoise\n",
        b"\1id,name\n1,cat\n2,dog\n",
        b"\0item {\n  id: 1\n  display_name: 'cat'\n}\n",
        b"\0" + "cat\ndog\n".encode("utf-16"),
    ]
