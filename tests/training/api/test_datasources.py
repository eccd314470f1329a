import json
from typing import Any

from tests.training.conftest import RAW, Service

# What Kafka-ML's logger posts for the control message of a sink.
POSTED: dict[str, Any] = {
    "topic": "automl:0:0:4,automl:1:0:10",
    "unsupervised_topic": None,
    "input_format": "RAW",
    "description": "d",
    "dataset_restrictions": {},
    "input_config": json.dumps(RAW),
    "validation_rate": 0.1,
    "test_rate": 0.1,
    "total_msg": 14,
    "incremental": False,
    "deployment": "1",
    "time": "2026-11-30T10:00:00",
}


def test_the_logger_stores_a_datasource(service: Service) -> None:
    service.post("/datasources/", POSTED)

    (row,) = service.get("/datasources/")
    assert row == {**POSTED, "id": 1, "time": "2026-11-30T10:00:00Z"}


def test_a_second_attempt_of_the_logger_stores_nothing(service: Service) -> None:
    service.post("/datasources/", POSTED)
    service.post("/datasources/", POSTED)
    service.post("/datasources/", {**POSTED, "time": "2026-11-30T10:00:00+00:00"})
    service.post("/datasources/", {**POSTED, "deployment": "2"})
    service.post("/datasources/", {**POSTED, "time": "2026-11-30T10:00:05"})

    assert [(each["deployment"], each["time"][-4:]) for each in service.get("/datasources/")] == [
        ("1", ":05Z"),
        ("2", ":00Z"),
        ("1", ":00Z"),
    ]


def test_rates_may_have_any_number_of_decimals(service: Service) -> None:
    service.post("/datasources/", {**POSTED, "validation_rate": 1 / 3, "total_msg": None})

    assert service.get("/datasources/")[0]["validation_rate"] == 1 / 3


def test_what_is_no_datasource_is_refused(service: Service) -> None:
    def refused(**fields: Any) -> str:
        return service.refused("POST", "/datasources/", {**POSTED, **fields})

    assert "validation_rate='1.5'" in refused(validation_rate=1.5)
    assert "at most 1 together" in refused(validation_rate=0.6, test_rate=0.6)
    assert "expected a JSON object" in refused(input_config="{")
    assert "input_format='XML'" in refused(input_format="XML")
    assert "deployment='one'" in refused(deployment="one")
    assert "total_msg='-1'" in refused(total_msg=-1)
    assert service.get("/datasources/") == []


def test_a_stream_is_sent_again_with_all_its_fields(service: Service) -> None:
    deployment = service.deployment()["id"]
    extra = {"unsupervised_topic": "u:0:0:9", "dataset_restrictions": {"a": 1}, "incremental": True, "new": 1}
    service.post("/datasources/", {**POSTED, **extra, "deployment": "9"})
    row = service.get("/datasources/")[0]
    of_kafka_ml = "topic input_format input_config description validation_rate test_rate total_msg time"

    service.post("/datasources/kafka", {**row, "deployment": deployment})
    # Kafka-ML's page knows, and sends back, fewer fields.
    service.post(
        "/datasources/kafka",
        {**{name: row[name] for name in of_kafka_ml.split()}, "deployment": str(deployment)},
    )

    for key, value in service.control.published:
        assert key == b"\0\0\0\x01"
        sent = {name: POSTED[name] for name in POSTED if name not in ("deployment", "time")}
        assert json.loads(value) == {**sent, **extra, "input_config": RAW}
    assert len(service.control.published) == 2
    assert len(service.get("/datasources/")) == 1


def test_what_cannot_be_sent_again(service: Service) -> None:
    def refused(**fields: Any) -> str:
        return service.refused("POST", "/datasources/kafka", {**POSTED, **fields})

    assert refused() == "Deployment not valid: there is no deployment 1"
    assert refused(deployment="9" * 20).startswith("Deployment not valid: there is no deployment")
    assert refused(topic="").startswith("Deployment not valid: topic")
    service.deployment()
    assert "control message: topic" in refused(topic="d:0:5:4")
    service.control.refusal = "topic control: denied"
    assert refused() == "the control message was not sent: topic control: denied"


def test_a_stream_can_be_sent_again_later_when_kafka_is_back(service: Service) -> None:
    service.deployment()
    service.control.is_away = True
    reason = service.unable("POST", "/datasources/kafka", POSTED)
    assert reason.startswith("the control message was not sent: Kafka does not answer")

    service.control.is_away = False
    service.post("/datasources/kafka", POSTED)
    assert len(service.control.published) == 1
