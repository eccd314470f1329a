"""Faces are found in pictures."""

import threading

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.handlers.faces import Faces, overlap
from consumer.handlers.pictures import Pictures
from pipeline.wire import picture
from pipeline.wire.frame import Frame
from pipeline.wire.picture import PictureError
from pipeline.wire.predictions import Box
from tests.clock import SECOND
from tests.consumer.fakes import PROPERTY, a_frame
from tests.consumer.handlers.conftest import Film


def finder() -> Faces:
    """Return something that finds faces of at least a fifth of the frame's height."""
    return Faces(0.2, Pictures())


def shifted(frame: Frame, right: int) -> Frame:
    """Return a frame whose picture is moved to the right."""
    image = np.roll(picture.decode(frame.jpeg), right, axis=1)
    return frame._replace(jpeg=picture.encode(image, 90))


def test_a_face_is_found_on_most_frames_also_where_the_head_is_tilted(film: Film) -> None:
    faces = finder()
    frames = film("carphone_pristine")

    found = [faces.find(frame, 64, 8) for frame in frames]

    assert sum(len(boxes) == 1 for boxes in found) >= 0.85 * len(frames)
    assert sum(len(boxes) > 1 for boxes in found) <= 0.02 * len(frames)


def test_frames_on_their_own_have_no_tilted_faces(film: Film) -> None:
    frames = film("carphone_pristine")

    alone = sum(bool(finder().find(frame, 64, 8)) for frame in frames[::4])

    assert 0.3 * len(frames[::4]) <= alone <= 0.8 * len(frames[::4])


def test_boxes_are_where_the_face_is_at_any_size(film: Film) -> None:
    (small,) = film("carphone_pristine", most=1)
    (large,) = film("carphone_pristine", most=1, size=(1760, 1440))

    ((box, face),) = finder().find(small, 64, 8)
    ((scaled, larger),) = finder().find(large, 64, 8)

    left, top, width, height = box
    assert 55 <= left < left + width <= 125
    assert 20 <= top < top + height <= 110
    assert overlap((10 * left, 10 * top, 10 * width, 10 * height), scaled) > 0.6
    assert face.shape == larger.shape == (64, 64)
    assert np.corrcoef(face.ravel(), larger.ravel())[0, 1] > 0.8


def test_the_picture_of_a_face_shows_what_is_in_its_box(film: Film) -> None:
    (frame,) = film("carphone_pristine", most=1)

    (((left, top, width, height), face),) = finder().find(frame, 64, 8)

    grey = cv2.cvtColor(picture.decode(frame.jpeg), cv2.COLOR_BGR2GRAY)
    cut = cv2.resize(grey[top : top + height, left : left + width], (64, 64))
    assert np.corrcoef(face.ravel(), cut.ravel())[0, 1] > 0.95


def test_the_largest_come_first_and_only_so_many(film: Film) -> None:
    (frame,) = film("carphone_pristine", most=1)
    image = picture.decode(frame.jpeg)
    canvas = np.hstack([image, cv2.resize(image, None, fx=1.5, fy=1.5)[:144], image])
    many = Frame("door", 1, SECOND, picture.encode(canvas, 90), canvas.shape[1], canvas.shape[0])

    found = finder().find(many, 64, 8)

    assert len(found) == 3
    assert found[0][0][2] > found[1][0][2]
    assert [box for box, _ in finder().find(many, 64, 1)] == [found[0][0]]


@pytest.mark.parametrize("smallest", [0.2, 0.15, 0.1])
@pytest.mark.parametrize("times", [1.1, 1.2])
def test_nine_faces_a_tenth_larger_than_the_smallest_are_found(
    film: Film, smallest: float, times: float
) -> None:
    (frame,) = film("carphone_pristine", most=1)
    ((box, _),) = finder().find(frame, 64, 8)
    left, top, width, _ = box
    scale = times * smallest * 720 / width
    part = picture.decode(frame.jpeg)[
        top - width // 3 : top + width * 5 // 4, left - width // 4 : left + width * 5 // 4
    ]
    face = cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    canvas = np.full((720, 1280, 3), 100, np.uint8)
    for row in range(3):
        for column in range(3):
            canvas[240 * row :, 426 * column :][: min(240, face.shape[0]), : face.shape[1]] = face[:240]
    many = Frame("door", 1, SECOND, picture.encode(canvas, 90), 1280, 720)

    assert len(Faces(smallest, Pictures()).find(many, 64, 16)) == 9


def test_a_face_that_is_gone_is_no_longer_found(film: Film) -> None:
    (frame,) = film("carphone_pristine", most=1)
    faces, blank = finder(), picture.encode(np.full((144, 176, 3), 90, np.uint8), 90)

    assert faces.find(frame, 64, 8)
    assert not faces.find(frame._replace(captured=frame.captured + SECOND // 30, jpeg=blank), 64, 8)


def test_a_forgotten_cameras_faces_are_not_known_any_more(film: Film) -> None:
    faces, frames = finder(), film("carphone_pristine")
    for frame in frames[:84]:
        faces.find(frame, 64, 8)

    faces.forget("door")

    assert not faces.find(frames[84], 64, 8), "its head is tilted"


def test_two_cameras_do_not_mix(film: Film) -> None:
    faces = finder()
    tilted = film("carphone_pristine")[84]
    for frame in film("carphone_pristine")[:84]:
        faces.find(frame, 64, 8)

    assert faces.find(tilted, 64, 8)
    assert not faces.find(tilted._replace(camera="yard"), 64, 8)


def test_several_threads_find_the_same(film: Film) -> None:
    frames = film("carphone_pristine", most=20)
    faces, found = finder(), dict[str, list[bool]]()

    def search(camera: str) -> None:
        mine = [faces.find(frame._replace(camera=camera), 64, 8) for frame in frames]
        found[camera] = [bool(boxes) for boxes in mine]

    threads = [threading.Thread(target=search, args=(f"camera {number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 4
    assert all(boxes == [True] * len(frames) for boxes in found.values())


@pytest.mark.parametrize(("width", "height"), [(1, 1), (8, 8), (2, 3000), (3000, 2), (23, 23), (64, 48)])
def test_no_picture_is_too_small_or_too_flat(width: int, height: int) -> None:
    image = np.full((height, width, 3), 90, np.uint8)
    frame = Frame("door", 1, SECOND, picture.encode(image, 90), width, height)

    assert finder().find(frame, 64, 8) == []


@pytest.mark.parametrize("jpeg", [b"", b"no picture", b"\xff\xd8\xff\xd9"])
def test_anything_but_a_picture_is_a_picture_error(jpeg: bytes) -> None:
    with pytest.raises(PictureError, match=f"{len(jpeg)} bytes"):
        finder().find(a_frame(jpeg=jpeg), 64, 8)


def test_a_face_at_the_edge_has_its_box_within_the_frame(film: Film) -> None:
    (frame,) = film("carphone_pristine", most=1)
    faces, boxes = finder(), []
    for number in range(60):  # it moves out of the picture to the right, and its half comes in at the left
        moved = shifted(frame, 2 * number)._replace(captured=frame.captured + number * SECOND // 30)
        boxes += [box for box, _ in faces.find(moved, 64, 8)]

    assert len(boxes) >= 30
    for left, top, width, height in boxes:
        assert 0 <= left < left + width <= 176
        assert 0 <= top < top + height <= 144


BOX = st.tuples(*[st.integers(0, 40)] * 2, *[st.integers(1, 40)] * 2)


@PROPERTY
@given(one=BOX, other=BOX)
def test_an_overlap_is_the_share_of_the_pixels(one: Box, other: Box) -> None:
    pixels = [np.zeros((80, 80), bool), np.zeros((80, 80), bool)]
    for image, (x, y, width, height) in zip(pixels, (one, other), strict=True):
        image[y : y + height, x : x + width] = True

    both, either = (pixels[0] & pixels[1]).sum(), (pixels[0] | pixels[1]).sum()
    assert overlap(one, other) == pytest.approx(both / either)
    assert overlap(one, other) == overlap(other, one)
