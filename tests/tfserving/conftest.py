"""Fixtures for the models and their server. TensorFlow is imported in them: unit tests must not import it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.parts import ROOT


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The base path of a model with many signatures, version 1."""
    from tests.tfserving import toys

    base = tmp_path_factory.mktemp("toy")
    toys.save(base / "1")
    return base


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The base path of the ImageNet model, freshly exported."""
    from tfserving import export

    base = tmp_path_factory.mktemp("exported")
    assert export.main([str(base)]) == 0
    return base


@pytest.fixture(scope="session")
def narrow(int8_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The base paths of the ImageNet model in fewer bits, by precision."""
    from tfserving import export

    float16 = tmp_path_factory.mktemp("float16")
    assert export.main([str(float16), "--precision=float16"]) == 0
    return {"float16": float16, "int8": int8_folder}


@pytest.fixture(scope="session")
def model_folder(request: pytest.FixtureRequest) -> Path:
    """The ImageNet model that `make install` exported, or a freshly exported one."""
    folder = ROOT / "build/models/imagenet"
    return folder if folder.is_dir() else Path(request.getfixturevalue("exported"))


@pytest.fixture(scope="session")
def frames(clips: Path) -> Callable[..., list[bytes]]:
    """Return every `step`-th frame of a clip from frame `first` on, as JPEGs."""

    def frames(name: str, first: int = 0, step: int = 10) -> list[bytes]:
        pictures = list(read(clips / f"{name}.mp4"))[first::step]
        return [cv2.imencode(".jpg", picture)[1].tobytes() for picture in pictures]

    return frames


def read(clip: Path) -> Iterator[np.ndarray]:
    """Yield the pictures of a film."""
    film = cv2.VideoCapture(str(clip))
    while True:
        good, picture = film.read()
        if not good:
            return
        yield picture
