"""The resource `/api/status`."""

import gzip
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from pipeline.wire.figures import CameraFigures, Dropped, Figures
from tests.parts import wait_for
from tests.video.api.conftest import Api
from tests.video.cameras.statuses import a_status
from tests.video.fakes import a_frame
from video.api import status_models

SERVICES = (("producer", "p"), ("consumer", "c"), ("video", "me"))
DOOR = CameraFigures(25.0, 12.5, 0.04, {"not_due": Dropped(130, 12.5)})


def report(api: Api, *cameras: str) -> None:
    """Let one process of each service report that all is well, with figures of these cameras."""
    for service, instance in SERVICES:
        status = a_status("ready", camera="", service=service, instance=instance)
        api.processes.report(status, 0)
        api.processes.figure(Figures(service, instance, 0.0, dict.fromkeys(cameras, DOOR)), 0)


def test_services_and_cameras_are_reported(api: Api) -> None:
    api.show(a_frame(camera="door"))
    report(api, "door")

    found = api.json("/api/status")

    status_models.StatusOverview.model_validate(found)
    assert [(each["service"], each["replicas"]) for each in found["services"]] == [
        ("producer", 1),
        ("consumer", 1),
        ("video", 1),
    ]
    (door,) = found["cameras"]
    assert (door["captured"], door["labelled"], door["shown"], door["age_ms"]) == (25, 12.5, 12.5, 40)


def test_the_example_is_an_answer() -> None:
    status_models.StatusOverview.model_validate(status_models.STATUS)


def test_nothing_but_what_the_visitor_may_see(api: Api) -> None:
    api.show(a_frame(camera="door"), a_frame(camera="secret"))
    report(api, "door", "secret")
    api.guest.name = "ann"
    api.guest.hidden = {"secret"}

    _, body = api.get("/api/status")

    found = json.loads(body)
    assert [each["name"] for each in found["cameras"]] == ["door"]
    assert [each["in_per_s"] for each in found["services"]] == [25, 25, 25]
    assert [each["processes"] for each in found["services"]] == [None, None, None]
    assert b"secret" not in body


@pytest.mark.parametrize(
    ("name", "roles", "expected"),
    [(None, ("viewer",), True), ("ann", ("viewer",), False), ("ann", ("viewer", "operator"), True)],
    ids=["open", "viewer", "operator"],
)
def test_processes_are_for_operators_unless_access_is_open(
    api: Api, name: str | None, roles: Any, expected: bool
) -> None:
    report(api)
    api.guest.name, api.guest.roles = name, roles

    found = api.json("/api/status")["services"]

    assert [each["processes"] is not None for each in found] == [expected] * 3


def test_an_answer_that_has_not_changed_is_not_sent_again(api: Api) -> None:
    report(api, "door")
    with api.ask("/api/status") as answer:
        tag = answer.headers["etag"]
        assert answer.headers["cache-control"] == "private, no-cache"

    with api.ask("/api/status", **{"If-None-Match": tag}) as answer:
        assert (answer.status, answer.read()) == (304, b"")
    report(api, "door", "yard")
    with api.ask("/api/status", **{"If-None-Match": tag}) as answer:
        assert answer.status == 200


def test_it_is_compressed_for_those_who_accept_that(api: Api) -> None:
    report(api, "door")
    plain = api.json("/api/status")

    with api.ask("/api/status", **{"Accept-Encoding": "gzip"}) as answer:
        assert answer.headers["content-encoding"] == "gzip"
        assert json.loads(gzip.decompress(answer.read())) == plain


def test_trouble_with_kafka_is_noted(api: Api) -> None:
    api.cameras.report_broker("Kafka does not answer at kafka:9092")

    assert api.json("/api/status")["notes"] == ["no frames can be read: Kafka does not answer at kafka:9092"]


def test_two_hundred_cameras_in_eleven_processes(api: Api) -> None:
    names = [f"camera {number:03}" for number in range(200)]
    api.show(*(a_frame(camera=name) for name in names))
    for service, instance in SERVICES:
        for replica in range(1 if service == "video" else 5):
            own = f"{instance}{replica or ''}"
            shares = names if service == "video" else names[replica::5]
            api.processes.report(a_status("ready", camera="", service=service, instance=own), 0)
            api.processes.figure(Figures(service, own, 0.0, dict.fromkeys(shares, DOOR)), 0)

    found = api.json("/api/status")

    assert [each["name"] for each in found["cameras"]] == names
    for camera in found["cameras"]:
        assert (camera["captured"], camera["labelled"], camera["shown"]) == (25, 12.5, 12.5)
        assert camera["age_ms"] == 40
        assert [each["count"] for each in camera["dropped"]] == [130, 130, 130]
        assert camera["why"] == {}
    assert [each["replicas"] for each in found["services"]] == [5, 5, 1]
    assert [each["in_per_s"] for each in found["services"]] == [5000, 5000, 5000]
    assert [each["dropped"][0]["count"] for each in found["services"]] == [26_000] * 3


@pytest.mark.exceeds("video.api.status._MOST_WAITING")
def test_when_too_many_requests_wait_a_further_one_is_refused(
    serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("video.api.status._MOST_WAITING", 1)
    api = serve()
    waits, go_on = threading.Event(), threading.Event()
    current = api.processes.current

    def slowly() -> Any:
        waits.set()
        assert go_on.wait(20)
        return current()

    monkeypatch.setattr(api.processes, "current", slowly)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(api.json, "/api/status")
        wait_for(waits.is_set, 20, "the first request")
        try:
            with api.ask("/api/status") as refused:
                assert (refused.status, refused.headers["retry-after"]) == (503, "1")
        finally:
            go_on.set()
        assert len(first.result(20)["services"]) == 3
