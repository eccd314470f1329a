"""Which pages of other sites may show pictures."""

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router

from pipeline.access.embedding import Embedding, parse_origin, picture_headers, reading_headers
from tests.pipeline.access.asgi import Client

OURS = "https://dashboard.example:8123"


async def picture(request: Request) -> Response:
    return Response(headers=dict(picture_headers(request.scope)))


async def text(request: Request) -> Response:
    return Response(headers=dict(reading_headers(request.scope)))


ROUTES = Router([Route("/", picture), Route("/text", text)])


def headers(*, is_open: bool, origins: tuple[str, ...] = (), **sent: str) -> dict[str, str]:
    """Return the headers of a picture."""
    return Client(Embedding(ROUTES, origins, is_open=is_open)).get("/", **sent).headers


@pytest.mark.parametrize("origins", [(), (OURS,)])
@pytest.mark.parametrize("sent", [{}, {"origin": "null"}, {"origin": "https://anywhere.example"}])
def test_without_a_login_every_page_may_show_pictures_but_not_read_them(
    sent: dict[str, str], origins: tuple[str, ...]
) -> None:
    answer = headers(is_open=True, origins=origins, **sent)

    assert answer["cross-origin-resource-policy"] == "cross-origin"
    assert not any(name.startswith("access-control-") for name in answer)


@pytest.mark.parametrize("is_open", [True, False])
def test_only_they_may_read_what_is_not_a_picture_and_nobody_may_show_it(is_open: bool) -> None:
    client = Client(Embedding(ROUTES, (OURS,), is_open=is_open))
    ours, other = (client.get("/text", origin=page).headers for page in (OURS, "https://anywhere.example"))

    assert ours["access-control-allow-origin"] == OURS
    assert ours["access-control-allow-credentials"] == "true"
    assert not any(name.startswith("access-control-") for name in other)
    assert "cross-origin-resource-policy" not in ours.keys() | other.keys()


@pytest.mark.parametrize("is_open", [True, False])
@pytest.mark.parametrize("sent", [{"origin": OURS}, {"referer": f"{OURS}/lovelace/0?x=1"}])
def test_the_pages_that_are_named_may_show_and_read_them(sent: dict[str, str], is_open: bool) -> None:
    answer = headers(is_open=is_open, origins=(OURS,), **sent)

    assert answer["cross-origin-resource-policy"] == "cross-origin"
    assert answer["access-control-allow-origin"] == OURS
    assert answer["access-control-allow-credentials"] == "true"
    assert answer["vary"] == "Origin, Referer"


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"origin": "null"},
        {"origin": "https://evil.example"},
        {"origin": "http://dashboard.example:8123"},
        {"origin": "https://dashboard.example"},
        {"referer": f"https://evil.example/{OURS}"},
        {"referer": f"{OURS}.evil.example/"},
        {"referer": "https://[/"},
        {"origin": "https://evil.example", "referer": OURS},
    ],
)
@pytest.mark.parametrize("origins", [(), (OURS,)])
def test_with_a_login_others_may_not(sent: dict[str, str], origins: tuple[str, ...]) -> None:
    answer = headers(is_open=False, origins=origins, **sent)

    assert "cross-origin-resource-policy" not in answer
    assert "access-control-allow-origin" not in answer


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("HTTPS://Host:443/a?b", "https://host"),
        ("http://host:80", "http://host"),
        ("http://host:8080/x", "http://host:8080"),
        ("http://[::1]:8123/", "http://[::1]:8123"),
        ("http://[FD00:0:0::1]", "http://[fd00::1]"),
        ("http://[fd00", ""),
        ("ftp://host", ""),
        ("host:8123", ""),
        ("null", ""),
        ("http://host:99999", ""),
    ],
)
def test_an_origin_is_written_as_browsers_do(url: str, origin: str) -> None:
    assert parse_origin(url) == origin
