"""The exported model answers like the original system's."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.parts import LABELS
from tfserving import export
from tfserving.models import weights
from tfserving.models.weights import WeightsError
from tfserving.server.graph.saved import Runtime, SavedModel

Frames = Callable[..., list[bytes]]

# The network has no class for plain bicycles: these are its labels for the street at the end of the film.
BICYCLES = {"unicycle", "mountain bike", "jinrikisha", "bicycle-built-for-two", "tricycle", "moped"}


@pytest.fixture(scope="module")
def model(exported: Path) -> Iterator[SavedModel]:
    model = SavedModel(exported / "1", Runtime())
    yield model
    model.close()


def classify(model: SavedModel, pictures: list[bytes]) -> tuple[list[str], np.ndarray]:
    """Return the label of each picture, and all probabilities."""
    names = json.loads(LABELS.read_text())
    outputs = model.run("serving_default", {"image_bytes": np.array([*pictures, None], object)[:-1]})
    return [names[number - 1] for number in outputs["classes"]], outputs["probabilities"]


def test_there_is_a_name_for_each_class() -> None:
    names = json.loads(LABELS.read_text())

    assert len(names) == 1000
    assert names[0] == "tench"
    assert names[906] == "Windsor tie"
    assert all(name and name == name.strip() and "," not in name for name in names)


def test_the_labels_are_next_to_the_model(exported: Path) -> None:
    assert (exported / "1/assets/imagenetLabels.json").read_bytes() == LABELS.read_bytes()


def test_the_signature_is_that_of_the_original_system(model: SavedModel) -> None:
    signature = model.signatures["serving_default"]

    assert {alias: tensor.dtype for alias, tensor in signature.inputs.items()} == {"image_bytes": "string"}
    assert {alias: tensor.dtype for alias, tensor in signature.outputs.items()} == {
        "classes": "int64",
        "probabilities": "float32",
    }


def test_background_has_no_probability(model: SavedModel, frames: Frames) -> None:
    pictures = frames("bikes", step=100)

    _, probabilities = classify(model, pictures)

    assert probabilities.shape == (len(pictures), 1001)
    assert (probabilities[:, 0] == 0).all()
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-4)


def test_bicycles_are_recognised(model: SavedModel, frames: Frames) -> None:
    names, _ = classify(model, frames("bikes", first=110, step=5))

    share = sum(name in BICYCLES for name in names) / len(names)
    assert share > 0.5


def test_pictures_of_several_sizes_go_in_one_batch(model: SavedModel, frames: Frames) -> None:
    pictures = [frames(name, step=200)[0] for name in ("carphone_pristine", "bikes", "bigbuckbunny")]

    together, _ = classify(model, pictures)

    assert together == [classify(model, [picture])[0][0] for picture in pictures]


def test_an_export_replaces_the_version_and_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "1").mkdir()
    (tmp_path / "1/old").touch()

    export.write(Path.mkdir, tmp_path / "1")

    assert [path.name for path in tmp_path.iterdir()] == ["1"]
    assert list((tmp_path / "1").iterdir()) == []


def test_a_failed_export_leaves_the_old_version(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        folder.mkdir()
        raise OSError("disk full")

    (tmp_path / "1").mkdir()

    with pytest.raises(OSError, match="disk full"):
        export.write(fail, tmp_path / "1")

    assert [path.name for path in tmp_path.iterdir()] == ["1"]


@pytest.mark.parametrize(("names", "number"), [([], 1), (["1"], 2), (["2", "10", "x", ".11"], 11)])
def test_the_next_version_follows_the_highest(tmp_path: Path, names: list[str], number: int) -> None:
    for name in names:
        (tmp_path / name).mkdir()

    assert export.next_version(tmp_path) == number
    assert export.next_version(tmp_path / "missing") == 1


@pytest.mark.parametrize(("arguments", "version"), [([], "1"), (["--version", "7"], "7"), (["--next"], "4")])
def test_the_version_is_chosen_by_the_arguments(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    version: str,
) -> None:
    monkeypatch.setattr(
        "tfserving.models.imagenet.classifier.save", lambda _w, _l, folder, _p: folder.mkdir()
    )
    (tmp_path / "3").mkdir()

    status = export.main([str(tmp_path), *arguments])

    assert status == 0
    assert (tmp_path / version).is_dir()
    assert f"model: {tmp_path / version}, 0.0 MB" in capsys.readouterr().out


def test_fewer_bits_make_a_smaller_model_of_the_same_signature(
    exported: Path, narrow: dict[str, Path], frames: Frames
) -> None:
    pictures = frames("bikes", first=110, step=20)
    names, probabilities = {}, {}
    for precision, base in {"float32": exported, **narrow}.items():
        model = SavedModel(base / "1", Runtime())
        names[precision], probabilities[precision] = classify(model, pictures)
        model.close()

    whole = export.size(exported / "1")
    assert export.size(narrow["float16"] / "1") < 0.55 * whole
    assert export.size(narrow["int8"] / "1") < 0.3 * whole
    assert 0 < np.abs(probabilities["float16"] - probabilities["float32"]).max() < 0.02
    assert 0 < np.abs(probabilities["int8"] - probabilities["float32"]).max() < 0.5
    assert names["float16"] == names["float32"]
    for base in narrow.values():
        assert (base / "1/assets/imagenetLabels.json").read_bytes() == LABELS.read_bytes()


@pytest.mark.parametrize("arguments", [["--model=nothing"], ["--precision=float64"]])
def test_unknown_names_are_refused(tmp_path: Path, arguments: list[str]) -> None:
    with pytest.raises(SystemExit):
        export.main([str(tmp_path), *arguments])

    assert not list(tmp_path.iterdir())


def test_missing_weights_are_reported_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def locate() -> Path:
        raise WeightsError("not installed")

    monkeypatch.setattr(weights, "locate", locate)

    assert export.main([str(tmp_path)]) == 1
    assert capsys.readouterr().err == "not installed\n"
