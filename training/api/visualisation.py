"""`/ws/`: predictions as they arrive on a topic, for the page that shows them."""

import asyncio
import json
import logging
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, Final

from confluent_kafka import OFFSET_BEGINNING, OFFSET_END, Consumer, KafkaException, Message, TopicPartition
from fastapi.concurrency import run_in_threadpool
from pydantic import ValidationError
from sqlalchemy import select
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from pipeline.service.logs import Seldom
from pipeline.service.values import Topic
from training.api.parts import Parts
from training.api.rights import VIEWING, Viewing
from training.database.tables import Inference
from training.fields import Fields

log = logging.getLogger(__name__)
_seldom = Seldom(log)

MOST_VIEWERS: Final = 50
"""Sockets at a time; each has a consumer of its own."""

_ONLY_PREDICTIONS: Final = "other topics than those of inferences need the role trainer"
_EXPECTED: Final = 'expected {"topic": "name", "classification": true}'
_LOOK_EVERY: Final = 1.0  # s
_FREE: Final = Viewing(any_topic=True, welcome=lambda: True)  # without anything in front that decides


class Watched(Fields):
    """What a browser asks for. Kafka-ML's asks for no headers."""

    topic: Topic
    classification: bool = False
    headers: bool = False


def route(parts: Parts) -> WebSocketRoute:
    """Return the route."""
    viewers = set[WebSocket]()

    async def serve(socket: WebSocket) -> None:
        await socket.accept()
        viewing: Viewing = socket.scope.get(VIEWING, _FREE)
        if len(viewers) >= MOST_VIEWERS:
            await socket.close(1013, f"{MOST_VIEWERS} pages watch already: close one")
            return
        viewers.add(socket)
        sending: asyncio.Task[None] | None = None
        try:
            while True:
                watched = _watched(await socket.receive_text())
                if not (viewing.any_topic or await run_in_threadpool(_has_predictions, parts, watched.topic)):
                    await socket.close(1008, _ONLY_PREDICTIONS)
                    break
                if sending is not None:  # another topic takes the place of the one before
                    sending.cancel()
                    with suppress(asyncio.CancelledError):
                        await sending
                sending = asyncio.create_task(_send(socket, parts, watched, viewing))
        except ValueError:
            await socket.close(1008, _EXPECTED)
        except (WebSocketDisconnect, KeyError):  # KeyError: a binary message
            pass
        finally:
            viewers.discard(socket)
            if sending is not None:
                sending.cancel()
                with suppress(asyncio.CancelledError):
                    await sending

    return WebSocketRoute("/ws/", serve)


def shown(value: bytes, *, classification: bool) -> str:
    """Return what a browser gets for a message; raise ValueError for one that is no prediction.

    That is the number of the most probable class, or the message itself for regressions.
    """
    text = value.decode()
    if not classification:
        return text
    try:
        numbers = list(_numbers(json.loads(text)["values"]))
    except (TypeError, KeyError, RecursionError):
        numbers = []
    if not numbers:
        raise ValueError('expected {"values": [0.1, 0.9]}')
    return str(numbers.index(max(numbers)))


def with_headers(prediction: str, headers: Iterable[tuple[str, bytes | None]] | None) -> str:
    """Return the JSON for a browser that wants the message's headers, too; of those of a name, the last."""
    texts = {name: None if value is None else value.decode(errors="replace") for name, value in headers or ()}
    return json.dumps({"prediction": prediction, "headers": texts})


def _watched(text: str) -> Watched:
    try:
        return Watched.model_validate_json(text)
    except ValidationError as error:
        raise ValueError(_EXPECTED) from error


def _numbers(values: Any) -> Iterator[float]:
    """Yield the numbers in lists, which PyTorch's predictions nest."""
    if isinstance(values, list):
        for each in values:
            yield from _numbers(each)
    elif isinstance(values, int | float):
        yield values


def _has_predictions(parts: Parts, topic: str) -> bool:
    with parts.database.reading() as session:
        return (
            session.scalar(select(Inference.id).where(Inference.output_topic == topic).limit(1)) is not None
        )


async def _send(socket: WebSocket, parts: Parts, watched: Watched, viewing: Viewing) -> None:
    consumer = parts.consumer()
    reading = _Reading(consumer, watched.topic)
    try:
        with suppress(WebSocketDisconnect, RuntimeError):  # RuntimeError: the socket is closed
            while viewing.welcome():
                # Shielded: a consumer that is in use cannot be closed.
                for message in await _finished(run_in_threadpool(reading.step)):
                    try:
                        text = shown(message.value(), classification=watched.classification)
                    except ValueError:
                        _seldom.warning(watched.topic, f"topic {watched.topic}: a message is no prediction")
                        continue
                    await socket.send_text(with_headers(text, message.headers()) if watched.headers else text)
            await socket.close(1008, "log in again")
    finally:
        await _finished(run_in_threadpool(consumer.close))


async def _finished(work: Any) -> Any:
    """Wait for work in a thread to its end, even if this task is cancelled meanwhile."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await task
        raise


class _Reading:
    """Reads a topic from its end; from the beginning of partitions that are created later."""

    def __init__(self, consumer: Consumer, topic: str) -> None:
        self._consumer = consumer
        self._topic = topic
        self._partitions: set[int] = set()
        self._has_looked = False
        self._look_at = 0.0

    def step(self) -> list[Message]:
        """Return the messages with values that have come.

        It waits a fifth of a second at most, or longer for Kafka.
        """
        now = time.monotonic()
        if now >= self._look_at:
            self._look_at = now + _LOOK_EVERY
            self._look()
        messages = self._consumer.consume(100, 0.2)
        return [each for each in messages if not each.error() and each.value() is not None]

    def _look(self) -> None:
        try:
            # All topics: asking for one that does not exist could create it.
            known = self._consumer.list_topics(timeout=0.5).topics.get(self._topic)
            new = set(known.partitions) - self._partitions if known else set()
            start = OFFSET_BEGINNING if self._has_looked else OFFSET_END
            if new:
                self._consumer.incremental_assign(
                    [TopicPartition(self._topic, number, start) for number in sorted(new)]
                )
        except KafkaException as error:
            _seldom.warning("kafka", f"topic {self._topic}: {error.args[0].str()}")
            return
        self._partitions |= new
        self._has_looked = True
