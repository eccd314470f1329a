"""Servers whose answers would take more memory or time than they should."""

import json
from typing import Any

import numpy as np
import pytest

from consumer.handlers.detect import MOST_DETECTIONS, Detect, DetectOptions
from consumer.handlers.emonet import Emonet, EmonetOptions
from consumer.handlers.handler import Question
from consumer.handlers.image_input import LONGEST_SIDE, image_input
from consumer.labels.labels import Labels
from pipeline.model_server import connection, rest_client, serving_pb2, tensor_proto
from pipeline.model_server.errors import ModelError
from pipeline.model_server.grpc_client import parsed
from pipeline.model_server.tensors import Signature, TensorInfo
from pipeline.model_server.url import ModelUrl
from pipeline.service import masking
from pipeline.wire import protobuf
from pipeline.wire.frame import Frame
from tests.consumer.fakes import Connection, ScriptedServer, reply

PATH = "/v1/models/imagenet:predict"
FRAME = Frame("door", 1, 1, b"", 64, 48)


@pytest.mark.exceeds(
    "pipeline.model_server.connection.MOST_NUMBERS", "pipeline.model_server.connection.MOST_LISTS"
)
@pytest.mark.parametrize(
    "text",
    [
        b'{"predictions": [' + b"1," * connection.MOST_NUMBERS + b"1, 1]}",
        b'{"predictions": [' + b"[]," * connection.MOST_LISTS + b"[]]}",
        b'{"predictions": [' + b"[" * connection.MOST_LISTS,
        b'{"predictions": [' + b'{"":1},' * connection.MOST_LISTS + b"{}]}",
    ],
)
def test_json_that_would_grow_when_it_is_parsed_is_nonsense(text: bytes) -> None:
    with pytest.raises(ModelError) as caught:
        rest_client.outputs(text)

    assert caught.value.kind == "nonsense"


def test_a_long_string_does_not_make_room_for_as_many_of_its_length() -> None:
    names = ["x" * 1_000_000, *["y"] * 100_000]

    answer = rest_client.outputs(json.dumps({"predictions": names}).encode())

    assert answer[""].shape == (100_001,)
    assert answer[""].dtype == object


@pytest.mark.parametrize(
    "text",
    [
        b'{"predictions": [1, "a"]}',
        b'{"predictions": [[1], ["a"]]}',
        b'{"predictions": [{"a": 1}, {"a": "b"}]}',
    ],
)
def test_numbers_and_strings_in_one_tensor_are_nonsense(text: bytes) -> None:
    with pytest.raises(ModelError, match="invalid answer"):
        rest_client.outputs(text)


@pytest.mark.exceeds("pipeline.wire.protobuf.MOST_FIELDS")
@pytest.mark.parametrize(
    "tensor",
    [
        {"string_val": [b""] * 1001},
        {"bool_val": [False] * 64 * 1001},
        {"int_val": [1] * 64 * 1001},
        {"tensor_shape": {"dim": [{}] * 1001}},
    ],
)
def test_a_message_that_would_grow_when_it_is_parsed_is_invalid(
    monkeypatch: pytest.MonkeyPatch, tensor: Any
) -> None:
    monkeypatch.setattr(protobuf, "MOST_FIELDS", 1000)
    answer = serving_pb2.PredictResponse()
    answer.outputs["y"].CopyFrom(serving_pb2.Tensor(**tensor))

    with pytest.raises(ValueError, match="at most 1000 fields and elements"):
        parsed(answer.SerializeToString(), serving_pb2.PredictResponse)


@pytest.mark.parametrize("tensor", [{"float_val": [1.0] * 16_000}, {"tensor_content": bytes(64_000)}])
def test_numbers_that_take_no_more_memory_than_their_bytes_are_not_counted(
    monkeypatch: pytest.MonkeyPatch, tensor: Any
) -> None:
    monkeypatch.setattr(protobuf, "MOST_FIELDS", 10)
    answer = serving_pb2.PredictResponse()
    answer.outputs["y"].CopyFrom(serving_pb2.Tensor(**tensor))

    assert parsed(answer.SerializeToString(), serving_pb2.PredictResponse) == answer


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x0a\0" * 100_001, "at most 100000 fields"),
        (b"\x0b\x0c", "no groups"),
        (b"\x0a\x7f", "Error parsing"),
    ],
)
def test_bytes_that_are_not_a_message_are_invalid(data: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parsed(data, serving_pb2.PredictResponse)


@pytest.mark.exceeds("pipeline.model_server.tensor_proto.MOST_DIMENSIONS")
def test_a_tensor_with_too_many_dimensions_is_an_error() -> None:
    tensor = serving_pb2.Tensor(dtype=1, tensor_shape={"dim": [{"size": 2**62}] * 90_000})

    with pytest.raises(ValueError, match="at most 64 dimensions"):
        tensor_proto.array(tensor)


@pytest.mark.parametrize("end", ["\x1b[2J\x07", "\n\r\u2028\u202e", "\ud800", "x" * 10_000])
def test_what_a_server_says_becomes_one_line_that_a_terminal_can_show(end: str) -> None:
    text = json.dumps({"error": "no such model" + end}).encode()

    with (
        ScriptedServer(reply(500, text)) as server,
        pytest.raises(ModelError, match="no such model") as caught,
    ):
        Connection(server.base, 10).ask(PATH, b"question")

    assert str(caught.value).isprintable()


@pytest.mark.exceeds("pipeline.wire.text._LONGEST_REASON")
def test_the_text_of_an_error_is_cut() -> None:
    assert len(str(ModelError("broken", "x" * 10_000))) == 500


@pytest.mark.usefixtures("nothing_known")
def test_a_secret_is_hidden_before_a_text_is_cut() -> None:
    masking.remember("correct-horse-battery-staple")

    said = str(ModelError("http_500", "x " * 243 + "correct-horse-battery-staple" + " y" * 100))

    assert "correct" not in said
    assert len(said) == 500


def test_a_question_that_is_too_large_for_the_server_is_refused() -> None:
    with ScriptedServer(reply(413, b"{}")) as server, pytest.raises(ModelError) as caught:
        Connection(server.base, 10).ask(PATH, b"question")

    assert caught.value.refused


@pytest.mark.parametrize("number", ["-1", str(2**63), "9" * 4000, "1e400", "Infinity", "NaN", '"x"', "null"])
def test_a_version_that_is_not_a_valid_number_is_nonsense(number: str) -> None:
    text = f'{{"model_version_status": [{{"version": {number}, "state": "AVAILABLE"}}]}}'.encode()

    with ScriptedServer(reply(200, text)) as server:
        url = ModelUrl.parse(f"{server.base}{PATH}")

        assert "expected the state" in (rest_client.RestClient(url, 10).missing() or "")


def picture(*shape: int) -> Signature:
    return Signature({"x": TensorInfo("float32", shape)}, {})


@pytest.mark.exceeds("consumer.handlers.image_input.LONGEST_SIDE")
@pytest.mark.parametrize("side", [LONGEST_SIDE + 1, 2**62])
def test_an_input_that_is_larger_than_any_picture_is_not_supported(side: int) -> None:
    with pytest.raises(ValueError, match=f"at most {LONGEST_SIDE}"):
        image_input(picture(-1, 10, side, 3))


@pytest.mark.exceeds("consumer.handlers.emonet.LONGEST_SIDE")
def test_faces_that_are_larger_than_any_are_not_supported() -> None:
    handler = Emonet(EmonetOptions(), lambda: picture(-1, 1000, 1000, 1))

    with pytest.raises(ValueError, match="up to 256 pixels"):
        handler.question(FRAME)


@pytest.mark.exceeds("consumer.handlers.detect.MOST_DETECTIONS")
@pytest.mark.parametrize("shape", [(1, MOST_DETECTIONS + 1), (1,), ()])
def test_too_many_detections_or_none_at_all_are_an_error(shape: tuple[int, ...]) -> None:
    scores: Any = np.ones(shape)

    with pytest.raises(ValueError, match="N up to"):
        Detect(DetectOptions(), picture).results(
            Question(FRAME, {}), {"detection_scores": scores}, Labels(("cat",))
        )
