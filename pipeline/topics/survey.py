"""Looks at the topics of a Kafka, and creates those that are missing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    ConfigResource,
    ResourceType,
    TopicMetadata,
)
from confluent_kafka.cimpl import NewTopic

from pipeline.topics import commands
from pipeline.topics.findings import Found
from pipeline.topics.plan import Plan

_ANSWER: Final = 5.0  # s that a broker may take
_MOCK: Final = "mockCluster"  # how librdkafka's mock broker names its cluster: it answers no such requests
_DENIED: Final = {KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED}


@dataclass(frozen=True, slots=True)
class Survey:
    """The planned topics that exist, those that are missing, and those whose settings may not be seen."""

    found: dict[Plan, Found]
    missing: tuple[Plan, ...]
    hidden: tuple[Plan, ...] = ()


def survey(admin: AdminClient, plans: Sequence[Plan], wait: float) -> Survey | None:
    """Look at the planned topics, waiting `wait` s for a first answer and as usual for the rest.

    Returns None if Kafka does not say: it is librdkafka's mock broker. Raises `KafkaException` if it is away.
    """
    # All topics: asking for one that does not exist could create it, with other settings.
    metadata = admin.list_topics(timeout=wait)
    if (metadata.cluster_id or "").startswith(_MOCK):
        return None
    there = [plan for plan in plans if plan.name in metadata.topics]
    settings = _settings(admin, there)
    found = {}
    for plan in there:
        found[plan] = described(metadata.topics[plan.name], settings.get(plan.name))
    missing = tuple(plan for plan in plans if plan not in found)
    return Survey(found, missing, tuple(plan for plan in there if plan.name not in settings))


def described(topic: TopicMetadata, settings: Mapping[str, str] | None) -> Found:
    """Return a topic as Kafka describes it; see `Found`."""
    partitions = topic.partitions.values()
    return Found(len(partitions), min((len(each.replicas) for each in partitions), default=0), settings)


def create(admin: AdminClient, plans: Iterable[Plan], bootstrap: str) -> dict[Plan, str | None]:
    """Create topics; return None for each that exists now, or why it does not, in one line."""
    by_name = {plan.name: plan for plan in plans}
    if not by_name:
        return {}
    # With as many replicas as the brokers' default says.
    new = [
        NewTopic(plan.name, num_partitions=plan.partitions, replication_factor=-1, config=dict(plan.settings))
        for plan in by_name.values()
    ]
    outcomes: dict[Plan, str | None] = {}
    for name, created in admin.create_topics(new, request_timeout=_ANSWER).items():
        plan = by_name[name]
        try:
            created.result()
            outcomes[plan] = None
        except KafkaException as error:
            outcomes[plan] = _cause(error.args[0], plan, bootstrap)
    return outcomes


def _cause(error: KafkaError, plan: Plan, bootstrap: str) -> str | None:
    if error.code() == KafkaError.TOPIC_ALREADY_EXISTS:  # another service was faster
        return None
    command = commands.create(plan, bootstrap)
    if error.code() in _DENIED:
        return (
            f"topic {plan.name} cannot be created or seen, because Kafka does not permit this user to:"
            f" allow CREATE and DESCRIBE with kafka-acls.sh, or create it: {command}"
        )
    return f"topic {plan.name} cannot be created with the settings it needs ({error.str()}): {command}"


def _settings(admin: AdminClient, plans: Sequence[Plan]) -> dict[str, dict[str, str]]:
    """Return the settings of topics by name, of those that this user may see."""
    if not plans:
        return {}
    asked = [ConfigResource(ResourceType.TOPIC, plan.name) for plan in plans]
    settings = {}
    for resource, answer in admin.describe_configs(asked, request_timeout=_ANSWER).items():
        try:
            entries: dict[str, Any] = answer.result()
        except KafkaException as error:
            if error.args[0].code() in _DENIED or error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                continue
            raise
        settings[resource.name] = {name: str(entry.value) for name, entry in entries.items()}
    return settings
