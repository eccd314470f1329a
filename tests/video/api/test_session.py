from tests.video.api.conftest import Api
from video.api import models

NOBODY_CHANGES = {
    "roles": ["viewer"],
    "may_change": False,
    "why_not": "cameras are not kept as data here: set CAMERASTOPIC",
    "cameras_as_data": False,
}


def test_where_access_is_open_nobody_has_a_name(still: Api) -> None:
    assert still.json("/api/session") == {"access": "open", **NOBODY_CHANGES}


def test_a_user_gets_their_name(api: Api) -> None:
    api.guest.name = "ann"

    reported = api.json("/api/session")

    assert reported == {"access": "user", "name": "ann", **NOBODY_CHANGES}
    assert models.Session.model_validate(reported)
