"""Kafka-ML's interface against the service as a process, over HTTP, behind everything that guards it."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.parts import Service, embedded_broker
from tests.training.api.test_paths import DOWNLOADS, REQUESTS, fill
from tests.training.conftest import made
from tests.training.running import settings

pytestmark = pytest.mark.parts

LIMIT = 60.0  # s

# These need TensorFlow, start runs, or need a run, of which a service that is started again finds none.
ELSEWHERE = {
    ("POST", "/models/", 201),
    ("POST", "/deployments/", 201),
    ("POST", "/deployments/", 400),
    ("POST", "/deployments/import", 201),
    ("POST", "/results/2", 200),
    ("POST", "/results_metrics/2", 200),
    ("POST", "/results/stop/2", 200),
    ("POST", "/results/inference/1", 200),
    ("POST", "/inferences/1", 200),
    ("DELETE", "/inferences/1", 400),
}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Asks a service whose database an earlier one has filled."""
    folder = tmp_path_factory.mktemp("running")
    with made("", folder) as before:
        fill(before)
    with embedded_broker(folder) as (broker, _):
        variables = {**settings(broker, folder), "DATAFOLDER": str(folder)}
        address = variables["DISPLAYPORT"]
        with Service("training", variables, folder) as training:
            training.ready(LIMIT)
            with httpx.Client(base_url=f"http://{address}", timeout=LIMIT) as found:
                yield found


def of_this(method: str, path: str, status: int) -> bool:
    return (method, path, status) not in ELSEWHERE


def asked(number: int, options: dict[str, Any]) -> dict[str, Any]:
    """Return what is sent: names are unique, as all rows stay."""
    sent = options.get("json", {})
    return {**options, "json": {**sent, "name": f"new {number}"}} if "name" in sent else options


@pytest.mark.parametrize(("path", "headers"), DOWNLOADS[1:], ids=[path for path, _ in DOWNLOADS[1:]])
def test_each_file(path: str, headers: dict[str, str], client: httpx.Client) -> None:
    answer = client.get(path)

    assert answer.status_code == 200
    assert {name: answer.headers[name] for name in headers} == headers


def test_each_path(client: httpx.Client) -> None:
    """Those that change nothing come first, and those that delete something last."""
    chosen = [each for each in REQUESTS if of_this(each[0], each[1], each[3])]
    chosen.sort(key=lambda each: 0 if each[0] == "GET" or each[3] >= 400 else 2 if each[0] == "DELETE" else 1)
    answers = dict[str, tuple[int, str]]()

    for number, (method, path, options, status) in enumerate(chosen):
        answer = client.request(method, path, **asked(number, options))
        if (answer.status_code, answer.headers["content-type"]) != (status, "application/json"):
            answers[f"{method} {path} {status}"] = answer.status_code, answer.text

    assert answers == {}
    assert len(chosen) > 70


def test_lists_end_in_a_slash(client: httpx.Client) -> None:
    answer = client.get("/models")

    assert (answer.status_code, answer.headers["location"]) == (301, "/models/")
