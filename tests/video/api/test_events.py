import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from tests.parts import wait_for
from tests.video.api.conftest import Api, EventSource
from video.api import models
from video.cameras.history import History
from video.streams.clients import Clients


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a stream give signs of life, and look whether it may go on, without delay."""
    monkeypatch.setattr("video.api.events._SIGN_EVERY", 0.0)
    monkeypatch.setattr("video.api.events._LOOK_EVERY", 0.02)


@pytest.fixture
def source(api: Api) -> Iterator[EventSource]:
    """A stream that has begun, with its first block read."""
    with closing(api.listen()) as source:
        source.block()
        yield source


def test_a_stream_begins_with_when_to_ask_again_and_where_to_resume(api: Api) -> None:
    before = time.time_ns()

    with closing(api.listen()) as source:
        block = source.block()

    assert list(block) == ["retry", "id"]
    assert block["retry"] == "2000"
    assert before < int(block["id"]) < time.time_ns()
    assert source.answer.headers["content-type"].startswith("text/event-stream")
    assert source.answer.headers["cache-control"] == "no-store"
    assert source.answer.headers["x-accel-buffering"] == "no"


def test_events_come_as_they_happen_and_as_they_are_listed(api: Api, source: EventSource) -> None:
    came = []
    for label in ("suit", None, "tie"):
        api.label(label)
        came.append(source.event())

    assert [event["label"] for event in came] == ["suit", None, "tie"]
    assert all(models.LabelEvent.model_validate(event) for event in came)
    assert came[::-1] == api.json("/api/labels")


def test_from_now_on_means_nothing_from_before(api: Api) -> None:
    api.label("old")

    with closing(api.listen()) as source:
        source.block()
        api.label("new")

        assert source.event()["label"] == "new"


def test_a_stream_resumes_after_the_last_event_that_was_seen(api: Api) -> None:
    for label in "abc":
        api.label(label)
    first = api.json("/api/labels")[-1]["id"]

    with closing(api.listen(**{"Last-Event-ID": first})) as source:
        source.block()

        assert [source.event()["label"] for _ in range(2)] == ["b", "c"]


def test_who_was_cut_off_before_any_event_resumes_where_the_stream_began(api: Api) -> None:
    with closing(api.listen()) as source:
        began = source.block()["id"]
    api.label("suit")

    with closing(api.listen(**{"Last-Event-ID": began})) as source:
        source.block()

        assert source.event()["label"] == "suit"


def test_missed_events_are_reported_first(serve: Callable[..., Api]) -> None:
    api = serve(history=History(most_events=2))
    for label in "abcd":
        api.label(label)

    with closing(api.listen(**{"Last-Event-ID": "0"})) as source:
        source.block()
        missed = source.block()
        rest = [source.event() for _ in range(2)]

    assert list(missed) == ["event", "data"]
    assert missed["event"] == "missed"
    assert [event["label"] for event in rest] == ["c", "d"]
    retained_from = missed["data"].removeprefix('{"retained_from": "').removesuffix('"}')
    assert int(retained_from) <= int(rest[0]["id"])


def test_more_events_than_a_batch_come_in_order_and_missed_ones_are_reported_once(
    serve: Callable[..., Api], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("video.api.events._BATCH", 3)
    api = serve(history=History(most_events=10))
    for label in "abc":
        api.label(label, "quiet")
    for number in range(20):
        api.label(str(number))

    with closing(api.listen(**{"Last-Event-ID": "1"})) as source:
        source.block()
        missed = source.block()
        labels = [source.event()["label"] for _ in range(13)]

    assert missed["event"] == "missed"
    assert labels == ["a", "b", "c", *map(str, range(10, 20))]


def test_an_id_from_the_future_is_as_none(api: Api) -> None:
    with closing(api.listen(**{"Last-Event-ID": "9" * 20})) as source:
        block = source.block()
        api.label("suit")

        assert source.event()["label"] == "suit"
    assert int(block["id"]) < time.time_ns()


@pytest.mark.parametrize("forged", ["", "x", "-1", "1.5", "9" * 21, "9" * 9000, "\xb2", "1,2", "0x1", "1 2"])
@pytest.mark.exceeds("video.api.events._LONGEST_ID")
def test_a_forged_id_is_refused(still: Api, forged: str) -> None:
    status, detail = still.refusal("/api/events", **{"Last-Event-ID": forged})

    assert status == 400
    assert detail.startswith("Last-Event-ID='")
    assert "20 digits" in detail


def test_only_the_camera_that_is_asked_for_comes(api: Api) -> None:
    with closing(api.listen("/api/events?camera=yard")) as source:
        source.block()
        api.label("suit", "door")
        api.label("tie", "yard")

        assert source.event()["label"] == "tie"


def test_what_may_not_be_seen_does_not_come(api: Api) -> None:
    api.guest.hidden = {"secret"}

    with closing(api.listen()) as source, closing(api.listen("/api/events?camera=secret")) as asked_for:
        source.block()
        asked_for.block()
        api.label("hidden", "secret")
        api.label("shown", "door")

        assert source.event()["label"] == "shown"
        api.on_loop(api.history.close)
        assert asked_for.block() == {}


def test_rights_that_change_hold_for_open_streams(api: Api, source: EventSource) -> None:
    api.label("a", "door")
    first = source.event()["label"]
    api.guest.hidden = {"door"}

    api.label("b", "door")
    api.label("c", "yard")

    assert (first, source.event()["label"]) == ("a", "c")


def test_a_label_of_any_text_is_one_line_of_data(api: Api, source: EventSource) -> None:
    label = "a\n\rid: 7\n\ndata: <b>\u2028🎥"

    api.label(label, camera="<i>\u00a0")

    assert source.event()["label"] == label


@pytest.mark.usefixtures("impatient")
def test_a_silent_stream_gives_signs_of_life(source: EventSource) -> None:
    assert [source.block() for _ in range(2)] == [{"": ""}] * 2


@pytest.mark.usefixtures("impatient")
def test_the_stream_of_a_visitor_without_permission_ends(api: Api, source: EventSource) -> None:
    api.guest.let_in = False

    wait_for(lambda: source.block() == {}, 10, "the end")


def test_the_end_of_the_history_ends_a_stream_at_once(api: Api, source: EventSource) -> None:
    api.on_loop(api.history.close)

    assert source.block() == {}


def test_a_client_that_goes_leaves_nothing_behind(api: Api) -> None:
    sources = [api.listen() for _ in range(10)]
    before = len(api.clients._open)

    for source in sources:
        source.close()

    assert before == 10
    wait_for(lambda: len(api.clients._open) == 0, 10, "the streams' end")


def test_one_stream_too_many_is_refused(serve: Callable[..., Api]) -> None:
    api = serve(clients=Clients(1, 30))

    with closing(api.listen()), api.ask("/api/events") as answer:
        assert answer.status == 503
        assert answer.headers["retry-after"] == "5"
        assert b"MAXCLIENTS" in answer.read()


def test_a_client_that_does_not_read_has_no_queue_and_learns_that_it_missed_events(
    serve: Callable[..., Api], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("video.api.events._REST", 0)
    api = serve(history=History(most_events=100))
    with api.connect("/api/events", receive_buffer=4096) as client:
        read_until(client, b"id: ")
        api.flicker(200, 190 * "x")
        api.label("last")

        text = read_until(client, b'"label": "last"')

    assert text.count(b"event: missed") == 1
    assert 100 <= text.count(b"event: label") < 15_000


def read_until(client: socket.socket, text: bytes) -> bytes:
    """Return what is read up to a text, and a little more."""
    read = b""
    while text not in read:
        piece = client.recv(65_536)
        assert piece, read[-1000:]
        read += piece
    return read
