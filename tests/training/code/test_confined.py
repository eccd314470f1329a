"""Code that misbehaves is stopped, its cause is reported, and nothing else is harmed."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.parts import ROOT
from training.code.confined import run
from training.code.folder import temporary_folder
from training.code.limits import MIB, Limits
from training.code.program import CodeError
from training.code.supervise import StoppedError

pytestmark = pytest.mark.parts


@pytest.fixture
def folder() -> Iterator[Path]:
    with temporary_folder() as folder:
        yield folder


def outcome(place: Path, code: str, imports: str = "", **limits: Any) -> Any:
    """Return the code's `result`, or raise CodeError."""
    return run(
        "tests.training.code.plain",
        {"imports": imports, "code": code},
        folder=place,
        limits=Limits(**{"time": 60, **limits}),
        read=[ROOT / "tests"],
    )


def trouble(place: Path, code: str, imports: str = "", **limits: Any) -> str:
    with pytest.raises(CodeError) as error:
        outcome(place, code, imports, **limits)
    text = str(error.value)
    assert "\n" not in text
    assert not [process for process in psutil.Process().children() if process.is_running() and ours(process)]
    return text


def ours(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return "training.code.child.start" in " ".join(process.cmdline())
    return False


def test_code_gives_its_result(folder: Path) -> None:
    assert outcome(folder, "result = [base + 1, 'é']", "base = 1") == [2, "é"]


@pytest.mark.parametrize(
    ("imports", "code", "expected"),
    [
        ("", "a = 1\n\nb = a / 0\n", "line 3 of the code: ZeroDivisionError: division by zero"),
        ("import nothing_like_it", "", "line 1 of the imports: ModuleNotFoundError: No module named"),
        ("", "a = 1\nif a\n    pass", "line 2 of the code: SyntaxError: expected ':'"),
        ("def f():\n    return g()", "def g():\n    1 / 0\n\nf()", "line 2 of the code: ZeroDivisionError"),
        ("", "import sys\nsys.exit('bye')", "line 2 of the code: SystemExit: bye"),
        ("", "raise KeyboardInterrupt", "line 1 of the code: KeyboardInterrupt"),
        ("", "raise ValueError('two\\nlines')", "line 1 of the code: ValueError: two lines"),
        ("", "x = 'a\0b'", "the code: "),
        ("", "(" * 5000, "code: "),
        ("", "def f(): f()\nf()", "line 1 of the code: RecursionError"),
    ],
    ids=["error", "import", "syntax", "call", "exit", "interrupt", "lines", "null", "nested", "recursion"],
)
def test_an_error_names_the_users_line(folder: Path, imports: str, code: str, expected: str) -> None:
    assert expected in trouble(folder, code, imports)


def test_an_endless_loop_is_stopped(folder: Path) -> None:
    text = trouble(folder, "x = 1\nwhile True:\n    x += 1", time=1)

    assert text in [f"line {line} of the code: it was still running after 1 s" for line in (2, 3)]


def test_code_that_waits_is_stopped(folder: Path) -> None:
    text = trouble(folder, "time.sleep(1000)", "import time", time=1)

    assert text == "line 1 of the code: it was still running after 1 s"


def test_code_that_ignores_signals_is_stopped(folder: Path) -> None:
    code = (
        "import signal\n"
        "for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:\n"
        "    signal.signal(number, signal.SIG_IGN)\n"
        "while True: pass"
    )

    assert "still running after 1 s" in trouble(folder, code, time=1)


def test_the_kernel_limits_processor_time(folder: Path) -> None:
    text = trouble(folder, "while True: pass", cpu_time=1)

    assert text == "the code: it used more processor time than the limit"


@pytest.mark.parametrize(
    "code",
    ["x = []\nwhile True: x.append(bytes(10_000_000))", "x = bytearray(10**12)", "x = '-' * (300 * 2**20)"],
    ids=["loop", "at once", "above"],
)
def test_code_that_eats_memory_is_stopped(folder: Path, code: str) -> None:
    text = trouble(folder, code, memory=256 * MIB)

    assert "of the code: " in text
    assert "memory" in text.lower()


def test_shared_memory_counts(folder: Path) -> None:
    code = "x = []\nwhile True:\n    m = mmap.mmap(-1, 2**24)\n    m.write(bytes(2**24))\n    x.append(m)"

    assert "it used more than 256 MiB of memory" in trouble(folder, code, "import mmap", memory=256 * MIB)


@pytest.mark.parametrize(
    "code",
    [
        "import os\nwhile True: os.fork()",
        "import subprocess\nsubprocess.run(['true'])",
        "import os\nos.system('true') and os.execv('/bin/true', ['true'])",
        "import os\nos.posix_spawn('/bin/true', ['true'], {})",
        "import multiprocessing as m\np = m.get_context('fork').Process(target=print); p.start()",
    ],
    ids=["fork", "subprocess", "system", "spawn", "multiprocessing"],
)
def test_code_starts_no_processes(folder: Path, code: str) -> None:
    text = trouble(folder, code)

    assert text.startswith("line 2 of the code: PermissionError")
    assert "starts no processes" in text


def test_threads_are_counted(folder: Path) -> None:
    code = "while True: threading.Thread(target=time.sleep, args=(1000,)).start()"

    assert "it started more than 50 threads" in trouble(folder, code, "import threading, time", threads=50)


def test_threads_that_keep_running_end_with_the_code(folder: Path) -> None:
    code = (
        "def loop():\n    while True: open('file', 'a').write('x')\n"
        "for _ in range(3): threading.Thread(target=loop).start()\nresult = 1"
    )

    assert outcome(folder, code, "import threading") == 1
    length = (folder / "file").stat().st_size if (folder / "file").exists() else 0
    time.sleep(0.1)
    assert not (folder / "file").exists() or (folder / "file").stat().st_size == length


@pytest.mark.parametrize(
    "path", ["/proc/1/environ", "/proc/{parent}/environ", "/proc/{parent}/mem", "{secret}", "/etc/shadow"]
)
def test_code_reads_nothing_of_others(folder: Path, path: str, tmp_path: Path) -> None:
    secret = tmp_path / "training.sqlite3"
    secret.write_text("secret")
    named = path.format(parent=os.getpid(), secret=secret)

    text = trouble(folder, f"result = open({named!r}, 'rb').read().decode()")

    assert "line 1 of the code: PermissionError" in text
    assert "opens only its own files" in text


@pytest.mark.parametrize("path", ["/root", "/home", "/proc", "/tmp", "/"])
def test_code_lists_no_folders_of_others(folder: Path, path: str) -> None:
    assert "PermissionError" in trouble(folder, f"import os\nos.listdir({path!r})")


def test_the_environment_has_no_secrets(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASEURL", "postgresql://user:secret@host/")

    variables = outcome(folder, "result = [dict(os.environ), open('/proc/self/environ').read()]", "import os")

    assert "secret" not in str(variables)
    assert variables[0]["HOME"] == str(folder)


@pytest.mark.parametrize(
    "code",
    [
        "socket.create_connection(('127.0.0.1', {port}))",
        "socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)",
        "socket.socket(socket.AF_UNIX)",
        "socket.socketpair()",
        "urllib.request.urlopen('http://127.0.0.1:{port}/')",
    ],
    ids=["tcp", "udp", "unix", "pair", "url"],
)
def test_code_opens_no_sockets(folder: Path, code: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        text = trouble(folder, code.format(port=server.getsockname()[1]), "import socket, urllib.request")

    assert text.startswith("line 1 of the code: ")
    assert "has no network" in text


@pytest.mark.parametrize(
    "code",
    [
        "open(path, 'w')",
        "open(path, 'a')",
        "os.truncate(path, 0)",
        "os.remove(path)",
        "os.rename(path, 'mine')",
        "os.link(path, 'mine')",
        "os.symlink(path, 'mine')",
        "os.chmod(path, 0)",
        "os.chown(path, 1, 1)",
        "os.utime(path, (1, 1))",
        "os.setxattr(path, 'user.a', b'')",
        "os.mkdir(path + '2')",
        "os.mkfifo(path + '2')",
        "shutil.rmtree(os.path.dirname(path))",
        "open('/tmp/streamlens-test', 'w')",
        "open('/proc/self/oom_score_adj', 'w')",
    ],
)
def test_code_changes_nothing_outside_its_folder(folder: Path, code: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("kept")
    before = file.stat()

    text = trouble(folder, code, f"import os, shutil\npath = {str(file)!r}")

    assert text.startswith("line 1 of the code: ")
    assert "opens only its own files" in text
    assert file.read_text() == "kept"
    assert (file.stat().st_mode, file.stat().st_uid) == (before.st_mode, before.st_uid)
    assert list(tmp_path.iterdir()) == [file]


def test_code_may_use_its_folder(folder: Path) -> None:
    code = (
        "os.mkdir('a')\nopen('a/b', 'w').write('x')\nos.rename('a/b', 'c')\nos.rmdir('a')\n"
        "result = [os.listdir('.'), open('c').read(), tempfile.gettempdir()]"
    )

    assert outcome(folder, code, "import os, tempfile") == [["c"], "x", str(folder)]


@pytest.mark.parametrize(
    "code",
    [
        "os.kill({parent}, 9)",
        "os.kill(os.getppid(), 15)",
        "os.killpg(os.getpgid({parent}), 9)",
        "os.kill(-1, 9)",
        "signal.pidfd_send_signal(os.pidfd_open({parent}), 9)",
        "resource.prlimit({parent}, resource.RLIMIT_CPU, (1, 1))",
        "os.setpriority(os.PRIO_PROCESS, {parent}, 19)",
        "os.sched_setaffinity({parent}, [0])",
    ],
)
def test_code_does_nothing_to_its_parent(folder: Path, code: str) -> None:
    before = os.sched_getaffinity(0), os.getpriority(os.PRIO_PROCESS, 0)

    text = trouble(folder, code.format(parent=os.getpid()), "import os, signal, resource")

    assert text.startswith("line 1 of the code: PermissionError")
    assert (os.sched_getaffinity(0), os.getpriority(os.PRIO_PROCESS, 0)) == before


def test_code_may_end_itself_only(folder: Path) -> None:
    assert "it ended its process with SIGTERM" in trouble(folder, "os.kill(os.getpid(), 15)", "import os")
    assert "it ended its process with SIGABRT" in trouble(folder, "os.abort()", "import os")
    assert "(exit status 7)" in trouble(folder, "os._exit(7)", "import os")
    assert "SIGSEGV" in trouble(folder, "ctypes.string_at(0)", "import ctypes")


def test_output_is_limited(folder: Path) -> None:
    assert "it printed more than 1 MiB" in trouble(folder, "while True: print('x' * 10**6)", output=MIB)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("open('f', 'wb').write(bytes(2**21))", "File too large"),
        (
            "for i in range(10**6): open(f'{i}', 'wb').write(bytes(2**19))\nwhile True: pass",
            "it wrote more than 1 MiB",
        ),
        (
            "x = [open(f'{i}', 'wb') for i in range(99)]\n"
            "for f in x: os.remove(f.name)\nfor f in x: f.write(bytes(2**19)); f.flush()\nwhile True: pass",
            "it wrote more than 1 MiB",
        ),
        ("for i in range(10**6): open(f'{i}', 'w')\nwhile True: pass", "it wrote more than 100 files"),
        ("while True: os.mkdir('d', 0o300); os.chdir('d')", "it wrote more than 100 files"),
        ("x = [open('/dev/null') for _ in range(999)]", "Too many open files"),
    ],
    ids=["file", "files", "deleted", "count", "nested", "open"],
)
def test_files_are_limited(folder: Path, code: str, expected: str) -> None:
    assert expected in trouble(folder, code, "import os", folder=MIB, entries=100)


def test_code_may_close_its_pipes(folder: Path) -> None:
    code = "os.closerange(0, 100)\nwhile True: pass"

    assert "still running after 1 s" in trouble(folder, code, "import os", time=1)


def test_false_reports_do_no_harm(folder: Path) -> None:
    code = (
        "for kind in ('started', 'restricted', 'progress', None, [], {}): report.send(kind, [1])\n"
        "os.write(report._pipe, b'not JSON\\n[1]\\n' + b'[' * 10**5 + b'\\n')\nresult = 1"
    )

    assert outcome(folder, code, "import os") == 1


def test_a_task_can_be_stopped(folder: Path) -> None:
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()

    with pytest.raises(StoppedError):
        run(
            "tests.training.code.plain",
            {"imports": "", "code": "while True: pass"},
            folder=folder,
            limits=Limits(),
            read=[ROOT / "tests"],
            stop=stop,
        )


def test_privileges_cannot_be_regained(folder: Path) -> None:
    fields = outcome(folder, "result = open('/proc/self/status').read()")
    status = dict(line.split(":\t", 1) for line in fields.splitlines() if ":\t" in line)

    assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"
