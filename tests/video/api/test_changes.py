"""Cameras are added, changed and removed through the API, as records of the topic."""

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from compose.broker import Broker
from pipeline.access.write_token import WriteAccess
from pipeline.cameras.record import CameraRecord
from pipeline.cameras.seal import Seal, is_sealed, new_key
from pipeline.cameras.topic import CameraTopic
from tests.video.changing import ELSEWHERE, LINK, MASKED, Changing, changing, until
from tests.video.fakes import a_frame
from video.api import bodies

TOKEN = "a-token-of-24-characters"
BEARER = {**ELSEWHERE, "Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    """A broker with the topic."""
    with Broker({"cameras": 1}) as broker:
        yield broker


@pytest.fixture(scope="module")
def seal() -> Seal:
    """What encrypts the links."""
    return Seal([new_key()])


@pytest.fixture(scope="module")
def shared(broker: Broker, seal: Seal, page: Path) -> Iterator[Changing]:  # noqa: ARG001
    """A server for all tests of this module."""
    with changing(broker, seal, writes=WriteAccess(TOKEN)) as site:
        yield site


@pytest.fixture
def site(shared: Changing) -> Iterator[Changing]:
    """The server, without cameras."""
    yield shared
    for name in list(shared.directory.records):
        kind = "previews" if name.startswith("preview-") else "cameras"
        assert shared.send("DELETE", f"/api/{kind}/{quote(name, safe='')}").status == 204


def record(site: Changing, name: str) -> CameraRecord:
    """Return a camera's record."""
    found = site.directory.records[name]
    assert isinstance(found, CameraRecord)
    return found


def test_a_camera_is_added_changed_and_removed(site: Changing, seal: Seal) -> None:
    added = site.send(
        "POST", "/api/cameras", {"name": "door", "link": LINK, "interval": "40ms", "group": "In"}
    )

    assert added.status == 201
    assert (added.body["name"], added.body["group"], added.body["state"]) == ("door", "In", "connecting")
    assert added.body["config"] == {
        "link": MASKED,
        "interval": "40ms",
        "scale": 1.0,
        "rotate": 0,
        "models": None,
        "paused": False,
        "weight": 1.0,
        "deadline": None,
        "group": "In",
        "partition": 0,
    }
    assert is_sealed(record(site, "door").link)
    assert seal.open(record(site, "door").link) == LINK
    assert site.names() == ["door"]
    assert site.send("POST", "/api/cameras", {"name": "door", "link": LINK}).status == 409

    before = record(site, "door")
    changed = site.send("PUT", "/api/cameras/door", {"paused": True, "scale": [0.5, 1]})
    assert (changed.status, changed.body["state"], changed.body["group"]) == (200, "paused", "")
    assert changed.body["config"]["scale"] == [0.5, 1]
    assert (record(site, "door").link, record(site, "door").partition) == (before.link, 0)

    again = site.send("PUT", "/api/cameras/door", {"link": LINK, "paused": True, "scale": [0.5, 1]})
    assert again.status == 200
    assert record(site, "door").link == before.link, "the same link is not encrypted again"

    until(lambda: site.frames.configured == {"door"}, "the reader's cameras")
    assert site.send("DELETE", "/api/cameras/door").status == 204
    assert site.names() == []
    assert "door" in site.frames.forgotten
    assert site.send("DELETE", "/api/cameras/door").status == 404


def test_a_patch_changes_the_fields_that_it_names(site: Changing, seal: Seal) -> None:
    fields = {"interval": "40ms", "scale": [0.5, 1], "models": ["imagenet_1"], "group": "In"}
    site.send("POST", "/api/cameras", {"name": "door", "link": LINK, **fields})
    before = record(site, "door")

    answers = [site.send("PATCH", "/api/cameras/door", sent) for sent in ({"paused": True}, {"group": "Out"})]

    assert [answer.status for answer in answers] == [200, 200]
    assert record(site, "door") == before.model_copy(update={"paused": True, "group": "Out"})
    other = "rtsp://user:other@192.168.1.20/stream2"
    assert site.send("PATCH", "/api/cameras/door", {"link": other}).status == 200
    assert seal.open(record(site, "door").link) == other
    assert record(site, "door").group == "Out"


def test_a_patch_that_cannot_be_made_says_why(site: Changing, broker: Broker) -> None:
    assert site.send("PATCH", "/api/cameras/hall", {"paused": True}).status == 404
    site.send("POST", "/api/cameras", {"name": "door", "link": LINK})
    wrong = site.send("PATCH", "/api/cameras/door", {"scale": 99})
    unknown = site.send("PATCH", "/api/cameras/door", {"colour": "red"})
    other = CameraTopic(broker.bootstrap, "cameras", {}, fetch_wait=0.005)
    other._records.put(b"broken", b"nonsense")
    while other._records.unsent or not other.is_read:
        other.step()
    other.close()
    until(lambda: "broken" in site.directory.records, "the broken record")

    whole = site.send("PATCH", "/api/cameras/broken", {"paused": True})

    assert (wrong.status, unknown.status, whole.status) == (400, 400, 409)
    assert wrong.detail.startswith("scale: ")
    assert "PUT" in whole.detail
    assert not record(site, "door").paused


def test_a_put_adds_what_is_not_there(site: Changing) -> None:
    for number, name in enumerate(("a/b c%", "é 🎥", "x" * 200)):
        there = f"/api/cameras/{quote(name, safe='')}"

        assert site.send("PUT", there, {"link": LINK}).status == 201
        assert site.send("PUT", there, {"link": LINK}).status == 200
        assert site.send("GET", there).body["config"]["partition"] == number


WRONG: list[tuple[Any, int, str]] = [
    (b"", 400, "invalid JSON"),
    (b"[" * 9000, 400, "invalid JSON"),
    (b"9" * 9000, 400, "invalid JSON"),
    (b'{"link": NaN}', 400, "invalid JSON"),
    ([], 400, "expected a JSON object"),
    ({"link": LINK}, 400, "name: expected a text"),
    ({"name": 7, "link": LINK}, 400, "name: expected"),
    ({"name": "x" * 201, "link": LINK}, 400, "name: expected"),
    ({"name": "a\nb", "link": LINK}, 400, "name: expected"),
    ({"name": " a", "link": LINK}, 400, "name: expected"),
    ({"name": "preview-0123456789abcdef", "link": LINK}, 400, "preview-"),
    ({"name": "Preview-1", "link": LINK}, 400, "preview-"),
    ({"name": "..", "link": LINK}, 400, "name: browsers leave out"),
    ({"name": "a/../b", "link": LINK}, 400, "name: browsers leave out"),
    ({"name": "a"}, 400, "link: "),
    ({"name": "a", "link": None}, 400, "link: "),
    ({"name": "a", "link": 7}, 400, "link: "),
    ({"name": "a", "link": MASKED}, 400, "link: it is masked"),
    ({"name": "a", "link": "rtsp://h/" + "x" * 2000}, 400, "link: expected at most"),
    ({"name": "a", "link": "rtsp://h/" + "x" * 1900}, 400, "link: it is too long"),
    ({"name": "a", "link": "rtsp://h/\ud800"}, 400, "link: "),
    ({"name": "a", "link": "/etc/passwd"}, 400, "link: expected a link that begins with one of"),
    ({"name": "a", "link": "file:///etc/passwd"}, 400, "expected a link that begins with one of http://"),
    ({"name": "a", "link": "0"}, 400, "link: expected a link"),
    ({"name": "a", "link": "udp://0.0.0.0:99"}, 400, "link: expected a link"),
    ({"name": "a", "link": "gAAAAAnonsense"}, 400, "link: expected a link"),
    ({"name": "a", "link": "concat:rtsp://a|b"}, 400, "link: "),
    ({"name": "a", "link": "rtsp:/geheim99"}, 400, "link: expected rtsp://HOST"),
    ({"name": "a", "link": LINK, "colour": 1}, 400, "'colour': is not a field"),
    ({"name": "a", "link": LINK, "until": 1}, 400, "'until': is not a field"),
    ({"name": "a", "link": LINK, "weight": "geheim99"}, 400, "weight: expected a number"),
    ({"name": "a", "link": LINK, "weight": -1}, 400, "weight: expected a number above 0, at most 100"),
    ({"name": "a", "link": LINK, "interval": "soon"}, 400, "interval: expected a Go duration"),
    ({"name": "a", "link": LINK, "interval": 0}, 400, "interval: expected a Go duration from 1ms to 1h"),
    ({"name": "a", "link": LINK, "deadline": "-5s"}, 400, "deadline: expected a Go duration from 1ms"),
    (
        {"name": "a", "link": LINK, "scale": [1, 0]},
        400,
        "scale: expected a factor above 0, at most 8, or two",
    ),
    ({"name": "a", "link": LINK, "partition": -1}, 400, "partition: expected a whole number from 0"),
    ({"name": "a", "link": LINK, "partition": 4}, 400, "expected a number from 0 to 3: the topic of"),
    ({"name": "a", "link": LINK, "paused": "yes"}, 400, "paused: expected true or false"),
    ({"name": "a", "link": LINK, "group": {}}, 400, "group: expected a text of at most 100 characters"),
    ({"name": "a", "link": "onvif://joe:geheim99@h"}, 400, "link: expected a link that begins with one of"),
    ({"name": "a", "link": LINK, "rotate": 45}, 400, "rotate: expected 0, 90, 180 or 270"),
    ({"name": "a", "link": LINK, "models": ["m" * 12_000]}, 400, "at most 10000 bytes"),
    ({"name": "a", "link": LINK, "group": "\ud800"}, 400, ""),
]


@pytest.mark.parametrize(("body", "status", "words"), WRONG)
def test_what_is_wrong_is_refused_with_the_field_and_without_the_link(
    site: Changing, body: Any, status: int, words: str
) -> None:
    said = site.send("POST", "/api/cameras", body)

    assert (said.status, words in said.detail) == (status, True), said.detail
    assert "geheim99" not in said.detail
    assert site.names() == []


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize(
    "fields",
    [{"interval": 0}, {"deadline": 0}, {"rotate": 45}, {"partition": 1.5}, {"partition": 4}, {"paused": 1}],
)
def test_a_wrong_field_is_refused_however_it_is_sent(
    site: Changing, method: str, fields: dict[str, Any]
) -> None:
    site.send("POST", "/api/cameras", {"name": "door", "link": LINK})

    said = site.send(method, "/api/cameras/door", fields)

    (name,) = fields
    assert said.status == 400
    assert said.detail.startswith(f"{name}: expected ")


@pytest.mark.exceeds("video.api.bodies.LARGEST")
def test_a_large_body_is_refused(site: Changing) -> None:
    assert site.send("POST", "/api/cameras", b" " * (bodies.LARGEST + 1)).status == 413
    with socket.create_connection(("127.0.0.1", site.port), 30) as client:
        head = b"POST /api/cameras HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        client.sendall(head + b"Content-Length: 100000000\r\n\r\n" + b" " * (2 * bodies.LARGEST))
        assert client.recv(100).startswith(b"HTTP/1.1 413")


def test_only_json_is_accepted(site: Changing) -> None:
    form = "application/x-www-form-urlencoded"

    said = site.send("POST", "/api/cameras", {"name": "a", "link": LINK}, **{"Content-Type": form})

    assert said.status == 415


def test_other_sites_and_other_machines_change_nothing(site: Changing) -> None:
    camera = {"name": "door", "link": LINK}

    assert site.send("POST", "/api/cameras", camera, Origin="http://evil.example").status == 403
    assert site.send("POST", "/api/cameras", camera, Host="evil.example").status == 403
    for method, path in (
        ("POST", "/api/cameras"),
        ("PUT", "/api/cameras/door"),
        ("PATCH", "/api/cameras/door"),
        ("DELETE", "/api/cameras/door"),
        ("POST", "/api/previews"),
        ("DELETE", "/api/previews/preview-0123456789abcdef"),
    ):
        said = site.send(method, path, camera, **ELSEWHERE)
        assert said.status == 403
        assert "needs the role operator" in said.detail

    assert site.send("POST", "/api/cameras", camera, **BEARER).status == 201
    assert site.send("GET", "/api/cameras/door", **ELSEWHERE).body["config"] is None
    assert site.send("GET", "/api/cameras", **ELSEWHERE).body[0]["config"] is None
    assert site.send("GET", "/api/cameras/door", **BEARER).body["config"]["link"] == MASKED


def test_the_session_says_who_may_change_cameras(site: Changing) -> None:
    here, there = site.send("GET", "/api/session").body, site.send("GET", "/api/session", **ELSEWHERE).body

    assert here == {
        "access": "open",
        "roles": ["viewer", "operator"],
        "may_change": True,
        "why_not": None,
        "cameras_as_data": True,
    }
    assert (there["roles"], there["may_change"]) == (["viewer"], False)
    assert "the link that the server prints" in there["why_not"]


def test_a_camera_that_sends_frames_by_itself_is_not_a_record(site: Changing) -> None:
    site.show(a_frame(camera="own"))

    assert site.send("POST", "/api/cameras", {"name": "own", "link": LINK}).status == 409
    said = site.send("DELETE", "/api/cameras/own")
    assert (said.status, "is not kept as data" in said.detail) == (404, True)

    assert site.send("PUT", "/api/cameras/own", {"link": LINK}).status == 201
    assert site.send("DELETE", "/api/cameras/own").status == 204
    assert site.names() == []


def test_all_that_add_the_same_camera_at_once_get_an_answer(site: Changing) -> None:
    def add(number: int) -> int:
        group = {"group": str(number)}
        return site.send("POST", "/api/cameras", {"name": "door", "link": LINK, **group}).status

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(add, range(8)))

    assert statuses == [201] + 7 * [409]


def test_all_that_change_the_same_camera_at_once_get_an_answer(site: Changing) -> None:
    def change(number: int) -> int:
        return site.send("PUT", "/api/cameras/door", {"link": LINK, "group": str(number)}).status

    with ThreadPoolExecutor(8) as pool:
        statuses = set(pool.map(change, range(16)))

    assert statuses <= {200, 201}


def test_cameras_that_are_added_at_once_get_different_partitions(site: Changing) -> None:
    names = [f"camera {number}" for number in range(8)]

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: site.send("POST", "/api/cameras", {"name": name, "link": LINK}), names))

    used = [record(site, name).partition for name in names]
    assert sorted(used, key=str) == [0, 0, 1, 1, 2, 2, 3, 3]


def test_a_record_that_cannot_be_used_says_so_and_can_be_replaced(site: Changing, broker: Broker) -> None:
    other = CameraTopic(broker.bootstrap, "cameras", {}, fetch_wait=0.005)
    other.put("locked", CameraRecord(link=Seal([new_key()]).close(LINK)))
    other._records.put(b"broken", b"nonsense")
    while other._records.unsent or not other.is_read:
        other.step()
    other.close()
    until(lambda: len(site.names()) == 2, "the two cameras")

    broken, locked = site.send("GET", "/api/cameras").body

    assert (broken["state"], broken["config"]) == ("never-seen", None)
    assert "cannot be used: expected a JSON object" in broken["reason"]
    assert (locked["state"], locked["config"]["link"]) == ("never-seen", "***")
    assert "does not decrypt with CAMERASKEY" in locked["reason"]
    assert site.send("PUT", "/api/cameras/broken", {"paused": True}).status == 400
    assert site.send("PUT", "/api/cameras/broken", {"link": LINK}).body["state"] == "connecting"


def test_there_are_no_more_records_than_places(page: Path) -> None:  # noqa: ARG001
    writes = WriteAccess(TOKEN)
    with Broker({"cameras": 1}) as broker, changing(broker, most_cameras=2, writes=writes) as site:
        statuses = [
            site.send("PUT", f"/api/cameras/{name}", {"link": LINK}).status for name in ("a", "b", "c", "a")
        ]

        assert statuses == [201, 201, 409, 200]


def test_without_a_topic_nothing_can_be_changed(house: Any) -> None:
    door = "/api/cameras/door"
    changes = (("POST", "/api/cameras"), ("PUT", door), ("PATCH", door), ("POST", "/api/previews"))
    for method, path in changes:
        with house.ask(path, method) as answer:
            assert (answer.status, b"set CAMERASTOPIC" in answer.read()) == (404, True)


def test_kafka_that_is_away_is_named_and_holds_nothing_up(page: Path) -> None:  # noqa: ARG001
    broker = Broker({"cameras": 1})
    with changing(broker, patience=1, writes=WriteAccess(TOKEN)) as site:
        broker.close()
        answers: list[int] = []
        sending = threading.Thread(
            target=lambda: answers.append(site.send("PUT", "/api/cameras/door", {"link": LINK}).status)
        )
        sending.start()
        while sending.is_alive():
            assert site.names() == []
        sending.join()

        assert answers == [503]
        site.cameras.report_broker("Kafka does not answer at 127.0.0.1:1")
        said = site.send("DELETE", "/api/cameras/door")
        assert (said.status, said.headers["retry-after"]) in ((404, None), (503, "5"))
        said = site.send("PUT", "/api/cameras/hall", {"link": LINK})
        assert said.detail.startswith("Kafka does not answer at 127.0.0.1:1; the change is made")
