"""A Kafka's administration, in memory."""

from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.cimpl import NewTopic


def failed(code: int, text: str = "") -> KafkaException:
    """Return what a client raises when a broker answers with an error."""
    return KafkaException(KafkaError(code, text))


class FakeAdmin:
    """Its topics with their settings; `denied` are hidden; `refusal` is the answer to creating one."""

    def __init__(self, topics: dict[str, dict[str, str]] | None = None) -> None:
        self.topics = topics or {}
        self.partitions = 8
        self.denied: set[str] = set()
        self.refusal: KafkaException | None = None
        self.away = False
        self.cluster = "x1"
        self.created: list[NewTopic] = []
        self.waited: list[float] = []

    def list_topics(self, *, timeout: float) -> SimpleNamespace:
        """Return all topics."""
        self.waited.append(timeout)
        if self.away:
            raise failed(KafkaError._TRANSPORT)
        partitions = {number: SimpleNamespace(replicas=[1]) for number in range(self.partitions)}
        topics = {name: SimpleNamespace(partitions=partitions) for name in self.topics}
        return SimpleNamespace(cluster_id=self.cluster, topics=topics)

    def describe_configs(self, resources: list[Any], *, request_timeout: float) -> dict[Any, Future[Any]]:
        """Return the settings of topics."""
        assert request_timeout > 0
        answers = {}
        for resource in resources:
            answer: Future[Any] = Future()
            if resource.name in self.denied:
                answer.set_exception(failed(KafkaError.TOPIC_AUTHORIZATION_FAILED))
            else:
                settings = self.topics[resource.name]
                answer.set_result({name: SimpleNamespace(value=value) for name, value in settings.items()})
            answers[resource] = answer
        return answers

    def create_topics(self, topics: list[NewTopic], *, request_timeout: float) -> dict[str, Future[None]]:
        """Create topics, unless that is refused."""
        assert request_timeout > 0
        answers = {}
        for topic in topics:
            answer: Future[None] = Future()
            self.created.append(topic)
            if self.refusal is not None:
                answer.set_exception(self.refusal)
            else:
                self.topics[topic.topic] = dict(topic.config or {})
                answer.set_result(None)
            answers[topic.topic] = answer
        return answers
