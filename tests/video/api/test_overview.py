"""What the overview says of services and cameras, and to whom."""

from collections.abc import Mapping
from typing import Any

import pytest

from pipeline.wire.figures import CameraFigures, Dropped
from video.api.overview import Listed, overview
from video.api.status_models import StatusOverview
from video.api.view import View
from video.cameras.processes import Process

ALL = View(lambda _: True, sees_all=True, processes=True)
DOOR = Listed("door", "live", None)


def a_process(
    service: str, cameras: Mapping[str, CameraFigures] | None, instance: str = "a", **changes: Any
) -> Process:
    """Return a process that is ready."""
    fields = {"state": "ready", "reason": None, "since": 1_000.0} | changes
    return Process(service, instance, figures=cameras, **fields)


def flow(came: float, went: float, age: float | None = 0.1, **dropped: tuple[int, float]) -> CameraFigures:
    """Return a camera's figures."""
    reasons = {reason: Dropped(count, rate) for reason, (count, rate) in dropped.items()}
    return CameraFigures(came, went, age, reasons)


SYSTEM = [
    a_process("producer", {"door": flow(25, 12.5, 0.01, not_due=(1300, 12.5))}),
    a_process("consumer", {"door": flow(12.5, 12, 0.03, replaced=(17, 0.5))}),
    a_process("video", {"door": flow(12, 11.9, 0.04, replaced=(3, 0.0))}, "me"),
]


def seen(processes: list[Process], *cameras: Listed, view: View = ALL) -> Any:
    """Return the overview of processes and cameras."""
    found = overview(processes, cameras or [DOOR], view, "me")
    StatusOverview.model_validate(found)
    return found


def services(found: Any) -> dict[str, Any]:
    """Return the services by name."""
    return {each["service"]: each for each in found["services"]}


def test_a_camera_has_its_rates_its_age_and_its_drops() -> None:
    found = seen(SYSTEM)

    assert found["cameras"] == [
        {
            "name": "door",
            "state": "live",
            "reason": None,
            "captured": 25,
            "labelled": 12,
            "shown": 11.9,
            "age_ms": 40,
            "dropped": [
                {"service": "producer", "reason": "not_due", "count": 1300, "per_s": 12.5},
                {"service": "consumer", "reason": "replaced", "count": 17, "per_s": 0.5},
                {"service": "video", "reason": "replaced", "count": 3, "per_s": 0},
            ],
            "why": {},
        }
    ]
    assert found["notes"] == []


def test_a_service_is_the_sum_of_its_processes() -> None:
    cameras = {"door": flow(10, 9, 0.1, late=(1, 0.5)), "yard": flow(5, 5, 0.3)}
    more = {"hall": flow(20, 20, 0.2, late=(2, 0.25), slow=(4, 0))}
    found = services(seen([a_process("consumer", cameras), a_process("consumer", more, "b")]))

    consumer = found["consumer"]

    assert (consumer["replicas"], consumer["states"]) == (2, {"ready": 2})
    assert (consumer["in_per_s"], consumer["out_per_s"], consumer["age_ms"]) == (35, 34, 200)
    assert consumer["dropped"] == [
        {"reason": "late", "count": 3, "per_s": 0.75},
        {"reason": "slow", "count": 4, "per_s": 0},
    ]
    assert [each["in_per_s"] for each in consumer["processes"]] == [15, 20]


def test_the_stages_are_listed_in_their_order_even_if_nothing_runs() -> None:
    found = seen([a_process("training", {})])

    assert [each["service"] for each in found["services"]] == ["producer", "consumer", "video", "training"]
    producer, training = services(found)["producer"], services(found)["training"]
    assert (producer["replicas"], producer["in_per_s"], producer["why"]) == (0, None, "no producer reports")
    assert (training["replicas"], training["in_per_s"], training["why"]) == (1, None, None)
    assert found["cameras"][0]["why"] == {
        "captured": "no producer reports",
        "labelled": "no consumer reports",
        "shown": "this server has not reported yet",
        "age_ms": "this server has not reported yet",
    }


def test_a_camera_that_nobody_has_counted_says_so() -> None:
    (camera,) = seen(SYSTEM, Listed("yard", "never-seen", "wrong password"))["cameras"]

    assert (camera["state"], camera["reason"]) == ("never-seen", "wrong password")
    assert camera["captured"] is None
    assert camera["why"]["captured"] == "no producer has had a frame of it"


def test_a_camera_that_stands_still_has_no_age() -> None:
    still = [a_process(name, {"door": flow(0, 0, None)}, "me") for name in ("producer", "consumer", "video")]

    (camera,) = seen(still)["cameras"]

    assert (camera["captured"], camera["shown"], camera["age_ms"]) == (0, 0, None)
    assert camera["why"] == {"age_ms": "no frame in the last ten seconds"}


def test_a_rate_that_is_being_measured_is_none() -> None:
    first = CameraFigures(None, None, None, {"late": Dropped(7)})
    found = seen([a_process("producer", {"door": first}), *SYSTEM[1:]])

    (camera,) = found["cameras"]
    assert (camera["captured"], camera["why"]) == (None, {"captured": "it is being measured"})
    assert camera["dropped"][0] == {"service": "producer", "reason": "late", "count": 7, "per_s": 0}
    assert services(found)["producer"]["why"] == "it is being measured"


def test_a_process_without_figures_makes_its_services_unknown() -> None:
    why = "reports no figures: it is an older version"
    found = seen([*SYSTEM, a_process("consumer", None, "old", why=why)], DOOR, Listed("yard", "live", None))

    consumer = services(found)["consumer"]
    assert (consumer["replicas"], consumer["in_per_s"], consumer["why"]) == (2, None, f"a consumer {why}")
    assert [each["why"] for each in consumer["processes"]] == [None, f"it {why}"]
    door, yard = found["cameras"]
    assert (door["labelled"], yard["labelled"]) == (12, None)
    assert yard["why"]["labelled"] == f"a consumer {why}"


@pytest.mark.parametrize("state", ["stopped", "silent"])
def test_a_process_that_has_ended_is_listed_but_does_not_count(state: str) -> None:
    ended = a_process("consumer", None, "b", state=state, reason="gone", why="has stopped")
    consumer = services(seen([*SYSTEM, ended]))["consumer"]

    assert (consumer["replicas"], consumer["states"]) == (1, {"ready": 1, state: 1})
    assert (consumer["out_per_s"], consumer["why"]) == (12, None)
    assert [each["state"] for each in consumer["processes"]] == ["ready", state]
    alone = services(seen([ended]))["consumer"]
    assert (alone["replicas"], alone["why"]) == (0, "no consumer reports")


def test_what_a_camera_shows_is_what_this_server_shows() -> None:
    other = a_process("video", {"door": flow(12, 1, 9.0, replaced=(1000, 11))}, "other")

    (camera,) = seen([*SYSTEM, other])["cameras"]

    assert (camera["shown"], camera["age_ms"]) == (11.9, 40)
    assert camera["dropped"][-1]["count"] == 3


def test_a_visitor_sees_the_figures_of_their_own_cameras_alone() -> None:
    cameras = {"door": flow(10, 10, 0.1, late=(1, 0)), "secret": flow(30, 30, 5.0, forgotten=(9, 1))}
    view = View(lambda name: name == "door", sees_all=False, processes=False)
    processes = [a_process("consumer", cameras, state="not-ready", reason="camera secret is slow", clock=9.0)]

    found = seen(processes, DOOR, Listed("secret", "live", None), view=view)

    assert [each["name"] for each in found["cameras"]] == ["door"]
    consumer = services(found)["consumer"]
    assert (consumer["in_per_s"], consumer["age_ms"], consumer["processes"]) == (10, 100, None)
    assert [each["reason"] for each in consumer["dropped"]] == ["late"]
    assert found["notes"][0].startswith("the clock of a consumer is about 9 s ahead of")
    assert "secret" not in str(found)
    assert "'a'" not in str(found), "the instance's name"


def test_an_operator_of_some_cameras_sees_processes_without_their_reasons() -> None:
    view = View(lambda name: name == "door", sees_all=False, processes=True)
    processes = [a_process("consumer", {}, state="not-ready", reason="camera secret is slow")]

    (process,) = services(seen(processes, view=view))["consumer"]["processes"]

    assert process["instance"] == "a"
    assert process["reason"] == "only those who may see every camera see why"


def test_clocks_that_disagree_are_noted() -> None:
    processes = [
        a_process("producer", {}, "p", clock=3.2),
        a_process("consumer", {}, "c", clock=-70.0),
        a_process("video", {}, "v", clock=-9.0, state="stopped"),
    ]

    notes = seen(processes)["notes"]

    assert [note.partition(",")[0] for note in notes] == [
        "the clock of producer p is about 3 s ahead of this server's",
        "the clock of consumer c is about 70 s behind this server's",
    ]
