"""A face's label from frame to frame."""

import numpy as np
import pytest

from consumer.handlers.steady import Steady
from pipeline.wire.predictions import Box
from tests.clock import SECOND
from tests.consumer.fakes import a_frame

FACE = (100, 100, 50, 50)
HAPPY, SAD = [0.8, 0.2], [0.2, 0.8]


def shown(steady: Steady, ms: int, *faces: tuple[Box, list[float]], camera: str = "door") -> list[int]:
    """Return what is shown of faces in a frame captured at that time."""
    frame = a_frame(captured=10 * SECOND + ms * SECOND // 1000, camera=camera)
    rows = np.array([row for _, row in faces]).reshape(len(faces), -1)
    return [index for index, _ in steady.settle(frame, [box for box, _ in faces], rows)]


def test_a_single_frame_changes_nothing() -> None:
    steady = Steady(0.3)
    shown(steady, 0, (FACE, HAPPY))

    assert shown(steady, 40, (FACE, SAD)) == [0]
    assert shown(steady, 80, (FACE, HAPPY)) == [0]


def test_a_lasting_change_is_shown_within_a_second() -> None:
    steady = Steady(0.3)
    shown(steady, 0, (FACE, HAPPY))

    seen = [shown(steady, ms, (FACE, SAD))[0] for ms in range(40, 1000, 40)]

    assert seen[-1] == 1
    assert seen == sorted(seen)


def test_two_labels_that_are_about_equal_do_not_take_turns() -> None:
    steady = Steady(0.3)
    shown(steady, 0, (FACE, [0.52, 0.48]))

    assert all(shown(steady, ms, (FACE, [0.47, 0.53])) == [0] for ms in range(40, 4000, 40))


@pytest.mark.parametrize("times", [(400,), (100, 200, 300, 400), (399, 400)])
def test_the_mean_is_over_time_not_frames(times: tuple[int, ...]) -> None:
    steady, score = Steady(0.5), 0.0
    steady.settle(a_frame(captured=SECOND), [FACE], np.array([HAPPY]))

    for ms in times:
        frame = a_frame(captured=SECOND + ms * SECOND // 1000)
        ((_, score),) = steady.settle(frame, [FACE], np.array([SAD]))

    assert score == pytest.approx(0.2 + 0.6 * np.exp(-0.4 / 0.5))


def test_nothing_is_averaged_if_so_configured() -> None:
    steady = Steady(0)
    shown(steady, 0, (FACE, HAPPY))

    assert shown(steady, 1, (FACE, SAD)) == [1]


def test_another_face_and_another_camera_have_their_own_mean() -> None:
    steady, far = Steady(1), (400, 100, 50, 50)
    shown(steady, 0, (FACE, HAPPY))

    assert shown(steady, 40, (far, SAD)) == [1]
    assert shown(steady, 40, (FACE, SAD), camera="yard") == [1]


def test_faces_that_move_and_change_places_in_the_list_are_followed() -> None:
    steady = Steady(1)
    one, other = (100, 100, 50, 50), (160, 100, 50, 50)
    shown(steady, 0, (one, HAPPY), (other, SAD))

    for step in range(1, 12):
        one, other = (100, 100 + 5 * step, 50, 50), (160, 100 - 5 * step, 50, 50)
        assert shown(steady, 40 * step, (other, [0.5, 0.5]), (one, [0.5, 0.5])) == [1, 0]


def test_a_face_that_was_away_for_a_second_is_a_new_one() -> None:
    steady, far = Steady(10), (400, 100, 50, 50)
    shown(steady, 0, (FACE, HAPPY), (far, HAPPY))

    for ms in range(40, 1080, 40):  # the other is there all the time
        shown(steady, ms, (far, HAPPY))

    assert shown(steady, 1080, (FACE, SAD), (far, SAD)) == [1, 0]


def test_an_answer_that_comes_late_does_not_count() -> None:
    steady = Steady(0.1)
    shown(steady, 400, (FACE, HAPPY))

    assert shown(steady, 200, (FACE, SAD)) == [0]
    assert shown(steady, 401, (FACE, HAPPY)) == [0]


def test_a_forgotten_cameras_faces_are_new() -> None:
    steady = Steady(10)
    shown(steady, 0, (FACE, HAPPY))

    steady.forget("door")

    assert shown(steady, 40, (FACE, SAD)) == [1]
