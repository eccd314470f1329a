"""The undocumented names of libraries that this project uses.

The bounds in pyproject.toml keep those libraries at tested versions; a name that is removed fails one test
here.
"""

import asyncio
import ctypes
import http.client
import inspect
import re
from collections.abc import Iterator

import confluent_kafka.cimpl
import pytest
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState


async def nothing(scope: object, receive: object, send: object) -> None:
    """An ASGI application that does nothing."""


def has(protocol: object, name: str) -> bool:
    """Whether a protocol has an attribute, or sets it during a connection."""
    return (
        hasattr(protocol, name)
        or re.search(rf"self\.{name}\b.* = ", inspect.getsource(type(protocol))) is not None
    )


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop that does not run."""
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


@pytest.fixture
def http_protocol(loop: asyncio.AbstractEventLoop) -> HttpToolsProtocol:
    """Uvicorn's side of an HTTP connection that is not connected."""
    config = uvicorn.Config(nothing, log_config=None)
    config.load()
    return HttpToolsProtocol(config, ServerState(), {}, loop)


@pytest.fixture
def websocket_protocol(loop: asyncio.AbstractEventLoop) -> WebSocketsSansIOProtocol:
    """Uvicorn's side of a WebSocket that is not connected."""
    config = uvicorn.Config(nothing, log_config=None)
    config.load()
    return WebSocketsSansIOProtocol(config, ServerState(), {}, loop)


@pytest.mark.parametrize(
    "name",
    [
        *("connection_made", "connection_lost", "data_received", "pause_writing", "resume_writing"),
        *("on_message_begin", "on_headers_complete", "on_message_complete", "on_response_complete"),
        *("handle_websocket_upgrade", "loop", "transport", "connections", "scope", "cycle", "url"),
    ],
)
def test_uvicorns_http_protocol(http_protocol: HttpToolsProtocol, name: str) -> None:
    assert has(http_protocol, name)


def test_uvicorns_http_cycle() -> None:
    (cycle,) = (
        kind
        for name, kind in inspect.getmembers(inspect.getmodule(HttpToolsProtocol), inspect.isclass)
        if name == "RequestResponseCycle"
    )

    assert "self.response_complete =" in inspect.getsource(cycle.__init__)


@pytest.mark.parametrize(
    "name",
    [
        *("connection_made", "connection_lost", "data_received", "pause_writing", "resume_writing", "send"),
        *("handle_connect", "handle_text", "handle_cont", "handle_ping", "handle_parser_exception"),
        *("send_receive_event_to_app", "curr_msg_data_type", "frames", "close_sent", "handshake_initiated"),
        *("handshake_complete", "initial_response", "read_paused", "conn", "loop", "transport", "scope"),
    ],
)
def test_uvicorns_websocket_protocol(websocket_protocol: WebSocketsSansIOProtocol, name: str) -> None:
    assert has(websocket_protocol, name)


@pytest.mark.parametrize("name", ["data_to_send", "handshake_exc", "send_close"])
def test_the_connection_below_uvicorns_websocket(
    websocket_protocol: WebSocketsSansIOProtocol, name: str
) -> None:
    assert hasattr(websocket_protocol.conn, name)


@pytest.mark.parametrize("name", ["main_loop", "on_tick", "should_exit", "startup", "shutdown"])
def test_uvicorns_server(name: str) -> None:
    assert hasattr(uvicorn.Server(uvicorn.Config(nothing, log_config=None)), name)


@pytest.mark.parametrize(
    "name",
    [
        *("rd_kafka_conf_new", "rd_kafka_conf_set", "rd_kafka_new", "rd_kafka_destroy", "rd_kafka_err2str"),
        *("rd_kafka_mock_cluster_new", "rd_kafka_mock_cluster_destroy", "rd_kafka_mock_cluster_bootstraps"),
        *("rd_kafka_mock_topic_create", "rd_kafka_mock_group_initial_rebalance_delay_ms"),
    ],
)
def test_librdkafkas_mock_cluster(name: str) -> None:
    assert hasattr(ctypes.CDLL(confluent_kafka.cimpl.__file__), name)


def test_kafkas_error_for_a_purged_message() -> None:
    assert isinstance(confluent_kafka.KafkaError._PURGE_QUEUE, int)


def test_the_socket_of_an_http_connection() -> None:
    assert http.client.HTTPConnection("127.0.0.1").sock is None


@pytest.mark.parts
def test_tensorflows_session() -> None:
    from tfserving.runtime import sessions, tf

    with tf.compat.v1.Session(graph=tf.Graph()) as session:
        tensor = tf.constant(1)
        session._extend_graph()

        assert session._session is not None
        assert tensor._as_tf_output() is not None
    assert callable(sessions.TF_SessionRun_wrapper)
    assert callable(sessions.TF_NewBufferFromString)
    assert callable(sessions.TF_DeleteBuffer)
