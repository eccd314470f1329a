"""What clients send to the stand-in for TensorFlow Serving, which runs a real graph."""

import atexit
import json
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Final

from tfserving.server.errors import Code, ServingError
from tfserving.server.graph import pictures
from tfserving.server.json.values import strings

_VERBS: Final = ("predict", "classify", "regress")
_METHODS: Final = ("Predict", "Classify", "Regress", "MultiInference", "GetModelMetadata", "GetModelStatus")
_SECONDS: Final = 0.3  # for a run


def rest(data: bytes) -> None:
    """Send a body over REST. The first byte chooses the verb."""
    from tfserving.server.rest import api
    from tfserving.server.rest.route import Route

    verb = _VERBS[data[0] % len(_VERBS) if data else 0]
    with suppress(ServingError):
        text = api.answer(_catalog(), Route(verb, "toy"), data[1:])
        assert json.loads(text.decode("utf-8", "replace"))


def grpc(data: bytes) -> None:
    """Send a message over gRPC. The first byte chooses the method."""
    from tfserving.server.rpc import methods
    from tfserving.server.rpc.calls import Call

    kind, method = _services()[data[0] % len(_METHODS) if data else 0]
    answer, code, message = methods._outcome(kind, method, Call(_SECONDS), data[1:])
    assert code != Code.INTERNAL, message
    assert isinstance(answer, bytes) == (code == Code.OK)


def memory(data: bytes) -> None:
    """Measure the pictures in a string of a request."""
    with suppress(ServingError):
        assert pictures.memory([strings([data])]) >= 0


@cache
def _catalog() -> Any:
    from tests.tfserving import toys
    from tfserving.server.graph.saved import Runtime, SavedModel
    from tfserving.server.models.catalog import Catalog
    from tfserving.server.models.model import Model
    from tfserving.server.models.versions import Retries

    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    toys.save(folder / "1")
    runtime = Runtime(timeout_ms=round(1000 * _SECONDS))
    catalog = Catalog([Model("toy", folder, lambda path: SavedModel(path, runtime), Retries())])
    catalog.poll()
    return catalog


@cache
def _services() -> Sequence[tuple[Any, Any]]:
    from google.protobuf.message_factory import GetMessageClass
    from tensorflow_serving.apis import model_service_pb2, prediction_service_pb2

    from tfserving.server.rpc.model_service import ModelService
    from tfserving.server.rpc.prediction_service import PredictionService

    services = {
        **prediction_service_pb2.DESCRIPTOR.services_by_name,
        **model_service_pb2.DESCRIPTOR.services_by_name,
    }
    kinds = {
        method.name: GetMessageClass(method.input_type)
        for service in services.values()
        for method in service.methods
    }
    servicers = PredictionService(_catalog()), ModelService(_catalog())
    return [
        (kinds[name], next(getattr(each, name) for each in servicers if hasattr(each, name)))
        for name in _METHODS
    ]


def bodies() -> Sequence[bytes]:
    """Return valid bodies of REST requests."""
    return [
        b'\0{"instances": [1.0, 2.5]}',
        b'\0{"inputs": {"x": [1.0]}}',
        b'\0{"signature_name": "two", "instances": [{"a": 1, "b": 2}, {"a": 3, "b": 4}]}',
        b'\0{"signature_name": "join", "instances": [{"b64": "QUI="}, "text"]}',
        b'\0{"signature_name": "matrix", "inputs": [[1, 2], [3, 4]]}',
        b'\0{"signature_name": "spin", "instances": [3]}',
        b'\0{"signature_name": "uint8", "instances": [3, -Infinity, NaN, 1e400]}',
        b'\1{"signature_name": "classify", "examples": [{"x": 0.5}], "context": {"y": [1, "a"]}}',
        b'\2{"signature_name": "regress", "examples": [{"x": [0.5]}, {"x": 1.0}]}',
    ]


def requests() -> Sequence[bytes]:
    """Return valid messages of gRPC requests, written by hand: TensorFlow may not be imported yet."""
    spec = b"\x0a\x05\x0a\x03toy"
    one = b"\x0a\x01x\x12\x10\x08\x01\x12\x04\x12\x02\x08\x02\x22\x08\0\0\x80\x3f\0\0\0\x40"
    example = b"\x0a\x0d\x0a\x0b\x0a\x01x\x12\x06\x12\x04\x0a\x02\0\0"
    return [
        b"\0" + spec + b"\x12" + bytes([len(one)]) + one,
        b"\0" + spec + b"\x1a\x01y",
        b"\1\x0a\x0f\x0a\x03toy\x1a\x08classify\x12\x13\x0a\x11\x0a\x0f" + example,
        b"\2\x0a\x0e\x0a\x03toy\x1a\x07regress\x12\x13\x0a\x11\x0a\x0f" + example,
        b"\3\x0a\x20\x0a\x0e\x0a\x03toy\x1a\x07regress\x12\x0etensorflow/abc\x12\x13\x0a\x11\x0a\x0f"
        + example,
        b"\4" + spec + b"\x12\x0dsignature_def",
        b"\5" + spec,
    ]


def examples(pictures: Sequence[bytes]) -> Sequence[bytes]:
    """Return pictures of at most 16 KiB, each also within a serialized Example and a SequenceExample."""
    return [
        text
        for picture in pictures
        for text in (picture, _nested(picture, 1, 1, 2, 1, 1), _nested(picture, 2, 1, 2, 1, 1, 1))
    ]


def _nested(text: bytes, *fields: int) -> bytes:
    for field in reversed(fields):
        text = bytes([field << 3 | 2, len(text) & 0x7F | 0x80, len(text) >> 7]) + text
    return text
