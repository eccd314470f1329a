"""Two exports are compared on a film, or one line says why they cannot be."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.parts import ROOT
from tests.tfserving import toys
from tfserving import compare
from tfserving.film import frames
from tfserving.server.graph.saved import SavedModel


def test_a_model_is_the_same_as_itself(
    exported: Path, clips: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = compare.main([str(exported), str(exported / "1"), str(clips / "bikes.mp4"), "--step=50"])

    lines = capsys.readouterr().out.splitlines()
    assert status == 0
    assert lines[0].split() == ["MODEL_A", "MODEL_B"]
    assert lines[1].split() == ["size", "on", "disk", "18.6", "MB", "18.6", "MB"]
    assert [float(word) > 0 for word in lines[2].split() if word[0].isdigit()] == [True, True]
    assert "100.0% of 5 frames" in lines[3]
    assert re.findall(r"\d\.\d+", lines[4]) == ["0.0000", "0.0000"]


@pytest.fixture(scope="module")
def pair(exported: Path, int8_folder: Path) -> Iterator[tuple[SavedModel, SavedModel]]:
    """The model with its original numbers, and with kernels of eight bits."""
    wide, few = (compare.load(compare.resolve(base)) for base in (exported, int8_folder))
    yield wide, few
    wide.close()
    few.close()


def test_fewer_bits_are_compared_frame_by_frame(pair: tuple[SavedModel, SavedModel], clips: Path) -> None:
    comparison = compare.compare(*pair, frames(clips / "bikes.mp4", 25), print)

    assert len(comparison.same) == len(comparison.differences) == 10
    assert all(len(times) == 10 for times in comparison.times)
    assert sum(comparison.same) >= 7
    assert 0 < max(comparison.differences) < 0.5


@pytest.mark.parametrize(
    ("clip", "seen", "least"), [("bikes", 25, 18), ("bigbuckbunny", 14, 12), ("carphone_pristine", 12, 8)]
)
def test_eight_bits_mostly_give_the_same_label(
    pair: tuple[SavedModel, SavedModel], clips: Path, clip: str, seen: int, least: int
) -> None:
    comparison = compare.compare(*pair, frames(clips / f"{clip}.mp4", 10), print)

    print(f"{clip}: {sum(comparison.same)} of {len(comparison.same)}")
    assert len(comparison.same) == seen
    assert sum(comparison.same) >= least


def test_the_highest_version_is_used(tmp_path: Path) -> None:
    for name in ("2", "10", "x"):
        (tmp_path / name).mkdir()

    assert compare.resolve(tmp_path) == tmp_path / "10"


@pytest.mark.parametrize("what", ["missing", "empty", "toy", "film", "picture"])
def test_exports_that_cannot_be_compared_are_reported_in_one_line(
    exported: Path, clips: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], what: str
) -> None:
    bikes = clips / "bikes.mp4"
    (tmp_path / "empty").mkdir()
    toys.save(tmp_path / "toy")
    model, clip, reason = {
        "missing": (tmp_path / "missing", bikes, f"{tmp_path}/missing: No such file or directory"),
        "empty": (tmp_path / "empty", bikes, f"{tmp_path}/empty: .*SavedModel"),
        "toy": (tmp_path / "toy", bikes, f"{tmp_path}/toy: .*image_bytes.* takes x and returns y"),
        "film": (exported, tmp_path / "none.mp4", f"{tmp_path}/none.mp4: no such file"),
        "picture": (exported, ROOT / "README.md", f"{ROOT}/README.md: OpenCV"),
    }[what]
    capfd.readouterr()

    status = compare.main([str(model), str(exported), str(clip)])

    output = capfd.readouterr()
    assert status == 1
    assert output.out == ""
    assert re.match(reason, output.err)
    assert output.err.count("\n") == 1


def test_a_missing_opencv_is_reported_with_the_command_that_installs_it(
    exported: Path, clips: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)

    assert compare.main([str(exported), str(exported), str(clips / "bikes.mp4")]) == 1
    assert "pip install 'opencv-python-headless<5'\n" in capsys.readouterr().err


@pytest.mark.parametrize("step", ["0", "-1", "x"])
def test_a_wrong_step_is_refused(exported: Path, clips: Path, step: str) -> None:
    with pytest.raises(SystemExit):
        compare.main([str(exported), str(exported), str(clips / "bikes.mp4"), f"--step={step}"])
