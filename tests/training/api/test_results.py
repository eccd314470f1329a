import errno
import io
import json
import os
import shutil
from typing import Any

import pytest
from PIL import Image

from tests.training.conftest import CODE, Service
from tests.training.fakes import UNTRAINED
from training.api import bodies
from training.code.program import parted

PNG = b"\x89PNG\r\n\x1a\n, and so on"
METRICS = {
    "train_metrics": {"loss": [0.5, 0.25], "accuracy": [0.8, 0.9]},
    "val_metrics": {"loss": [0.6, 0.5]},
    "test_metrics": {"loss": [0.4]},
    "training_time": 12.34567,
    "confusion_matrix": [[3, 1], [0, 4]],
}


def status(service: Service, result: int) -> tuple[str, str, str | None]:
    """Return a result's status, state and reason."""
    found = next(each for each in service.get("/results/") if each["id"] == result)
    return found["status"], found["state"], found["reason"]


def test_the_first_fetch_makes_a_result_deployed(service: Service) -> None:
    result = service.deployment()["results"][0]["id"]
    assert status(service, result) == ("created", "queued", None)

    answer = service.client.get(f"/results/{result}")

    assert answer.content == UNTRAINED
    assert answer.headers["content-type"] == "application/model"
    assert answer.headers["content-disposition"] == 'attachment; filename="model.h5"'
    assert status(service, result) == ("deployed", "waiting", None)


@pytest.mark.parametrize("is_finished", [False, True], ids=["at first", "afterwards"])
def test_while_its_model_is_built_a_result_is_starting(
    service: Service, monkeypatch: pytest.MonkeyPatch, is_finished: bool
) -> None:
    result = service.finished() if is_finished else service.deployment()["results"][0]["id"]
    before = status(service, result)
    seen = list[tuple[str, str, str | None]]()
    build = service.code.build

    def look(*given: Any, **options: Any) -> None:
        seen.append(status(service, result))
        build(*given, **options)

    monkeypatch.setattr(service.code, "build", look)

    service.client.get(f"/results/{result}")

    assert seen == [before if is_finished else ("created", "starting", None)]
    assert status(service, result) == (before if is_finished else ("deployed", "waiting", None))


def test_of_pytorch_the_code_is_fetched(service: Service) -> None:
    configuration = service.configuration(service.model(framework="pth"))
    result = service.deployment(configuration, pth_kwargs_fit="max_epochs=1")["results"][0]["id"]

    assert service.client.get(f"/results/{result}").text == CODE


def test_of_pytorch_the_imports_come_before_the_code(service: Service) -> None:
    configuration = service.configuration(service.model(framework="pth", imports="import math"))
    result = service.deployment(configuration, pth_kwargs_fit="max_epochs=1")["results"][0]["id"]

    text = service.client.get(f"/results/{result}").text

    assert parted(text) == ("import math", CODE)
    assert parted(CODE) == ("", CODE)


def test_an_upload_makes_a_result_finished(service: Service) -> None:
    result = service.deployment()["results"][0]["id"]
    service.client.get(f"/results/{result}")

    answer = service.upload(result, json.dumps(METRICS), confussion_matrix=PNG)

    assert (answer.status_code, answer.json()) == (200, {})
    (found,) = service.get("/results/")
    assert found.items() >= {**METRICS, "status": "finished"}.items()
    trained = service.client.get(f"/results/model/{result}")
    assert trained.content == b"\x89HDF\r\n\x1a\ntrained"
    assert trained.headers["content-type"] == "application/force-download"
    assert trained.headers["content-disposition"] == 'attachment; filename="model.h5"'
    assert trained.headers["ml-framework"] == "tf"
    assert trained.headers["access-control-expose-headers"] == "ML-Framework"
    picture = service.client.get(f"/results/confusion_matrix/{result}")
    assert (picture.content, picture.headers["content-type"]) == (PNG, "application/image")
    service.client.get(f"/results/{result}")
    assert status(service, result)[0] == "finished"


def test_decimals_are_texts_in_the_list_of_a_deployment(service: Service) -> None:
    service.finished(training_time=12.34567)

    assert service.get("/results/")[0]["training_time"] == 12.34567
    assert service.get("/deployments/results/1")[0]["training_time"] == "12.3457"
    assert "no deployment" in service.refused("GET", "/deployments/results/9")


def test_a_regression_with_the_matrix_ticked_finishes(service: Service) -> None:
    result = service.deployment(conf_mat_settings=True)["results"][0]["id"]

    assert service.upload(result, json.dumps({"test_metrics": {"loss": [0.1]}})).status_code == 200
    assert status(service, result)[0] == "finished"
    assert "no confusion matrix" in service.refused("GET", f"/results/confusion_matrix/{result}")


def test_a_matrix_that_came_without_a_picture_is_drawn(service: Service) -> None:
    result = service.deployment(conf_mat_settings=True)["results"][0]["id"]
    service.upload(result, json.dumps({**METRICS, "confusion_matrix": [[8, 2], [1, 9]]}))

    picture = service.client.get(f"/results/confusion_matrix/{result}")

    assert picture.headers["content-type"] == "application/image"
    assert picture.headers["content-disposition"] == 'attachment; filename="confusion_mat.png"'
    assert Image.open(io.BytesIO(picture.content)).format == "PNG"


def test_an_indefinite_training_adds_a_result_with_each_upload(service: Service) -> None:
    result = service.deployment()["results"][0]["id"]
    service.client.get(f"/results/{result}")

    for _ in range(2):
        assert service.upload(result, json.dumps({"indefinite": True, **METRICS})).status_code == 200

    assert sorted(each["status"] for each in service.get("/results/")) == ["deployed", "finished", "finished"]


def test_numbers_that_json_does_not_have_become_null(service: Service) -> None:
    service.finished(train_metrics={"loss": [float("nan"), float("inf"), 1.0]})

    assert service.get("/results/")[0]["train_metrics"] == {"loss": [None, None, 1.0]}


@pytest.mark.parametrize(
    ("data", "files", "reason"),
    [
        ("{}", {"trained_model": b""}, "trained_model: expected a file"),
        ("{}", {"trained_model": b"GIF89a"}, "trained_model: expected a Keras file"),
        ("{}", {"confussion_matrix": b"GIF89a"}, "confussion_matrix: expected a PNG"),
        ("[", {}, "data: expected a JSON object with metrics, found invalid JSON"),
        ("[1]", {}, 'data: expected a JSON object such as {"train_metrics": {"loss": [0.5]}'),
        ('{"train_metrics": {"loss": "low"}}', {}, "data: loss='low': expected a list"),
    ],
    ids=["no file", "no model", "no picture", "no JSON", "no object", "no list"],
)
def test_uploads_that_are_refused(data: str, files: dict[str, bytes], reason: str, service: Service) -> None:
    result = service.deployment()["results"][0]["id"]

    answer = service.upload(result, data, **files)

    assert answer.status_code == 400
    assert reason in answer.json()
    assert status(service, result)[0] == "created"


def test_metrics_are_reported_after_each_epoch(service: Service) -> None:
    result = service.deployment()["results"][0]["id"]
    assert "no metrics yet" in service.refused("GET", f"/results/chart/{result}")

    answer = service.client.post(f"/results_metrics/{result}", data={"data": json.dumps(METRICS)})

    assert answer.status_code == 200
    assert service.get(f"/results/chart/{result}") == {
        "metrics": [
            {"name": "loss", "series": [{"value": 0.5, "name": 1}, {"value": 0.25, "name": 2}]},
            {"name": "loss_val", "series": [{"value": 0.6, "name": 1}, {"value": 0.5, "name": 2}]},
            {"name": "accuracy", "series": [{"value": 0.8, "name": 1}, {"value": 0.9, "name": 2}]},
        ],
        "conf_mat": None,
    }


def test_empty_metrics_have_no_chart_but_a_reason(service: Service) -> None:
    result = service.finished(train_metrics={}, val_metrics={})

    assert "no metrics yet" in service.refused("GET", f"/results/chart/{result}")


def test_epochs_without_a_value_and_metrics_of_one_kind_have_a_chart(service: Service) -> None:
    result = service.finished(train_metrics={"loss": [None, 1.0], "mae": []}, val_metrics=None)

    assert service.get(f"/results/chart/{result}")["metrics"] == [
        {"name": "loss", "series": [{"value": None, "name": 1}, {"value": 1.0, "name": 2}]},
        {"name": "mae", "series": []},
    ]


def test_with_a_result_all_its_files_are_deleted(service: Service) -> None:
    """Kafka-ML leaves state dicts and pictures behind."""
    configuration = service.configuration(service.model(framework="pth"))
    result = service.deployment(configuration, pth_kwargs_fit="max_epochs=1")["results"][0]["id"]
    assert service.upload(result, trained_model=b"PK\x03\x04", confussion_matrix=PNG).status_code == 200
    answer = service.client.get(f"/results/model/{result}")
    assert answer.headers["content-disposition"] == 'attachment; filename="model.pth"'
    assert answer.headers["ml-framework"] == "pth"

    assert service.client.delete(f"/results/{result}").status_code == 200

    assert [*service.files.folder.iterdir()] == []


def test_long_metrics_are_taken(service: Service) -> None:
    result = service.deployment()["results"][0]["id"]
    data = json.dumps({"train_metrics": {"loss": [0.123456789] * 100_000}})

    assert service.client.post(f"/results_metrics/{result}", data={"data": data}).status_code == 200
    assert service.upload(result, data).status_code == 200


def test_a_job_reports_its_progress(service: Service) -> None:
    result = service.deployment()["results"][0]["id"]
    sent = {"state": "reading", "read": 10, "total": 60, "left_s": 2.5}

    assert service.post(f"/results/{result}/progress", sent, 200) == {}

    (found,) = service.get("/results/")
    assert (found["state"], found["progress"]) == ("reading", sent)
    assert "state" in service.refused("POST", f"/results/{result}/progress", {"state": "bored"})


def test_a_job_that_fails_says_why(service: Service) -> None:
    result = service.deployment()["results"][0]["id"]

    service.post(f"/results/{result}/progress", {"state": "failed", "reason": "12 labels, 10 classes"}, 200)

    assert status(service, result) == ("stopped", "failed", "12 labels, 10 classes")
    assert "was stopped" in service.refused("POST", f"/results/{result}/progress", {"state": "reading"})


def test_a_finished_result_keeps_its_status_if_the_export_fails(service: Service) -> None:
    result = service.finished()

    service.post(f"/results/{result}/progress", {"state": "failed", "reason": "the disk is full"}, 200)

    assert status(service, result) == ("finished", "finished", "the disk is full")


@pytest.mark.parametrize("fetched", [False, True], ids=["created", "deployed"])
def test_stop(fetched: bool, service: Service) -> None:
    result = service.deployment()["results"][0]["id"]
    if fetched:
        service.client.get(f"/results/{result}")

    assert service.client.post(f"/results/stop/{result}").status_code == 200

    assert status(service, result) == ("stopped", "stopped", None)
    assert service.runner.stopped == [f"model-training-{result}"]
    assert "not found or not running" in service.refused("POST", f"/results/stop/{result}")
    assert "not found or not running" in service.refused("POST", "/results/stop/99")
    assert "was stopped" in service.upload(result).json()
    service.client.get(f"/results/{result}")
    assert status(service, result)[0] == "stopped"


@pytest.mark.parametrize("state", ["created", "finished", "stopped"])
def test_every_result_that_is_not_trained_can_be_deleted(state: str, service: Service) -> None:
    result = service.finished() if state == "finished" else service.deployment()["results"][0]["id"]
    if state == "stopped":
        service.client.post(f"/results/stop/{result}")

    assert service.client.delete(f"/results/{result}").status_code == 200

    assert service.get("/results/") == []
    assert service.files.model(result, "tf") is None
    assert service.runner.forgotten == [f"model-training-{result}"]
    assert "no result" in service.refused("DELETE", f"/results/{result}")


def test_a_result_that_is_trained_is_not_deleted(service: Service) -> None:
    result = service.deployment()["results"][0]["id"]
    service.client.get(f"/results/{result}")

    assert "stop it before" in service.refused("DELETE", f"/results/{result}")


def test_the_log_of_a_job(service: Service) -> None:
    result = service.deployment()["results"][0]["id"]

    assert service.get(f"/results/log/{result}") == {"log": f"the log of model-training-{result}"}


def test_a_job_may_try_again_when_the_disk_is_full(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    result = service.deployment()["results"][0]["id"]

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        answer = service.upload(result, trained_model=b"PK\x03\x04")
    assert answer.status_code == 503
    assert answer.json()["detail"].endswith("No space left on device")

    assert service.upload(result, trained_model=b"PK\x03\x04").status_code == 200


def test_a_trained_model_is_imported(service: Service) -> None:
    configuration = service.configuration(service.model())

    answer = service.client.post(
        "/deployments/import",
        data={"configuration": str(configuration), "metrics": json.dumps(METRICS)},
        files={"trained_model": ("model.keras", b"PK\x03\x04, and so on")},
    )

    assert answer.status_code == 201
    (result,) = answer.json()["results"]
    assert result["status"] == "finished"
    assert service.get("/results/")[0]["train_metrics"] == METRICS["train_metrics"]
    trained = service.client.get(f"/results/model/{result['id']}")
    assert trained.headers["content-disposition"] == 'attachment; filename="model.keras"'
    assert service.runner.runs == {}
    version = service.get("/versions/digits/1")
    assert {name: version[name] for name in ("state", "result", "deployment", "code")} == {
        "state": "candidate",
        "result": result["id"],
        "deployment": answer.json()["id"],
        "code": CODE,
    }


@pytest.mark.parametrize(
    ("metrics", "reason"),
    [
        ('{"loss": [0.5], "acc": [1], "train_metrics": {}}', "metrics: unknown: 'acc', 'loss': expected "),
        ('{"\\ud800": 1}', "metrics: unknown: '\\ud800': expected "),
        ("[1]", "metrics: expected "),
        ("null", "metrics: expected "),
    ],
)
def test_metrics_of_another_form_are_not_imported(metrics: str, reason: str, service: Service) -> None:
    answer = service.client.post(
        "/deployments/import",
        data={"configuration": str(service.configuration(service.model())), "metrics": metrics},
        files={"trained_model": ("model.keras", b"PK\x03\x04")},
    )

    assert answer.status_code == 400
    assert answer.json().startswith(f'{reason}a JSON object such as {{"train_metrics": {{"loss": [0.5]}}')
    assert service.get("/deployments/") == []


def test_imports_that_are_refused(service: Service) -> None:
    two = service.configuration(service.model("a"), service.model("b"), name="two")
    one = service.configuration(1, name="one")

    def refused(configuration: object, content: bytes = b"PK\x03\x04") -> str:
        answer = service.client.post(
            "/deployments/import",
            data={"configuration": str(configuration)},
            files={"trained_model": ("model.keras", content)},
        )
        assert answer.status_code == 400
        return str(answer.json())

    assert "a single model" in refused(two)
    assert "expected the id" in refused("one")
    assert "no configuration 9" in refused(9)
    assert "expected a Keras file" in refused(one, b"GIF89a")
    other = refused(one, b"PK\x03\x04 another model")
    assert other == "trained_model: the trained model has other shapes"
    assert service.get("/versions/") == []
    assert service.get("/deployments/") == service.get("/results/") == []


def test_no_training_starts_on_a_full_disk(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    configuration = service.configuration(service.model())
    full = shutil._ntuple_diskusage(100, 100, 0)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)

    sent = {"configuration": configuration, "tf_kwargs_fit": "epochs=5"}
    assert "is full" in service.refused("POST", "/deployments/", sent)


@pytest.mark.exceeds(
    "training.api.bodies.LARGEST_JSON",
    "training.api.bodies.LARGEST_FORM",
    "training.api.bodies.LARGEST_UPLOAD",
)
@pytest.mark.parametrize("kind", ["LARGEST_JSON", "LARGEST_FORM", "LARGEST_UPLOAD"])
def test_bodies_are_limited(kind: str, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    result = service.deployment()["results"][0]["id"]
    monkeypatch.setattr(bodies, kind, 1000)

    answer = {
        "LARGEST_JSON": lambda: service.client.post("/models/", json={"code": "x" * 2000}),
        "LARGEST_FORM": lambda: service.client.post(f"/results_metrics/{result}", data={"data": "x" * 2000}),
        "LARGEST_UPLOAD": lambda: service.upload(result, "x" * 2000),
    }[kind]()

    assert (answer.status_code, answer.json()) == (400, "expected at most 1000 bytes")


def test_what_comes_after_a_stop_is_not_kept(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Large models take minutes, in which a result may be stopped or deleted."""
    configuration = service.configuration(service.model())
    stopped, deleted = (service.deployment(configuration)["results"][0]["id"] for _ in range(2))
    put_model = service.files.put_model

    def slow(result: int, *given: Any) -> None:
        put_model(result, *given)
        service.client.post(f"/results/stop/{result}")
        if result == deleted:
            service.client.delete(f"/results/{result}")

    monkeypatch.setattr(type(service.files), "put_model", lambda _, *given: slow(*given))

    assert "was stopped" in service.upload(stopped, json.dumps(METRICS)).json()
    assert "no result" in service.upload(deleted, json.dumps(METRICS)).json()

    (row,) = service.get("/results/")
    assert (row["id"], row["status"], row["train_metrics"]) == (stopped, "stopped", None)
    assert service.files.model(stopped, "tf") is service.files.model(deleted, "tf") is None


def test_a_refused_upload_of_an_indefinite_training_adds_no_result(service: Service) -> None:
    result = service.deployment()["results"][0]["id"]

    answer = service.upload(result, '{"indefinite": true}', trained_model=b"GIF89a")

    assert answer.status_code == 400
    assert [each["id"] for each in service.get("/results/")] == [result]


def test_a_finished_result_keeps_its_model_if_another_one_is_refused(service: Service) -> None:
    result = service.finished()

    assert service.upload(result, trained_model=b"GIF89a").status_code == 400

    assert service.client.get(f"/results/model/{result}").content == b"\x89HDF\r\n\x1a\ntrained"


def test_the_clients_of_a_federated_training_are_shown(service: Service) -> None:
    result = service.deployment(federated=True)["results"][0]["id"]
    service.client.get(f"/results/{result}")
    client = {"name": "ann", "num_data": 600, "share": 0.6, "state": "late", "reason": "too late", "used": 1}
    sent = {"state": "training", "reason": "waiting", "round": 1, "agg_rounds": 15, "clients": [client]}

    service.post(f"/results/{result}/progress", sent, 200)

    (found,) = service.get("/results/")
    assert found["reason"] == "waiting"
    assert found["progress"].items() >= {"round": 1, "agg_rounds": 15, "clients": [client]}.items()


def test_a_client_in_no_known_state_is_refused(service: Service) -> None:
    result = service.deployment(federated=True)["results"][0]["id"]
    client = {"name": "ann", "num_data": 600, "share": 0.6, "state": "lost"}

    reason = service.refused(
        "POST", f"/results/{result}/progress", {"state": "training", "clients": [client]}
    )

    assert "expected 'joined', 'training', 'done', 'late', 'failed' or 'refused'" in reason
