"""The generated pictures match their descriptions."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfserving.models.detect.shapes import APART, MOST, NAMES, draw, inside, outline, scene
from tfserving.models.weights import FloatArray


@given(st.integers(0, 2**32), st.integers(40, 120), st.integers(40, 120))
def test_boxes_lie_on_the_picture_and_do_not_overlap(seed: int, height: int, width: int) -> None:
    drawn = scene(np.random.default_rng(seed), height, width)

    assert drawn.pixels.shape == (height, width, 3)
    assert len(drawn.boxes) == len(drawn.classes) <= MOST
    assert set(drawn.classes) <= set(range(1, len(NAMES) + 1))
    low, high = drawn.boxes[:, :2], drawn.boxes[:, 2:]
    assert (low >= -1e-6).all()
    assert (high <= 1 + 1e-6).all()
    assert (low < high).all()
    meet = ((low[:, None] < high[None]) & (low[None] < high[:, None])).all(axis=-1)
    assert (meet == np.eye(len(low), dtype=bool)).all()


def test_a_seed_gives_the_same_picture() -> None:
    first, second = (draw(np.random.default_rng(3), 90, 200) for _ in range(2))

    assert first[1] == second[1]
    assert (first[0].boxes == second[0].boxes).all()
    assert first[1] != draw(np.random.default_rng(4), 90, 200)[1]


def test_sides_are_as_long_as_asked_for() -> None:
    random = np.random.default_rng(0)

    sizes = [draw(random, 50, 80)[0].pixels.shape[:2] for _ in range(50)]

    assert all(50 <= max(size) <= 80 and min(size) >= max(size) // 2 for size in sizes)
    assert {height > width for height, width in sizes} == {True, False}


def test_the_jpeg_is_the_scene() -> None:
    drawn, jpeg = draw(np.random.default_rng(0), 200, 200)

    decoded = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)

    assert decoded is not None
    assert np.abs(decoded[..., ::-1].astype(float) - drawn.pixels).mean() < 10


def test_a_shape_differs_from_what_is_around_it() -> None:
    random = np.random.default_rng(0)
    apart = []
    for _ in range(30):
        drawn = scene(random, 150, 150)
        for ymin, xmin, ymax, xmax in (drawn.boxes * 150).astype(int):
            box = drawn.pixels[ymin:ymax, xmin:xmax].astype(float)
            # The middle always belongs to the shape, a corner hardly ever.
            middle = box[box.shape[0] // 2 - 2 :, box.shape[1] // 2 - 2 :][:5, :5].mean(axis=(0, 1))
            corners = [box[:2, :2], box[:2, -2:], box[-2:, :2], box[-2:, -2:]]
            apart.append(np.median([np.linalg.norm(middle - corner.mean(axis=(0, 1))) for corner in corners]))

    assert np.median(apart) > 0.8 * APART


@pytest.mark.parametrize("name", NAMES)
def test_an_outline_fills_its_share_of_the_circle(name: str) -> None:
    line = np.linspace(-1, 1, 400, dtype=np.float32)

    area = inside(outline(name), line, line).mean() * 4

    corners = {"circle": 32, "square": 4, "triangle": 3}
    expected = 10 / 2 * 0.42 * np.sin(np.pi / 5)
    if name in corners:
        expected = corners[name] / 2 * np.sin(2 * np.pi / corners[name])
    assert area == pytest.approx(expected, abs=0.03)


def test_inside_agrees_with_another_library() -> None:
    random = np.random.default_rng(0)
    points: FloatArray = random.uniform(5, 95, (7, 2)).astype(np.float32)

    line = np.arange(100, dtype=np.float32)
    found = inside(points, line, line)

    polygon = points[:, ::-1].reshape(-1, 1, 2)
    sides = [[cv2.pointPolygonTest(polygon, (x, y), True) for x in range(100)] for y in range(100)]
    away = np.abs(np.array(sides)) > 1
    filled = np.zeros((100, 100), np.uint8)
    cv2.fillPoly(filled, [np.rint(polygon).astype(np.int32)], 1)
    assert (found == (filled == 1))[away].all()
