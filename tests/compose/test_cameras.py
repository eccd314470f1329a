"""The cameras of the command line are those that the producer takes."""

import subprocess
import sys
from pathlib import Path

import pytest

from compose import cameras
from compose.cameras import Camera
from compose.errors import OptionsError
from pipeline.cameras.links import SCHEMES
from tests.parts import ROOT

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"  # one emoji of three, joined by U+200D


@pytest.mark.parametrize("name", ["door", "front door", "Hof 2", "Tür", "site/door", FAMILY, "x" * 200])
def test_a_name_that_the_producer_takes_is_taken(name: str) -> None:
    assert cameras.parse(f"{name}=0") == Camera(name, "0")


@pytest.mark.parametrize("name", ["x" * 201, "a\nb", "a\u200bb", "\u202edoor"])
def test_a_name_that_cannot_be_printed_or_is_too_long_is_refused(name: str) -> None:
    with pytest.raises(OptionsError, match="200 printable"):
        cameras.parse(f"{name}=0")


@pytest.mark.parametrize("link", ["other://joe:hunter2@camera/", "://camera"])
def test_a_link_with_an_unknown_scheme_is_refused(link: str) -> None:
    with pytest.raises(OptionsError) as caught:
        cameras.check([Camera("door", link)])

    text = str(caught.value)
    assert text.startswith("camera door: ")
    assert ", ".join(SCHEMES) in text
    assert "hunter2" not in text


@pytest.mark.parametrize(
    "link", ["rtsp://camera/x", "RTSP://camera/x", "udp://@239.0.0.1:1234", "1", "/dev/video9"]
)
def test_what_may_appear_later_is_taken_as_it_is(link: str) -> None:
    assert cameras.check([Camera("door", link)]) == (Camera("door", link),)


@pytest.mark.parametrize("form", ["{}", "file://{}", "FILE://{}"])
def test_a_file_has_to_exist(tmp_path: Path, form: str) -> None:
    path = tmp_path / "yard.mp4"
    camera = Camera("yard", form.format(path))

    with pytest.raises(OptionsError, match="camera yard: there is no such file"):
        cameras.check([camera])
    path.touch()

    assert cameras.check([camera]) == (Camera("yard", str(path)),)


def test_a_directory_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(OptionsError, match="expected a file, found a directory"):
        cameras.check([Camera("yard", str(tmp_path))])


def test_a_number_names_a_device_even_if_there_is_a_file_of_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "0").touch()
    monkeypatch.chdir(tmp_path)

    found = cameras.check([Camera("desk", "0"), Camera("film", "./0")])

    assert [camera.link for camera in found] == ["0", str(tmp_path / "0")]


@pytest.mark.parts
def test_the_kind_of_a_camera_is_known_without_loading_opencv() -> None:
    code = "import sys, compose.options; sys.exit('cv2' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_cameras_may_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "cameras.txt"
    file.write_text("\ufeff# at home\n\n  door=rtsp://joe:p#ss@host/\nfront door=0\n")

    assert cameras.listed(str(file)) == [Camera("door", "rtsp://joe:p#ss@host/"), Camera("front door", "0")]


@pytest.mark.parametrize("content", [b"", b"# none\n", b"\xff\xfe\n", b"door\n"])
def test_a_file_without_cameras_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "cameras.txt"
    file.write_bytes(content)

    with pytest.raises(OptionsError):
        cameras.listed(str(file))


@pytest.mark.parametrize(
    "line",
    [
        "rtsp://host/?x=hunter2",
        "hunter2",
        "=hunter2",
        "hunter2\x07=0",
        "door=onvif://host/?x=hunter2",
        "door=/hunter2",
        "front=hunter2",
    ],
)
def test_a_wrong_line_of_a_file_is_named_by_its_number(tmp_path: Path, line: str) -> None:
    file = tmp_path / "cameras.txt"
    file.write_text(f"front=0\n# at home\n{line}\n")

    with pytest.raises(OptionsError) as caught:
        cameras.check(cameras.listed(str(file)))

    text = str(caught.value)
    assert text.startswith(f"--cameras {file}, line 3: ")
    assert "hunter2" not in text


def test_a_link_in_a_file_is_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "cameras.txt"
    file.write_text("door=rtsp://host/?x=hunter2\n")

    (camera,) = cameras.check(cameras.listed(str(file)))

    assert camera.shown == f"--cameras {file}, line 1"


def test_a_link_is_not_part_of_what_is_printed_of_a_camera() -> None:
    assert "hunter2" not in repr(Camera("door", "rtsp://joe:hunter2@host/"))
