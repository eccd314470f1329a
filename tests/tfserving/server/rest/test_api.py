"""The whole REST API over a real graph, without HTTP."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tfserving import toys
from tests.tfserving.server.strategies import BODIES, DOCUMENTS
from tests.tfserving.toys import DTYPES
from tfserving.runtime import tf
from tfserving.server.errors import Code, ServingError
from tfserving.server.graph.saved import Runtime, SavedModel
from tfserving.server.models.catalog import Catalog
from tfserving.server.models.model import Model
from tfserving.server.models.versions import Retries
from tfserving.server.rest import api
from tfserving.server.rest.application import error_text
from tfserving.server.rest.route import Route, match

VERBS = st.sampled_from(["predict", "classify", "regress"])


@pytest.fixture(scope="module")
def catalog(toy: Path) -> Iterator[Catalog]:
    catalog = Catalog([Model("toy", toy, lambda folder: SavedModel(folder, Runtime()), Retries())])
    catalog.poll()
    yield catalog
    catalog.close()


def predict(catalog: Catalog, body: Any, url: str = "/v1/models/toy:predict") -> Any:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return json.loads(api.answer(catalog, match("POST", url), text))


def failure(catalog: Catalog, body: Any, url: str = "/v1/models/toy:predict") -> tuple[Code, str]:
    with pytest.raises(ServingError) as caught:
        predict(catalog, body, url)
    return caught.value.code, caught.value.message


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ({"instances": [1, 2.5]}, {"predictions": [2.0, 5.0]}),
        ({"instances": [{"x": 1}]}, {"predictions": [2.0]}),
        ({"inputs": [1, 2]}, {"outputs": [2.0, 4.0]}),
        ({"inputs": 4}, {"outputs": 8.0}),
        ({"inputs": {"x": [[1], [2]]}, "signature_name": ""}, {"outputs": [[2.0], [4.0]]}),
        (
            {"signature_name": "two", "instances": [{"a": 1, "b": 2}]},
            {"predictions": [{"sum": 3, "text_bytes": {"b64": "MQ=="}}]},
        ),
        (
            {"signature_name": "two", "inputs": {"a": [1], "b": [2, 3]}},
            {"outputs": {"sum": [3, 4], "text_bytes": [{"b64": "MQ=="}]}},
        ),
        ({"signature_name": "one_in_two_out", "inputs": [4]}, {"outputs": {"double": [8.0], "half": [2.0]}}),
        ({"signature_name": "scalar", "inputs": [1, 2]}, {"outputs": 3.0}),
        ({"signature_name": "empty", "instances": [1, 2]}, {"predictions": []}),
        (
            {"signature_name": "join", "instances": ["é", {"b64": "QQ"}]},
            {
                "predictions": [
                    {"raw_bytes": {"b64": "w6k="}, "text": "é"},
                    {"raw_bytes": {"b64": "QQ=="}, "text": "A"},
                ]
            },
        ),
    ],
)
def test_predict(catalog: Catalog, body: Any, answer: Any) -> None:
    assert predict(catalog, body) == answer


@pytest.mark.parametrize("dtype", [name for name in DTYPES if name not in {"bool", "string"}])
def test_each_dtype_is_either_carried_or_refused(catalog: Catalog, dtype: str) -> None:
    body = {"signature_name": dtype, "inputs": [1, 2]}

    if dtype in {"uint16", "float16", "bfloat16", "complex64"}:
        code, message = failure(catalog, body)
        assert code == Code.UNIMPLEMENTED
        assert "Conversion of JSON Value: 1 to type: " in message
    else:
        assert predict(catalog, body) == {"outputs": [1, 2]}


@pytest.mark.parametrize(
    ("url", "body", "code", "message"),
    [
        ("nope:predict", b"nonsense", Code.INVALID_ARGUMENT, "JSON Parse error"),
        ("nope:predict", {}, Code.NOT_FOUND, "Servable not found for request: Latest(nope)"),
        ("toy/versions/2:predict", {}, Code.NOT_FOUND, "Servable not found for request: Specific(toy, 2)"),
        ("toy/labels/a:predict", {}, Code.INVALID_ARGUMENT, "Unrecognized servable version label: a"),
        ("toy:predict", {}, Code.INVALID_ARGUMENT, "Missing 'inputs' or 'instances' key"),
        (
            "toy:predict",
            {"signature_name": "x"},
            Code.INVALID_ARGUMENT,
            'Serving signature name: "x" not found in signature def',
        ),
        (
            "toy:predict",
            {"signature_name": "no_input"},
            Code.INVALID_ARGUMENT,
            "Failed to get input map for signature: no_input",
        ),
        (
            "toy:predict",
            {"signature_name": "scalar", "instances": [1]},
            Code.INVALID_ARGUMENT,
            "Tensor name: y has no shape information",
        ),
        (
            "toy:predict",
            {"signature_name": "uneven", "instances": [1, 2]},
            Code.INVALID_ARGUMENT,
            "Tensor name: b has inconsistent batch size: 1 expecting: 2",
        ),
        (
            "toy:predict",
            {"signature_name": "matrix", "instances": [1]},
            Code.INVALID_ARGUMENT,
            "ndims",
        ),
    ],
)
def test_failures(catalog: Catalog, url: str, body: Any, code: Code, message: str) -> None:
    got, text = failure(catalog, body, f"/v1/models/{url}")

    assert got == code
    assert message in text


def test_rows_of_binary_strings_are_the_first_input_alone(tmp_path: Path) -> None:
    pair = toys.signature(lambda a, b: {"y": a + b}, a=("string", [None]), b=("string", [None]))
    tf.saved_model.save(tf.Module(), str(tmp_path / "1"), signatures={"serving_default": pair})
    catalog = Catalog([Model("toy", tmp_path, lambda folder: SavedModel(folder, Runtime()), Retries())])
    catalog.poll()

    code, message = failure(catalog, {"instances": [{"b64": "QQ=="}]})
    catalog.close()

    assert code == Code.INVALID_ARGUMENT
    assert message.startswith("input size does not match signature: 1!=2")
    assert message.endswith("Missing but required: {b}.")


@pytest.mark.parametrize(
    ("verb", "body", "results"),
    [
        (
            "classify",
            {"signature_name": "classify", "examples": [{"x": 0.25}, {"x": 1.0}]},
            [[["small", 0.75], ["large", 0.25]], [["small", 0.0], ["large", 1.0]]],
        ),
        (
            "classify",
            {"signature_name": "classes_only", "examples": [{}]},
            [[["", 0.0]]],
        ),
        (
            "regress",
            {"signature_name": "regress", "context": {"x": 1.5}, "examples": [{}, {"x": 2.0}]},
            [3.0, 4.0],
        ),
    ],
)
def test_classify_and_regress(catalog: Catalog, verb: str, body: Any, results: Any) -> None:
    assert predict(catalog, body, f"/v1/models/toy:{verb}") == {"results": results}


@pytest.mark.parametrize(
    ("url", "signature", "message"),
    [
        ("nope:classify", "classify", "Servable not found for request: Latest(nope)"),
        ("toy:classify", "x", "No signature was found with the name: x"),
        ("toy:classify", "two", "Expected one input Tensor."),
        ("toy:classify", "", "No classification inputs found in SignatureDef"),
        ("toy:regress", "", "No regression inputs found in SignatureDef"),
        ("toy:classify", "regress", 'to contain at least one of "classes" or "scores"'),
        ("toy:regress", "classify", "Expected one output Tensor."),
        ("toy:regress", "classes_only", "No regression outputs found in SignatureDef"),
        ("toy:classify", "wrong_batch", "batch size"),
        ("toy:regress", "regress", "Data types don't match"),
    ],
)
def test_a_signature_must_support_the_verb(catalog: Catalog, url: str, signature: str, message: str) -> None:
    body = {"signature_name": signature, "examples": [{"x": 2}, {"x": 3}]}

    _, text = failure(catalog, body, f"/v1/models/{url}")

    assert message in text


def test_status(catalog: Catalog) -> None:
    answers = [
        json.loads(api.answer(catalog, Route("status", "toy", version, label), b""))
        for version, label in [(None, None), (1, None), (None, "unknown")]
    ]

    status = {"version": "1", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
    assert answers == [{"model_version_status": [status]}] * 3


def test_metadata(catalog: Catalog) -> None:
    answer = json.loads(api.answer(catalog, Route("metadata", "toy"), b""))

    assert answer["model_spec"] == {"name": "toy", "signature_name": "", "version": "1"}
    assert "serving_default" in answer["metadata"]["signature_def"]["signature_def"]
    with pytest.raises(ServingError, match=r"Specific\(toy, 2\)"):
        api.answer(catalog, Route("metadata", "toy", 2), b"")


@pytest.mark.parametrize(
    ("verb", "signature", "code", "message"),
    [
        ("predict", "sum", None, ""),
        ("classify", "classify_x_to_y", None, ""),
        ("regress", "regress_x_to_y", None, ""),
        ("classify", "regress_x_to_y", Code.INVALID_ARGUMENT, "classification signature method_name to be"),
        ("regress", "classify_x_to_y", Code.INVALID_ARGUMENT, "regression signature method_name to be"),
    ],
)
def test_a_flag_makes_signatures_match_their_method_names(
    tmp_path: Path, verb: str, signature: str, code: Code | None, message: str
) -> None:
    toys.save_tasks(tmp_path / "1")
    strict = Runtime(check_method_names=True)
    catalog = Catalog([Model("tasks", tmp_path, lambda folder: SavedModel(folder, strict), Retries())])
    catalog.poll()
    body = {"signature_name": signature, "examples": [{"x": 2.0}], "inputs": {"a": [1], "b": [2]}}
    url = f"/v1/models/tasks:{verb}"

    if code is None:
        assert predict(catalog, body, url)
    else:
        assert failure(catalog, body, url)[0] == code
        assert message in failure(catalog, body, url)[1]
    catalog.close()


SIGNATURES = st.sampled_from(["serving_default", "two", "join", "classify", "regress", "int8", "bool"])
PARTS = st.sampled_from(["instances", "inputs", "examples", "context"])
REQUESTS = st.builds(
    lambda name, parts: json.dumps({"signature_name": name, **parts}).encode(),
    SIGNATURES,
    st.dictionaries(PARTS, DOCUMENTS | st.lists(st.dictionaries(st.sampled_from("xabs"), DOCUMENTS))),
)


@given(
    BODIES | BODIES.map(lambda body: b'{"instances": [' + body + b"]}") | REQUESTS,
    st.sampled_from(["toy", "nope"]),
    VERBS,
)
@settings(deadline=None)
def test_any_body_is_answered_or_refused(catalog: Catalog, body: bytes, name: str, verb: str) -> None:
    code = Code.OK
    try:
        text = api.answer(catalog, Route(verb, name), body)
    except ServingError as error:
        text, code = error_text(error.message), error.code

    assert set(json.loads(text)) <= {"predictions", "outputs", "results", "error"}
    assert code in {Code.OK, Code.INVALID_ARGUMENT, Code.NOT_FOUND, Code.UNIMPLEMENTED}


@pytest.mark.exceeds("tfserving.server.rest.request.LARGEST_JSON")
@pytest.mark.parametrize(
    "body",
    [
        b'{"instances": [' + b"[]," * 1_400_000 + b"[]]}",
        b'{"instances": [' + b"[" * 1_400_000,
        b'{"instances": [' + b"{}," * 500_000 + b"{}]}",
        b'{"instances": [' + b"1," * 4_000_000 + b"1]}",
    ],
)
def test_json_that_would_grow_when_it_is_parsed_is_refused(catalog: Catalog, body: bytes) -> None:
    with pytest.raises(ServingError, match="of memory for JSON, but at most 128 MiB") as caught:
        predict(catalog, body)

    assert caught.value.code == Code.INVALID_ARGUMENT
