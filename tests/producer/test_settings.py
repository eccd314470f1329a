from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.service.settings import SettingsError, load
from producer.settings import ProducerSettings

Environment = Callable[..., None]


@pytest.fixture
def settings(environment: Environment) -> Callable[..., ProducerSettings]:
    """Load the settings with these variables."""
    environment(KAFKAPORT="kf1-service:19091")

    def load_with(**variables: str) -> ProducerSettings:
        environment(**variables)
        return load(ProducerSettings)

    return load_with


def test_the_originals_variables_are_taken(settings: Callable[..., ProducerSettings]) -> None:
    loaded = settings(
        VIDEOLINK="rtsp://joe:hunter2@camera/stream1",
        FRAMEINTERVAL="42ms",
        TOPICNAME="videocam",
        COMPRESSIONTYPE="snappy",
        IMAGESCALEX="0.5",
        IMAGESCALEY="0.25",
    )

    assert loaded.source == "rtsp://joe:hunter2@camera/stream1"
    assert loaded.frameinterval == 0.042
    assert loaded.topicname == "videocam"
    assert loaded.kafkaport == "kf1-service:19091"
    assert loaded.compressiontype == "snappy"
    assert (loaded.imagescalex, loaded.imagescaley) == (0.5, 0.25)


def test_the_defaults_are_safe(settings: Callable[..., ProducerSettings]) -> None:
    loaded = settings(VIDEODEVICE="0")

    assert loaded.cameraname == "camera"
    assert loaded.frameinterval == 0.042
    assert loaded.topicname == "videocam"
    assert (loaded.imagescalex, loaded.imagescaley) == (1, 1)
    assert loaded.frameformat == "jpeg"


@pytest.mark.parametrize("variables", [{}, {"VIDEOLINK": "/clip.avi", "VIDEODEVICE": "0"}, {"VIDEOLINK": ""}])
def test_one_source_is_wanted(settings: Callable[..., ProducerSettings], variables: dict[str, str]) -> None:
    with pytest.raises(SettingsError) as caught:
        settings(**variables)

    assert str(caught.value) == (
        "set one of VIDEOLINK (an RTSP or HTTP URL, or a file) and VIDEODEVICE (a device)"
    )


@pytest.mark.parametrize("device", ["0", "1", "/dev/video0"])
def test_a_device_is_no_file(settings: Callable[..., ProducerSettings], device: str) -> None:
    loaded = settings(VIDEODEVICE=device)

    assert loaded.source == device
    assert not loaded.is_file


@pytest.mark.parametrize(
    ("link", "is_file"),
    [
        ("/videos/clip.mp4", True),
        ("clip.mp4", True),
        ("./0.avi", True),
        ("file:///videos/clip.mp4", True),
        ("x" * 5000, True),
        ("rtsp://camera/stream1", False),
        ("http://camera/clip.mp4", False),
        ("https://camera/" + "x" * 5000, False),
        ("rtmp://camera/live", False),
        ("0", False),
        ("12", False),
        ("/dev/null", False),
        ("/dev/video99", False),  # not plugged in yet
    ],
)
def test_files_are_told_from_cameras(
    settings: Callable[..., ProducerSettings], link: str, is_file: bool
) -> None:
    assert settings(VIDEOLINK=link).is_file == is_file


def test_a_regular_file_below_dev_is_a_file(
    settings: Callable[..., ProducerSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("producer.settings.os.path.isfile", {"/dev/shm/clip.avi": True}.get)

    assert settings(VIDEOLINK="/dev/shm/clip.avi").is_file


def test_a_file_that_is_there_is_a_file(settings: Callable[..., ProducerSettings], clip: Path) -> None:
    assert settings(VIDEOLINK=str(clip)).is_file


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CAMERANAME", "x" * 201),
        ("CAMERANAME", "front\tdoor"),
        ("CAMERANAME", "front\u200bdoor"),
        ("FRAMEINTERVAL", "0s"),
        ("FRAMEINTERVAL", "2h"),
        ("KAFKAPORT", "kafka"),
        ("IMAGESCALEX", "0"),
        ("IMAGESCALEY", "9"),
        ("JPEGQUALITY", "0"),
        ("JPEGQUALITY", "101"),
        ("JPEGQUALITY", "8.5"),
        ("FRAMEFORMAT", "png"),
        ("FROZENAFTER", "0s"),
        ("COMPRESSIONTYPE", "rar"),
    ],
)
def test_a_wrong_value_is_told_in_one_line(
    settings: Callable[..., ProducerSettings], name: str, value: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        settings(**{"VIDEODEVICE": "0", name: value})

    text = str(caught.value)
    assert text.startswith(f"{name}={value!r}: ")
    assert "(it takes: " in text
    assert len(text.splitlines()) == 1


def test_the_link_is_not_shown_when_the_settings_are_printed(
    settings: Callable[..., ProducerSettings],
) -> None:
    loaded = settings(VIDEOLINK="rtsp://joe:hunter2@camera/", KAFKACONFIG='{"sasl.password": "hunter2"}')

    assert "hunter2" not in repr(loaded)
    assert "hunter2" not in str(loaded)


def test_no_setting_is_without_a_description() -> None:
    assert all(field.description for field in ProducerSettings.model_fields.values())
