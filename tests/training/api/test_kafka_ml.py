"""Kafka-ML's interface, written out by hand: each path, each field with its rules, each status.

The sections named here are those of the description that this project follows.
"""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from tests.training.api.test_datasources import POSTED
from tests.training.api.test_inferences import SENT
from tests.training.conftest import CODE, RAW, Service

ABSENT = type(None)
RECORD = {"type": "record", "name": "r", "fields": [{"name": "a", "type": "float"}]}
ANY_FORMAT = {**SENT, "input_config": json.dumps({**RAW, "data_scheme": json.dumps(RECORD)})}
MODEL = {"name": "new", "code": CODE, "framework": "tf"}
CONFIGURATION = {"name": "new", "ml_models": [1]}
DEPLOYMENT = {"configuration": 1, "tf_kwargs_fit": "epochs=5"}

# Section 1: what each field of an answer is.
BRIEF, MOMENT = {"id": int, "name": str}, {"id": int, "time": datetime}
ANSWERS: dict[str, dict[str, Any]] = {
    "/models/": {
        "id": int,
        "name": str,
        "description": str,
        "imports": str,
        "code": str,
        "distributed": bool,
        "father": (ABSENT, BRIEF),
        "framework": str,
    },
    "/configurations/": {
        "id": int,
        "name": str,
        "description": str,
        "ml_models": [BRIEF],
        "deployments": [MOMENT],
    },
    "/deployments/": {
        "id": int,
        "time": datetime,
        "configuration": BRIEF,
        "results": [{"id": int, "status": str, "model": BRIEF, "status_changed": datetime}],
        "batch": int,
        "tf_kwargs_fit": str,
        "tf_kwargs_val": str,
        "pth_kwargs_fit": str,
        "pth_kwargs_val": str,
        "conf_mat_settings": bool,
        "optimizer": str,
        "learning_rate": float,
        "loss": str,
        "metrics": str,
        "incremental": bool,
        "indefinite": bool,
        "stream_timeout": int,
        "monitoring_metric": (ABSENT, str),
        "change": (ABSENT, str),
        "improvement": float,
        "unsupervised": bool,
        "unsupervised_rounds": int,
        "confidence": float,
        "federated": bool,
        "agg_rounds": int,
        "min_data": int,
        "agg_strategy": str,
        "data_restriction": dict,
        "blockchain": bool,
    },
    "/results/": {
        "id": int,
        "status": str,
        "status_changed": datetime,
        "deployment": MOMENT,
        "model": BRIEF,
        "train_metrics": (ABSENT, dict),
        "val_metrics": (ABSENT, dict),
        "test_metrics": (ABSENT, dict),
        "confusion_matrix": (ABSENT, list),
        "training_time": (ABSENT, float),
    },
    "/deployments/results/1": {"id": int, "status": str, "training_time": (ABSENT, str)},
    "/datasources/": {
        "input_format": str,
        "deployment": str,
        "input_config": str,
        "description": str,
        "topic": str,
        "validation_rate": float,
        "test_rate": float,
        "total_msg": (ABSENT, int),
        "time": datetime,
    },
    "/inferences/": {
        "id": int,
        "model_result": (ABSENT, int),
        "replicas": int,
        "input_format": str,
        "input_config": str,
        "input_topic": str,
        "output_topic": str,
        "limit": (ABSENT, float),
        "output_upper": (ABSENT, str),
        "token": ABSENT,
        "external_host": (ABSENT, str),
        "input_kafka_broker": (ABSENT, str),
        "output_kafka_broker": (ABSENT, str),
        "upper_kafka_broker": (ABSENT, str),
        "time": datetime,
        "status": str,
        "status_changed": datetime,
    },
}

# Section 1: the rules. What is accepted is shown unchanged; what is refused is named.
RULES: list[tuple[str, dict[str, Any], str, list[Any], list[Any]]] = [
    ("/models/", MODEL, "name", ["x" * 30, "é", "a.b-c 1"], ["x" * 31, "", None, 7]),
    ("/models/", MODEL, "description", ["", "x" * 100], ["x" * 101]),
    ("/models/", MODEL, "imports", ["", "import numpy"], [7]),
    ("/models/", MODEL, "code", ["model = 1\r\n", "model = 1"], ["", None, 7]),
    ("/models/", {**MODEL, "distributed": True}, "father", [None], [99, 0, "cloud"]),
    ("/models/", MODEL, "framework", ["tf", "pth"], ["jax", "", None]),
    ("/models/", MODEL, "distributed", [False, True], ["perhaps"]),
    ("/configurations/", CONFIGURATION, "name", ["x" * 30], ["x" * 31, "", None]),
    ("/configurations/", CONFIGURATION, "description", ["x" * 100], ["x" * 101]),
    ("/configurations/", CONFIGURATION, "ml_models", [], [[], None, "1", [99], [0]]),
    ("/deployments/", DEPLOYMENT, "batch", [1, 1024], [0, -1, 1.5, "many"]),
    ("/deployments/", DEPLOYMENT, "configuration", [], [99, 0, "one", None]),
    ("/deployments/", DEPLOYMENT, "tf_kwargs_fit", ["epochs=5"], ["x" * 101, 7]),
    ("/deployments/", DEPLOYMENT, "tf_kwargs_val", ["", "steps=1"], ["x" * 101]),
    ("/deployments/", DEPLOYMENT, "pth_kwargs_fit", ["", "x" * 100], ["x" * 101]),
    ("/deployments/", DEPLOYMENT, "pth_kwargs_val", ["", "x" * 100], ["x" * 101]),
    ("/deployments/", DEPLOYMENT, "conf_mat_settings", [True, False], ["perhaps"]),
    ("/deployments/", DEPLOYMENT, "optimizer", ["adam", "sgd"], [7]),
    ("/deployments/", DEPLOYMENT, "loss", ["mse"], [7]),
    ("/deployments/", DEPLOYMENT, "metrics", ["accuracy,mse"], [7]),
    ("/deployments/", DEPLOYMENT, "monitoring_metric", ["loss", None], [7]),
    *(
        ("/deployments/", DEPLOYMENT, mode, [False], [True, "perhaps"])
        for mode in ("indefinite", "blockchain")
    ),
    *(
        ("/deployments/", DEPLOYMENT, mode, [False, True], ["perhaps"])
        for mode in ("incremental", "unsupervised")
    ),
    ("/deployments/", DEPLOYMENT, "federated", [False, True], ["perhaps"]),
    ("/deployments/", {**DEPLOYMENT, "federated": True}, "agg_strategy", ["FedAvg", "FedYogi"], ["FedOpt"]),
    ("/deployments/", DEPLOYMENT, "learning_rate", [0.001, 1], [0, -1]),
    ("/deployments/", DEPLOYMENT, "stream_timeout", [60_000, -1], [-2]),
    ("/deployments/", DEPLOYMENT, "change", ["up", "down", None], ["sideways"]),
    ("/deployments/", DEPLOYMENT, "improvement", [0.05], ["much"]),
    ("/deployments/", DEPLOYMENT, "unsupervised_rounds", [5, 0], [-1]),
    ("/deployments/", DEPLOYMENT, "confidence", [0.9, 0, 1], [1.1, -0.1]),
    ("/deployments/", DEPLOYMENT, "agg_rounds", [15], [-1]),
    ("/deployments/", DEPLOYMENT, "min_data", [1000], [-1]),
    (
        "/deployments/",
        DEPLOYMENT,
        "agg_strategy",
        ["FedAvg", "FedOpt", "FedAdagrad", "FedAdam", "FedYogi"],
        ["FedUp"],
    ),
    ("/deployments/", DEPLOYMENT, "data_restriction", [{}, {"a": [1]}], ["[", 7]),
    ("/deployments/", DEPLOYMENT, "gpumem", [], [-1, "all"]),
    ("/datasources/", POSTED, "input_format", ["RAW", "AVRO", "JSON", "TELEGRAF_STR_JSON"], ["XML", None]),
    ("/datasources/", POSTED, "input_config", ['{"a": 1}'], ["{", [1], None]),
    ("/datasources/", POSTED, "topic", ["d:0:0:9", "online"], ["", None]),
    ("/datasources/", POSTED, "validation_rate", [0, 0.1, 1 / 3], [1.1, -0.1, "half"]),
    ("/datasources/", POSTED, "test_rate", [0, 0.000001], [1.1, -0.1]),
    ("/datasources/", POSTED, "total_msg", [0, 20, None], [-1, "many"]),
    ("/datasources/", POSTED, "description", ["", "é"], [7]),
    ("/datasources/", POSTED, "time", [], ["yesterday", 1e20]),
    ("/datasources/", POSTED, "unsupervised_topic", [None, "u:0:0:9"], []),
    ("/datasources/", POSTED, "dataset_restrictions", [{}, '{"a": 1}'], []),
    ("/datasources/", POSTED, "incremental", [False, True], []),
    ("/datasources/", POSTED, "deployment", ["1", "49"], ["one", "-1", ""]),
    ("/inferences/", SENT, "replicas", [1, 16], [0, -1]),
    ("/inferences/", ANY_FORMAT, "input_format", ["RAW", "AVRO", "JSON", "TELEGRAF_STR_JSON"], ["XML", None]),
    ("/inferences/", SENT, "input_config", [], ["{", "[]", "{}", None, 7]),
    ("/inferences/", SENT, "model_result", [None], [99, 0, "one"]),
    ("/inferences/", SENT, "gpumem", [], [-1, "all"]),
    ("/inferences/", SENT, "limit", [None], [0.5, "high"]),
    ("/inferences/", SENT, "token", [None], ["secret", 7]),
    ("/inferences/", SENT, "external_host", ["", None], ["https://k8s:6443", 7]),
    ("/inferences/", SENT, "output_upper", ["", "up", None], [7]),
    ("/inferences/", SENT, "upper_kafka_broker", ["up:9092", None], [7]),
    ("/inferences/", SENT, "input_topic", ["a.b_c-1"], ["a/b", "", None]),
    ("/inferences/", SENT, "output_topic", ["a.b_c-1"], ["a/b", "", None]),
    ("/inferences/", SENT, "input_kafka_broker", ["kafka:9092", None], ["kafka", "a b:1"]),
    ("/inferences/", SENT, "output_kafka_broker", ["a:1,b:2", None], ["kafka"]),
]


@pytest.fixture
def filled(service: Service) -> Service:
    """A service with a finished result, one that is created, and a row of everything else."""
    cloud = service.model("cloud", distributed=True)
    service.model("edge", distributed=True, father=cloud)
    digits = service.model()
    result = service.deployment(service.configuration(digits))["results"][0]["id"]
    metrics = {name: {"loss": [1, 0.5]} for name in ("train_metrics", "val_metrics", "test_metrics")}
    service.upload(result, json.dumps({**metrics, "training_time": 1.5, "confusion_matrix": [[1]]}))
    service.deployment(1)
    service.post(f"/results/inference/{result}", SENT, 200)
    service.post("/datasources/", POSTED)
    return service


def fits(value: Any, expected: Any) -> bool:
    """Whether a JSON value is what the description says."""
    match expected:
        case dict():
            return isinstance(value, dict) and all(fits(value[name], each) for name, each in expected.items())
        case [each]:
            return isinstance(value, list) and value != [] and all(fits(one, each) for one in value)
        case tuple():
            return any(fits(value, each) for each in expected)
    if expected is datetime:
        return value.endswith("Z") and datetime.fromisoformat(value).utcoffset() is not None
    if expected is float:
        return type(value) in (int, float)
    return type(value) is expected


@pytest.mark.parametrize("path", [*ANSWERS])
def test_each_field_is_what_kafka_ml_answers(path: str, filled: Service) -> None:
    rows = filled.get(path)

    assert rows
    for row in rows:
        for name, expected in ANSWERS[path].items():
            if name == "deployments" and not row[name]:
                continue
            assert fits(row[name], expected), f"{name}={row[name]!r}"
    assert all(
        any(row[name] is not None for row in rows)
        for name, expected in ANSWERS[path].items()
        if path == "/results/" and isinstance(expected, tuple)
    )


@pytest.mark.parametrize(
    ("path", "row", "name", "accepted", "refused"),
    RULES,
    ids=[f"{path}{name}" for path, _, name, _, _ in RULES],
)
def test_each_field_has_its_rules(
    path: str, row: dict[str, Any], name: str, accepted: list[Any], refused: list[Any], *, filled: Service
) -> None:
    for number, value in enumerate(accepted):
        # The logger's second attempts store nothing, and names are unique.
        moment = {"time": f"2026-01-01T00:00:{number:02d}"} if path == "/datasources/" else {}
        own = {"name": f"new {number}"} if "name" in row else {}
        sent = {**row, **moment, **own, name: value}
        if sent.get("distributed") or sent.get("framework") == "pth":
            sent["imports"] = ""
        assert filled.post(path, sent)[name] == value
    for value in refused:
        reason = filled.refused("POST", path, {**row, name: value})
        assert name.removeprefix("model_") in reason or name == "ml_models"


@pytest.mark.parametrize(
    ("path", "row", "required"),
    [
        ("/models/", MODEL, {"name", "code", "framework"}),
        ("/configurations/", CONFIGURATION, {"name", "ml_models"}),
        ("/deployments/", {"configuration": 1}, {"configuration"}),
        ("/datasources/", POSTED, {"deployment", "input_format", "input_config", "topic"}),
        ("/inferences/", SENT, {"input_format", "input_config", "input_topic", "output_topic"}),
    ],
)
def test_only_some_fields_are_required(
    path: str, row: dict[str, Any], required: set[str], filled: Service
) -> None:
    for name in required:
        sent = {other: value for other, value in row.items() if other != name}
        assert filled.refused("POST", path, sent) == f"{name}: required, but missing"

    filled.post(path, {name: row[name] for name in required})


def test_numbers_may_be_texts_and_unknown_fields_are_ignored(filled: Service) -> None:
    """As Kafka-ML's forms send them."""
    made = filled.post(
        "/deployments/",
        {**DEPLOYMENT, "configuration": "1", "batch": "16", "gpumem": "0", "case": 3, "results": []},
    )

    assert (made["batch"], len(made["results"])) == (16, 1)
    assert "gpumem" not in made


def created(_: Service, __: int) -> None:
    """Leave a result as it is at first."""


def fetch(service: Service, result: int) -> int:
    return int(service.client.get(f"/results/{result}").status_code)


def upload(service: Service, result: int) -> int:
    return int(service.upload(result).status_code)


def stop(service: Service, result: int) -> int:
    return int(service.client.post(f"/results/stop/{result}").status_code)


def report(service: Service, result: int) -> int:
    form = {"data": '{"train_metrics": {"loss": [1]}}'}
    return int(service.client.post(f"/results_metrics/{result}", data=form).status_code)


def remove(service: Service, result: int) -> int:
    return int(service.client.delete(f"/results/{result}").status_code)


Act = Callable[[Service, int], Any]
TRANSITIONS: list[tuple[list[Act], Act, int, str]] = [
    ([], fetch, 200, "deployed"),
    ([fetch], fetch, 200, "deployed"),
    ([upload], fetch, 200, "finished"),
    ([stop], fetch, 200, "stopped"),
    ([], upload, 200, "finished"),
    ([fetch], upload, 200, "finished"),
    ([upload], upload, 200, "finished"),
    ([stop], upload, 400, "stopped"),
    ([], report, 200, "created"),
    ([fetch], report, 200, "deployed"),
    ([stop], report, 400, "stopped"),
    ([], stop, 200, "stopped"),  # in Kafka-ML, such a row cannot be removed
    ([fetch], stop, 200, "stopped"),
    ([upload], stop, 400, "finished"),
    ([stop], stop, 400, "stopped"),
    ([], remove, 200, "gone"),
    ([fetch], remove, 400, "deployed"),
    ([upload], remove, 200, "gone"),
    ([fetch, stop], remove, 200, "gone"),
]


@pytest.mark.parametrize(
    ("before", "act", "answer", "after"),
    TRANSITIONS,
    ids=[
        f"{'-'.join(each.__name__ for each in before) or 'created'}-{act.__name__}"
        for before, act, _, _ in TRANSITIONS
    ],
)
def test_each_status_of_a_result(
    before: list[Act], act: Act, answer: int, after: str, service: Service
) -> None:
    result = service.deployment()["results"][0]["id"]
    for each in before:
        each(service, result)

    assert act(service, result) == answer

    assert [each["status"] for each in service.get("/results/")] == ([] if after == "gone" else [after])


@pytest.mark.parametrize(
    ("is_stopped", "method", "answer", "after"),
    [
        (False, "POST", 200, "stopped"),
        (True, "POST", 400, "stopped"),
        (False, "DELETE", 400, "deployed"),
        (True, "DELETE", 200, "gone"),
    ],
)
def test_each_status_of_an_inference(
    service: Service, method: str, answer: int, after: str, *, is_stopped: bool
) -> None:
    number = service.post(f"/results/inference/{service.finished()}", SENT, 200)["id"]
    if is_stopped:
        service.client.post(f"/inferences/{number}")

    assert service.client.request(method, f"/inferences/{number}").status_code == answer

    assert [each["status"] for each in service.get("/inferences/")] == ([] if after == "gone" else [after])


def test_lists_have_kafka_mls_order(service: Service) -> None:
    """Results by their last change; configurations and datasources with the newest first."""
    first, second = (service.configuration(service.model(name), name=name) for name in ("a", "b"))
    one, two = (service.deployment(each)["results"][0]["id"] for each in (first, second))
    for second_of_the_minute in (5, 7, 6):
        service.post("/datasources/", {**POSTED, "time": f"2026-01-01T00:00:0{second_of_the_minute}"})
    assert [each["id"] for each in service.get("/results/")] == [two, one]

    service.client.get(f"/results/{one}")

    assert [each["id"] for each in service.get("/results/")] == [one, two]
    assert [each["id"] for each in service.get("/configurations/")] == [second, first]
    assert [each["time"][-3:] for each in service.get("/datasources/")] == ["07Z", "06Z", "05Z"]
    assert [each["id"] for each in service.get("/models/")] == [1, 2]


def test_a_job_gets_kafka_mls_variables(service: Service) -> None:
    """Section 5.1; the words of the truth values are those of its jobs."""
    service.deployment(batch=16, conf_mat_settings=True)

    (run,) = service.runner.runs.values()
    assert (
        run.variables.items()
        >= {
            "BOOTSTRAP_SERVERS": "kafka:9092",
            "RESULT_URL": "http://training:8080/results/1",
            "RESULT_ID": "1",
            "CONTROL_TOPIC": "KAFKA_ML_CONTROL_TOPIC",
            "DEPLOYMENT_ID": "1",
            "BATCH": "16",
            "KWARGS_FIT": '{"epochs": 5}',
            "KWARGS_VAL": "{}",
            "CONF_MAT_CONFIG": "true",
            "CASE": "1",
            "UNSUPERVISED": "False",
            "UNSUPERVISED_ROUNDS": "5",
            "CONFIDENCE": "0.9",
        }.items()
    )


def test_what_is_sent_again_is_a_control_message_of_kafka_ml(filled: Service) -> None:
    """Section 3.1, byte for byte; the key has four bytes, as its newer senders write it."""
    filled.post("/datasources/kafka", {**filled.get("/datasources/")[0], "deployment": 2})

    assert filled.control.published == [
        (
            b"\0\0\0\2",
            b'{"topic": "automl:0:0:4,automl:1:0:10", "unsupervised_topic": null, "input_format": "RAW", '
            b'"description": "d", "dataset_restrictions": {}, "input_config": {"data_type": "uint8", '
            b'"label_type": "uint8", "data_reshape": "28 28", "label_reshape": "1"}, "validation_rate": 0.1, '
            b'"test_rate": 0.1, "total_msg": 14, "incremental": false}',
        )
    ]
