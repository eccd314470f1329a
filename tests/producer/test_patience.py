"""How long a producer waits for its camera's next frame."""

from producer.patience import Patience


def frames(patience: Patience, start: float, gap: float, count: int) -> float:
    """Let frames come; return the time of the last one."""
    for number in range(count):
        patience.came(start + gap * number)
    return start + gap * (count - 1)


def test_a_fast_camera_gets_the_time_that_is_set() -> None:
    patience = Patience(5)

    frames(patience, 0, 0.04, 100)

    assert patience.seconds == 5


def test_a_slow_camera_gets_three_times_its_gap() -> None:
    patience = Patience(5)

    frames(patience, 0, 10, 5)

    assert patience.seconds == 30


def test_the_time_without_the_camera_is_no_gap() -> None:
    patience = Patience(5)
    last = frames(patience, 0, 0.04, 100)
    patience.closed(last + 5)

    last = frames(patience, 3600, 0.04, 100)
    patience.closed(last + 5)
    frames(patience, 7200, 0.04, 2)

    assert patience.seconds == 5


def test_a_camera_that_was_given_up_after_a_frame_gets_more_time_each_time() -> None:
    patience = Patience(5)
    seen = []

    for start in (0, 100, 200, 300, 400, 500):
        patience.came(start)
        patience.closed(start + patience.seconds)
        seen.append(patience.seconds)

    assert seen == [10, 20, 40, 80, 120, 120]


def test_frames_end_that() -> None:
    patience = Patience(5)
    patience.came(0)
    patience.closed(5)
    assert patience.seconds == 10

    frames(patience, 100, 0.04, 10)

    assert patience.seconds == 5


def test_a_camera_without_any_frame_or_that_broke_off_gets_no_more() -> None:
    patience = Patience(5)

    patience.closed(100)
    patience.came(200)
    patience.closed(200.1)

    assert patience.seconds == 5
