import asyncio
from urllib.parse import quote

import pytest
from fastapi import FastAPI
from pydantic import TypeAdapter

from pipeline.access.visitor import VISITOR
from pipeline.flow.ledger import Ledger
from pipeline.wire.predictions import Prediction, Result
from tests.pipeline.access.asgi import Answer, Client
from tests.video.api.conftest import Api, Guest
from tests.video.cameras.statuses import a_status
from tests.video.fakes import a_frame
from video.api import models
from video.api.cameras import camera_routes
from video.cameras.camera import Camera, Limits
from video.cameras.cameras import Cameras

BOXED = Prediction("detect_1", (Result("cat", 0.5, (1, 2, 3, 4)), Result("dog", 0.25)), 17, 41)
MISSING = Prediction("emonet_2")


def test_what_the_channels_tell_fits_the_model(api: Api) -> None:
    api.show(a_frame(19, predictions=(BOXED, MISSING)), a_frame(camera="yard"))

    reported = api.json("/api/cameras")

    cameras = TypeAdapter(list[models.Camera]).validate_python(reported, strict=False)
    assert [camera.name for camera in cameras] == ["door", "yard"]
    assert [camera.model_dump(mode="json", exclude_unset=True) for camera in cameras] == reported


def test_one_camera_is_reported_as_in_the_list(api: Api) -> None:
    api.show(a_frame(19, predictions=(BOXED,)))

    reported = api.json("/api/cameras/door")

    assert models.Camera.model_validate(reported).seq == 19
    assert set(reported) == set(api.json("/api/cameras")[0])


@pytest.mark.parametrize(
    ("path", "status"), [("/api/cameras", 200), ("/api/cameras/door", 200), ("/api/cameras/yard", 404)]
)
def test_the_answer_is_not_kept(api: Api, path: str, status: int) -> None:
    api.show(a_frame())

    with api.ask(path) as answer:
        assert answer.status == status
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("name", ["front door", "hall/3rd floor", "/", "..", "a.jpg", "<b>", "🎥", "x" * 200])
def test_a_camera_may_have_any_name(still: Api, name: str) -> None:
    still.show(a_frame(camera=name))

    assert still.json(f"/api/cameras/{quote(name, safe='')}")["name"] == name


def test_an_unknown_camera_is_a_404_that_names_those_there_are(api: Api) -> None:
    without_any = api.refusal("/api/cameras/yard")
    api.show(a_frame(camera="door"), a_frame(camera="hall"))

    assert without_any == (404, "no camera 'yard': there are none yet")
    assert api.refusal("/api/cameras/yard") == (404, "no camera 'yard'; there are: door, hall")


def test_a_camera_that_may_not_be_seen_is_as_one_that_is_not_there(api: Api) -> None:
    api.show(a_frame(camera="door"), a_frame(camera="secret"))

    api.guest.hidden = {"secret"}

    assert [camera["name"] for camera in api.json("/api/cameras")] == ["door"]
    assert api.refusal("/api/cameras/secret") == (404, "no camera 'secret'; there are: door")


def test_what_other_services_may_have_put_in_the_predictions_breaks_no_list(api: Api) -> None:
    odd = Prediction('<b>"', (Result("\u2028\x00é🎥", 1e-9),), 10**15, 0)

    api.show(a_frame(camera="odd", predictions=(odd,)), a_frame(camera="door"))

    assert api.json("/api/cameras")[1]["predictions"][0]["results"][0]["label"] == "\u2028\x00é🎥"


def report(api: Api, *cameras: str) -> None:
    """Let producers report that cameras cannot be opened."""
    for camera in cameras:
        api.cameras.report(a_status("no-signal", "wrong password", camera=camera), 0)
        api.on_loop(lambda: None)


def test_a_camera_that_never_sent_a_frame_has_a_state_and_a_reason(api: Api) -> None:
    api.show(a_frame(camera="yard"))
    report(api, "door")

    door, yard = api.json("/api/cameras")

    assert (door["name"], door["state"], door["reason"]) == ("door", "never-seen", "wrong password")
    assert (yard["name"], yard["state"], yard["reason"]) == ("yard", "live", None)
    assert models.Camera.model_validate(door).age_ms is None
    assert api.json("/api/cameras/door") == door


def test_it_is_hidden_like_any_other_from_those_who_may_not_see_it(api: Api) -> None:
    report(api, "door", "secret")
    api.guest.hidden = {"secret"}

    assert [camera["name"] for camera in api.json("/api/cameras")] == ["door"]
    status, body = api.get("/api/cameras/secret")
    assert status == 404
    assert b"there are: door" in body
    assert b"password" not in body


def test_the_event_loop_works_between_the_cameras_of_long_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    cameras = Cameras(Limits(3, 5), Ledger())
    app = FastAPI()
    app.include_router(camera_routes(cameras))
    turn, turns = 0, []
    status = Camera.status

    def note(camera: Camera) -> object:
        turns.append(turn)
        return status(camera)

    async def count() -> None:
        nonlocal turn
        while True:
            turn += 1
            await asyncio.sleep(0)

    async def ask() -> list[Answer]:
        cameras.open()
        for number in range(100):
            cameras.offer(str(number), a_frame(camera=str(number)))
        while len(cameras.listed()) < 100:
            await asyncio.sleep(0)
        monkeypatch.setattr(Camera, "status", note)
        client = Client(app)
        scope = {**client._scope("http", "/api/cameras", {}), "method": "GET", VISITOR: Guest()}
        counting = asyncio.create_task(count())
        try:
            return await asyncio.gather(*(client._run(scope, []) for _ in range(5)))
        finally:
            counting.cancel()

    answers = asyncio.run(ask())

    assert [len(answer.json) for answer in answers] == [100] * 5
    assert max(turns.count(each) for each in turns) <= 20, "the end of a list, and the start of the next"
