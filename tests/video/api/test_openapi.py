"""The description is written once, and sent only to clients that do not have it."""

import gzip
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from tests.video.api.conftest import Api

PATH = "/api/openapi.json"


@pytest.mark.parametrize("accepted", ["gzip", "GZIP", "br, gzip;q=0.5", "deflate , gzip ; q=1", "*"])
def test_it_is_compressed_for_clients_that_accept_that(still: Api, accepted: str) -> None:
    with still.ask(PATH, **{"Accept-Encoding": accepted}) as answer:
        body = answer.read()

    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["vary"] == "Accept-Encoding"
    assert gzip.decompress(body) == still.get(PATH)[1]
    assert len(body) * 4 < len(still.get(PATH)[1])


@pytest.mark.parametrize(
    "accepted",
    [
        "",
        "identity",
        "br",
        "gzip;q=0",
        "gzip; q=0.000",
        "*;q=0",
        "*, gzip;q=0",
        "gzip;q=0,*",
        "xgzip",
        "gzipped",
    ],
)
def test_it_is_plain_for_all_others(still: Api, accepted: str) -> None:
    with still.ask(PATH, **{"Accept-Encoding": accepted}) as answer:
        assert "content-encoding" not in answer.headers
        assert json.loads(answer.read())["openapi"]


@pytest.mark.parametrize("accepted", ["gzip", "identity"])
def test_a_client_that_has_it_does_not_get_it_again(still: Api, accepted: str) -> None:
    with still.ask(PATH, **{"Accept-Encoding": accepted}) as answer:
        tag = answer.headers["etag"]

    for known in tag, f'"other", W/{tag}':
        with still.ask(PATH, **{"Accept-Encoding": accepted, "If-None-Match": known}) as answer:
            assert (answer.status, answer.read(), answer.headers["etag"]) == (304, b"", tag)
    assert still.get(PATH, **{"Accept-Encoding": accepted, "If-None-Match": '"other"'})[0] == 200


def test_the_compressed_form_has_a_tag_of_its_own(still: Api) -> None:
    tags = {still.ask(PATH, **{"Accept-Encoding": each}).headers["etag"] for each in ("gzip", "identity")}

    assert len(tags) == 2


def test_it_is_written_once(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[Any] = []

    def dumps(content: Any, **options: Any) -> str:
        written.append(content)
        return json.dumps(content, **options)

    monkeypatch.setattr("video.api.openapi.json", SimpleNamespace(dumps=dumps))
    for _ in range(3):
        assert api.get(PATH)[0] == 200

    assert len(written) == 1


def test_it_names_the_path_at_which_a_proxy_publishes_it(serve: Callable[..., Api]) -> None:
    api = serve(root="/cameras")

    assert api.json(PATH)["servers"] == [{"url": "/cameras"}]
