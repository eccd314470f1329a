"""Chains of models: what the API accepts, the job it starts, and what becomes of the parts."""

import ast
import json
from typing import Any

import pytest

from tests.training.api.test_inferences import SENT
from tests.training.conftest import PLACES, Service
from training.code.program import Shape, Summary
from training.jobs import Outcome, recover
from training.runners.runner import Waiting
from training.runs import Places

EDGE, FOG, CLOUD = "edge model", "fog model", "cloud model"


def summary(given: Shape, *outputs: Shape) -> Summary:
    """Return what is known of a model with one input."""
    return Summary("", (given,), outputs, 0, ())


@pytest.fixture
def shapes(service: Service) -> dict[str, Summary]:
    """The shapes of three models that fit."""
    service.code.shapes = {
        EDGE: summary((None, 64), (None, 8), (None, 10)),
        FOG: summary((None, 8), (None, None), (None, 10)),
        CLOUD: summary((None, 4), (None, 10)),
    }
    return service.code.shapes


def chain(service: Service) -> dict[str, int]:
    """Add edge, fog and cloud, and a configuration of them; return their ids."""
    cloud = service.model("cloud", distributed=True, code=CLOUD)
    fog = service.model("fog", distributed=True, code=FOG, father=cloud)
    edge = service.model("edge", distributed=True, code=EDGE, father=fog)
    return {"edge": edge, "fog": fog, "cloud": cloud, "all": service.configuration(cloud)}


def deployed(service: Service, **fields: Any) -> dict[str, int]:
    """Train a chain; return the ids of the results by the names of their models."""
    made = service.deployment(chain(service)["all"], **fields)
    return {each["model"]["name"]: each["id"] for each in made["results"]}


def statuses(service: Service) -> dict[str, str]:
    return {each["model"]["name"]: each["state"] for each in service.get("/results/")}


def test_one_job_trains_the_chain(service: Service, shapes: dict[str, Summary]) -> None:  # noqa: ARG001
    ids = deployed(service, learning_rate=0.01, optimizer="sgd", loss_weights=[1, 2, 0.5])

    (run,) = service.runner.runs.values()

    order = [ids["edge"], ids["fog"], ids["cloud"]]
    assert run.name == f"model-training-{order[0]}"
    found = run.variables
    assert found["CASE"] == "3"
    assert ast.literal_eval(found["RESULT_ID"]) == order
    assert ast.literal_eval(found["RESULT_URL"]) == [f"http://training:8080/results/{each}" for each in order]
    assert ast.literal_eval(found["MODEL_NAME"]) == ["edge", "fog", "cloud"]
    assert (found["OPTIMIZER"], found["LEARNING_RATE"], found["LOSS_WEIGHTS"]) == (
        "sgd",
        "0.01",
        "[1.0, 2.0, 0.5]",
    )
    assert (found["LOSS"], found["METRICS"]) == (
        "sparse_categorical_crossentropy",
        "sparse_categorical_accuracy",
    )
    token = PLACES.tokens.issue("training", order[0], others=order[1:])
    assert found["RESULT_TOKEN"] == token
    assert len({each["seed"] for each in service.get("/results/")}) == 1


def test_single_models_and_chains_have_jobs_of_their_own(service: Service) -> None:
    models = [service.model("single"), service.model("alone", distributed=True)]

    results = service.deployment(service.configuration(*models))["results"]

    runs = service.runner.runs
    assert [runs[f"model-training-{each['id']}"].variables["CASE"] for each in results] == ["1", "3"]
    assert runs["model-training-2"].variables["LOSS_WEIGHTS"] == "[1.0]"


@pytest.mark.parametrize(
    ("code", "changed", "reason"),
    [
        (EDGE, summary((None, 64), (None, 10)), "code: model edge has 1 outputs: expected two"),
        (
            EDGE,
            summary((None, 64), (None, 7), (None, 10)),
            "father: the first output of edge has the shape 7, but the",
        ),
        (
            FOG,
            summary((None, 9), (None, 4), (None, 10)),
            "code: the first output of edge has the shape 8, but the",
        ),
        (
            CLOUD,
            summary((None, 4), *[(None, 1)] * 3),
            "code: model cloud has 3 outputs: expected one, or two",
        ),
        (
            CLOUD,
            Summary("", ((None, 4),) * 2, ((None, 1),), 0, ()),
            "code: model cloud has 2 inputs: expected one",
        ),
        (CLOUD, summary((None, 2, 4), (None, 10)), "the input of cloud has 2 x 4"),
    ],
    ids=["outputs", "up", "down", "three", "inputs", "axes"],
)
def test_parts_that_do_not_fit_are_refused(
    code: str, changed: Summary, reason: str, service: Service, shapes: dict[str, Summary]
) -> None:
    ids = chain(service)
    shapes[f"{code} 2"] = changed

    number = ids[code.removesuffix(" model")]
    assert reason in service.refused("PATCH", f"/models/{number}", {"code": f"{code} 2"})
    assert service.get(f"/models/{number}")["code"] == code


def test_a_father_must_fit(service: Service, shapes: dict[str, Summary]) -> None:
    ids = chain(service)
    shapes["new model"] = summary((None, 3), (None, 10))
    other = service.model("other", distributed=True, code="new model")

    reason = service.refused("PATCH", f"/models/{ids['edge']}", {"father": other})

    assert reason == "father: the first output of edge has the shape 8, but the input of other has 3"


def test_a_neighbour_whose_code_fails_is_named(service: Service, shapes: dict[str, Summary]) -> None:
    ids = chain(service)
    with service.database.writing() as session:
        session.connection().exec_driver_sql("UPDATE models SET code = 'x' WHERE name = 'cloud'")
    shapes["fog model 2"] = shapes[FOG]

    reason = service.refused("PATCH", f"/models/{ids['fog']}", {"code": "fog model 2"})

    assert reason.startswith("the code of model cloud does not give a model: line 1")


def test_a_father_of_another_framework_is_refused(service: Service) -> None:
    torch = service.model("torch", framework="pth")

    sent = {"name": "edge", "code": EDGE, "framework": "tf", "distributed": True, "father": torch}
    reason = service.refused("POST", "/models/", sent)

    assert reason == "father: torch is a PyTorch model, and edge is TensorFlow: both must be TensorFlow"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"loss_weights": [1, 2]}, "loss_weights: expected 3 numbers, for edge, fog, cloud; found 2"),
        ({"loss_weights": [1, 2, -1]}, "greater than or equal to 0"),
        ({"metrics": "accuracy,"}, "expected names of Keras"),
        ({"learning_rate": 0}, "greater than 0"),
        ({"federated": True}, "federated: "),
        ({"incremental": True}, "incremental: this mode does not exist for chains"),
        ({"unsupervised": True}, "unsupervised: this mode does not exist for chains"),
    ],
    ids=["count", "negative", "metrics", "rate", "federated", "incremental", "unsupervised"],
)
def test_what_does_not_fit_a_chain_is_refused(fields: dict[str, Any], reason: str, service: Service) -> None:
    configuration = chain(service)["all"]

    assert reason in service.refused("POST", "/deployments/", {"configuration": configuration, **fields})
    assert service.get("/deployments/") == []


def test_a_configuration_must_have_the_whole_chain(service: Service) -> None:
    cloud = service.model("cloud", distributed=True)
    fog = service.model("fog", distributed=True, father=cloud)
    lower, upper = service.configuration(fog, name="lower"), service.configuration(cloud, name="upper")
    service.model("edge", distributed=True, father=fog)

    for configuration, lacks in ((lower, "cloud, the model above fog"), (upper, "edge, the model below fog")):
        reason = service.refused("POST", "/deployments/", {"configuration": configuration})
        assert f"it lacks {lacks}" in reason


@pytest.mark.parametrize("part", ["edge", "fog", "cloud"])
def test_stopping_any_part_stops_the_chain(part: str, service: Service) -> None:
    ids = deployed(service)

    assert "belongs to a chain that is being trained" in service.refused("DELETE", f"/results/{ids[part]}")
    service.post(f"/results/stop/{ids[part]}", status=200)

    assert statuses(service) == dict.fromkeys(("edge", "fog", "cloud"), "stopped")
    assert service.runner.stopped == [f"model-training-{ids['edge']}"]
    for each in ids.values():
        assert service.client.delete(f"/results/{each}").status_code == 200


def test_a_chain_does_not_change_while_it_is_trained(service: Service) -> None:
    ids = chain(service)
    service.deployment(ids["all"])

    for fields in ({"father": None}, {"father": ids["cloud"]}, {"distributed": False}):
        reason = service.refused("PATCH", f"/models/{ids['edge']}", fields)
        assert "model edge is being trained in a chain" in reason
    service.post("/results/stop/1", status=200)
    assert service.client.patch(f"/models/{ids['edge']}", json={"father": None}).status_code == 200


def test_a_job_that_dies_fails_all_parts_that_are_not_finished(service: Service) -> None:
    ids = deployed(service)
    for each in ids.values():
        service.client.get(f"/results/{each}")
    assert service.upload(ids["edge"]).status_code == 200
    outcome = Outcome(service.database)

    assert outcome.ended(f"model-training-{ids['edge']}", 1, 1)
    assert not outcome.ended(f"model-training-{ids['edge']}", 1, 4)

    assert statuses(service) == {"edge": "finished", "fog": "failed", "cloud": "failed"}


def test_after_a_restart_the_run_of_a_chain_is_found(service: Service) -> None:
    ids = deployed(service)

    recover(service.database, service.runner, PLACES)
    assert statuses(service) == dict.fromkeys(("edge", "fog", "cloud"), "queued")
    assert service.get(f"/results/log/{ids['cloud']}") == {"log": f"the log of model-training-{ids['edge']}"}

    service.runner.runs.clear()
    recover(service.database, service.runner, PLACES)
    assert statuses(service) == dict.fromkeys(("edge", "fog", "cloud"), "failed")


def test_after_a_restart_a_chain_learns_where_everything_is_now(service: Service) -> None:
    ids = deployed(service)
    recover(service.database, service.runner, Places("kafka:9999", "control", "http://here:1234", 600))

    (run,) = service.runner.runs.values()
    urls = [f"http://here:1234/results/{ids[part]}" for part in ("edge", "fog", "cloud")]
    assert ast.literal_eval(run.variables["RESULT_URL"]) == urls
    assert run.variables["BOOTSTRAP_SERVERS"] == "kafka:9999"


def test_all_parts_wait_for_the_turn_of_the_chain(service: Service) -> None:
    ids = deployed(service)
    service.runner.queue = [Waiting(f"model-training-{ids['edge']}", "MAXRUNS=1", ["model-training-99"])]

    waits = {"state": "queued", "place": 1, "reason": "waits for result 99 (MAXRUNS=1)"}
    assert [each["progress"] for each in service.get("/results/")] == [waits] * 3


def test_an_inference_of_a_part_knows_where_its_upper_model_is(service: Service) -> None:
    ids = deployed(service)
    service.client.get(f"/results/{ids['edge']}")
    service.upload(ids["edge"])
    sent = {**SENT, "replicas": 1, "limit": 0.8, "output_upper": "up", "upper_kafka_broker": "cloud:9092"}

    made = service.post(f"/results/inference/{ids['edge']}", {**sent, "upper_away": "leave"}, 200)

    found = service.runner.runs["model-inference-1-0"].variables
    names = ("LIMIT", "OUTPUT_UPPER", "UPPER_BOOTSTRAP_SERVERS", "UPPERAWAY", "DISTRIBUTED")
    assert [found[name] for name in names] == ["0.8", "up", "cloud:9092", "leave", "true"]
    assert (made["limit"], made["output_upper"], made["upper_away"]) == (0.8, "up", "leave")
    report = {"run": "a", "state": "ready", "answered": 5, "exited": 4, "sent_up": 3}
    service.post("/inferences/1/progress", report, 200)
    progress = service.get("/inferences/1")["progress"]
    assert (progress["answered"], progress["exited"], progress["sent_up"]) == (5, 4, 3)


def test_the_format_of_an_upper_model_is_its_own_input(service: Service, shapes: dict[str, Summary]) -> None:
    ids = deployed(service)

    def prefilled(part: str) -> Any:
        found = service.get(f"/results/inference/{ids[part]}")
        return found["input_format"], json.loads(found["input_config"] or "{}")

    assert prefilled("edge") == ("", {})
    assert prefilled("fog") == ("RAW", {"data_type": "float32", "data_reshape": "8"})
    shapes[FOG] = summary((None, 2, None), (None, 4), (None, 10))
    assert prefilled("fog")[1]["data_reshape"] == "2 -1"
    shapes[FOG] = summary((None, None, None), (None, 4), (None, 10))
    assert prefilled("fog")[1]["data_reshape"] == "-1"
    del shapes[FOG]
    assert prefilled("fog")[1]["data_reshape"] == "-1"


def test_a_token_is_for_all_parts_of_its_chain() -> None:
    scope: Any = {
        "headers": [(b"authorization", f"Bearer {PLACES.tokens.issue('training', 3, others=[4])}".encode())]
    }

    job = PLACES.tokens.find(scope)

    assert job is not None
    assert [
        job.may("POST", path)
        for path in ("/results/3", "/results_metrics/4", "/results/4/progress", "/results/5")
    ] == [
        True,
        True,
        True,
        False,
    ]
