"""Several models on one camera, over REST and gRPC: each answer is drawn on the picture."""

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from pipeline.wire import picture
from tests.integration.conftest import Pipeline
from tests.parts import ROOT, ModelServer, free_port, wait_for

pytestmark = pytest.mark.timeout(900)  # models are exported first

LABELS = ROOT / "tfserving/labels"
CONFIG = """
model_config_list {{
  config {{ name: "imagenet" base_path: "{imagenet}" model_platform: "tensorflow" }}
  config {{ name: "int8" base_path: "{int8}" model_platform: "tensorflow" }}
  config {{ name: "emonet" base_path: "{emonet}" model_platform: "tensorflow" }}
  config {{ name: "detect" base_path: "{detect}" model_platform: "tensorflow" }}
}}
"""


@pytest.fixture(scope="module")
def server(
    model_folder: Path,
    int8_folder: Path,
    emonet_folder: Path,
    detect_folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[ModelServer]:
    """A model server with four models."""
    folder = tmp_path_factory.mktemp("models")
    config = folder / "models.config"
    config.write_text(
        CONFIG.format(imagenet=model_folder, int8=int8_folder, emonet=emonet_folder, detect=detect_folder)
    )
    with ModelServer(model_folder, free_port(), folder, f"--model_config_file={config}") as server:
        yield server


@pytest.fixture(scope="module")
def film(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of a face, next to a grey wall with a star."""
    path = tmp_path_factory.mktemp("film") / "face_and_star.mp4"
    written = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 25, (960, 432))
    phone = cv2.VideoCapture(str(clips / "carphone_pristine.mp4"))
    while (picture := phone.read()[1]) is not None:
        written.write(np.hstack([wall(432), cv2.resize(picture, (528, 432))]))
    written.release()
    return path


def wall(side: int) -> np.ndarray:
    """Return a grey square with a red star in the middle."""
    angles = np.arange(10) * np.pi / 5
    radii = np.where(np.arange(10) % 2, 0.42, 1) * side / 4
    points = side / 2 + np.stack([radii * np.sin(angles), -radii * np.cos(angles)], axis=1)
    picture = np.full((side, side, 3), 90, np.uint8)
    cv2.fillPoly(picture, [np.rint(points).astype(np.int32)], (40, 60, 230), cv2.LINE_AA)
    return picture


def settings(models: dict[str, Any], labels: dict[str, str]) -> dict[str, str]:
    """Return the consumer's settings for models and the names of their label files."""
    files = {name: str(LABELS / f"{file}.json") for name, file in labels.items()}
    return {"MODELURLS": json.dumps(models), "LABELURLS": json.dumps(files)}


def answers(pipeline: Pipeline, camera: str) -> dict[str, Any]:
    """Return each model's last answer about a camera."""
    return {each["model"]: each for each in pipeline.camera(camera).get("predictions", [])}


def collected(
    pipeline: Pipeline, camera: str, enough: Callable[[list[dict[str, Any]]], bool]
) -> list[dict[str, Any]]:
    """Collect the models' answers, frame by frame, until there are enough."""
    seen: dict[int, dict[str, Any]] = {}

    def look() -> bool:
        if said := answers(pipeline, camera):
            seen[pipeline.camera(camera)["seq"]] = said
        return enough(list(seen.values()))

    wait_for(look, 90, f"enough answers; the last one is {list(seen.values())[-1:]}")
    return list(seen.values())


def test_four_models_answer_about_one_camera(pipeline: Pipeline, server: ModelServer, film: Path) -> None:
    models: dict[str, Any] = {
        "imagenet_1": server.url,
        "imagenet_2": server.grpc + "int8",
        "emonet_3": {"url": server.grpc + "emonet", "smallest": 0.3},
        "detect_4": f"{server.base}/v1/models/detect:predict",
    }
    labels = {
        "imagenet_1": "imagenetLabels",
        "imagenet_2": "imagenetLabels",
        "emonet_3": "emonetLabels",
        "detect_4": "detectLabels",
    }
    video = pipeline.video()
    consumer = pipeline.consumer(**settings(models, labels))
    pipeline.producer("phone", film)

    said = collected(pipeline, "phone", lambda said: sum(map(complete, said)) > 30)

    said = [each for each in said if complete(each)]
    assert all(list(each) == list(models) for each in said)
    stars = [any(map(is_the_star, each["detect_4"]["results"])) for each in said]
    assert stars.count(True) > 0.8 * len(said)
    faces = [result for each in said for result in each["emonet_3"]["results"]]
    assert sum(face["box"][0] > 400 for face in faces) > 0.8 * len(faces), (
        "the face is to the right of the wall"
    )
    assert Counter(face["label"] for face in faces).most_common(1)[0][1] > 0.5 * len(faces)
    seqs = {model: len({each[model]["seq"] for each in said}) for model in models}
    assert min(seqs.values()) > 10, seqs
    assert picture.decode(pipeline.snapshot("phone")).shape == (432, 960, 3)
    assert "Traceback" not in consumer.text + video.text


def complete(each: dict[str, Any]) -> bool:
    """Whether all models have results."""
    return all(model["results"] for model in each.values())


def is_the_star(result: dict[str, Any]) -> bool:
    """Whether a result is the star in the middle of the wall."""
    x, y, width, height = result["box"]
    away = abs(x + width / 2 - 216), abs(y + height / 2 - 216)
    return bool(result["label"] == "star" and max(away) < 40)


def test_each_version_of_a_model_answers_with_its_own_labels_without_a_restart(
    pipeline: Pipeline, detect_folder: Path, film: Path, tmp_path: Path
) -> None:
    models = tmp_path / "models"
    shutil.copytree(detect_folder / "1", models / "1")
    for version, names in enumerate((["circle", "square", "triangle", "star"], ["O", "[]", "/\\", "*"]), 1):
        (tmp_path / f"labels-{version}.json").write_text(json.dumps(names))
    poll = "--file_system_poll_wait_seconds=1"
    with ModelServer(models, free_port(), tmp_path, poll, model="detect") as server:
        urls = {"detect_1": server.grpc + "detect", "detect_2": f"{server.base}/v1/models/detect:predict"}
        files = dict.fromkeys(urls, str(tmp_path / "labels-{version}.json"))
        pipeline.video()
        consumer = pipeline.consumer(MODELURLS=json.dumps(urls), LABELURLS=json.dumps(files))
        pipeline.producer("star", film)

        first = collected(pipeline, "star", lambda said: sum(map(complete, said)) > 10)
        shutil.copytree(models / "1", tmp_path / "2")
        (tmp_path / "2").rename(models / "2")
        second = collected(pipeline, "star", lambda said: any(map(says_stars, said)))

    assert not any("*" in names for each in first for names in labels_of(each))
    mixed = [names for each in second for names in labels_of(each) if {"star", "*"} <= names]
    assert not mixed, "an answer has the labels of one version"
    assert "Traceback" not in consumer.text


def labels_of(each: dict[str, Any]) -> list[set[str]]:
    """Return each model's labels."""
    return [{result["label"] for result in model["results"]} for model in each.values()]


def says_stars(each: dict[str, Any]) -> bool:
    """Whether all models use the labels of the second version."""
    return len(each) == 2 and all("*" in names for names in labels_of(each))
