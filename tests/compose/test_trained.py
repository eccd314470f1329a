"""The file with the models of the run's own model server."""

from dataclasses import replace
from pathlib import Path

import pytest

from compose import trained
from compose.cameras import Camera
from compose.options import ROOT, Options
from tfserving.server.models import config as server

TRAINING = Options(
    (Camera("door", "0"),), 30163, "", "", no_model=False, seconds=None, users="", training_port=30164
)


def test_at_first_it_has_only_the_server_s_own_model(tmp_path: Path) -> None:
    version = tmp_path / "models/digits/1"
    version.mkdir(parents=True)

    file, wrong = trained.file(TRAINING, tmp_path, {})

    assert (file, wrong) == (str(tmp_path / "models/models.config"), "")
    (model,) = server.models(server.read(Path(file))).values()
    assert (model.name, model.base_path) == ("imagenet", ROOT / "build/models/imagenet")


@pytest.mark.parametrize("given", ["mine", " mine\n", "~/mine"])
def test_it_is_where_the_user_wants_the_models(
    given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trained, "ROOT", tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))

    file, _ = trained.file(TRAINING, Path("/nowhere"), {"MODELSTORE": given})

    assert file == str(tmp_path / "mine/models.config")


@pytest.mark.parametrize(
    "options",
    [
        replace(TRAINING, training_port=0),
        replace(TRAINING, no_model=True),
        replace(TRAINING, model_url="http://models:8501/v1/models/imagenet:predict"),
    ],
)
def test_there_is_none_without_a_server_or_without_trainings(options: Options, tmp_path: Path) -> None:
    assert trained.file(options, tmp_path, {}) == ("", "")
    assert not any(tmp_path.iterdir())


def test_a_folder_that_cannot_be_used_is_named_and_the_own_model_is_served_all_the_same(
    tmp_path: Path,
) -> None:
    place = tmp_path / "models"
    place.write_text("a file")

    assert trained.file(TRAINING, tmp_path, {}) == (
        "",
        f"MODELSTORE='{place}': it is not a folder: trained models are not served",
    )


def test_the_home_of_nobody_is_left_to_the_check_of_the_settings(tmp_path: Path) -> None:
    assert trained.file(TRAINING, tmp_path, {"MODELSTORE": "~nobody-at-all/models"}) == ("", "")
