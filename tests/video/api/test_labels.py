import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from urllib.parse import quote

import pytest
from pydantic import TypeAdapter

from pipeline.wire.jpeg import size
from tests.video.api.conftest import Api, labelled
from tests.video.fakes import GREY, grey
from video.api import models
from video.cameras.history import History


def labels(api: Api, query: str = "") -> list[str | None]:
    """Return the labels that are answered to a query."""
    return [event["label"] for event in api.json(f"/api/labels{query}")]


def test_an_event_fits_the_model(api: Api) -> None:
    api.label("suit", seq=17)
    api.label(None)

    reported = api.json("/api/labels")

    gone, came = TypeAdapter(list[models.LabelEvent]).validate_python(reported)
    assert (came.camera, came.model, came.label, came.score) == ("door", "imagenet_1", "suit", 0.9346)
    assert (came.previous, came.seq, came.snapshot) == (None, 17, f"/api/events/{came.id}.jpg")
    assert (gone.label, gone.score, gone.previous) == (None, None, "suit")
    assert gone.model_dump() == reported[0]


def test_events_are_found_by_camera_label_and_number(api: Api) -> None:
    for camera, label in (("door", "bow tie"), ("yard", "suit"), ("door", "Windsor tie")):
        api.label(label, camera)

    assert labels(api) == ["Windsor tie", "suit", "bow tie"]
    assert labels(api, "?camera=yard") == ["suit"]
    assert labels(api, "?camera=none") == []
    assert labels(api, "?label=TIE") == ["Windsor tie", "bow tie"]
    assert labels(api, "?camera=door&label=tie&limit=1") == ["Windsor tie"]


def test_an_events_own_time_finds_it_as_the_first_and_as_the_last(api: Api) -> None:
    api.label("suit")
    (event,) = api.json("/api/labels")
    moment = event["time"]

    assert labels(api, f"?from={moment}&to={moment}") == ["suit"]
    assert labels(api, f"?to={moment.replace('20', '19', 1)}") == []
    assert labels(api, f"?from={moment.replace('20', '29', 1)}") == []


@pytest.mark.parametrize("moment", ["1795290407", "1795290407.5", "2026-11-21", "2026-11-21T20:46:47+01:00"])
def test_a_time_is_iso_8601_or_seconds(still: Api, moment: str) -> None:
    still.label("suit")

    assert labels(still, f"?from={quote(moment)}") != labels(still, f"?to={quote(moment)}")


@pytest.mark.parametrize("name", ["from", "to"])
@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("abc", "'abc'"),
        ("", "''"),
        ("nan", "'nan'"),
        ("1e999", "'1e999'"),
        ("2026-13-01", "'2026-13-01'"),
        ("a\nb", r"'a\nb'"),
        ("9" * 5000, f"'{'9' * 40}…'"),
    ],
)
def test_anything_else_is_not_a_time(still: Api, name: str, asked: str, shown: str) -> None:
    refusal = still.refusal(f"/api/labels?{name}={quote(asked)}")

    assert refusal[0] == 400
    assert refusal[1].startswith(f"{name}={shown}: ")
    assert "ISO 8601" in refusal[1]


@pytest.mark.parametrize("limit", ["0", "1001", "-1", "x", ""])
def test_a_limit_is_within_its_bounds(still: Api, limit: str) -> None:
    status, detail = still.refusal(f"/api/labels?limit={limit}")

    assert status == 400
    assert detail.startswith(f"limit='{limit}': expected ")


def test_two_mistakes_are_reported_in_one_line(still: Api) -> None:
    status, detail = still.refusal("/api/labels?limit=0&from=x")

    assert status == 400
    assert detail.startswith("from='x': ")
    assert "; limit='0': " in detail


def test_an_events_picture_is_the_frame_on_which_it_came_up(api: Api) -> None:
    api.label("suit")
    (event,) = api.json("/api/labels")

    with api.ask(event["snapshot"]) as answer:
        body = answer.read()

    assert (answer.status, body) == (200, GREY)
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["cache-control"] == "no-store"


def test_a_picture_that_is_not_kept_is_neither_named_nor_found(serve: Callable[..., Api]) -> None:
    api = serve(history=History(most_snapshot_bytes=0))
    api.label("suit")

    (event,) = api.json("/api/labels")

    assert event["snapshot"] is None
    assert api.refusal(f"/api/events/{event['id']}.jpg")[0] == 404


@pytest.mark.parametrize(
    "event", ["0", "1", "-1", "x", "%C2%B2", "9" * 30, "9" * 9000, "..%2F..", "1.5", "%00"]
)
def test_a_forged_id_finds_no_picture(still: Api, event: str) -> None:
    still.label("suit")

    status, detail = still.refusal(f"/api/events/{event}.jpg")

    assert status == 404
    assert len(detail) < 200


def test_the_events_of_a_camera_that_may_not_be_seen_are_as_if_not_there(api: Api) -> None:
    api.label("suit", "secret")
    api.label("tie", "door")
    secret = api.json("/api/labels?camera=secret")[0]

    api.guest.hidden = {"secret"}

    assert labels(api) == ["tie"]
    assert labels(api, "?camera=secret") == []
    unknown = api.refusal("/api/events/17.jpg")
    hidden = api.refusal(secret["snapshot"])
    assert hidden == (404, unknown[1].replace("17", secret["id"]))


def test_the_pictures_address_begins_with_the_root_path(serve: Callable[..., Api]) -> None:
    api = serve(root="/cameras")
    api.label("suit")

    (event,) = api.json("/api/labels")

    assert event["snapshot"] == f"/cameras/api/events/{event['id']}.jpg"
    assert api.get(event["snapshot"].removeprefix("/cameras")) == (200, GREY)  # as a proxy asks


@contextmanager
def a_search_that_waits(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Future[list[str | None]], threading.Event]]:
    """Search for labels in another thread, and wait in the middle of it until the event is set."""
    searching, go_on = threading.Event(), threading.Event()

    def may_see(_: str) -> bool:
        searching.set()
        return go_on.wait(20)

    monkeypatch.setattr(api.guest, "may_see", may_see)
    with ThreadPoolExecutor(1) as pool:
        search = pool.submit(labels, api)
        assert searching.wait(20)
        yield search, go_on


def test_a_search_that_takes_long_holds_up_nothing_else(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    api.label("suit")
    with a_search_that_waits(api, monkeypatch) as (search, go_on):
        meanwhile = api.get("/api/session")[0]

        searched = search.done()
        go_on.set()
        assert (meanwhile, searched) == (200, False)
        assert search.result(20) == ["suit"]


def test_events_are_written_in_the_thread_of_the_searches(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = []

    def note(*_: object) -> dict[str, object]:
        threads.append(threading.current_thread().name)
        return {"label": "suit"}

    api.label("suit")
    monkeypatch.setattr("video.api.labels.event_json", note)

    assert labels(api) == ["suit"]
    assert [name.partition("_")[0] for name in threads] == ["labels"]


@pytest.mark.exceeds("video.api.labels._MOST_WAITING")
def test_when_too_many_searches_wait_a_further_one_is_refused(
    serve: Callable[..., Api], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("video.api.labels._MOST_WAITING", 1)
    api = serve()
    api.label("suit")
    with a_search_that_waits(api, monkeypatch) as (search, go_on):
        with api.ask("/api/labels") as refused:
            go_on.set()
            assert (refused.status, refused.headers["retry-after"]) == (503, "1")
        assert search.result(20) == ["suit"]


def test_a_missing_picture_is_not_cached(api: Api) -> None:
    with api.ask("/api/events/1.jpg") as answer:
        assert answer.status == 404
        assert answer.headers["cache-control"] == "no-store"


def test_an_events_picture_may_be_asked_for_in_a_smaller_size(api: Api) -> None:
    jpeg = grey(640, 480)
    api.show(labelled("tie")._replace(jpeg=jpeg))
    (event,) = api.json("/api/labels")

    sizes = [size(api.get(f"{event['snapshot']}?width={width}")[1]) for width in (0, 72, 500)]

    assert sizes == [(640, 480), (80, 60), (640, 480)]
    assert api.refusal(f"{event['snapshot']}?width=-1")[0] == 400
