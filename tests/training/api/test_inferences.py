import json
from typing import Any

import pytest

from tests.training.api.test_datasources import POSTED
from tests.training.conftest import PLACES, RAW, Service

SENT: dict[str, Any] = {
    "replicas": 2,
    "input_format": "RAW",
    "input_config": json.dumps(RAW),
    "input_topic": "in",
    "output_topic": "out",
    "limit": None,
    "output_upper": "",
    "gpumem": 0,
}


def test_an_inference_is_started_stopped_and_deleted(service: Service) -> None:
    result = service.finished()

    made = service.post(f"/results/inference/{result}", SENT, 200)

    assert service.get("/inferences/") == [made]
    assert service.get(f"/inferences/{made['id']}") == made
    assert made.items() >= {"model_result": result, "status": "deployed", "token": None}.items()
    runs = [each for name, each in service.runner.runs.items() if "inference" in name]
    assert [each.name for each in runs] == ["model-inference-1-0", "model-inference-1-1"]
    assert not runs[0].queues
    assert runs[0].variables == {
        "INPUT_BOOTSTRAP_SERVERS": "kafka:9092",
        "OUTPUT_BOOTSTRAP_SERVERS": "kafka:9092",
        "MODEL_URL": f"http://training:8080/results/model/{result}",
        "MODEL_ARCH_URL": f"http://training:8080/results/{result}",
        "INPUT_FORMAT": "RAW",
        "INPUT_CONFIG": json.dumps(RAW),
        "INPUT_TOPIC": "in",
        "OUTPUT_TOPIC": "out",
        "GROUP_ID": f"inf{result}-1",
        "RESULT_TOKEN": PLACES.tokens.issue("inference", result, 1),
        "REPLICAS": "2",
        "FRAMEWORK": "tf",
        "INFERENCE_URL": "http://training:8080/inferences/1",
        "MODELSERVER": "",
    }
    assert "stop it before" in service.refused("DELETE", "/inferences/1")
    assert "stop it before" in service.refused("PUT", "/inferences/1", SENT)

    assert service.client.post("/inferences/1").status_code == 200

    assert service.get("/inferences/1")["status"] == "stopped"
    assert service.runner.stopped == [each.name for each in runs]
    assert "not found or not running" in service.refused("POST", "/inferences/1")
    changed = service.client.put("/inferences/1", json={**SENT, "output_topic": "other"}).json()
    assert (changed["output_topic"], changed["status"]) == ("other", "stopped")
    assert service.client.delete("/inferences/1").status_code == 200
    assert service.client.get("/inferences/1").status_code == 404


def test_two_inferences_of_a_result_do_not_share_their_input(service: Service) -> None:
    result = service.finished()
    for _ in range(2):
        service.post(f"/results/inference/{result}", {**SENT, "replicas": 1}, 200)

    groups = {run.variables["GROUP_ID"] for name, run in service.runner.runs.items() if "inference" in name}
    assert len(groups) == 2


def test_the_format_is_filled_in_from_what_is_known(service: Service) -> None:
    result = service.finished()
    path = f"/results/inference/{result}"
    assert service.get(path) == {"input_format": "", "input_config": ""}

    service.post("/datasources/", POSTED)
    assert service.get(path) == {"input_format": "RAW", "input_config": json.dumps(RAW)}

    service.post(path, {**SENT, "input_format": "JSON", "input_config": "{}"}, 200)
    assert service.get(path) == {"input_format": "JSON", "input_config": "{}"}


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"output_topic": "in"}, "another topic than input_topic"),
        (
            {"output_topic": "KAFKA_ML_CONTROL_TOPIC"},
            "output_topic='KAFKA_ML_CONTROL_TOPIC': expected",
        ),
        ({"input_topic": "KAFKA_ML_CONTROL_TOPIC"}, "expected another topic than the control topic"),
        ({"input_topic": "a/b"}, "expected a topic's name"),
        ({"replicas": 0}, "replicas='0'"),
        ({"external_host": "https://k8s:6443", "token": "secret"}, "other clusters do not exist"),
        ({"limit": 0.5}, "early exits"),
        ({"input_config": "["}, "expected a JSON object"),
        ({"input_config": "{}"}, "input_config: RAW: data_type None: expected a numpy type"),
        ({"model_server": "tfserving:8501"}, "expected a URL such as http://host:8501"),
    ],
    ids=["loop", "control", "read", "topic", "replicas", "cluster", "limit", "config", "type", "server"],
)
def test_what_cannot_be(fields: dict[str, Any], reason: str, service: Service) -> None:
    result = service.finished()

    assert reason in service.refused("POST", f"/results/inference/{result}", {**SENT, **fields})
    assert service.get("/inferences/") == []


def test_only_finished_results_can_predict(service: Service) -> None:
    service.deployment()

    assert "only finished" in service.refused("POST", "/results/inference/1", SENT)
    assert "no result" in service.refused("POST", "/results/inference/9", SENT)


def test_an_inference_that_cannot_start_leaves_nothing(service: Service) -> None:
    result = service.finished()
    service.runner.fails_at = "model-inference-1-1"

    assert "no room" in service.refused("POST", f"/results/inference/{result}", SENT)
    assert service.get("/inferences/") == []
    assert not any("inference" in name for name in service.runner.runs)


def test_a_row_without_a_run(service: Service) -> None:
    made = service.post("/inferences/", SENT)

    assert (made["status"], made["model_result"]) == ("deployed", None)
    assert service.client.post(f"/inferences/{made['id']}").status_code == 200


def test_the_replicas_report(service: Service) -> None:
    result = service.finished()
    made = service.post(f"/results/inference/{result}", SENT, 200)
    assert (made["state"], made["reason"]) == (
        "starting",
        "0 of 2 replicas have reported within the last 30 s",
    )
    assert made["progress"] == {"answered": 0, "skipped": 0, "waiting": None, "replicas": []}
    path = f"/inferences/{made['id']}"
    first = {"run": "a1", "state": "ready", "answered": 7, "skipped": 1, "waiting": 3, "health": "h:9000"}

    service.post(f"{path}/progress", first, 200)
    service.post(f"{path}/progress", {**first, "run": "b2", "answered": 2, "skipped": 0, "waiting": 4}, 200)
    service.post(f"{path}/progress", {**first, "answered": 9, "waiting": 0}, 200)

    found = service.get(path)
    assert (found["state"], found["reason"]) == ("ready", None)
    progress = found["progress"]
    assert (progress["answered"], progress["skipped"], progress["waiting"]) == (11, 1, 4)
    assert [each["answered"] for each in progress["replicas"]] == [9, 2]
    names = {"state", "reason", "answered", "skipped", "skipped_why", "waiting", "health", "time"}
    assert progress["replicas"][0].keys() == names

    service.post(f"{path}/progress", {**first, "state": "not-ready", "reason": "no model"}, 200)
    assert (service.get(path)["state"], service.get(path)["reason"]) == ("not-ready", "no model")
    assert service.client.post(path).status_code == 200
    assert service.get(path)["state"] == "stopped"
    assert "was stopped" in service.refused("POST", f"{path}/progress", first)


def test_gpus_are_those_of_each_replica(service: Service) -> None:
    """Kafka-ML fails at any number above 0."""
    service.post(f"/results/inference/{service.finished()}", {**SENT, "gpumem": 2}, 200)

    runs = [run for name, run in service.runner.runs.items() if "inference" in name]
    assert [run.gpus for run in runs] == [2, 2]


def test_the_log_is_that_of_all_replicas(service: Service) -> None:
    service.post(f"/results/inference/{service.finished()}", SENT, 200)

    assert service.get("/inferences/1/log") == {
        "log": "model-inference-1-0:\nthe log of model-inference-1-0\n"
        "model-inference-1-1:\nthe log of model-inference-1-1"
    }
    assert service.client.get("/inferences/9/log").status_code == 404


def test_a_model_on_tensorflow_serving(service: Service) -> None:
    url = "http://tfserving:8501/v1/models/digits:predict"
    made = service.post(f"/results/inference/{service.finished()}", {**SENT, "model_server": url}, 200)

    assert made["model_server"] == url
    assert service.runner.runs["model-inference-1-0"].variables["MODELSERVER"] == url


@pytest.mark.parametrize("version", ["", "/versions/3", "/labels/best"])
def test_the_url_of_a_model_may_lack_its_verb(version: str, service: Service) -> None:
    url = f"http://tfserving:8501/v1/models/digits{version}"
    made = service.post(f"/results/inference/{service.finished()}", {**SENT, "model_server": url}, 200)

    assert made["model_server"] == f"{url}:predict"
