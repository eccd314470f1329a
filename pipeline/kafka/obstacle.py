"""What keeps a reader from its topic."""

import logging
from collections.abc import Callable
from typing import Final

from confluent_kafka import KafkaError

from pipeline.kafka.causes import Causes
from pipeline.service.logs import Seldom

log = logging.getLogger(__name__)

_LASTING: Final = {KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError.TOPIC_AUTHORIZATION_FAILED}


class Obstacle:
    """What keeps a reader from `topic` at present, in one line: `why`; None if nothing does.

    `causes` are those of its client. `changed` is called whenever `why` changes.
    """

    def __init__(self, topic: str, causes: Causes, changed: Callable[[str | None], None] | None) -> None:
        self.why: str | None = None
        self.causes = causes
        self._topic = topic
        self._changed = changed
        self._refused: dict[str, str] = {}  # why messages may not be read, by topic, until some come
        self._seldom = Seldom(log)

    def passed(self, topic: str | None) -> None:
        """Note that a message of a topic has come."""
        if topic == self._topic:
            self._set(None)
        elif topic is not None:
            self._refused.pop(topic, None)

    def met(self, error: KafkaError, topic: str) -> None:
        """Note an error that came instead of a message."""
        # librdkafka looks for the coordinator of its group, which is not used here.
        if error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED:
            return
        text = self.causes.of(error, topic, "read")
        self._say(text)
        if error.code() in _LASTING:
            self._refused[topic] = text
            self._set(text)

    def found(self, error: KafkaError | None, unreachable: Callable[[], str | None]) -> None:
        """Note the answer to a question about the topic, or why there is none.

        `unreachable` finds out whether the broker that has the messages is missing, although another answers.
        """
        text = None
        if error is not None and (error.code() < 0 or error.code() in _LASTING):
            text = self.causes.of(error, self._topic, "read")
            if error.code() in _LASTING:
                self._say(text)
        self._set(text or next(iter(self._refused.values()), None) or unreachable())

    def _set(self, why: str | None) -> None:
        if why != self.why:
            self.why = why
            if why is None:
                self._refused.clear()
            if self._changed is not None:
                self._changed(why)

    def _say(self, text: str) -> None:
        if text != self.causes.why():  # which is logged already
            self._seldom.warning(text, text)
