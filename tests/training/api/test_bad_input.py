"""Whatever is sent, the answer is a reason of one line, and nothing else is disturbed."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.api.test_datasources import POSTED
from tests.training.api.test_inferences import SENT
from tests.training.conftest import CODE, Service
from training.api import answers

LISTS = (
    "/models/",
    "/configurations/",
    "/deployments/",
    "/results/",
    "/datasources/",
    "/inferences/",
    "/deployments/results/1",
)
DEEP: list[Any] = []
for _ in range(300):
    DEEP = [DEEP]
MODEL = {"name": "new", "code": CODE, "framework": "tf"}
UTF8, DEEPLY = "expected text in UTF-8", "expected JSON in UTF-8 that is nested less deeply"


@pytest.fixture
def filled(service: Service) -> Service:
    """A service with a row of each kind. Result 2 is still to be trained."""
    service.finished()
    service.deployment(1)
    service.post("/results/inference/1", SENT, 200)
    service.post("/datasources/", POSTED)
    return service


def refused(service: Service, path: str, sent: Any) -> str:
    """Return the reason why a JSON value is refused; all lists are as before."""
    before = [service.client.get(each).content for each in LISTS]
    content = sent if isinstance(sent, bytes) else json.dumps(sent).encode()

    answer = service.client.post(path, content=content, headers={"Content-Type": "application/json"})

    assert answer.status_code == 400, answer.text
    reason = answer.json()
    assert reason == " ".join(reason.split()) != ""
    assert len(reason) < 500
    assert [service.client.get(each).content for each in LISTS] == before
    return str(reason)


@pytest.mark.parametrize(
    ("path", "sent", "reason"),
    [
        (
            "/models/",
            {**MODEL, "name": "n" * 31},
            "name='nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn': expected at most 30 characters",
        ),
        ("/models/", b"", "required, but missing"),
        ("/models/", b"{", "invalid JSON"),
        ("/models/", b"\xff\xfe{\0", "invalid JSON"),
        ("/models/", b"[" * 100_000, "There was an error parsing the body"),
        ("/models/", [MODEL], "expected a JSON object"),
        ("/models/", {**MODEL, "name": "a\0"}, "expected a name"),
        ("/models/", {**MODEL, "name": DEEP}, "expected a text"),
        ("/models/", {**MODEL, "code": "\ud800"}, UTF8),
        ("/models/", {**MODEL, "code": "model = '\0'"}, "NUL"),
        ("/models/", {**MODEL, "father": 2**31}, "less than or equal to 2147483647"),
        ("/configurations/", {"name": "new", "ml_models": [1] * 1001}, "at most 1000 items"),
        ("/configurations/", {"name": "new", "ml_models": [{"name": "digits"}]}, "expected a whole number"),
        ("/deployments/", {"configuration": 1, "data_restriction": {"a": DEEP}}, DEEPLY),
        ("/deployments/", {"configuration": 1, "data_restriction": {"a": "\ud800"}}, DEEPLY),
        ("/deployments/", {"configuration": 1, "learning_rate": float("nan")}, "finite number"),
        ("/deployments/", {"configuration": 1, "improvement": float("inf")}, "finite number"),
        ("/deployments/", {"configuration": 1, "tf_kwargs_fit": "epochs=5\0"}, "NUL"),
        ("/deployments/", {"configuration": 1, "seed": -1}, "seed='-1'"),
        ("/datasources/", {**POSTED, "deployment": "2", "new": DEEP}, DEEPLY),
        ("/datasources/", {**POSTED, "deployment": "2", "new": "\ud800"}, DEEPLY),
        ("/datasources/", {**POSTED, "deployment": "2", "input_config": {"a": DEEP}}, DEEPLY),
        ("/datasources/", {**POSTED, "deployment": "2", "description": "\0"}, "NUL"),
        ("/datasources/", {**POSTED, "deployment": 10**20}, "deployment"),
        ("/datasources/", {**POSTED, "time": "0001-01-01T00:00:00+14:00"}, "a time from 1970 to 9998"),
        ("/datasources/", {**POSTED, "time": "9999-12-31T23:59:59-10:00"}, "a time from 1970 to 9998"),
        ("/datasources/", {**POSTED, "time": 1e20}, "time="),
        ("/datasources/", {**POSTED, "total_msg": 2**63}, "total_msg="),
        ("/datasources/kafka", {**POSTED, "time": "0001-01-01T00:00:00Z"}, "a time from 1970 to 9998"),
        ("/datasources/kafka", {**POSTED, "validation_rate": 0.5, "test_rate": 0.5}, "nothing for training"),
        ("/datasources/kafka", [], "expected a JSON object"),
        ("/inferences/", {**SENT, "upper_kafka_broker": "\ud800"}, UTF8),
        ("/inferences/", {**SENT, "output_upper": "\0"}, "NUL"),
        ("/inferences/", {**SENT, "external_host": "\0"}, "NUL"),
        ("/inferences/", {**SENT, "limit": float("nan")}, "finite number"),
        ("/inferences/", {**SENT, "model_result": 99}, "there is no result 99"),
        ("/results/2/progress", {"state": "reading", "read": 2**31}, "read="),
        ("/results/2/progress", {"state": "failed", "reason": "\ud800"}, UTF8),
        ("/results/2/progress", {"state": "failed", "reason": "\0"}, "NUL"),
        ("/results/2/progress", {"state": "failed", "reason": "x" * 2001}, "2000 characters"),
        ("/results/99/progress", {"state": "reading"}, "there is no result 99"),
    ],
    ids=range(41),
)
def test_json_that_is_refused(path: str, sent: Any, reason: str, filled: Service) -> None:
    assert reason in refused(filled, path, sent)


FORM = b"--x\r\nContent-Disposition: form-data; "


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("multipart/form-data", b"--x--\r\n"),
        ("multipart/form-data; boundary=x", b"nonsense"),
        ("multipart/form-data; boundary=x", b""),
        ("multipart/form-data; boundary=x", FORM + b"\r\n\r\n1\r\n--x--\r\n"),
        ("multipart/form-data; boundary=x", FORM + b'name="data"\r\n\r\n\xff\xfe\r\n--x--\r\n'),
        ("multipart/form-data; boundary=x", FORM + b'name="data"; filename="a"\r\n\r\n{}\r\n--x--\r\n'),
        (
            "multipart/form-data; boundary=x",
            FORM + b'name="trained_model"\r\n\r\n\x89HDF\r\n\x1a\n\r\n--x--\r\n',
        ),
        ("multipart/form-data; boundary=x", b"--x\r\n\xff: 1\r\n\r\n1\r\n--x--\r\n"),
        ("multipart/form-data; boundary=" + "x" * 1000, b"--x--\r\n"),
        ("application/x-www-form-urlencoded", b"data=%ff%00%zz&data=2"),
        ("application/json", b"{}"),
        ("", b""),
    ],
    ids=range(12),
)
@pytest.mark.parametrize("path", ["/results/2", "/deployments/import"])
def test_forms_that_are_refused(path: str, kind: str, content: bytes, filled: Service) -> None:
    before = [filled.client.get(each).content for each in LISTS]

    answer = filled.client.post(path, content=content, headers={"Content-Type": kind})

    assert answer.status_code == 400, answer.text
    assert isinstance(answer.json(), str)
    assert [filled.client.get(each).content for each in LISTS] == before
    assert [each.name for each in filled.files.folder.iterdir()] == ["1"]


@pytest.mark.parametrize("path", ["/results/2", "/results_metrics/2"])
@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({"train_metrics": {"\ud800": [1]}}, UTF8),
        ({"train_metrics": {"\0": [1]}}, "NUL"),
        ({"train_metrics": {"loss": [1, "low"]}}, "loss='low': expected a number or null"),
        ({"train_metrics": {"loss": [True]}}, "loss='True': expected a number or null"),
        ({"training_time": -1}, "training_time='-1'"),
        ({"confusion_matrix": [1]}, "confusion_matrix='1': expected a list"),
    ],
    ids=range(6),
)
def test_metrics_that_are_refused(path: str, data: Any, reason: str, filled: Service) -> None:
    files = {"trained_model": ("model.h5", b"\x89HDF\r\n\x1a\n")} if path == "/results/2" else None

    answer = filled.client.post(path, data={"data": json.dumps(data)}, files=files)

    assert answer.status_code == 400, answer.text
    assert reason in answer.json()
    assert filled.get("/results/")[0]["train_metrics"] is None


TEXTS = st.text(max_size=4) | st.sampled_from(["\0", "\ud800", "1", "tf", "RAW", "d:0:0:9", "{}", "["])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.just(10**400),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(TEXTS, each, max_size=3),
    max_leaves=4,
)
ROWS: dict[str, dict[str, Any]] = {
    "/models/": MODEL,
    "/configurations/": {"name": "new", "ml_models": [1]},
    "/deployments/": {"configuration": 1, "tf_kwargs_fit": "epochs=1", "data_restriction": {}, "batch": 1},
    "/datasources/": POSTED,
    "/datasources/kafka": POSTED,
    "/inferences/": SENT,
    "/results/2/progress": {"state": "reading", "read": 1, "total": 2, "reason": "", "left_s": 1.5},
}


@settings(max_examples=60)
@given(
    st.sampled_from([*ROWS]).flatmap(
        lambda path: st.tuples(st.just(path), st.sampled_from([*ROWS[path], "new"]), VALUES)
    )
)
def test_any_value_of_any_field_is_taken_or_refused(running: Service, sent: tuple[str, str, Any]) -> None:
    """The rows stay: what one request stores must not disturb the next ones."""
    path, name, value = sent
    if not running.client.get("/results/2").is_success:
        running.configuration(running.model())
        for _ in range(2):
            running.deployment(1)
    content = json.dumps({**ROWS[path], name: value}).encode()

    answer = running.client.post(path, content=content, headers={"Content-Type": "application/json"})

    assert answer.status_code in (200, 201, 400), answer.text
    assert all(running.client.get(each).status_code in (200, 400) for each in LISTS)


def test_a_value_that_is_long_is_cut_in_the_reason(service: Service) -> None:
    reason = refused(service, "/models/", {**MODEL, "framework": "x" * 100_000})

    assert f"framework='{'x' * answers._MOST_SHOWN}…'" in reason


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", None], ids=range(3))
@pytest.mark.parametrize("path", ["/models/", "/configurations/", "/deployments/", "/datasources/kafka"])
def test_a_body_that_is_not_sent_as_json_is_answered_with_what_to_send(
    service: Service, path: str, kind: str | None
) -> None:
    headers = {} if kind is None else {"Content-Type": kind}

    answer = service.client.post(path, content=b"name=q", headers=headers)

    assert answer.status_code == 400
    assert "send application/json" in answer.json()
