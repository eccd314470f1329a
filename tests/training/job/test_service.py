"""Requests to the training service, here a small server on loopback."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from tests.training.job.fakes import FakeService, form_parts
from training.code.supervise import StoppedError
from training.job.reporter import Reporter, say
from training.job.service import AwayError, RefusedError, Service


@pytest.fixture
def fake() -> Iterator[FakeService]:
    fake = FakeService()
    yield fake
    fake.close()


@pytest.fixture
def stop() -> threading.Event:
    return threading.Event()


@pytest.fixture
def service(fake: FakeService, stop: threading.Event) -> Service:
    return Service(fake.url, stop, pause=0.01)


def test_the_model_is_fetched(fake: FakeService, service: Service, tmp_path: Path) -> None:
    fake.answers = [(503, b"busy"), (500, b"")]

    service.fetch_model(tmp_path / "model.h5")

    assert (tmp_path / "model.h5").read_bytes() == b"untrained"
    assert [each.name for each in tmp_path.iterdir()] == ["model.h5"]
    assert len(fake.requests) == 3


def test_half_a_model_is_not_taken(fake: FakeService, service: Service, tmp_path: Path) -> None:
    """The service may end while it sends one."""
    fake.lacks = [4, 9, 0]

    service.fetch_model(tmp_path / "model.h5")

    assert (tmp_path / "model.h5").read_bytes() == b"untrained"
    assert len(fake.requests) == 3


def test_what_is_no_answer_is_asked_for_again(fake: FakeService, service: Service) -> None:
    fake.lacks = [-1]

    service.insist({"state": "failed"})

    assert len(fake.requests) == 2


def test_a_refusal_is_final_and_has_its_reason(fake: FakeService, service: Service, tmp_path: Path) -> None:
    fake.answers = [(400, "no such\nrésult".encode())]

    with pytest.raises(RefusedError, match="the training service answered 400: no such résult"):
        service.fetch_model(tmp_path / "model.h5")

    assert len(fake.requests) == 1


def test_a_service_that_is_away_is_asked_ten_times(fake: FakeService, service: Service) -> None:
    fake.answers = [(500, b"broken")] * 99

    with pytest.raises(AwayError, match="500: broken"):
        service.insist({"state": "failed"})

    assert len(fake.requests) == 10


def test_waiting_for_the_service_can_be_stopped(stop: threading.Event) -> None:
    stop.set()

    with pytest.raises(StoppedError):
        Service("http://127.0.0.1:9/results/1", stop).insist({"state": "failed"})


def test_progress_and_metrics_have_the_formats_of_the_api(fake: FakeService, service: Service) -> None:
    service.progress({"state": "reading", "read": 1})
    service.metrics({"train_metrics": {"loss": [1.0]}})

    assert json.loads(fake.sent("/results/7/progress")[0]) == {"state": "reading", "read": 1}
    form = parse_qs(fake.sent("/results_metrics/7")[0].decode())
    assert json.loads(form["data"][0]) == {"train_metrics": {"loss": [1.0]}}


@pytest.mark.parametrize("picture", [None, b"\x89PNG\r\n--x"], ids=["without", "with"])
def test_an_upload_has_kafka_mls_names(
    fake: FakeService, service: Service, tmp_path: Path, picture: bytes | None
) -> None:
    model = tmp_path / "model.h5"
    model.write_bytes(bytes(range(256)) * 10_000)
    fake.answers = [(503, b"busy")]

    service.upload(model, picture, {"training_time": 1.5})

    _, path, headers, body = fake.requests[-1]
    assert path == "/results/7"
    parts = form_parts(headers, body)
    assert set(parts) == {"data", "trained_model"} | ({"confussion_matrix"} if picture else set())
    assert json.loads(parts["data"].get_payload(decode=True)) == {"training_time": 1.5}
    assert model.read_bytes() in body
    assert parts["trained_model"].get_filename() == "model.h5"
    if picture:
        assert picture in body


def test_the_newest_progress_is_reported(fake: FakeService, service: Service, stop: threading.Event) -> None:
    reporter = Reporter(service, stop)
    for number in range(1000):
        reporter.progress({"state": "reading", "read": number})
    reporter.metrics({"train_metrics": {}})
    reporter.close()
    reporter.close()

    sent = fake.sent("/results/7/progress")
    assert json.loads(sent[-1])["read"] == 999
    assert len(sent) < 1000
    assert len(fake.sent("/results_metrics/7")) == 1
    assert not stop.is_set()


def test_a_service_that_is_away_does_not_stop_the_training(
    fake: FakeService, service: Service, stop: threading.Event
) -> None:
    fake.answers = [(500, b"")]
    reporter = Reporter(service, stop)
    reporter.progress({"state": "training"})
    reporter.close()

    assert not stop.is_set()


def test_a_stopped_result_stops_the_job(fake: FakeService, service: Service, stop: threading.Event) -> None:
    fake.answers = [(400, b"result 7 was stopped")]
    reporter = Reporter(service, stop)
    reporter.progress({"state": "training"})
    reporter.close()

    assert stop.is_set()
    assert reporter.refusal == "the training service answered 400: result 7 was stopped"


def test_an_outcome_that_is_refused_is_left(fake: FakeService, service: Service) -> None:
    fake.answers = [(400, b"")]

    say(service, {"state": "failed", "reason": "x"})

    assert len(fake.requests) == 1


@pytest.mark.parametrize(
    ("answer", "result"), [(b"{}", None), (b'{"result": 8}', 8), (b"\x89HDF", None), (b"[]", None)]
)
def test_an_upload_may_have_added_a_result(
    fake: FakeService, service: Service, tmp_path: Path, answer: bytes, result: int | None
) -> None:
    (tmp_path / "model.h5").write_bytes(b"trained")
    fake.answers = [(200, answer)]

    assert service.upload(tmp_path / "model.h5", None, {"indefinite": True}) == result


def test_a_version_may_be_that_of_an_added_result(
    fake: FakeService, service: Service, tmp_path: Path
) -> None:
    service.add_version(tmp_path, 8)
    service.add_version(tmp_path)

    assert [path for _, path, *_ in fake.requests] == ["/results/7/version?added=8", "/results/7/version"]
