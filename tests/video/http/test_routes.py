"""What the video server answers, asked over real HTTP."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from pipeline.wire import jpeg
from pipeline.wire.frame import Message, decode
from pipeline.wire.predictions import Prediction, Result
from tests.parts import wait_for
from tests.video.cameras.statuses import a_status
from tests.video.fakes import GREY, Site, a_frame, by_length

NAMES = [
    "door",
    "front door",
    "hall/3rd floor/left",
    "/",
    "..",
    "../../etc/passwd",
    "a.jpg",
    "100%41",
    "a?b#c&d=e+f;g",
    "Tür 自行车",
    "🎥",
    '<script>alert("1")</script>',
    "x" * 200,
]
HTML = "text/html,application/xhtml+xml,*/*;q=0.8"


def seqs(site: Site, path: str, count: int, **headers: str) -> list[int]:
    """Return the numbers of the first frames of a stream."""
    with site.ask(path, **headers) as answer:
        assert answer.status == 200
        parts = by_length(answer, b"frame")
        found = []
        for _ in range(count):
            part = next(parts)
            assert jpeg.size(part.body) == (64, 48)
            found.append(int(part.headers["x-seq"]))
        return found


def test_a_browser_gets_the_page_at_the_root(house: Site, page: Path) -> None:
    with house.ask("/", Accept=HTML) as answer:
        body = answer.read()

    assert answer.status == 200
    assert body == (page / "index.html").read_bytes()
    assert answer.headers["content-type"].startswith("text/html")
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["vary"] == "Accept"


@pytest.mark.parametrize("headers", [{}, {"Accept": "*/*"}, {"Accept": "image/*"}])
def test_anything_else_gets_the_first_cameras_stream_at_the_root(
    house: Site, headers: dict[str, str]
) -> None:
    with house.ask("/", **headers) as answer:
        first = next(by_length(answer, b"frame"))

    assert answer.headers["content-type"] == "multipart/x-mixed-replace; boundary=frame"
    assert answer.headers["cache-control"] == "no-store, no-cache, must-revalidate"
    assert first.body == GREY
    assert first.headers["x-seq"] == "7"


def test_the_stream_without_a_name_is_the_first_cameras(house: Site) -> None:
    assert seqs(house, "/stream", 1) == [7]


def test_a_client_that_comes_before_any_camera_waits_for_the_first(site: Site) -> None:
    with site.connect("/stream", 65_536) as client:
        wait_for(lambda: tasks(site) > 0, 20, "the request")
        site.show(a_frame(7))

        assert b"X-Seq: 7" in client.makefile("rb").read(1_200)


def test_clients_that_come_and_go_before_any_camera_leave_nothing_behind(site: Site) -> None:
    clients = [site.connect("/", 65_536) for _ in range(20)]
    wait_for(lambda: tasks(site) >= 20, 20, "the requests")

    for client in clients:
        client.close()

    wait_for(lambda: tasks(site) == 0, 20, "the requests' end")


def test_a_client_that_waits_for_a_camera_counts_as_an_open_stream(site: Site) -> None:
    with site.connect("/", 65_536), site.connect("/stream", 65_536):
        wait_for(lambda: tasks(site) >= 2, 20, "the requests")

        assert len(site.web.clients._open) == 2

    wait_for(lambda: not len(site.web.clients._open), 20, "the requests' end")


def test_as_many_wait_for_a_camera_as_there_may_be_streams(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site.web.clients, "_most", 1)
    with site.connect("/stream", 65_536):
        wait_for(lambda: tasks(site) > 0, 20, "the request")

        with site.ask("/stream") as second:
            answer = (second.status, second.headers["retry-after"], second.read())

    assert answer == (503, "5", b"there are 1 open streams (MAXCLIENTS); try again later\n")


def tasks(site: Site) -> int:
    """Return how many tasks wait for the first camera."""
    loop = site.cameras._loop
    assert loop is not None
    return sum("first" in repr(task.get_coro()) for task in asyncio.all_tasks(loop))


def test_a_stream_goes_on_with_the_frames_that_come(street: Site) -> None:
    street.show(a_frame(1, camera="busy"))

    with street.ask("/stream/busy") as answer:
        parts = by_length(answer, b"frame")
        found = [int(next(parts).headers["x-seq"])]
        for seq in range(2, 12):
            street.pause()  # or the frame comes too soon to be due
            street.show(a_frame(seq, camera="busy"))
            found.append(int(next(parts).headers["x-seq"]))

    assert found == list(range(1, 12))


@pytest.mark.parametrize("name", NAMES)
def test_a_camera_may_have_any_name(street: Site, name: str) -> None:
    street.show(a_frame(7, camera=name))

    found = seqs(street, street.of("/stream", name), 1)
    picture = street.get(street.of("/snapshot", name, ".jpg"))
    status, state = street.get(street.of("/api/cameras", name))

    assert found == [7]
    assert picture == (200, GREY)
    assert status == 200
    assert json.loads(state)["name"] == name


@pytest.mark.parametrize("name", ["hall/3rd floor", "door"])
def test_slashes_in_a_name_need_not_be_quoted(street: Site, name: str) -> None:
    street.show(a_frame(7, camera=name))

    path = f"/snapshot/{name}.jpg".replace(" ", "%20")

    assert street.get(path) == (200, GREY)


@pytest.mark.parametrize("path", ["/stream/{}", "/snapshot/{}.jpg"])
@pytest.mark.parametrize("name", ["yard", "..%2F..%2Fetc%2Fpasswd", "%3Cscript%3E", "%FF", "Door"])
def test_an_unknown_camera_is_a_404_that_names_those_there_are(house: Site, path: str, name: str) -> None:
    with house.ask(path.format(name)) as answer:
        line = answer.read().decode()

    assert answer.status == 404
    assert answer.headers["content-type"].startswith("text/plain")
    assert line.startswith("no camera ")
    assert line.endswith("; there are: door, front door\n")
    assert len(line.splitlines()) == 1
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/login/", "/ws/", "/api/labels/", "/page"])
def test_a_slash_too_many_leads_to_no_host_that_the_request_names(house: Site, path: str) -> None:
    with house.ask(path, Host="evil.localhost") as answer:
        assert answer.status == 404
        assert "location" not in answer.headers


def test_without_any_camera_a_404_says_so(site: Site) -> None:
    assert site.get("/stream/door") == (404, b"no camera 'door': there are none yet\n")


def test_a_snapshot_is_the_newest_picture_and_is_not_kept(street: Site) -> None:
    street.show(a_frame(1, camera="new", jpeg=b"old"), a_frame(2, camera="new", captured=123))

    with street.ask("/snapshot/new.jpg") as answer:
        body = answer.read()

    assert body == GREY
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["cache-control"] == "no-store"
    assert (answer.headers["x-seq"], answer.headers["x-captured"]) == ("2", "123")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/stream",
        "/stream/door",
        "/snapshot/door.jpg",
        "/api/cameras",
        "/api/cameras/door",
        "/api/events",
    ],
)
def test_a_head_has_the_headers_of_a_get_and_no_body(house: Site, path: str) -> None:
    with house.ask(path) as answer:
        got = answer.status, answer.headers["content-type"]

    with house.ask(path, method="HEAD") as answer:
        assert (answer.status, answer.headers["content-type"]) == got
        assert answer.read() == b""
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_head_of_an_unknown_camera_is_a_404(house: Site) -> None:
    with house.ask("/snapshot/yard.jpg", method="HEAD") as answer:
        assert (answer.status, answer.read()) == (404, b"")


@pytest.mark.parametrize("path", ["/stream/door", "/snapshot/door.jpg"])
def test_pages_of_other_sites_may_show_pictures_but_not_read_them(house: Site, path: str) -> None:
    with house.ask(path, Origin="http://dashboard.example") as answer:
        assert "access-control-allow-origin" not in answer.headers
        assert answer.headers.get_all("cross-origin-resource-policy") == ["cross-origin"]


def test_nothing_else_is_for_other_sites(house: Site) -> None:
    for path in ("/api/cameras", "/page/index.html"):
        with house.ask(path, Origin="http://dashboard.example") as answer:
            assert answer.headers["cross-origin-resource-policy"] == "same-origin"
            assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(("path", "body"), [("/snapshot/late.jpg", GREY), ("/stream/late", b"")])
def test_a_camera_can_be_waited_for(site: Site, path: str, body: bytes) -> None:
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(site.ask, f"{path}?wait=30s")
        wait_for(lambda: site.web.clients._open, 10, "the client to wait")
        site.show(a_frame(1, camera="other"))
        site.show(a_frame(1, camera="late"))
        with asked.result(20) as answer:
            assert answer.status == 200
            assert not body or answer.read() == body


def test_a_camera_that_does_not_come_in_time_is_a_404(house: Site) -> None:
    status, line = house.get("/snapshot/yard.jpg?wait=50ms")

    assert status == 404
    assert line.startswith(b"no camera 'yard'")


@pytest.mark.parametrize("path", ["/stream/yard", "/snapshot/door.jpg"])
@pytest.mark.exceeds("video.http.routes._LONGEST_WAIT")
@pytest.mark.parametrize("wait", ["5", "soon", "121s", "-1s", ""])
def test_a_wait_that_is_none_is_a_400(house: Site, path: str, wait: str) -> None:
    status, line = house.get(f"{path}?wait={wait}")

    assert status == 400
    assert b"expected 0s to 2m, such as 30s" in line
    assert len(line.splitlines()) == 1


def camera(site: Site, name: str) -> dict[str, Any]:
    """Return what the API tells of a camera."""
    fields: dict[str, Any] = json.loads(site.get(f"/api/cameras/{name}")[1])
    return fields


def test_the_api_answers_what_it_promises(street: Site) -> None:
    prediction = Prediction("imagenet_1", (Result("tench", 0.93, (1, 2, 3, 4)),), 17, 41)
    street.show(a_frame(19, predictions=(prediction,)))

    fields = camera(street, "door")

    assert list(fields) == [
        "name",
        "group",
        "state",
        "reason",
        "since",
        "fps",
        "age_ms",
        "seq",
        "width",
        "height",
        "predictions",
        "config",
    ]
    assert (fields["name"], fields["state"], fields["seq"]) == ("door", "live", 19)
    assert (fields["width"], fields["height"]) == (64, 48)
    assert fields["age_ms"] > 0
    assert fields["predictions"] == [
        {
            "model": "imagenet_1",
            "results": [{"label": "tench", "score": 0.93, "box": [1, 2, 3, 4]}],
            "seq": 17,
            "age_ms": 41,
            "stale": False,
        }
    ]


def test_the_list_has_every_camera_by_name(site: Site) -> None:
    before = site.get("/api/cameras")
    site.show(a_frame(2, camera="yard"), a_frame(1, camera="door"))

    status, body = site.get("/api/cameras")

    assert before == (200, b"[]")
    assert status == 200
    assert [(entry["name"], entry["seq"]) for entry in json.loads(body)] == [("door", 1), ("yard", 2)]
    assert set(json.loads(body)[0]) == set(camera(site, "door"))


def test_the_pages_files_are_served(house: Site, page: Path) -> None:
    with house.ask("/page/app.js") as answer:
        body = answer.read()

    assert answer.status == 200
    assert body == (page / "app.js").read_bytes()
    assert "javascript" in answer.headers["content-type"]
    assert "script-src 'self'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    "path", ["/page/../__init__.py", "/page/%2e%2e/__init__.py", "/page/none.js", "/none"]
)
def test_nothing_else_is_served(house: Site, path: str) -> None:
    status, _ = house.get(path)

    assert status == 404


@pytest.mark.parametrize("path", ["/", "/stream/door"])
def test_the_head_of_a_stream_comes_without_a_body(house: Site, path: str) -> None:
    with house.ask(path, "HEAD") as answer:
        body = answer.read()

    assert answer.status == 200
    assert answer.headers["content-type"].startswith("multipart/x-mixed-replace")
    assert body == b""


@pytest.mark.parametrize("path", ["/", "/stream/door", "/snapshot/door.jpg", "/api/labels"])
def test_nothing_can_be_posted(house: Site, path: str) -> None:
    with house.ask(path, "POST") as answer:
        assert answer.status == 405


def test_what_other_services_may_have_put_in_the_predictions_breaks_no_list(site: Site) -> None:
    odd = Prediction('<b>"', (Result("\u2028\x00é🎥", 1e-9),), 10**15, 0)
    site.show(a_frame(camera="odd", predictions=(odd,)), a_frame(camera="door"))

    entries = json.loads(site.get("/api/cameras")[1])

    assert [entry["name"] for entry in entries] == ["door", "odd"]
    assert entries[1]["predictions"][0]["results"][0]["label"] == "\u2028\x00é🎥"


def test_half_a_letter_in_a_label_never_gets_as_far_as_the_api() -> None:
    odd = rb'[{"model": "m", "results": [{"label": "\ud800", "score": 1}], "seq": 1, "age_ms": 1}]'

    frame = decode(Message(b"door", GREY, [("predictions", odd)]), offset=0, timestamp=0)

    assert frame.predictions == ()


def test_snapshots_are_described_beside_the_api(house: Site) -> None:
    status, body = house.get("/api/openapi.json")

    described = json.loads(body)["paths"]
    assert status == 200
    answers = described["/snapshot/{camera}.jpg"]["get"]["responses"]
    assert {"200", "401", "404"} < answers.keys()
    assert "image/jpeg" in answers["200"]["content"]


@pytest.mark.parametrize("path", ["/stream/attic", "/snapshot/attic.jpg"])
def test_a_camera_without_frames_answers_with_the_reason(house: Site, path: str) -> None:
    house.cameras.report(a_status("no-signal", "wrong password", camera="attic"), 0)
    house.sync()

    with house.ask(path) as answer:
        body = answer.read()

    assert answer.status == 503
    assert answer.headers["retry-after"]
    assert body == b"camera 'attic' has sent no frame yet: wrong password\n"
