"""Starts the synthetic cameras."""

import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pipeline.service.values import Address
from tests.compatibility.situation import Start
from tests.parts import ROOT, free_port
from tests.producer.sources import rtsp
from tests.producer.sources.http import web


def web_camera(
    answer: web.Answer | dict[str, web.Answer], path: str = "/", user: str = "", address: str = "127.0.0.1"
) -> Start:
    """A web server that gives this answer, or one for each path."""

    @contextmanager
    def start(_: Path) -> Iterator[str]:
        with web.Server(answer if isinstance(answer, dict) else {path: answer}, address) as server:
            yield f"http://{user}{server.host}{path}"

    return start


def rtsp_server(address: str = "127.0.0.1", /, **answers: rtsp.Answer) -> Start:
    """An RTSP server that gives these answers."""

    @contextmanager
    def start(_: Path) -> Iterator[str]:
        with rtsp.Server(address, **answers) as server:
            yield f"rtsp://joe:wrong@{server.host}/stream1"

    return start


def file(write: Callable[[Path], object], name: str, form: str = "{}") -> Start:
    """A file that `write` writes; its path becomes the link."""

    @contextmanager
    def start(folder: Path) -> Iterator[str]:
        path = folder / name
        write(path)
        yield form.format(str(path).replace(" ", "%20") if "file:" in form else path)

    return start


def link(text: str) -> Start:
    """No camera at all; `{port}` is a port that nothing listens on."""

    @contextmanager
    def start(folder: Path) -> Iterator[str]:
        yield text.format(port=free_port(), folder=folder)

    return start


@contextmanager
def silent(_: Path) -> Iterator[str]:
    """A server that accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def sent_over_tcp(write: Callable[[Path], object], address: str = "127.0.0.1") -> Start:
    """A server that sends a file's bytes to whoever connects, again and again."""

    @contextmanager
    def start(folder: Path) -> Iterator[str]:
        path = folder / "clip.ts"
        write(path)
        with socket.create_server((address, 0), family=_family(address)) as server:

            def serve() -> None:
                with suppress(OSError):
                    while True:
                        client, _ = server.accept()
                        with client, suppress(OSError):
                            client.sendall(path.read_bytes())

            threading.Thread(target=serve, daemon=True).start()
            yield f"tcp://{Address(*server.getsockname()[:2])}"
            server.shutdown(socket.SHUT_RDWR)

    return start


def sent_over_udp(write: Callable[[Path], object], address: str = "127.0.0.1") -> Start:
    """MPEG-TS packets sent to a port of this machine, again and again."""

    @contextmanager
    def start(folder: Path) -> Iterator[str]:
        path = folder / "clip.ts"
        write(path)
        data, port, stopping = path.read_bytes(), free_port(), threading.Event()

        def send() -> None:
            with socket.socket(_family(address), socket.SOCK_DGRAM) as sender:
                while not stopping.wait(0.05):
                    for at in range(0, len(data), 7 * 188):
                        sender.sendto(data[at : at + 7 * 188], (address, port))

        thread = threading.Thread(target=send, daemon=True)
        thread.start()
        yield f"udp://{Address(address, port)}"
        stopping.set()
        thread.join(5)

    return start


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def gstreamer(pipeline: str, scheme: str = "rtsp", address: str = "127.0.0.1") -> Start:
    """A real RTSP server that loops a film through this GStreamer pipeline, from raw pictures on."""

    @contextmanager
    def start(_: Path) -> Iterator[str]:
        port = free_port()
        script = (
            "import sys\n"
            "from tests import rtsp_camera\n"
            f"rtsp_camera.PIPELINE, rtsp_camera.ADDRESS = {pipeline!r}, {address!r}\n"
            "rtsp_camera.main(*sys.argv[1:])\n"
        )
        command = ["/usr/bin/python3", "-c", script, str(port), ""]
        with subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as process:
            assert process.stdout
            assert process.stdout.readline().strip() == "serving"
            yield f"{scheme}://{Address(address, port)}/camera"
            process.kill()

    return start
