"""A service that was killed says at its next start what it was working on."""

import logging
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from pipeline.service.recorder import Recorder, working
from tests.parts import ROOT

KILLED = """
import os, signal, sys, threading
from pathlib import Path
from pipeline.service.recorder import Recorder, working

Recorder(Path(sys.argv[1]), "consumer")
begun = threading.Barrier(3)

def work(step, size, camera):
    with working("read", 1, camera):
        pass
    with working(step, size, camera):
        begun.wait()
        threading.Event().wait()

for task in ("stamp", 82_000_000, "door"), ("classify", 4_200, "Tür 2"):
    threading.Thread(target=work, args=task).start()
begun.wait()
os.kill(os.getpid(), signal.SIGKILL)
"""


def kill_while_working(folder: Path, code: str = KILLED) -> None:
    run = subprocess.run([sys.executable, "-c", code, str(folder)], cwd=ROOT, check=False)

    assert run.returncode == -signal.SIGKILL


@pytest.mark.parts
def test_the_pictures_of_all_threads_are_named_the_largest_first(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kill_while_working(tmp_path / "state")

    with caplog.at_level(logging.WARNING):
        recorder = Recorder(tmp_path / "state", "consumer")

    recorder.close()
    said = (
        "the last run was killed or crashed while working on a picture of 82 MB of camera door (stamp)"
        " and a picture of 4 kB of camera Tür 2 (classify)"
    )
    assert caplog.messages == [said]
    assert recorder.last == said


@pytest.mark.parts
def test_an_end_is_reported_once(tmp_path: Path) -> None:
    kill_while_working(tmp_path)
    Recorder(tmp_path, "consumer").close()

    recorder = Recorder(tmp_path, "consumer")

    recorder.close()
    assert recorder.last is None


@pytest.mark.parts
def test_a_process_that_was_killed_between_two_pictures_was_not_working(tmp_path: Path) -> None:
    code = KILLED.partition("begun =")[0] + 'with working("read", 1, "door"): pass\nos.kill(os.getpid(), 9)\n'
    kill_while_working(tmp_path, code)

    recorder = Recorder(tmp_path, "consumer")

    recorder.close()
    assert recorder.last == "the last run was killed or crashed, but not while working on a picture"


@pytest.mark.parts
def test_one_that_was_killed_before_its_first_picture_leaves_nothing_to_say(tmp_path: Path) -> None:
    kill_while_working(tmp_path, KILLED.partition("begun =")[0] + "os.kill(os.getpid(), 9)\n")

    recorder = Recorder(tmp_path, "consumer")

    recorder.close()
    assert recorder.last is None


def test_nothing_is_left_of_one_that_stops(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, "producer", "door")
    with working("decode", 1):
        pass
    recorder.close()

    assert list(tmp_path.iterdir()) == []


def test_work_after_the_end_does_no_harm(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, "producer", "door")

    with working("decode", 1):
        recorder.close()
    with working("decode", 1):
        pass

    assert list(tmp_path.iterdir()) == []


def test_processes_of_the_same_name_have_files_of_their_own(tmp_path: Path) -> None:
    first, second = (Recorder(tmp_path, "consumer") for _ in range(2))
    other = Recorder(tmp_path, "producer", "front/../door")

    assert len(list(tmp_path.iterdir())) == 3
    for recorder in first, second, other:
        recorder.close()
    assert list(tmp_path.iterdir()) == []


def test_more_threads_than_places_and_the_longest_name_fit(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, "consumer")

    def work() -> None:
        with working("classify", 10**18, "\U0001f468" * 2000):
            pass

    threads = [threading.Thread(target=work) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [path.stat().st_size for path in tmp_path.iterdir()] == [32 * 1024]
    recorder.close()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff" * 40_000,
        b"+\n",
        b"+read\t1",
        b"+read\t-1\tdoor\n",
        b"+read\t1\t\x1b[31mdoor\n",
        b"+read\t1\t" + "\u202edoor\n".encode(),
        b"+read\t" + b"9" * 900,
    ],
)
def test_a_damaged_file_says_nothing(tmp_path: Path, content: bytes) -> None:
    recorder = Recorder(tmp_path, "consumer")
    (file,) = tmp_path.iterdir()
    recorder.close()
    file.write_bytes(content)

    recorder = Recorder(tmp_path, "consumer")

    recorder.close()
    assert recorder.last is None


FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"  # one emoji of three, joined by U+200D


@pytest.mark.parametrize("camera", ["door", "Tür 2", FAMILY, FAMILY * 40])
def test_every_name_of_a_camera_is_reported(tmp_path: Path, camera: str) -> None:
    recorder = Recorder(tmp_path, "consumer")
    (file,) = tmp_path.iterdir()
    recorder.close()
    file.write_text(f"+read\t1000\t{camera}\n")

    recorder = Recorder(tmp_path, "consumer")

    recorder.close()
    assert f"a picture of 1 kB of camera {camera} (read)" in (recorder.last or "")


def test_a_folder_that_cannot_be_used_is_reported_and_the_service_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()

    recorder = Recorder(tmp_path / "file", "consumer")
    with working("read", 1, "door"):
        pass
    recorder.close()

    (line,) = caplog.messages
    assert line.startswith(f"STATEFOLDER='{tmp_path / 'file'}' cannot be used (it is not a folder): ")


def test_a_link_in_place_of_the_file_is_not_followed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = Recorder(tmp_path / "state", "consumer")
    (file,) = (tmp_path / "state").iterdir()
    recorder.close()
    (tmp_path / "precious").write_text("content")
    file.symlink_to(tmp_path / "precious")

    Recorder(tmp_path / "state", "consumer").close()

    assert (tmp_path / "precious").read_text() == "content"
    assert "cannot be used" in caplog.text


@pytest.mark.parts
def test_a_thread_that_works_for_one_camera_names_it(tmp_path: Path) -> None:
    code = KILLED.partition("begun =")[0].replace("import working", "import working, works_for")
    code = code.replace("Recorder, working", "Recorder, working, works_for")
    code += 'works_for("hall")\nwith working("decode", 7): os.kill(os.getpid(), 9)\n'
    kill_while_working(tmp_path, code)

    recorder = Recorder(tmp_path, "consumer")

    recorder.close()
    assert "of camera hall (decode)" in (recorder.last or "")
