"""The REST client: tensors to JSON and back, and invalid answers."""

import json
import re
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model_server import rest_client
from pipeline.model_server.errors import ModelError
from pipeline.model_server.tensors import Array, TensorInfo
from tests.clock import Clock
from tests.consumer.fakes import PROPERTY, Client, Request, ScriptedServer, reply
from tests.parts import free_port

LONG = 10.0
QUESTION = {"x": np.array([1])}
NOBODY = "http://127.0.0.1:{}/v1/models/imagenet:predict"


def strings(*items: bytes) -> Array:
    """Return a string vector."""
    array = np.empty(len(items), object)
    array[:] = items
    return array


def test_binary_strings_go_as_base64_in_rows() -> None:
    text = rest_client.body({"image_bytes": strings(b"one", b"\xff\xd8")})

    assert json.loads(text) == {
        "instances": [{"image_bytes": {"b64": "b25l"}}, {"image_bytes": {"b64": "/9g="}}]
    }


def test_numbers_go_as_nested_lists_and_several_inputs_by_name() -> None:
    picture = np.arange(6, dtype=np.uint8).reshape(1, 2, 3)

    text = rest_client.body({"picture": picture, "scale": np.array([0.5], np.float32)})

    assert json.loads(text) == {"instances": [{"picture": [[0, 1, 2], [3, 4, 5]], "scale": 0.5}]}


def test_strings_may_have_more_dimensions() -> None:
    text = rest_client.body({"tags": strings(b"a", b"b").reshape(1, 2)})

    assert json.loads(text) == {"instances": [{"tags": [{"b64": "YQ=="}, {"b64": "Yg=="}]}]}


def test_several_outputs_come_by_name() -> None:
    text = b'{"predictions": [{"classes": 2, "scores": [0.5, 1]}, {"classes": 0, "scores": [NaN, 0]}]}'

    answer = rest_client.outputs(text)

    assert answer["classes"].tolist() == [2, 0]
    assert answer["scores"].shape == (2, 2)
    assert np.isnan(answer["scores"][1, 0])


def test_the_only_output_has_no_name() -> None:
    answer = rest_client.outputs(b'{"predictions": [[1, 2, 3]]}')

    assert {name: tensor.shape for name, tensor in answer.items()} == {"": (1, 3)}


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"predictions": []}',
        b'{"predictions": {"a": 1}}',
        b'{"predictions": [[1], [1, 2]]}',
        b'{"predictions": [{"a": 1}, {"b": 1}]}',
        b'{"predictions": [{"a": 1}, 7]}',
        b'{"predictions": [null]}',
        b'{"predictions": [{"a": {"b": 1}}]}',
        b'{"predictions": [' + b"[" * 100_000,
        b'{"predictions": [1' + b"0" * 400 + b"]}",
        b"\xff\xfe",
    ],
)
def test_an_invalid_answer_is_an_error_that_shows_it(text: bytes) -> None:
    with pytest.raises(ModelError, match="invalid answer") as caught:
        rest_client.outputs(text)

    assert caught.value.kind == "nonsense"


@PROPERTY
@given(
    st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(), st.lists, max_leaves=9)
)
def test_any_json_is_an_answer_or_nonsense(value: object) -> None:
    with suppress(ModelError):
        answer = rest_client.outputs(json.dumps({"predictions": value}).encode())

        assert all(isinstance(tensor, np.ndarray) for tensor in answer.values())


def test_a_refusal_of_a_url_without_its_verb_says_so() -> None:
    with (
        ScriptedServer(reply(400, b'{"error": "Malformed request: POST /v1/models/imagenet"}')) as server,
        pytest.raises(ModelError, match="its URL does not end with :predict") as caught,
    ):
        Client(f"{server.base}/behind/a/proxy/v1/models/imagenet", LONG).predict({"x": np.array([1.0])})

    assert caught.value.kind == "http_400"
    assert not caught.value.refused


def test_a_400_is_the_questions_fault_and_a_404_is_not() -> None:
    with ScriptedServer(reply(400, b"no picture"), reply(404, b"no model")) as server:
        client = Client(server.url, LONG)
        faults = []
        for _ in range(2):
            with pytest.raises(ModelError) as caught:
                client.predict({"x": np.array([1.0])})
            faults.append(caught.value.refused)

    assert faults == [True, False]


def metadata(**signatures: object) -> bytes:
    """Return a server's answer about a model's signatures."""
    return json.dumps({"metadata": {"signature_def": {"signature_def": signatures}}}).encode()


def info(dtype: str, *sizes: int) -> dict[str, object]:
    """Return a tensor's description."""
    return {"dtype": dtype, "tensor_shape": {"dim": [{"size": str(size)} for size in sizes]}, "name": "x:0"}


def test_the_signature_is_read_from_the_metadata() -> None:
    paths = []

    def answer(request: Request, _: bytes) -> None:
        paths.append(request.path)
        anything = {"dtype": "DT_INT64", "tensor_shape": {"dim": [], "unknown_rank": True}}
        default = {"inputs": {"x": info("DT_FLOAT", -1, 64, 64, 1)}, "outputs": {"y": anything}}
        reply(200, metadata(serving_default=default, other={}))(request, b"")

    with ScriptedServer(answer) as server:
        signature = Client(server.url, LONG).signature()

    assert signature.inputs == {"x": TensorInfo("float32", (-1, 64, 64, 1))}
    assert signature.outputs == {"y": TensorInfo("int64", None)}
    assert paths == ["/v1/models/imagenet/metadata"]


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"{}",
        metadata(other={}),
        metadata(serving_default={"inputs": {}}),
        metadata(serving_default={"inputs": {"x": {"dtype": 1}}, "outputs": {}}),
    ],
)
def test_metadata_without_the_signature_are_nonsense(text: bytes) -> None:
    with ScriptedServer(reply(200, text)) as server, pytest.raises(ModelError) as caught:
        Client(server.url, LONG).signature()

    assert caught.value.kind == "nonsense"


def status(*states: str) -> bytes:
    """Return a server's answer about a model's versions."""
    return json.dumps(
        {"model_version_status": [{"version": "1", "state": state} for state in states]}
    ).encode()


def test_a_model_with_an_available_version_is_not_missing() -> None:
    with ScriptedServer(reply(200, status("END", "AVAILABLE"))) as server:
        assert Client(server.url, LONG).missing() is None

    assert server.bodies == [b""]


@pytest.mark.parametrize(
    ("code", "text", "reason"),
    [
        (200, status("LOADING", "END"), "the server is still loading the model"),
        (200, status("END"), "the server has no available version of the model: END; see its log"),
        (200, status(), "the server has no available version of the model: none at all; see its log"),
        (404, b'{"error": "no such model"}', "the server answered 404: no such model"),
        (200, b"<html>", "expected the state of the model's versions, found "),
        (200, b'{"model_version_status": 7}', "expected the state of the model's versions, found "),
    ],
)
def test_a_model_that_the_server_does_not_offer_is_missing(code: int, text: bytes, reason: str) -> None:
    with ScriptedServer(reply(code, text)) as server:
        missing = Client(server.url, LONG).missing()

    assert missing is not None
    assert missing.startswith(reason)


def test_the_model_of_an_unreachable_server_is_missing() -> None:
    reason = Client(NOBODY.format(free_port()), LONG).missing()

    assert reason is not None
    assert "refused" in reason


def test_a_url_without_tensorflow_servings_form_has_no_status() -> None:
    assert Client(NOBODY.format(free_port()).replace(":predict", "/infer"), LONG).missing() is None


def test_an_answer_that_is_too_large_says_that_grpc_leaves_out_what_is_not_needed() -> None:
    text = b'{"predictions": [' + b"0.125," * 3_000_000 + b"0]}"

    with ScriptedServer(reply(200, text)) as server, pytest.raises(ModelError, match=r"16 MiB; .*grpc://"):
        Client(server.url, LONG).predict(QUESTION)


class Versions:
    """A model server whose versions of the model the test chooses; each answers with its number."""

    def __init__(self, *available: int) -> None:
        self.available = available
        self.paths: list[str] = []

    def __call__(self, request: Request, body: bytes) -> None:
        """Answer as TensorFlow Serving does."""
        self.paths.append(request.path)
        if not body:
            states = [{"version": str(version), "state": "AVAILABLE"} for version in self.available]
            reply(200, json.dumps({"model_version_status": states}).encode())(request, body)
        elif (found := re.search(r"versions/(\d+):predict", request.path)) and int(
            found[1]
        ) in self.available:
            reply(200, b'{"predictions": [%d]}' % int(found[1]))(request, body)
        else:
            reply(404, b'{"error": "no such version"}')(request, body)


def test_the_newest_version_is_asked_by_its_number_if_answers_are_by_version() -> None:
    clock, versions = Clock(), Versions(3, 12)

    with ScriptedServer(versions) as server:
        client = Client(server.url, LONG, by_version=True, clock=clock.monotonic)
        answers = [client.predict(QUESTION)[""].item() for _ in range(2)]
        seen = client.version
        versions.available = (12, 13)
        clock.now += 2
        answers.append(client.predict(QUESTION)[""].item())

    assert (answers, seen, client.version) == ([12, 12, 13], 12, 13)
    assert versions.paths.count("/v1/models/imagenet") == 2


def test_a_version_that_is_gone_is_looked_up_again() -> None:
    versions = Versions(1)

    with ScriptedServer(versions) as server:
        client = Client(server.url, LONG, by_version=True, clock=Clock().monotonic)
        client.predict(QUESTION)
        versions.available = (2,)
        with pytest.raises(ModelError, match="404"):
            client.predict(QUESTION)

        assert client.predict(QUESTION)[""].item() == 2


def test_a_url_with_a_version_says_which_version_answers() -> None:
    with ScriptedServer(reply(200, b'{"predictions": [1]}')) as server:
        client = Client(server.url.replace(":predict", "/versions/7:predict"), LONG, by_version=True)
        client.predict(QUESTION)

    assert client.version == 7
    assert len(server.bodies) == 1
