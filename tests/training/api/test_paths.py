"""Kafka-ML's paths and fields, written out by hand."""

import json
from typing import Any

import pytest

from tests.training.api.test_datasources import POSTED
from tests.training.api.test_inferences import SENT
from tests.training.conftest import CODE, Service

MODEL = {"id", "name", "description", "imports", "code", "distributed", "father", "framework"}
CONFIGURATION = {"id", "name", "description", "ml_models", "deployments"}
DEPLOYMENT = {
    "id",
    "time",
    "configuration",
    "results",
    "batch",
    "tf_kwargs_fit",
    "tf_kwargs_val",
    "pth_kwargs_fit",
    "pth_kwargs_val",
    "conf_mat_settings",
    "optimizer",
    "learning_rate",
    "loss",
    "metrics",
    "incremental",
    "indefinite",
    "stream_timeout",
    "monitoring_metric",
    "change",
    "improvement",
    "unsupervised",
    "unsupervised_rounds",
    "confidence",
    "federated",
    "agg_rounds",
    "min_data",
    "agg_strategy",
    "data_restriction",
    "blockchain",
}
RESULT = {
    "id",
    "status",
    "status_changed",
    "deployment",
    "model",
    "train_metrics",
    "val_metrics",
    "test_metrics",
    "confusion_matrix",
    "training_time",
}
DATASOURCE = {
    "input_format",
    "deployment",
    "input_config",
    "description",
    "topic",
    "validation_rate",
    "test_rate",
    "total_msg",
    "time",
}
INFERENCE = {
    "id",
    "model_result",
    "replicas",
    "input_format",
    "input_config",
    "input_topic",
    "output_topic",
    "limit",
    "output_upper",
    "token",
    "external_host",
    "input_kafka_broker",
    "output_kafka_broker",
    "upper_kafka_broker",
    "time",
    "status",
    "status_changed",
}
OURS = {
    "/models/": {"created_at", "updated_at"},
    "/deployments/": {"autoserve", "random_split", "seed", "node_selector", "tolerations"},
    "/results/": {"state", "reason", "progress", "seed"},
    "/datasources/": {"id", "unsupervised_topic", "incremental", "dataset_restrictions"},
    "/inferences/": {"reason", "model_server", "state", "progress"},
}
DEFAULTS = {
    "batch": 1,
    "tf_kwargs_val": "",
    "pth_kwargs_fit": "",
    "pth_kwargs_val": "",
    "conf_mat_settings": False,
    "optimizer": "adam",
    "learning_rate": 0.001,
    "loss": "sparse_categorical_crossentropy",
    "metrics": "sparse_categorical_accuracy",
    "incremental": False,
    "indefinite": False,
    "stream_timeout": 60000,
    "monitoring_metric": None,
    "change": None,
    "improvement": 0.05,
    "unsupervised": False,
    "unsupervised_rounds": 5,
    "confidence": 0.9,
    "federated": False,
    "agg_rounds": 15,
    "min_data": 1000,
    "agg_strategy": "FedAvg",
    "data_restriction": {},
    "blockchain": False,
}
PATHS = """
GET POST                /models/
GET                     /models/distributed
GET                     /models/fathers
GET PUT PATCH DELETE    /models/{}
GET                     /models/result/{}
GET POST                /configurations/
GET PUT PATCH DELETE    /configurations/{}
GET                     /frameworksInConfiguration/{}
GET                     /distributedConfiguration/{}
GET POST                /deployments/
GET DELETE              /deployments/{}
POST                    /deployments/import
GET                     /deployments/results/{}
GET                     /results/
GET POST DELETE         /results/{}
POST                    /results_metrics/{}
POST                    /results/stop/{}
GET                     /results/model/{}
GET                     /results/confusion_matrix/{}
GET                     /results/chart/{}
GET POST                /results/inference/{}
GET POST                /inferences/
GET POST PUT DELETE     /inferences/{}
GET POST                /datasources/
POST                    /datasources/kafka
"""
"""All paths of the interface, with an id as {}, except those for devices and for blockchains."""

OF_KAFKA_ML = {
    (method, line.split()[-1]) for line in PATHS.strip().splitlines() for method in line.split()[:-1]
}
NEW_MODEL = {"name": "new", "code": CODE, "framework": "tf"}
NEW_CONFIGURATION = {"name": "new", "ml_models": [1]}
PNG = b"\x89PNG\r\n\x1a\n"
METRICS = json.dumps({"train_metrics": {"loss": [1.0]}})
FILES = {"trained_model": ("model.h5", b"\x89HDF\r\n\x1a\n")}
# Model 1 in configuration 1 in deployment 1 has result 1, finished, with inference 1, which runs.
# Model 2, configuration 2, deployment 2, whose result 2 is created, and inference 2, stopped, are at hand.
# Deployment 3 has no results, and there is no row 9.
REQUESTS: list[tuple[str, str, dict[str, Any], int]] = [
    ("GET", "/models/", {}, 200),
    ("POST", "/models/", {"json": NEW_MODEL}, 201),
    ("GET", "/models/distributed", {}, 200),
    ("GET", "/models/fathers", {}, 200),
    ("GET", "/models/1", {}, 200),
    ("GET", "/models/9", {}, 404),
    ("PUT", "/models/1", {"json": NEW_MODEL}, 200),
    ("PUT", "/models/9", {"json": NEW_MODEL}, 400),
    ("PATCH", "/models/1", {"json": {"name": "new"}}, 200),
    ("PATCH", "/models/9", {"json": {"name": "new"}}, 400),
    ("DELETE", "/models/1", {}, 400),
    ("DELETE", "/models/3", {}, 200),
    ("DELETE", "/models/9", {}, 400),
    ("GET", "/models/result/1", {}, 200),
    ("GET", "/models/result/9", {}, 404),
    ("GET", "/configurations/", {}, 200),
    ("POST", "/configurations/", {"json": NEW_CONFIGURATION}, 201),
    ("GET", "/configurations/1", {}, 200),
    ("GET", "/configurations/9", {}, 404),
    ("PUT", "/configurations/1", {"json": NEW_CONFIGURATION}, 200),
    ("PUT", "/configurations/1", {"json": {"name": "new"}}, 400),
    ("PUT", "/configurations/9", {"json": NEW_CONFIGURATION}, 400),
    ("PATCH", "/configurations/1", {"json": {"name": "new"}}, 200),
    ("PATCH", "/configurations/9", {"json": {"name": "new"}}, 400),
    ("DELETE", "/configurations/1", {}, 400),
    ("DELETE", "/configurations/3", {}, 200),
    ("DELETE", "/configurations/9", {}, 400),
    ("GET", "/frameworksInConfiguration/1", {}, 200),
    ("GET", "/frameworksInConfiguration/9", {}, 400),
    ("GET", "/distributedConfiguration/1", {}, 200),
    ("GET", "/distributedConfiguration/9", {}, 400),
    ("GET", "/deployments/", {}, 200),
    ("POST", "/deployments/", {"json": {"configuration": 1, "tf_kwargs_fit": "epochs=1"}}, 201),
    ("POST", "/deployments/", {"json": {"configuration": 1, "tf_kwargs_fit": "steps=1"}}, 400),
    ("POST", "/deployments/", {"json": {"configuration": 9, "tf_kwargs_fit": "epochs=1"}}, 400),
    ("GET", "/deployments/1", {}, 200),
    ("GET", "/deployments/9", {}, 400),
    ("DELETE", "/deployments/1", {}, 400),
    ("DELETE", "/deployments/3", {}, 200),
    ("DELETE", "/deployments/9", {}, 400),
    ("POST", "/deployments/import", {"data": {"configuration": "1"}, "files": FILES}, 201),
    ("POST", "/deployments/import", {"data": {"configuration": "9"}, "files": FILES}, 400),
    ("GET", "/deployments/results/1", {}, 200),
    ("GET", "/deployments/results/9", {}, 400),
    ("GET", "/results/", {}, 200),
    ("GET", "/results/9", {}, 400),
    ("POST", "/results/2", {"data": {"data": METRICS}, "files": FILES}, 200),
    ("POST", "/results/9", {"data": {"data": METRICS}, "files": FILES}, 400),
    ("DELETE", "/results/1", {}, 200),
    ("DELETE", "/results/9", {}, 400),
    ("POST", "/results_metrics/2", {"data": {"data": METRICS}}, 200),
    ("POST", "/results_metrics/9", {"data": {"data": METRICS}}, 400),
    ("POST", "/results/stop/2", {}, 200),
    ("POST", "/results/stop/1", {}, 400),
    ("POST", "/results/stop/9", {}, 400),
    ("GET", "/results/model/2", {}, 400),
    ("GET", "/results/model/9", {}, 400),
    ("GET", "/results/confusion_matrix/2", {}, 400),
    ("GET", "/results/confusion_matrix/9", {}, 400),
    ("GET", "/results/chart/1", {}, 200),
    ("GET", "/results/chart/2", {}, 400),
    ("GET", "/results/chart/9", {}, 400),
    ("GET", "/results/inference/1", {}, 200),
    ("GET", "/results/inference/9", {}, 400),
    ("POST", "/results/inference/1", {"json": SENT}, 200),
    ("POST", "/results/inference/2", {"json": SENT}, 400),
    ("POST", "/results/inference/9", {"json": SENT}, 400),
    ("GET", "/inferences/", {}, 200),
    ("POST", "/inferences/", {"json": SENT}, 201),
    ("POST", "/inferences/1", {}, 200),
    ("POST", "/inferences/2", {}, 400),
    ("POST", "/inferences/9", {}, 400),
    ("GET", "/inferences/1", {}, 200),
    ("GET", "/inferences/9", {}, 404),
    ("PUT", "/inferences/2", {"json": SENT}, 200),
    ("PUT", "/inferences/9", {"json": SENT}, 400),
    ("DELETE", "/inferences/1", {}, 400),
    ("DELETE", "/inferences/2", {}, 200),
    ("DELETE", "/inferences/9", {}, 400),
    ("GET", "/datasources/", {}, 200),
    ("POST", "/datasources/", {"json": POSTED}, 201),
    ("POST", "/datasources/kafka", {"json": POSTED}, 201),
    ("POST", "/datasources/kafka", {"json": {**POSTED, "deployment": "9"}}, 400),
    ("POST", "/datasources/kafka", {"json": {"deployment": "1"}}, 400),
    ("GET", "/nothing", {}, 404),
    ("PUT", "/models/", {}, 405),
]
# The files, with the headers that Kafka-ML's pages and jobs look at.
DOWNLOADS: list[tuple[str, dict[str, str]]] = [
    (
        "/results/2",
        {"content-type": "application/model", "content-disposition": 'attachment; filename="model.h5"'},
    ),
    (
        "/results/model/1",
        {
            "content-type": "application/force-download",
            "content-disposition": 'attachment; filename="model.h5"',
            "ml-framework": "tf",
            "access-control-expose-headers": "ML-Framework",
        },
    ),
    (
        "/results/confusion_matrix/1",
        {
            "content-type": "application/image",
            "content-disposition": 'attachment; filename="confusion_mat.png"',
        },
    ),
]
NOT_JSON = [
    "/results/{result}",
    "/results/model/{result}",
    "/results/confusion_matrix/{result}",
    "/versions/{model}/{version}/archive",
]


def fill(service: Service) -> None:
    """Add the rows that the requests need."""
    first = service.configuration(service.model(), name="first")
    second = service.configuration(service.model("second"), name="second")
    service.configuration(1, name="third")
    service.model("third")
    for each in (first, second, service.configuration(1, name="fourth")):
        service.deployment(each)
    service.client.delete("/results/3")
    service.upload(1, METRICS, confussion_matrix=PNG)
    for _ in range(2):
        service.post("/results/inference/1", SENT, 200)
    service.client.post("/inferences/2")
    service.post("/datasources/", POSTED)


@pytest.fixture
def filled(service: Service) -> Service:
    """The service with the rows that the requests need."""
    fill(service)
    return service


def test_the_paths_are_kafka_mls(service: Service) -> None:
    described = service.get("/api/openapi.json")["paths"]
    ours = {
        (method.upper(), "/".join("{}" if part.startswith("{") else part for part in path.split("/")))
        for path, methods in described.items()
        for method in methods
    }

    assert OF_KAFKA_ML - ours == set()
    assert not any("iot" in path or "blockchain" in path for _, path in ours)


@pytest.mark.parametrize(
    ("method", "path", "options", "status"),
    REQUESTS,
    ids=[f"{method} {path} {status}" for method, path, _, status in REQUESTS],
)
def test_each_path(method: str, path: str, options: dict[str, Any], status: int, filled: Service) -> None:
    answer = filled.client.request(method, path, **options)

    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    content = answer.json()
    if status == 400:
        assert isinstance(content, str)
    if status in (404, 405):
        assert content.keys() == {"detail"}


@pytest.mark.parametrize(("path", "headers"), DOWNLOADS, ids=[path for path, _ in DOWNLOADS])
def test_each_file(path: str, headers: dict[str, str], filled: Service) -> None:
    answer = filled.client.get(path)

    assert answer.status_code == 200
    assert {name: answer.headers[name] for name in headers} == headers
    assert answer.content


def test_each_path_of_kafka_ml_is_asked_for_and_so_is_each_row_that_is_missing() -> None:
    done = {(method, _pattern(path)) for method, path, _, status in REQUESTS if status < 300}
    done |= {("GET", _pattern(path)) for path, _ in DOWNLOADS}
    missing = {(method, _pattern(path)) for method, path, _, status in REQUESTS if path.endswith("/9")}

    assert done >= OF_KAFKA_ML
    assert {(method, path) for method, path in OF_KAFKA_ML if path.endswith("{}")} == missing


def _pattern(path: str) -> str:
    return "/".join("{}" if part.isdigit() else part for part in path.split("/"))


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/models/", MODEL),
        ("/configurations/", CONFIGURATION),
        ("/deployments/", DEPLOYMENT),
        ("/results/", RESULT),
        ("/datasources/", DATASOURCE),
        ("/inferences/", INFERENCE),
    ],
)
def test_the_fields(path: str, fields: set[str], filled: Service) -> None:
    for row in filled.get(path):
        assert row.keys() == fields | OURS.get(path, set())


def test_rows_within_rows(filled: Service) -> None:
    (configuration,) = [each for each in filled.get("/configurations/") if each["name"] == "first"]
    deployment, result = filled.get("/deployments/")[0], filled.get("/deployments/results/1")[0]

    assert configuration["ml_models"] == [{"id": 1, "name": "digits"}]
    assert configuration["deployments"] == [{"id": 1, "time": deployment["time"]}]
    assert deployment["configuration"] == {"id": 1, "name": "first"}
    assert (
        deployment["results"][0].items()
        >= {
            "id": 1,
            "status": "finished",
            "model": {"id": 1, "name": "digits"},
            "status_changed": result["status_changed"],
        }.items()
    )
    assert result["deployment"] == {"id": 1, "time": deployment["time"]}
    assert result["model"] == {"id": 1, "name": "digits"}


def test_the_defaults(filled: Service) -> None:
    assert filled.get("/deployments/")[0].items() >= DEFAULTS.items()


@pytest.mark.parametrize(
    "name",
    ["models", "configurations", "deployments", "results", "inferences", "datasources", "versions"],
)
def test_lists_end_in_a_slash(name: str, service: Service) -> None:
    answer = service.client.get(f"/{name}")

    assert (answer.status_code, answer.headers["location"]) == (301, f"/{name}/")
    assert service.get(f"/{name}/") == []


def test_each_path_is_described(service: Service) -> None:
    description = service.get("/api/openapi.json")
    assert {"token": []} in description["security"]
    described = description["paths"]
    requested = {(method.lower(), path) for method, path, _, status in REQUESTS if status < 404}

    for method, path in requested:
        assert any(method in methods and _fits(pattern, path) for pattern, methods in described.items()), (
            f"{method} {path}"
        )
    for pattern, methods in described.items():
        for method, operation in methods.items():
            assert operation["summary"]
            assert "400" in operation["responses"]
            found = next(each for status, each in operation["responses"].items() if status < "300")
            is_file = method == "get" and pattern in NOT_JSON
            assert ("application/json" in found["content"]) is not is_file, pattern


def _fits(pattern: str, path: str) -> bool:
    ours, theirs = pattern.split("/"), path.split("/")
    return len(ours) == len(theirs) and all(
        a == b or (a.startswith("{") and b.isdigit()) for a, b in zip(ours, theirs, strict=True)
    )


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("a/b", "expected a name"),
        ("<b>", "expected a name"),
        ("..", "expected a name"),
        ("a\nb", "expected a name"),
        ("", "at least one character"),
        ("x" * 31, "30 characters"),
    ],
    ids=["slash", "markup", "dots", "line", "empty", "long"],
)
def test_names_that_cannot_be(name: str, reason: str, service: Service) -> None:
    assert reason in service.refused("POST", "/models/", {**NEW_MODEL, "name": name})


def test_what_no_database_can_store_is_refused(service: Service) -> None:
    assert "NUL" in service.refused("POST", "/models/", {**NEW_MODEL, "code": "model = '\0'"})
    answer = service.client.post(
        "/models/", content=b'{"name": "\\ud800"}', headers={"content-type": "application/json"}
    )
    assert answer.status_code == 400
    answer = service.client.post("/models/", content=b"{", headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()) == (400, "expected a JSON object, found invalid JSON")
    assert "a whole number" in service.refused("GET", "/models/one")
    assert service.client.get("/models/99999999999999999999").status_code == 400
