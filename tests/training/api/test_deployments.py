import json
from datetime import datetime, timedelta

import pytest

from tests.training.conftest import RAW, Service


def test_a_deployment_starts_a_job_for_each_model(service: Service) -> None:
    models = service.model("digits"), service.model("letters", framework="pth")
    configuration = service.configuration(*models)

    made = service.deployment(configuration, batch=16, pth_kwargs_fit="max_epochs=2", conf_mat_settings=True)

    assert [each["status"] for each in made["results"]] == ["created", "created"]
    assert [*service.runner.runs] == ["model-training-1", "model-training-2"]
    tensorflow, pytorch = service.runner.runs.values()
    assert tensorflow.module == "training.job"
    assert (
        tensorflow.variables.items()
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
        }.items()
    )
    assert pytorch.variables["KWARGS_FIT"] == '{"max_epochs": 2}'
    assert service.get(f"/configurations/{configuration}")["deployments"][0]["id"] == made["id"]


def test_the_arguments_may_be_left_out(service: Service) -> None:
    configuration = service.configuration(service.model(), service.model("pth", framework="pth"))

    service.post("/deployments/", {"configuration": configuration})

    runs = service.runner.runs.values()
    assert [each.variables["KWARGS_FIT"] for each in runs] == ['{"epochs": 1}', '{"max_epochs": 1}']


def test_control_messages_count_from_some_time_before_the_deployment(service: Service) -> None:
    made = service.deployment()

    (run,) = service.runner.runs.values()
    since = datetime.fromisoformat(run.variables["CONTROL_SINCE"])
    assert datetime.fromisoformat(made["time"]) - since == timedelta(seconds=600)


def test_deployments_are_listed_by_configuration(service: Service) -> None:
    model = service.model()
    first, second = service.configuration(model, name="first"), service.configuration(model, name="second")
    one, two, three = (service.deployment(each)["id"] for each in (first, second, first))

    assert [each["id"] for each in service.get(f"/deployments/{first}")] == [one, three]
    assert [each["id"] for each in service.get("/deployments/")] == [one, two, three]
    assert "no configuration 9" in service.refused("GET", "/deployments/9")


def test_a_mode_that_does_not_exist_is_refused(service: Service) -> None:
    configuration = service.configuration(service.model())

    reason = service.refused("POST", "/deployments/", {"configuration": configuration, "blockchain": True})

    assert reason.startswith("blockchain: ")
    assert "does not exist in this version" in reason
    assert service.get("/deployments/") == []


def test_a_federated_training_is_a_job_with_its_settings(service: Service) -> None:
    service.deployment(
        federated=True, agg_rounds=3, min_data=20, strategy="FedYogi", data_restriction='{"country": "es"}'
    )
    service.deployment(1, federated=True)

    first, second = (run.variables for run in service.runner.runs.values())
    assert (
        first.items()
        >= {
            "CASE": "5",
            "AGGREGATION_ROUNDS": "3",
            "MIN_DATA": "20",
            "AGG_STRATEGY": "FedYogi",
            "DATA_RESTRICTION": '{"country": "es"}',
        }.items()
    )
    ids = first["FEDERATED_STRING_ID"], second["FEDERATED_STRING_ID"]
    assert all(len(each) == 8 and each.isalpha() for each in ids)
    assert ids[0] != ids[1]
    assert second["AGG_STRATEGY"] == "FedAvg"


@pytest.mark.parametrize(
    ("model", "fields", "reason"),
    [
        (
            {},
            {"agg_strategy": "FedOpt"},
            "agg_strategy: FedOpt is the name of the family",
        ),
        (
            {},
            {"incremental": True},
            "it does not combine with incremental: leave one of them false",
        ),
        ({}, {"indefinite": True}, "federated: it does not combine with indefinite"),
        ({}, {"unsupervised": True}, "federated: it does not combine with unsupervised"),
        ({}, {"blockchain": True}, "federated: it does not combine with blockchain"),
        ({"distributed": True}, {}, "federated: it does not combine with distributed models"),
        ({"distributed": True}, {"incremental": True}, "federated: it does not combine with incremental"),
        ({"framework": "pth"}, {}, "which PyTorch models do not say: choose TensorFlow models"),
        ({}, {"agg_rounds": 0}, "agg_rounds=0: expected at least 1 for federated training"),
        ({}, {"datasource": 1}, "datasource: a federated training takes the data of its clients"),
    ],
    ids=str,
)
def test_a_federated_training_that_cannot_be_is_refused(
    model: dict[str, object], fields: dict[str, object], reason: str, service: Service
) -> None:
    configuration = service.configuration(service.model(**model))
    sent = {"configuration": configuration, "federated": True, **fields}

    assert reason in service.refused("POST", "/deployments/", sent)
    assert service.get("/deployments/") == []


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (
            {"tf_kwargs_fit": "steps=5"},
            "Some TensorFlow arguments are not valid: expected epochs, such as epochs=5",
        ),
        ({"batch": 0}, "batch='0': expected a value greater than 0"),
        ({"tf_kwargs_fit": "e" * 101}, "100 characters"),
        ({"confidence": 1.1}, "confidence='1.1'"),
        ({"configuration": 99}, "there is no configuration 99"),
        ({"configuration": "one"}, "configuration='one': expected a whole number"),
        ({"datasource": 7}, "there is no such datasource"),
    ],
    ids=["no epochs", "batch", "long", "confidence", "unknown", "text", "datasource"],
)
def test_what_is_wrong_is_refused(fields: dict[str, object], reason: str, service: Service) -> None:
    configuration = service.configuration(service.model())

    sent = {"configuration": configuration, "tf_kwargs_fit": "epochs=5", **fields}
    assert reason in service.refused("POST", "/deployments/", sent)
    assert service.get("/deployments/") == []


def test_a_deployment_whose_jobs_cannot_start_leaves_nothing(service: Service) -> None:
    configuration = service.configuration(service.model("digits"), service.model("letters"))
    service.runner.fails_at = "model-training-2"

    reason = service.refused(
        "POST", "/deployments/", {"configuration": configuration, "tf_kwargs_fit": "epochs=5"}
    )

    assert reason == "the training cannot be started: there is no room"
    assert service.runner.runs == {}
    assert service.get("/deployments/") == service.get("/results/") == []


def test_fields_of_later_modes_are_stored(service: Service) -> None:
    made = service.deployment(
        stream_timeout=-1, monitoring_metric="loss", change="down", agg_strategy="FedAdam", min_data=5
    )
    older_page = service.deployment(
        made["configuration"]["id"], strategy="FedYogi", data_restriction='{"a": 1}', change=None
    )

    assert (
        made.items()
        >= {
            "stream_timeout": -1,
            "monitoring_metric": "loss",
            "change": "down",
            "agg_strategy": "FedAdam",
            "min_data": 5,
        }.items()
    )
    assert (older_page["agg_strategy"], older_page["data_restriction"]) == ("FedYogi", {"a": 1})


def test_the_seed_is_that_of_the_request_or_a_new_one(service: Service) -> None:
    configuration = service.configuration(service.model())

    service.deployment(configuration, seed=7)
    service.deployment(configuration)

    random, given = service.get("/results/")
    assert given["seed"] == 7
    assert isinstance(random["seed"], int)


def test_a_datasource_is_sent_again_for_the_deployment(service: Service) -> None:
    stored = service.post(
        "/datasources/",
        {"deployment": "1", "input_format": "RAW", "input_config": json.dumps(RAW), "topic": "d:0:0:9"},
    )

    made = service.deployment(datasource=stored["id"])

    ((key, value),) = service.control.published
    assert int.from_bytes(key, "big") == made["id"]
    assert json.loads(value)["topic"] == "d:0:0:9"


def test_a_deployment_is_deleted_once_it_has_no_results(service: Service) -> None:
    made = service.deployment()

    assert "has results" in service.refused("DELETE", f"/deployments/{made['id']}")
    service.client.delete(f"/results/{made['results'][0]['id']}")
    assert service.client.delete(f"/deployments/{made['id']}").status_code == 200
    assert "no deployment" in service.refused("DELETE", f"/deployments/{made['id']}")
