"""What the overview says of model servers, and to whom."""

from typing import Any

from pipeline.wire.figures import Dropped
from pipeline.wire.model_figures import ModelFigures
from video.api.model_servers import model_servers
from video.api.status_models import ModelServer
from video.api.view import View
from video.cameras.processes import Process

ALL = View(lambda _: True, sees_all=True, processes=True)
VIEWER = View(lambda _: True, sees_all=True, processes=False)
SOME = View(lambda name: name == "door", sees_all=False, processes=True)
GOOD = ModelFigures("tfserving:8501", None, 10.0, 20.0, 0.05, 0.1, {"timeout": Dropped(3, 0.5)})
FAST = ModelFigures("tfserving:8501", None, 30.0, 20.0, 0.01, 0.3, {"timeout": Dropped(1, 0.0)})
BAD = ModelFigures("spare:8501", "connection refused", 0.0, 0.0)
NEW = ModelFigures("tfserving:8501", None, None, None)


def consumer(**models: ModelFigures) -> Process:
    """Return a consumer that asks these models."""
    return Process("consumer", "c", "ready", None, 1_000.0, {}, models=models)


def seen(*processes: Process, view: View = ALL) -> list[dict[str, Any]]:
    """Return the rows, each of which fits its description."""
    rows = model_servers(processes, view)
    for row in rows:
        ModelServer.model_validate(row)
    return rows


def test_a_server_has_the_sums_and_means_of_its_consumers() -> None:
    (row,) = seen(consumer(imagenet_1=GOOD), consumer(imagenet_1=FAST), consumer(imagenet_1=NEW))

    assert row == {
        "model": "imagenet_1",
        "server": "tfserving:8501",
        "consumers": 3,
        "state": "ready",
        "reason": None,
        "requests_per_s": 40,
        "frames_per_s": 40,
        "answer_ms": 20,
        "age_ms": 200,
        "failed": [{"reason": "timeout", "count": 4, "per_s": 0.5}],
        "why": None,
    }


def test_each_model_and_each_server_has_a_row() -> None:
    rows = seen(consumer(imagenet_1=GOOD, emonet_2=GOOD), consumer(imagenet_1=BAD))

    assert [(row["model"], row["server"], row["state"], row["reason"]) for row in rows] == [
        ("emonet_2", "tfserving:8501", "ready", None),
        ("imagenet_1", "spare:8501", "not-ready", "connection refused"),
        ("imagenet_1", "tfserving:8501", "ready", None),
    ]
    assert (rows[1]["answer_ms"], rows[1]["why"]) == (None, "no request was answered in the last ten seconds")


def test_a_figure_that_is_not_known_yet_says_so() -> None:
    (row,) = seen(consumer(imagenet_1=NEW))

    assert (row["requests_per_s"], row["why"]) == (None, "it is being measured")


def test_a_viewer_sees_no_hosts() -> None:
    (row,) = seen(consumer(imagenet_1=GOOD), consumer(imagenet_1=BAD), view=VIEWER)

    assert (row["server"], row["consumers"], row["state"]) == (None, 2, "not-ready")
    assert "refused" not in str(row)


def test_those_who_may_not_see_every_camera_see_no_figures() -> None:
    (row,) = seen(consumer(imagenet_1=GOOD), view=SOME)

    assert (row["server"], row["requests_per_s"], row["failed"]) == ("tfserving:8501", None, [])
    assert "of all cameras" in row["why"]
