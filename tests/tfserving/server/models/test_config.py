"""The config file of models has TensorFlow Serving's format."""

from pathlib import Path
from typing import Any

import pytest

from tfserving.server.errors import Code, ServingError
from tfserving.server.models import config
from tfserving.server.models.config import ModelConfig
from tfserving.server.models.policy import Policy

TWO = """
# Two models, in the spellings that the text format allows.
model_config_list: {
  config: { name: 'a', base_path: '/models/a'; model_platform: "tensorflow" }
  config {
    name: "b" base_path: "/models/b" model_platform: "tensorflow"
    model_version_policy { specific { versions: 1 versions: 2 } }
    version_labels { key: 'stable' value: 1 }
    version_labels { key: 'canary' value: 2 }
    logging_config { sampling_config { sampling_rate: 0.1 } }
  }
}
"""


def parsed(tmp_path: Path, text: str) -> dict[str, ModelConfig]:
    file = tmp_path / "models.config"
    file.write_text(text)
    return config.models(config.read(file))


def model(fields: str = "", platform: str = 'model_platform: "tensorflow"') -> str:
    return f'config {{ name: "m" base_path: "/m" {platform} {fields} }}'


def models(*entries: str) -> str:
    return f"model_config_list {{ {' '.join(entries)} }}"


def test_models_are_read(tmp_path: Path) -> None:
    found = parsed(tmp_path, TWO)

    labels = {"stable": 1, "canary": 2}
    assert found == {
        "a": ModelConfig("a", Path("/models/a"), Policy(1), {}, "tensorflow"),
        "b": ModelConfig("b", Path("/models/b"), Policy(None, frozenset({1, 2})), labels, "tensorflow"),
    }


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ("", Policy(1)),
        ("model_version_policy { latest { } }", Policy(1)),
        ("model_version_policy { latest { num_versions: 0 } }", Policy(1)),
        ("model_version_policy { latest { num_versions: 3 } }", Policy(3)),
        ("model_version_policy { all { } }", Policy(None)),
        ("model_version_policy { all: { } }", Policy(None)),
        ("model_version_policy { specific { } }", Policy(None, frozenset())),
        ("model_version_policy: { specific { versions: [7, 8] } }", Policy(None, frozenset({7, 8}))),
    ],
)
def test_policies(tmp_path: Path, text: str, policy: Policy) -> None:
    assert parsed(tmp_path, models(model(text)))["m"].policy == policy


@pytest.mark.parametrize("platform", ['model_platform: "tensorflow"', "model_type: TENSORFLOW"])
def test_the_platform_may_be_given_by_the_deprecated_field(tmp_path: Path, platform: str) -> None:
    found = parsed(tmp_path, models(model(platform=platform)))

    config.check_platforms(found.values())
    assert found["m"].platform == "tensorflow"


@pytest.mark.parametrize("path", ["/m", "file:///m"])
def test_a_path_may_be_a_uri(tmp_path: Path, path: str) -> None:
    entry = f'config {{ name: "m" base_path: "{path}" model_platform: "tensorflow" }}'

    assert parsed(tmp_path, models(entry))["m"].base_path == Path("/m")


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([model(), model()], "Illegal to list model m multiple times in config list"),
        (
            ['config { name: "m" base_path: "rel/m" model_platform: "tensorflow" }'],
            "Expected model m to have an absolute path or URI; got base_path()=rel/m",
        ),
        (
            ['config { name: "m" model_platform: "tensorflow" }'],
            "Expected model m to have an absolute path or URI; got base_path()=",
        ),
        (
            [model(platform="")],
            "Illegal setting neither ModelServerConfig::model_type (deprecated) nor"
            " ModelServerConfig::model_platform.",
        ),
        (
            [model("model_type: TENSORFLOW")],
            "Illegal setting both ModelServerConfig::model_type (deprecated) and"
            " ModelServerConfig::model_platform.",
        ),
        ([model(platform="model_type: OTHER")], "ModelServerConfig::model_type choice 2 not supported."),
    ],
)
def test_invalid_configs_are_refused(tmp_path: Path, entries: list[str], message: str) -> None:
    with pytest.raises(ServingError) as caught:
        parsed(tmp_path, models(*entries))

    assert (caught.value.code, caught.value.message) == (Code.INVALID_ARGUMENT, message)


def test_another_platform_is_refused(tmp_path: Path) -> None:
    found = parsed(tmp_path, models(model(platform='model_platform: "caffe"')))

    with pytest.raises(ServingError, match="Model m requests unsupported platform caffe") as caught:
        config.check_platforms(found.values())
    assert caught.value.code == Code.INVALID_ARGUMENT


def test_a_model_keeps_its_platform(tmp_path: Path) -> None:
    before = parsed(tmp_path, models(model()))
    after = parsed(tmp_path, models(model(platform='model_platform: "caffe"')))

    with pytest.raises(ServingError) as caught:
        config.check_unchanged_platforms(before, after)
    assert caught.value.message == (
        "Illegal to change a model's platform. For model m platform was tensorflow"
        " and new platform requested is caffe"
    )


@pytest.mark.parametrize("text", [b"model_config_list {", b"nonsense: 1", b"\xff", b"model_config_list: 3"])
def test_an_invalid_file_is_reported(tmp_path: Path, text: bytes) -> None:
    file = tmp_path / "models.config"
    file.write_bytes(text)

    with pytest.raises(ServingError) as caught:
        config.read(file)
    assert (caught.value.code, caught.value.message) == (
        Code.INVALID_ARGUMENT,
        f"Invalid protobuf file: '{file}'",
    )


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ServingError) as caught:
        config.read(tmp_path / "none")
    assert caught.value.code == Code.NOT_FOUND
    assert caught.value.message == f"{tmp_path / 'none'}; No such file or directory"


def test_flags_describe_one_model() -> None:
    message: Any = config.single("m", "build/m")

    (found,) = config.models(message).values()
    assert found == ModelConfig("m", Path.cwd() / "build/m", Policy(1), {}, "tensorflow")
