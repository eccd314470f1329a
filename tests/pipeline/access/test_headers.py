"""The security headers."""

from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.websockets import WebSocket

from pipeline.access.headers import SecurityHeaders
from tests.pipeline.access.asgi import Client


async def own(_: object) -> Response:
    return Response(headers={"Referrer-Policy": "no-referrer", "X-Frame-Options": "SAMEORIGIN"})


async def denied(socket: WebSocket) -> None:
    await socket.receive()
    await socket.send_denial_response(Response(status_code=401))


ROUTES = Router([Route("/own", own)])


def test_every_answer_has_them_also_one_that_says_not_found() -> None:
    answer = Client(SecurityHeaders(ROUTES, tls=False)).get("/nowhere")

    assert answer.status == 404
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'; ")
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers["x-frame-options"] == "DENY"
    assert "camera=()" in answer.headers["permissions-policy"]


def test_what_an_answer_sets_itself_stays_alone() -> None:
    answer = Client(SecurityHeaders(ROUTES, tls=False)).get("/own")

    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-frame-options"] == "SAMEORIGIN"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_hsts_is_sent_only_if_tls_is_ours() -> None:
    ours, proxys = (Client(SecurityHeaders(ROUTES, tls=tls)).get("/own") for tls in (True, False))

    assert ours.headers["strict-transport-security"] == "max-age=2592000"
    assert "strict-transport-security" not in proxys.headers


def test_windows_are_kept_apart_where_browsers_do_so() -> None:
    app = SecurityHeaders(ROUTES, tls=False)

    assert Client(app, scheme="https").get("/own").headers["cross-origin-opener-policy"] == "same-origin"
    assert "cross-origin-opener-policy" not in Client(app).get("/own").headers


def test_a_refused_socket_has_them() -> None:
    async def app(scope: object, receive: object, send: object) -> None:
        await denied(WebSocket(scope, receive, send))  # type: ignore[arg-type]

    answer = Client(SecurityHeaders(app, tls=False)).socket("/ws")

    assert answer.status == 401
    assert answer.headers["x-content-type-options"] == "nosniff"
