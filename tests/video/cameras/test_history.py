import asyncio
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.wire.frame import Frame
from pipeline.wire.predictions import Prediction, Result
from tests.clock import SECOND, START, Clock
from tests.video.fakes import GREY, a_frame, settle
from video.cameras.history import History, LabelEvent

MANY = 1000
NOW = round(START) * 1_000  # of a `Clock`, in ms


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The history's time; it advances only when a test says so."""
    clock = Clock()
    monkeypatch.setattr("video.cameras.history.time", clock)
    return clock


def everyone(_: str) -> bool:
    """Want all cameras."""
    return True


def labelled(label: str | None, camera: str = "door", model: str = "imagenet_1", seq: int = 1) -> Frame:
    """Return a frame with one model's label, or with its missing answer."""
    results = () if label is None else (Result(label, 0.9), Result("second", 0.05))
    return a_frame(seq, camera=camera, predictions=(Prediction(model, results),))


def labels(events: list[LabelEvent]) -> list[str | None]:
    return [event.label for event in events]


def test_a_new_label_is_an_event(clock: Clock) -> None:
    history = History()

    history.note(labelled("suit", seq=17))

    assert history.select(everyone, MANY) == [
        LabelEvent(
            id=round(START) * SECOND + 1,
            time=NOW,
            camera="door",
            model="imagenet_1",
            label="suit",
            score=0.9,
            previous=None,
            seq=17,
        )
    ]
    assert clock.time_ns() == round(START) * SECOND


def test_only_a_change_is_an_event() -> None:
    history = History()

    for label in ("suit", "suit", "tie", "tie", None, None, "suit"):
        history.note(labelled(label))

    newest_first = history.select(everyone, MANY)
    assert labels(newest_first) == ["suit", None, "tie", "suit"]
    assert [event.previous for event in newest_first] == [None, "tie", "suit", None]
    assert [event.score for event in newest_first] == [0.9, None, 0.9, 0.9]


def test_a_missing_answer_at_the_start_is_not_an_event() -> None:
    history = History()

    history.note(labelled(None))
    history.note(a_frame())

    assert history.select(everyone, MANY) == []


def test_a_model_that_is_on_the_frames_no_more_has_no_label_any_more() -> None:
    history = History()

    history.note(labelled("suit"))
    history.note(a_frame())

    assert labels(history.select(everyone, MANY)) == [None, "suit"]


def test_each_model_has_its_own_label() -> None:
    history = History()
    tie = Prediction("imagenet_1", (Result("tie", 0.9),))

    for mood in ("happy", "sad"):
        history.note(a_frame(predictions=(tie, Prediction("emonet_2", (Result(mood, 0.5),)))))

    oldest_first = reversed(history.select(everyone, MANY))
    assert [(event.model, event.label) for event in oldest_first] == [
        ("imagenet_1", "tie"),
        ("emonet_2", "happy"),
        ("emonet_2", "sad"),
    ]


def test_a_label_of_any_length_takes_little_room() -> None:
    history = History()

    history.note(labelled("x" * 1_000_000))

    (event,) = history.select(everyone, MANY)
    assert event.label == "x" * 200


def test_ids_go_up_though_the_clock_steps_back_and_times_do_not(clock: Clock) -> None:
    history = History()

    history.note(labelled("suit"))
    clock.now -= 500
    history.note(labelled("tie"))

    later, earlier = history.select(everyone, MANY)
    assert later.id > earlier.id
    assert later.time == earlier.time - 500_000


def test_a_label_that_flickers_pushes_out_the_older_events_of_its_own_camera_only() -> None:
    history = History(most_events=10)
    history.note(labelled("quiet", camera="yard"))

    for number in range(100):
        history.note(labelled(f"label {number}"))

    newest_first = labels(history.select(everyone, MANY))
    assert newest_first == [*(f"label {number}" for number in range(99, 89, -1)), "quiet"]


def test_the_picture_of_an_event_is_the_frames_own() -> None:
    history = History()

    history.note(labelled("suit"))

    (event,) = history.select(everyone, MANY)
    kept = history.snapshot(event.id)
    assert kept is not None
    assert kept[0] == "door"
    assert kept[1] is GREY


def test_pictures_go_before_the_events_do() -> None:
    history = History(most_events=500, most_snapshot_bytes=250)

    for label in "abcde":
        history.note(Frame("door", 1, 1, bytes(100), 64, 48, labelled(label).predictions))

    newest_first = history.select(everyone, MANY)
    assert [history.snapshot(event.id) is not None for event in newest_first] == [True, True, *[False] * 3]


def test_with_an_event_its_picture_goes() -> None:
    history = History(most_events=1)

    history.note(labelled("suit"))
    (first,) = history.select(everyone, MANY)
    history.note(labelled("tie"))

    assert history.snapshot(first.id) is None


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, ["Windsor tie", "suit", "bow tie"]),
        ({"label": "TIE"}, ["Windsor tie", "bow tie"]),
        ({"label": "none"}, []),
        ({"start": NOW + 1_000}, ["Windsor tie", "suit"]),
        ({"end": NOW + 1_000}, ["suit", "bow tie"]),
        ({"start": NOW + 1, "end": NOW + 1_999}, ["suit"]),
        ({"limit": 1}, ["Windsor tie"]),
        ({"requested": "yard".__eq__}, ["suit"]),
    ],
)
def test_events_are_selected_by_the_request(
    clock: Clock, asked: dict[str, object], expected: list[str | None]
) -> None:
    history = History()
    for camera, label in (("door", "bow tie"), ("yard", "suit"), ("door", "Windsor tie")):
        history.note(labelled(label, camera=camera))
        clock.now += 1

    found = history.select(**{"requested": everyone, "limit": MANY, **asked})  # type: ignore[arg-type]

    assert labels(found) == expected


def test_events_may_come_while_others_are_selected() -> None:
    history = History()
    history.note(labelled("suit"))
    history.note(labelled("bow tie", camera="yard"))

    def wanted(camera: str) -> bool:
        history.note(labelled("new", camera=f"another {camera}"))
        history.note(labelled("new", camera=camera))
        return True

    assert set(labels(history.select(wanted, MANY))) == {"suit", "bow tie", "new"}


def test_missing_labels_are_selected_by_no_text() -> None:
    history = History()

    history.note(labelled("suit"))
    history.note(labelled(None))

    assert labels(history.select(everyone, MANY, label="s")) == ["suit"]


def test_after_an_event_come_the_later_ones_of_all_cameras_oldest_first() -> None:
    history = History()
    for camera, label in (("door", "a"), ("yard", "b"), ("door", "c"), ("yard", "d")):
        history.note(labelled(label, camera=camera))
    first = history.select(everyone, MANY)[-1]

    news = history.after(first.id, everyone, MANY)

    assert labels(news.events) == ["b", "c", "d"]
    assert news.retained_from is None
    assert history.after(news.last, everyone, MANY).events == []


def test_events_of_cameras_that_are_not_requested_do_not_exist() -> None:
    history = History(most_events=2)
    start = history.mark()
    for label in "abcdef":
        history.note(labelled(label, camera="secret"))
    history.note(labelled("x", camera="yard"))

    news = history.after(start, "yard".__eq__, MANY)

    assert labels(news.events) == ["x"]
    assert news.retained_from is None


def test_a_camera_without_events_hides_none_of_the_others() -> None:
    history = History()
    start = history.mark()

    history.note(labelled("a", camera="door"))
    history.note(labelled(None, camera="yard"))

    assert labels(history.after(start, everyone, MANY).events) == ["a"]


def test_the_id_from_which_on_all_is_retained_is_reported() -> None:
    history = History(most_events=2)
    start = history.mark()
    for label in "abcd":
        history.note(labelled(label))

    news = history.after(start, everyone, MANY)

    assert labels(news.events) == ["c", "d"]
    assert news.retained_from is not None
    assert start < news.retained_from <= news.events[0].id
    assert history.after(news.retained_from - 1, everyone, MANY) == (news.events, news.last, None)


def test_what_was_before_the_start_is_not_retained() -> None:
    before = time.time_ns()
    history = History()

    news = history.after(before, everyone, MANY)

    assert news.events == []
    assert news.retained_from is not None
    assert news.retained_from > before


def test_a_forgotten_camera_has_no_events_and_no_pictures() -> None:
    history = History()
    history.note(labelled("a"))
    history.note(labelled("b"))
    history.note(labelled("x", camera="yard"))
    events = history.select(everyone, MANY)

    history.gone("door")
    history.gone("never seen")

    assert labels(history.select(everyone, MANY)) == ["x"]
    assert [history.snapshot(event.id) is not None for event in events] == [True, False, False]
    assert history._snapshots.bytes == len(GREY)


def test_a_camera_that_comes_back_has_no_label_from_before() -> None:
    history = History()
    history.note(labelled("a"))
    history.gone("door")

    history.note(labelled("b"))

    (event,) = history.select(everyone, MANY)
    assert (event.label, event.previous) == ("b", None)


def test_events_of_a_forgotten_camera_are_missed_only_by_followers_that_requested_it() -> None:
    history = History()
    start = history.mark()
    history.note(labelled("a"))
    history.note(labelled("x", camera="yard"))
    history.gone("door")

    news, of_yard = history.after(start, everyone, MANY), history.after(start, "yard".__eq__, MANY)

    assert labels(news.events) == labels(of_yard.events) == ["x"]
    assert news.retained_from is not None
    assert start < news.retained_from <= news.events[0].id
    assert of_yard.retained_from is None
    assert history.after(news.last, everyone, MANY).retained_from is None


def test_of_very_many_forgotten_cameras_events_are_missed_by_all() -> None:
    history = History()
    start = history.mark()
    for number in range(300):
        history.note(labelled("a", camera=str(number)))
        history.gone(str(number))

    assert len(history._forgotten) < 300
    assert history.after(start, "never seen".__eq__, MANY).retained_from is not None


CAMERAS = st.sampled_from("abc")
LABELS = st.sampled_from("xyz")


@given(
    earlier=st.lists(st.tuples(CAMERAS, LABELS), max_size=20),
    later=st.lists(st.tuples(CAMERAS, LABELS), max_size=20),
    wanted=st.sets(CAMERAS),
    most_events=st.integers(1, 8),
    batch=st.integers(1, 5),
)
def test_who_goes_on_from_batch_to_batch_gets_every_retained_event_once(
    earlier: list[tuple[str, str]],
    later: list[tuple[str, str]],
    wanted: set[str],
    most_events: int,
    batch: int,
) -> None:
    history = History(most_events)
    for camera, label in earlier:
        history.note(labelled(label, camera=camera))
    start = last = history.mark()
    for camera, label in later:
        history.note(labelled(label, camera=camera))

    found = []
    while (news := history.after(last, wanted.__contains__, batch)).events:
        assert len(news.events) <= batch
        last = news.last
        found += news.events

    retained = reversed(history.select(wanted.__contains__, MANY))
    assert found == [event for event in retained if event.id > start]


@given(
    earlier=st.lists(LABELS, max_size=12),
    later=st.lists(LABELS, max_size=12),
    most_events=st.integers(1, 8),
)
def test_events_are_reported_missing_exactly_when_they_are(
    earlier: list[str], later: list[str], most_events: int
) -> None:
    history = History(most_events)
    for label in earlier:
        history.note(labelled(label))
    start = history.mark()
    for label in later:
        history.note(labelled(label))

    news = history.after(start, everyone, MANY)

    changes = sum(before != after for before, after in pairwise(["", *earlier][-1:] + later))
    assert (news.retained_from is not None) == (changes > len(news.events))


def test_who_waits_is_woken_by_an_event_and_by_the_end() -> None:
    async def check() -> None:
        history = History()
        history.open()
        start = history.mark()
        waiting = asyncio.ensure_future(history.wait(start))
        await settle()

        history.note(labelled(None))
        await settle()
        woken_by_nothing = waiting.done()
        history.note(labelled("suit"))
        await settle()
        woken_by_an_event = waiting.done()
        rest = asyncio.ensure_future(history.wait(history.mark()))
        await settle()
        history.close()
        await settle()

        assert (woken_by_nothing, woken_by_an_event, rest.done()) == (False, True, True)

    asyncio.run(check())


def test_it_can_be_opened_again_on_another_loop() -> None:
    history = History()

    async def check() -> None:
        history.open()
        waiting = asyncio.ensure_future(history.wait(history.mark()))
        await settle()
        assert not waiting.done()
        history.close()
        await waiting

    asyncio.run(check())
    asyncio.run(check())
