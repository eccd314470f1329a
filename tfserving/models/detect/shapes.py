"""Training pictures for the detector: coloured shapes on a cluttered background, generated from a seed.

A shape is a polygon around the origin, rotated, stretched and coloured at random. The background is a colour
gradient with clouds, lines and noise.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tfserving.models.weights import FloatArray
from tfserving.runtime import tf

NAMES = ("circle", "square", "triangle", "star")
MOST = 14  # shapes drawn on one picture, not counting those that would overlap another
APART = 90.0  # the least distance between the colours of a shape and its background
_FINE = 2  # samples per pixel in each direction, for smooth edges

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture [height, width, 3] in RGB, and the shapes on it.

    Boxes are [count, 4] as ymin, xmin, ymax, xmax in 0..1; class c is `NAMES[c - 1]`.
    """

    pixels: Pixels
    boxes: FloatArray
    classes: npt.NDArray[np.int64]


def draw(random: np.random.Generator, low: int, high: int) -> tuple[Scene, bytes]:
    """Return a scene and its JPEG.

    The longer side is `low` to `high` pixels long, the other at least half as long.
    """
    longer = int(random.integers(low, high + 1))
    shorter = int(longer * random.uniform(0.5, 1))
    upright = random.random() < 0.5
    drawn = scene(random, *((longer, shorter) if upright else (shorter, longer)))
    return drawn, tf.io.encode_jpeg(drawn.pixels, quality=int(random.integers(60, 96))).numpy()


def scene(random: np.random.Generator, height: int, width: int) -> Scene:
    """Draw up to `MOST` shapes whose boxes do not overlap; one picture in ten is empty."""
    canvas = _ground(random, height, width)
    boxes: list[FloatArray] = []
    classes: list[int] = []
    for _ in range(0 if random.random() < 0.1 else random.integers(1, MOST + 1)):
        number = int(random.integers(len(NAMES)))
        points = _placed(random, outline(NAMES[number]), height, width)
        box = np.concatenate([points.min(axis=0), points.max(axis=0)])
        # Shapes that overlap are left out rather than moved, which bounds the time per picture.
        if not any((box[:2] < other[2:]).all() and (other[:2] < box[2:]).all() for other in boxes):
            _paint(random, canvas, points)
            boxes.append(box)
            classes.append(number + 1)
    canvas += random.standard_normal(canvas.shape, np.float32) * np.float32(random.uniform(0, 10))
    size = np.array([height, width, height, width], np.float32)
    return Scene(
        np.clip(canvas, 0, 255).astype(np.uint8),
        np.array(boxes, np.float32).reshape(-1, 4) / size,
        np.array(classes, np.int64),
    )


def outline(name: str) -> FloatArray:
    """Return the corners [points, 2] (y, x) of a shape within the unit circle."""
    radii = np.array(
        {"circle": [1] * 32, "square": [1] * 4, "triangle": [1] * 3, "star": [1, 0.42] * 5}[name]
    )
    angles = np.arange(radii.size) * 2 * np.pi / radii.size
    return np.stack([radii * np.sin(angles), radii * np.cos(angles)], axis=1, dtype=np.float32)


def inside(points: FloatArray, ys: FloatArray, xs: FloatArray) -> npt.NDArray[np.bool_]:
    """Return which of the points in rows `ys` and columns `xs` lie inside a polygon [points, 2] (y, x)."""
    within = np.zeros((len(ys), len(xs)), np.bool_)
    edges = np.concatenate([points, np.roll(points, -1, axis=0)], axis=1)
    for y0, x0, y1, x1 in edges:
        rows = (y0 > ys) != (y1 > ys)
        crossed = x0 + (ys[rows] - y0) * (x1 - x0) / (y1 - y0)
        within[rows] ^= xs < crossed[:, None]
    return within


def _placed(random: np.random.Generator, points: FloatArray, height: int, width: int) -> FloatArray:
    """Return a shape's corners in pixels: rotated, stretched, and entirely on the picture."""
    angle = random.uniform(0, 2 * np.pi)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    stretch = random.uniform(0.8, 1)
    points = points @ (np.array([[stretch, 0], [0, 1]]) if random.random() < 0.5 else np.eye(2)) @ turn
    radius = random.uniform(0.11, 0.22) * max(height, width)
    points = points * min(radius, 0.45 * min(height, width))
    low, high = points.min(axis=0), points.max(axis=0)
    corner = random.uniform((0, 0), (height, width) - (high - low))
    return np.asarray(points - low + corner, np.float32)


def _paint(random: np.random.Generator, canvas: FloatArray, points: FloatArray) -> None:
    """Fill a polygon with a colour that differs clearly from its background."""
    (top, left), (bottom, right) = np.floor(points.min(axis=0)), np.ceil(points.max(axis=0))
    window = canvas[int(top) : int(bottom), int(left) : int(right)]
    height, width = window.shape[:2]
    ys = top + (np.arange(height * _FINE, dtype=np.float32) + 0.5) / _FINE
    xs = left + (np.arange(width * _FINE, dtype=np.float32) + 0.5) / _FINE
    cover = inside(points, ys, xs).reshape(height, _FINE, width, _FINE).mean(axis=(1, 3))[..., None]
    behind = window.mean(axis=(0, 1))
    colour = random.uniform(0, 255, 3)
    while np.linalg.norm(colour - behind) < APART:
        colour = random.uniform(0, 255, 3)
    fill = colour + _clouds(random, height, width, 2) * random.uniform(0, 15)
    window += (cover * (fill - window)).astype(np.float32)


def _ground(random: np.random.Generator, height: int, width: int) -> FloatArray:
    y, x = _line(0, 1, height)[:, None], _line(0, 1, width)[None]
    ground = _clouds(random, height, width, 6) * _colour(random, 0, 40)
    ground += y[..., None] * _colour(random, -80, 80) + x[..., None] * _colour(random, -80, 80)
    ground += _colour(random, 30, 225)
    for _ in range(random.integers(0, 5)):
        angle, thickness = random.uniform(0, np.pi), random.uniform(0.002, 0.015)
        away = (y - random.random()) * np.cos(angle) + (x - random.random()) * np.sin(angle)
        ground[np.abs(away) < thickness] = _colour(random, 0, 255)
    return np.clip(ground, 0, 255, out=ground)


def _clouds(random: np.random.Generator, height: int, width: int, cells: int) -> FloatArray:
    """Return smooth noise [height, width, 3] in -1..1, with `cells` cells per side."""
    grid = random.uniform(-1, 1, (cells + 1, 3 * (cells + 1))).astype(np.float32)
    corners = np.arange(cells + 1, dtype=np.float32)
    # The weight of each grid corner in each row and column: interpolation as two matrix products.
    rows = np.maximum(0, 1 - np.abs(_line(0, cells, height)[:, None] - corners))
    columns = np.maximum(0, 1 - np.abs(_line(0, cells, width)[:, None] - corners))
    return np.asarray(columns @ (rows @ grid).reshape(height, cells + 1, 3), np.float32)


def _line(start: float, stop: float, count: int) -> FloatArray:
    return np.linspace(start, stop, count, dtype=np.float32)


def _colour(random: np.random.Generator, low: float, high: float) -> FloatArray:
    return random.uniform(low, high, 3).astype(np.float32)
