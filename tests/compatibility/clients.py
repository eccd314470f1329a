"""Players of streams, and browsers that show the page."""

import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from itertools import count, islice
from pathlib import Path
from typing import Final

import av
from playwright.sync_api import sync_playwright

from pipeline.service.workers import Pulse
from tests.compatibility.pictures import JPEGS
from tests.compatibility.situation import SIZE, Check
from tests.conftest import CHROMIUM, FIREFOX
from tests.e2e.browsing import FLAGS, Line
from tests.e2e.chromium import Chromium
from tests.e2e.conftest import Window
from tests.e2e.firefox import Firefox
from tests.e2e.test_browsers import FORBIDDEN, WORKER, expect_moving, texts
from tests.parts import wait_for
from tests.video.conftest import serving
from tests.video.fakes import Site, a_frame, by_boundary, by_length

PLAYS: Final = "plays, each picture once"
NEWEST: Final = "gets a recent frame each time it has read one"
OLD: Final = "delete globalThis.OffscreenCanvas;"
NO_WORKER: Final = WORKER.format(failures=1)


@contextmanager
def showing() -> Iterator[Site]:
    """Run a video server with the camera `door`, which shows about 25 frames per second."""
    stopping = threading.Event()

    def show(site: Site) -> None:
        for seq in count(1):
            site.show(a_frame(seq, captured=time.time_ns(), jpeg=JPEGS[seq % len(JPEGS)]))
            if stopping.wait(0.04):
                return

    with serving(Pulse(threading.Event())) as site:
        thread = threading.Thread(target=show, args=(site,), daemon=True)
        thread.start()
        try:
            wait_for(lambda: site.cameras.get("door"), 20, "the camera")
            yield site
        finally:
            stopping.set()
            thread.join(20)


def by_lengths(_: Path) -> str:
    """Play by the parts' lengths."""
    with showing() as site, site.ask("/stream/door") as answer:
        seqs = [int(part.headers["x-seq"]) for part in islice(by_length(answer, b"frame"), 10)]
    return PLAYS if seqs == sorted(set(seqs)) else f"plays {seqs}"


def by_boundaries(_: Path) -> str:
    """Play by the boundary alone."""
    with showing() as site, site.ask("/stream/door") as answer:
        found = by_boundary(answer.read(20_000), b"frame")
    return "plays" if found and set(found) <= {*JPEGS} else f"plays {found}"


def over_http_1_0(_: Path) -> str:
    """Ask with the first version of HTTP, which has no chunks."""
    with showing() as site, socket.create_connection(("127.0.0.1", site.port), timeout=20) as client:
        client.sendall(b"GET /stream/door HTTP/1.0\r\n\r\n")
        with client.makefile("rb") as answer:
            head = list(iter(answer.readline, b"\r\n"))
            part = next(by_length(answer, b"frame"))
    chunked = any(line.lower().startswith(b"transfer-encoding") for line in head)
    return "plays" if part.body in JPEGS and not chunked else f"{head}"


def with_ffmpeg(_: Path) -> str:
    """Play with FFmpeg, as many players do, but more slowly than frames come."""
    with showing() as site, av.open(f"http://127.0.0.1:{site.port}/stream/door", timeout=20) as container:
        sizes = set()
        for frame in islice(container.decode(video=0), 10):
            sizes.add((frame.width, frame.height))
            time.sleep(0.1)
    return "plays" if sizes == {SIZE} else f"plays {sizes}"


def slowly(_: Path) -> str:
    """Read a frame for each five or more that the camera shows."""
    newest, lags = 0, []
    with serving(Pulse(threading.Event())) as site, ThreadPoolExecutor(1) as pool:

        def show(frames: int) -> int:
            for seq in range(newest + 1, newest + 1 + frames):
                site.show(a_frame(seq, jpeg=bytes(60_000)))
                time.sleep(0.02)
            return newest + frames

        newest = show(1)
        with site.ask("/stream/door") as answer:
            parts = by_length(answer, b"frame")
            for _round in range(20):
                newest = show(5)
                part = pool.submit(next, parts)
                while not wait([part], 0.02).done:
                    newest = show(1)
                lags.append(newest - int(part.result().headers["x-seq"]))
    # Without control of what is under way, the lag would grow by 4 frames each time, to 80.
    return NEWEST if max(lags) <= 60 else f"sees frames that are {lags} frames old"


def never(_: Path) -> str:
    """Read nothing, while another one plays."""
    with showing() as site, site.connect("/stream/door", 4096), site.ask("/stream/door") as answer:
        seqs = [int(part.headers["x-seq"]) for part in islice(by_length(answer, b"frame"), 20)]
    return "holds up nobody" if len(seqs) == 20 else f"the other one gets {seqs}"


@contextmanager
def chromium(_: Path) -> Iterator[Window]:
    """Open a page in Chromium."""
    path = next(filter(None, map(shutil.which, CHROMIUM)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        with Chromium(browser) as window:
            yield window
        browser.close()


def firefox(folder: Path) -> Firefox:
    """Open a page in Firefox."""
    return Firefox(next(filter(None, map(shutil.which, FIREFOX))), folder)


Browser = Callable[[Path], AbstractContextManager[Window]]


@contextmanager
def looking(browser: Browser, folder: Path, script: str = "") -> Iterator[Window]:
    """Open the page; a script can change the browser before."""
    with showing() as site, browser(folder) as window:
        window.prepare(script)
        window.open(f"http://127.0.0.1:{site.port}/")
        yield window


def live(browser: Browser, folder: Path) -> str:
    """Look at the page."""
    with looking(browser, folder) as window:
        expect_moving(window, "door")
        return "live pictures" if window.complaints == [] else f"{window.complaints}"


def broken(browser: Browser, folder: Path) -> str:
    """Lose the connection for a while."""
    with showing() as site, Line(f"http://127.0.0.1:{site.port}") as line, browser(folder) as window:
        window.open(line.address)
        expect_moving(window, "door")
        line.accepts = False
        line.cut()
        words = wait_for(lambda: "".join(texts(window, "#banner")), 20, "the page to say so")
        line.accepts = True
        expect_moving(window, "door")
    return f"“{words.partition(' since ')[0]} since …”, and then live again"


def unloaded(browser: Browser, folder: Path) -> str:
    """Miss the page's worker at first."""
    with looking(browser, folder, NO_WORKER) as window:
        words = wait_for(lambda: "".join(texts(window, "#notice")), 20, "the page to say so")
        expect_moving(window, "door")
    return f"“{words}”, and then live pictures"


def forbidden(browser: Browser, folder: Path) -> str:
    """Forbid the page's worker."""
    with looking(browser, folder, FORBIDDEN) as window:
        words = wait_for(lambda: "".join(texts(window, "#notice")), 20, "the page to say so")
    return f"“{words}”"


def old(browser: Browser, folder: Path) -> str:
    """Look at the page with a browser that lacks what it needs."""
    with looking(browser, folder, OLD) as window:
        words = wait_for(lambda: texts(window, "#message .heading, #message .lead"), 20, "a message")
    return f"“{'; '.join(words)}”"


PLAYERS: Final = [
    Check("MJPEG, a player that reads by the parts' lengths", by_lengths, PLAYS),
    Check("MJPEG, a player that looks for the boundary", by_boundaries, "plays"),
    Check("MJPEG, a player that speaks HTTP/1.0", over_http_1_0, "plays"),
    Check("MJPEG, a player that uses FFmpeg and is slow", with_ffmpeg, "plays"),
    Check(
        "MJPEG, a client that reads more slowly than frames come",
        slowly,
        NEWEST,
    ),
    Check("MJPEG, a client that reads nothing", never, "holds up nobody"),
]

_NOT_LOADED: Final = (
    "“Error on this page: page/live/worker.js is missing, or a Content-Security-Policy forbids it;"
    " trying again”"
)

BROWSERS: Final = [
    Check(f"{name}, {what}", partial(see, browser), happens, fixture)
    for name, browser, fixture in (("Chromium", chromium, "chromium"), ("Firefox", firefox, "firefox"))
    for what, see, happens in (
        ("the page", live, "live pictures"),
        ("a connection that breaks", broken, "“No connection to the server since …”, and then live again"),
        ("a worker that does not load at first", unloaded, f"{_NOT_LOADED}, and then live pictures"),
        ("a policy that forbids the worker", forbidden, _NOT_LOADED),
        (
            "an old version without OffscreenCanvas",
            old,
            "“This browser is too old for this page; It needs module workers and OffscreenCanvas."
            " The plain streams at stream/NAME play in any browser.”",
        ),
    )
]
