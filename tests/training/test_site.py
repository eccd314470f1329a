"""The service on a real port: uploads that take their time, and its end."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from pipeline.access.write_token import WriteAccess
from pipeline.http.connections import Connections
from pipeline.http.server import listen
from pipeline.service.values import Address
from pipeline.service.workers import Pulse
from tests.parts import reads, wait_for
from tests.training.conftest import PLACES, Service
from tests.training.fakes import FakeConsumer
from tests.training.test_access import settings
from training.api.parts import Parts
from training.job_tokens import JobTokens
from training.site import Site, web_server

LIMIT = 60.0  # s
BOUNDARY = "a-boundary"
BODY = (
    (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="data"\r\n\r\n{{}}\r\n'
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="trained_model"; filename="m.h5"\r\n\r\n'
    ).encode()
    + b"\x89HDF\r\n\x1a\n"
    + bytes(1_000)
    + f"\r\n--{BOUNDARY}--\r\n".encode()
)


@contextmanager
def serving(service: Service) -> Iterator[int]:
    """Run the service on a free port; yield the port."""
    parts = Parts(
        service.database,
        service.files,
        service.code,
        service.runner,
        service.control,
        PLACES,
        FakeConsumer,  # type: ignore[arg-type]
        service.library,
    )
    site = Site(parts, settings(), None, WriteAccess("a-token-of-24-characters", role="trainer"), JobTokens())
    listener = listen(Address("127.0.0.1", 0))
    port: int = listener.getsockname()[1]
    web = web_server(site, listener, Connections(100, 100))
    pulse = Pulse(threading.Event())
    thread = threading.Thread(target=web.run, args=(pulse,), daemon=True)
    thread.start()
    wait_for(lambda: reads(f"http://127.0.0.1:{port}/models/"), LIMIT, "the service")
    try:
        yield port
    finally:
        pulse.stopping.set()
        thread.join(LIMIT)
        web.close()
    assert not thread.is_alive()


def head(result: int) -> bytes:
    """Return the head of an upload."""
    return (
        f"POST /results/{result} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(BODY)}\r\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n\r\n"
    ).encode()


def test_an_upload_may_take_longer_than_a_request_s_head(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.http.protocol._HEAD_TIMEOUT", 0.5)
    result = service.deployment()["results"][0]["id"]

    with (
        serving(service) as port,
        socket.create_connection(("127.0.0.1", port), 20) as client,
    ):
        client.sendall(head(result))
        for place in range(0, len(BODY), 400):
            time.sleep(0.3)
            client.sendall(BODY[place : place + 400])
        answer = client.recv(4_096)

    assert answer.startswith(b"HTTP/1.1 200 "), answer
    assert service.get("/results/")[0]["status"] == "finished"


@pytest.mark.exceeds("training.site.BODY_PAUSE")
def test_an_upload_that_has_stopped_is_given_up(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.site.BODY_PAUSE", 0.5)
    result = service.deployment()["results"][0]["id"]

    with (
        serving(service) as port,
        socket.create_connection(("127.0.0.1", port), 20) as client,
    ):
        client.sendall(head(result) + BODY[:400])
        while client.recv(4_096):
            pass

    assert service.get("/results/")[0]["status"] == "created"
