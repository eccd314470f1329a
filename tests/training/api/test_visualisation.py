import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import OFFSET_BEGINNING, OFFSET_END, KafkaException, TopicPartition

from tests.training.conftest import PLACES, Service
from tests.training.fakes import FakeCode, FakeControl, FakeMessage, FakeRunner
from tests.training.kafka import AWAY
from training.api import visualisation
from training.api.parts import Parts

LIMIT = 60.0  # s


class Consumer:
    """A consumer of topics with a partition each, which hold these values."""

    def __init__(self, **topics: list[bytes]) -> None:
        self.topics = topics
        self.assigned = list[tuple[str, int]]()
        self.is_closed = False

    def list_topics(self, timeout: float) -> Any:  # noqa: ARG002
        known = type("Topic", (), {"partitions": {0: None}})
        return type("Answer", (), {"topics": dict.fromkeys(self.topics, known)})

    def incremental_assign(self, places: list[TopicPartition]) -> None:
        self.assigned += [(each.topic, each.offset) for each in places]

    def consume(self, most: int, timeout: float) -> list[Any]:  # noqa: ARG002
        found = [value for topic, _ in self.assigned for value in self.topics[topic]]
        for topic, _ in self.assigned:
            self.topics[topic] = []
        return [Value(value) for value in found]

    def close(self) -> None:
        self.is_closed = True


class Value(FakeMessage):
    """A message with a value, and two headers."""

    def __init__(self, value: bytes) -> None:
        super().__init__(0, None, value, 0)

    def headers(self) -> list[tuple[str, bytes | None]]:
        return [("digit", b"a1"), ("none", None)]

    def error(self) -> None:
        return None


class Browser:
    """The other side of a socket, as ASGI has it."""

    def __init__(self, endpoint: Callable[..., Any]) -> None:
        self._to, self._from = asyncio.Queue[dict[str, Any]](), asyncio.Queue[dict[str, Any]]()
        self._to.put_nowait({"type": "websocket.connect"})
        scope = {"type": "websocket", "path": "/ws/", "headers": [], "query_string": b"", "subprotocols": []}
        self.served = asyncio.ensure_future(endpoint(scope, self._to.get, self._from.put))

    def send(self, text: str) -> None:
        self._to.put_nowait({"type": "websocket.receive", "text": text})

    def leave(self) -> None:
        self._to.put_nowait({"type": "websocket.disconnect", "code": 1001})

    async def receive(self) -> dict[str, Any]:
        return await asyncio.wait_for(self._from.get(), LIMIT)


def run(service: Service, consumers: list[Consumer], visit: Callable[[Callable[..., Any]], Any]) -> None:
    """Let `visit` open sockets, which use one consumer after the other."""
    given = iter(consumers)
    parts = Parts(
        service.database,
        service.files,
        FakeCode(),
        FakeRunner(),
        FakeControl(),
        PLACES,
        lambda: next(given),  # type: ignore[arg-type,return-value]
        service.library,
    )
    asyncio.run(visit(visualisation.route(parts).app))


@pytest.mark.parametrize(
    ("classification", "value", "text"),
    [
        (True, {"values": [0.1, 0.7, 0.2]}, "1"),
        (True, {"values": [[[0.1, 0.2, 0.7]]]}, "2"),
        (False, {"values": [1.5]}, '{"values": [1.5]}'),
    ],
    ids=["classes", "nested", "regression"],
)
def test_what_a_browser_gets(classification: bool, value: object, text: str) -> None:
    assert visualisation.shown(json.dumps(value).encode(), classification=classification) == text


@pytest.mark.parametrize("value", [b"\xff", b"{", b"{}", b'{"values": []}', b"[1]", b"1"])
def test_what_is_no_prediction(value: bytes) -> None:
    with pytest.raises(ValueError, match=r"expected|Expecting|decode"):
        visualisation.shown(value, classification=True)


def test_predictions_are_sent_until_the_browser_leaves(service: Service) -> None:
    consumer = Consumer(out=[b'{"values": [0, 1]}', b"no prediction", b'{"values": [1, 0]}'])

    async def visit(endpoint: Callable[..., Any]) -> None:
        browser = Browser(endpoint)
        assert (await browser.receive())["type"] == "websocket.accept"
        browser.send('{"topic": "out", "classification": true}')
        assert [(await browser.receive())["text"] for _ in range(2)] == ["1", "0"]
        browser.leave()
        await asyncio.wait_for(browser.served, LIMIT)

    run(service, [consumer], visit)

    assert consumer.assigned == [("out", OFFSET_END)]
    assert consumer.is_closed


@pytest.mark.parametrize(
    ("classification", "text"), [(True, "1"), (False, '{"values": [0, 1]}')], ids=["classes", "regression"]
)
def test_only_who_asks_for_headers_gets_them(service: Service, classification: bool, text: str) -> None:
    asks = {"topic": "out", "classification": classification}
    received = list[str]()

    async def visit(endpoint: Callable[..., Any]) -> None:
        browser = Browser(endpoint)
        await browser.receive()
        for more in ({}, {"headers": False}, {"headers": True}):
            browser.send(json.dumps(asks | more))
            received.append((await browser.receive())["text"])
        browser.leave()
        await asyncio.wait_for(browser.served, LIMIT)

    run(service, [Consumer(out=[b'{"values": [0, 1]}']) for _ in range(3)], visit)

    assert received[:2] == [text, text]
    assert json.loads(received[2]) == {"prediction": text, "headers": {"digit": "a1", "none": None}}


@pytest.mark.parametrize(
    ("headers", "texts"),
    [
        (None, {}),
        ([("a", b"1"), ("a", b"2")], {"a": "2"}),
        ([("a", b"\xff")], {"a": "\N{REPLACEMENT CHARACTER}"}),
    ],
    ids=["none", "twice", "no text"],
)
def test_headers_are_texts_by_their_names(headers: Any, texts: dict[str, str]) -> None:
    found = json.loads(visualisation.with_headers("7", headers))

    assert found == {"prediction": "7", "headers": texts}


def test_a_second_request_takes_the_place_of_the_first(service: Service) -> None:
    first, second = Consumer(before=[b"0.5"]), Consumer(out=[b"1.5"])

    async def visit(endpoint: Callable[..., Any]) -> None:
        browser = Browser(endpoint)
        await browser.receive()
        browser.send('{"topic": "before"}')
        assert (await browser.receive())["text"] == "0.5"
        browser.send('{"topic": "out"}')
        assert (await browser.receive())["text"] == "1.5"
        assert first.is_closed
        browser.leave()
        await asyncio.wait_for(browser.served, LIMIT)

    run(service, [first, second], visit)


def test_of_a_topic_that_comes_later_everything_is_sent() -> None:
    consumer = Consumer()
    reading = visualisation._Reading(consumer, "out")  # type: ignore[arg-type]
    assert reading.step() == []

    consumer.topics["out"] = [b"1"]
    reading._look_at = 0.0

    assert [each.value() for each in reading.step()] == [b"1"]
    assert consumer.assigned == [("out", OFFSET_BEGINNING)]


@pytest.mark.parametrize("sent", ["{", "{}", '{"topic": "a/b"}'], ids=["no JSON", "no topic", "bad topic"])
def test_what_cannot_be_understood_ends_the_socket(sent: str, service: Service) -> None:
    async def visit(endpoint: Callable[..., Any]) -> None:
        browser = Browser(endpoint)
        await browser.receive()
        browser.send(sent)
        closed = await browser.receive()
        assert (closed["type"], closed["code"]) == ("websocket.close", 1008)
        assert closed["reason"].startswith('expected {"topic"')
        await asyncio.wait_for(browser.served, LIMIT)

    run(service, [], visit)


@pytest.mark.exceeds("training.api.visualisation.MOST_VIEWERS")
def test_there_are_so_many_viewers_at_most(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visualisation, "MOST_VIEWERS", 1)

    async def visit(endpoint: Callable[..., Any]) -> None:
        first, second = Browser(endpoint), Browser(endpoint)
        await first.receive()
        await second.receive()
        assert (await second.receive())["code"] == 1013
        first.leave()
        await asyncio.wait_for(first.served, LIMIT)
        await asyncio.wait_for(second.served, LIMIT)

    run(service, [], visit)


def test_kafka_that_does_not_answer_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    class Away(Consumer):
        def list_topics(self, timeout: float) -> Any:  # noqa: ARG002
            raise KafkaException(AWAY)

    consumer = Away(out=[b"1"])
    reading = visualisation._Reading(consumer, "out")  # type: ignore[arg-type]
    assert reading.step() == []

    monkeypatch.delattr(Away, "list_topics")
    reading._look_at = 0.0

    reading.step()
    assert consumer.assigned == [("out", OFFSET_END)], "nothing was seen of it before"
