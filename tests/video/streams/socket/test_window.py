"""How many pictures may be on their way to one browser."""

from hypothesis import given
from hypothesis import strategies as st

from tests.video.fakes import PROPERTY
from video.streams.socket.window import Window

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["send", "send", "send", "ack"]),
        st.integers(1, 4),
        st.floats(0, 2),
        st.integers(0, 60),
    ),
    max_size=60,
)
"""What happens: to which camera, after how many s, and the number that is acknowledged."""


def a_window(cameras: int = 16) -> Window:
    """Return the window of a browser that watches so many cameras."""
    window = Window()
    window.watching(cameras)
    return window


def fill(window: Window, now: float, number: int = 1, cameras: int = 16) -> list[tuple[int, int]]:
    """Send what the window takes, in turns; return the (camera, number) of each."""
    sent = []
    for turn in range(2):
        for camera in range(cameras):
            if window.is_open() and window.takes(camera):
                window.sent(camera, number + turn, now)
                sent.append((camera, number + turn))
    return sent


@PROPERTY
@given(cameras=st.integers(0, 4), steps=STEPS)
def test_the_bounds_hold_whatever_is_acknowledged(
    cameras: int, steps: list[tuple[str, int, float, int]]
) -> None:
    window, now, away = a_window(cameras), 0.0, dict[int, list[int]]()
    for step, (action, camera, wait, number) in enumerate(steps):
        now += wait
        if action == "ack":
            window.acked(camera, number, now)
            sent = away.get(camera, [])
            if number in sent:
                away[camera] = sent[sent.index(number) + 1 :]
        elif window.is_open() and window.takes(camera):
            window.sent(camera, step, now)
            away.setdefault(camera, []).append(step)

        assert all(len(numbers) <= 2 for numbers in away.values())
        assert sum(map(len, away.values())) <= max(1, 2 * cameras)
        assert 1 <= window.limit <= max(1, 2 * cameras)
        assert window.is_open() == (sum(map(len, away.values())) < window.limit)


def test_quick_acknowledgements_open_it_up_to_two_a_camera() -> None:
    window, now = a_window(), 0.0
    limits = []

    for turn in range(10):
        sent = fill(window, now, 1 + 2 * turn)
        now += 0.03
        for camera, number in sent:
            window.acked(camera, number, now)
        limits.append(window.limit)

    assert limits[:5] == [4, 8, 16, 32, 32]


def test_a_window_that_is_never_filled_does_not_grow() -> None:
    window = a_window()

    for number in range(100):
        window.sent(3, number, number)
        window.acked(3, number, number + 0.03)

    assert window.limit == 2


def test_a_late_acknowledgement_shrinks_it_to_what_the_delay_allows() -> None:
    window, now = a_window(), 0.0
    for turn in range(5):
        sent = fill(window, now, 1 + 2 * turn)
        now += 0.1
        for camera, number in sent:
            window.acked(camera, number, now)
    sent = fill(window, now, 101)
    assert len(sent) == 32

    for place, (camera, number) in enumerate(sent, start=1):
        window.acked(camera, number, now + 0.1 * place)

    assert window.limit in {3, 4}  # 0.1 s each, and 0.3 s more than the least is too late
    assert len(fill(window, now + 4, 201)) == window.limit


def test_it_grows_slowly_once_it_was_too_large() -> None:
    window = a_window()
    window.sent(0, 1, 0)
    window.acked(0, 1, 0.1)
    window.sent(0, 2, 1)
    window.acked(0, 2, 2)
    limits, now = [], 2.0

    for turn in range(2, 7):
        sent = fill(window, now, 1 + 2 * turn)
        now += 0.1
        for camera, number in sent:
            window.acked(camera, number, now)
        limits.append(window.limit)

    assert limits == [2, 2, 3, 4, 5]


def test_an_acknowledgement_covers_what_was_sent_before_of_its_camera() -> None:
    window = a_window()
    window.sent(3, 1, 0)
    window.sent(3, 2, 0)
    assert not window.takes(3)
    assert not window.is_open()

    window.acked(3, 2, 0.01)

    assert window.takes(3)
    assert len(fill(window, 0.01)) == window.limit


def test_numbers_may_begin_again() -> None:
    window = a_window()
    window.sent(3, 0xFFFFFFFF, 0)
    window.sent(3, 0, 0)

    window.acked(3, 0xFFFFFFFF, 0.01)
    window.sent(3, 1, 0.01)
    assert not window.takes(3)
    window.acked(3, 1, 0.02)

    assert window.takes(3)
    assert not window.expired(100)


def test_what_was_never_sent_or_is_acknowledged_twice_changes_nothing() -> None:
    window = a_window()
    window.sent(3, 1, 0)
    window.sent(4, 1, 0)

    for camera, number in ((3, 2), (5, 1), (4, 1), (4, 1), (4, 1)):
        window.acked(camera, number, 0.01)

    assert len(fill(window, 0.02)) == window.limit - 1


def test_silence_of_ten_seconds_is_the_end() -> None:
    window = a_window()
    window.sent(3, 1, 0)
    window.sent(3, 2, 5)
    window.sent(4, 1, 6)

    assert not window.expired(10)
    assert window.expired(10.1)
    window.acked(3, 2, 10.1)
    assert not window.expired(16)
    assert window.expired(16.1)
    window.acked(4, 1, 16.1)
    assert not window.expired(1000)


def test_a_browser_that_watches_nothing_can_still_begin() -> None:
    window = a_window(0)
    assert window.limit == 1

    window.watching(16)

    assert window.limit == 2


def test_a_forgotten_camera_s_pictures_make_room_and_are_waited_for_no_longer() -> None:
    window = a_window()
    window.sent(3, 1, 0)
    window.sent(3, 2, 0)
    assert not window.is_open()

    window.forget(3)
    window.forget(4)

    assert window.is_open()
    assert window.takes(3)
    assert not window.expired(100)
