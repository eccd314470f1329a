"""Access in a browser and in a player: logins, rights per camera, tokens, TLS, a root path."""

import json
import re
import shutil
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.conftest import missing
from tests.e2e.browsing import SIZES, expect_accessible, expect_live_video, keep, open_page
from tests.films import Camera, Films
from tests.parts import ROOT, Service, embedded_broker, free_port, wait_for

PASSWORD = "correct horse"
LOGGED_OUT = ("401", "WebSocket connection")
"""Chromium's own message when a page's session ends."""


def users(file: Path, *command: str, password: str = PASSWORD) -> str:
    """Run `python -m pipeline.users`, and return its output."""
    run = subprocess.run(
        [sys.executable, "-m", "pipeline.users", "--file", str(file), *command],
        input=f"{password}\n",
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


@dataclass(frozen=True, slots=True)
class Site:
    """A video server with users: its address, its users' file, and ann's token."""

    address: str
    users: Path
    token: str
    video: Service


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A video server for ann, who may see `door`, and bob, who may see all of `door`, `yard` and `yard 2`."""
    folder = tmp_path_factory.mktemp("access")
    with ExitStack() as stack:
        yield start(stack, folder, ["door", "yard", "yard 2"])


def start(stack: ExitStack, folder: Path, cameras: Sequence[str], **variables: str) -> Site:
    """Start a broker, the cameras and a video server with users."""
    file, port = folder / "users.json", free_port()
    users(file, "add", "ann", "--camera", "door")
    users(file, "add", "bob")
    token = users(file, "token", "ann", "player").split()[-1]
    bootstrap, _ = stack.enter_context(embedded_broker(folder))
    settings = {"KAFKAPORT": bootstrap, "DISPLAYPORT": f"127.0.0.1:{port}", "USERS": str(file), **variables}
    video = stack.enter_context(Service("video", settings, folder))
    stack.enter_context(Films(bootstrap, [Camera(name) for name in cameras]))
    video.ready()
    return Site(f"http://127.0.0.1:{port}/", file, token, video)


def certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate for 127.0.0.1 that nobody else has signed; return its file and its key's."""
    if not shutil.which("openssl"):
        missing("openssl", "install the package openssl")
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout key.pem -out cert.pem -subj /CN=localhost"
    )
    subprocess.run(
        [*command.split(), "-addext", "subjectAltName=IP:127.0.0.1"],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    return folder / "cert.pem", folder / "key.pem"


def log_in(page: Page, name: str, password: str = PASSWORD) -> None:
    """Fill in the login page."""
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.keyboard.press("Enter")


def status(address: str, **headers: str) -> int:
    """Return the status of the server's answer."""
    request = urllib.request.Request(address, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code


def test_a_user_logs_in_sees_the_permitted_cameras_and_logs_out(site: Site, browser: Browser) -> None:
    with open_page(browser, f"{site.address}?camera=door", expected=LOGGED_OUT) as page:
        expect(page).to_have_url(re.compile("/login"))
        log_in(page, "ann", "wrong password")
        expect(page.get_by_role("alert")).to_contain_text("Wrong name or password")
        log_in(page, "ann")

        expect(page).to_have_url(f"{site.address}?camera=door")
        expect_live_video(page, "door")
        expect(page.locator("#user")).to_have_text("ann")
        page.keyboard.press("Escape")
        expect(page.locator(".tile .name")).to_have_text(["door"])
        page.goto(f"{site.address}?camera=yard")
        expect(page.get_by_role("heading", name="No camera named “yard” yet")).to_be_visible()
        keep(page, "not-allowed")

        page.locator("#logout").click()
        expect(page).to_have_url(re.compile("/login"))
        page.go_back()
        page.reload()
        expect(page).to_have_url(re.compile("/login"))


def test_another_user_sees_more_cameras(site: Site, browser: Browser) -> None:
    with open_page(browser, site.address) as page:
        log_in(page, "bob")

        expect(page.locator(".tile .name")).to_have_text(["door", "yard", "yard 2"])
        expect_live_video(page, "yard 2")


@pytest.mark.parametrize("size", ["phone", "desktop"])
@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_axe_finds_nothing_on_the_login_page(site: Site, browser: Browser, size: str, scheme: str) -> None:
    with open_page(browser, f"{site.address}login", SIZES[size], scheme) as page:  # type: ignore[arg-type]
        log_in(page, "nobody", "nothing")
        expect(page.get_by_role("alert")).to_be_visible()
        keep(page, f"login-{size}-{scheme}")

        expect_accessible(page)


def test_a_page_returns_to_the_login_when_its_user_is_removed(site: Site, browser: Browser) -> None:
    users(site.users, "add", "eve")
    with open_page(browser, site.address, expected=LOGGED_OUT) as page:
        log_in(page, "eve")
        expect_live_video(page, "door")

        users(site.users, "remove", "eve")

        expect(page).to_have_url(re.compile("/login"), timeout=15_000)


def test_a_camera_that_a_user_loses_leaves_the_page(site: Site, browser: Browser) -> None:
    users(site.users, "add", "joe", "--camera", "door", "--camera", "yard*")
    with open_page(browser, site.address) as page:
        log_in(page, "joe")
        expect(page.locator(".tile")).to_have_count(3, timeout=10_000)

        users(site.users, "cameras", "joe", "yard*")

        expect(page.locator(".tile .name")).to_have_text(["yard", "yard 2"], timeout=15_000)


def test_a_player_with_a_token_can_see_only_its_users_cameras(site: Site) -> None:
    bearer = {"Authorization": f"Bearer {site.token}"}
    paths = ("stream/door", "snapshot/door.jpg", "api/cameras/door", "api/labels?camera=door")
    hidden = ("stream/yard", "snapshot/yard.jpg", "api/cameras/yard")

    wait_for(lambda: status(f"{site.address}snapshot/door.jpg", **bearer) == 200, 20, "the camera")
    allowed = {path: status(site.address + path, **bearer) for path in paths}
    refused = {path: status(site.address + path) for path in (*paths, *hidden, "api/events", "")}
    unseen = {path: status(site.address + path, **bearer) for path in hidden}

    assert set(allowed.values()) == {200}
    assert set(refused.values()) == {401}
    assert set(unseen.values()) == {404}


def test_a_player_that_sends_name_and_token_in_the_address_plays(site: Site) -> None:
    import cv2

    address = site.address.replace("http://", f"http://ann:{site.token}@")

    clip = cv2.VideoCapture(f"{address}stream/door", cv2.CAP_FFMPEG)
    there, pixels = clip.read()
    clip.release()

    assert there
    assert pixels is not None
    assert pixels.shape == (720, 1280, 3)


def test_removing_a_token_ends_its_open_streams(site: Site) -> None:
    token = users(site.users, "token", "bob", "short").split()[-1]
    headers = {"Authorization": f"Bearer {token}"}
    wait_for(lambda: status(f"{site.address}snapshot/yard.jpg", **headers) == 200, 10, "the new token")
    request = urllib.request.Request(f"{site.address}stream/yard", headers=headers)
    with urllib.request.urlopen(request, timeout=20) as stream:
        first = stream.read(1_000)

        users(site.users, "revoke", "bob", "short")

        while stream.read(100_000):
            pass

    assert first.startswith(b"--frame\r\n")


def test_a_page_of_another_site_cannot_open_a_socket(site: Site, browser: Browser) -> None:
    script = """address => new Promise((resolve) => {
      const socket = new WebSocket(address);
      socket.onopen = () => resolve("open");
      socket.onerror = () => resolve("refused");
    })"""
    address = site.address.replace("http", "ws") + "ws"
    other = site.address.replace("127.0.0.1", "localhost")
    with open_page(browser, f"{other}login", expected=("WebSocket", "Content Security Policy")) as page:
        page.goto("about:blank")

        assert page.evaluate(script, address) == "refused"


def test_a_login_works_at_an_ipv6_address(browser: Browser, ipv6: str, tmp_path: Path) -> None:
    address = f"[{ipv6}]:{free_port()}"
    with ExitStack() as stack:
        start(stack, tmp_path, ["door"], DISPLAYPORT=address)
        page = stack.enter_context(open_page(browser, f"http://{address}/"))
        log_in(page, "ann")

        expect_live_video(page, "door")


def test_the_page_works_over_tls_and_below_a_root_path(browser: Browser, tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    with ExitStack() as stack:
        options = {"TLSCERT": str(cert), "TLSKEY": str(key), "ROOTPATH": "/cameras"}
        site = start(stack, tmp_path, ["door"], **options)
        address = site.address.replace("http", "https") + "cameras/"
        trust = ssl.create_default_context(cafile=str(cert))

        def answers() -> object:
            request = urllib.request.Request(
                f"{address}api/cameras", headers={"Authorization": f"Bearer {site.token}"}
            )
            return json.load(urllib.request.urlopen(request, timeout=10, context=trust))

        wait_for(answers, 20, "the camera")
        page = stack.enter_context(open_page(browser, address, ignore_https_errors=True))
        log_in(page, "ann")
        expect(page).to_have_url(address)
        expect_live_video(page, "door")
        cookies = page.context.cookies()

    assert [(cookie["path"], cookie["secure"], cookie["httpOnly"]) for cookie in cookies] == [
        ("/cameras", True, True),
        ("/cameras", True, True),
    ]
