"""What the cluster says about pods and Jobs."""

from typing import Any

import pytest

from training.runners.cluster.state import has_started, in_order, is_placed, name_of, trouble


def pod(**status: Any) -> dict[str, Any]:
    return {"metadata": {"name": "a"}, "status": status}


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({}, None),
        ({"conditions": [{"type": "PodScheduled", "status": "True"}]}, None),
        ({"containerStatuses": [{"state": {"waiting": {"reason": "ContainerCreating"}}}]}, None),
        ({"containerStatuses": [{"state": {"terminated": {"exitCode": 0}}}]}, None),
        ({"containerStatuses": [{"state": {"running": {}}}]}, None),
        (
            {
                "containerStatuses": [
                    {"state": {"waiting": {"reason": "ImagePullBackOff", "message": "a\nb"}}}
                ]
            },
            "ImagePullBackOff: a b",
        ),
        (
            {"containerStatuses": [{"state": {"terminated": {"exitCode": 3, "message": "no"}}}]},
            "it ended with exit status 3 (Error): no",
        ),
    ],
    ids=["new", "scheduled", "created", "done", "running", "image", "failed"],
)
def test_what_is_the_matter_with_a_pod(status: dict[str, Any], expected: str | None) -> None:
    assert trouble(pod(**status)) == expected


def test_a_container_that_was_restarted_has_a_log() -> None:
    waiting = {"state": {"waiting": {"reason": "CrashLoopBackOff"}}}

    assert not has_started(pod(containerStatuses=[{**waiting, "restartCount": 0}]))
    assert has_started(pod(containerStatuses=[{**waiting, "restartCount": 1}]))


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([], False),
        ([{}], False),
        ([{"conditions": [{"type": "PodScheduled", "status": "False"}]}], False),
        ([{"conditions": [{"type": "PodScheduled", "status": "True"}]}], True),
        ([{"containerStatuses": [{"state": {"running": {}}}]}], True),
        ([{"phase": "Failed"}], True),
        ([{"phase": "Failed"}, {}], False),
    ],
    ids=["no pod", "new", "refused", "taken", "running", "ended", "replaced"],
)
def test_a_node_has_taken_the_newest_pod(statuses: list[dict[str, Any]], expected: bool) -> None:
    pods = [
        {"metadata": {"name": f"a-{number}", "creationTimestamp": "2026-01-31T12:00:00Z"}, "status": status}
        for number, status in enumerate(statuses)
    ]

    assert is_placed(reversed(pods)) is expected


def test_objects_are_in_the_order_of_their_creation() -> None:
    things = [
        {"metadata": {"name": name, "creationTimestamp": f"2026-01-31T12:00:0{second}Z"}}
        for name, second in (("a-10", 1), ("a-9", 1), ("a-11", 0), ("b", 2))
    ]

    assert [name_of(each) for each in in_order(things)] == ["a-11", "a-9", "a-10", "b"]
