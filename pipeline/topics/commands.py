"""The commands of Kafka's own tools that create and change topics and give rights."""

from collections.abc import Iterable, Mapping

from pipeline.topics.plan import Plan


def create(plan: Plan, bootstrap: str) -> str:
    """Return the command that creates a topic as planned."""
    settings = " ".join(f"--config {name}={value}" for name, value in plan.settings.items())
    partitions = f" --partitions {plan.partitions}" if plan.partitions else ""
    return (
        f"kafka-topics.sh --bootstrap-server {bootstrap} --create --if-not-exists --topic {plan.name}"
        f"{partitions} {settings}"
    )


def change(topic: str, settings: Mapping[str, str], bootstrap: str) -> str:
    """Return the command that changes settings of a topic."""
    listed = ",".join(f"{name}={_in_a_list(value)}" for name, value in settings.items())
    return (
        f"kafka-configs.sh --bootstrap-server {bootstrap} --alter --entity-type topics --entity-name {topic}"
        f" --add-config {listed}"
    )


def widen(topic: str, partitions: int, bootstrap: str) -> str:
    """Return the command that gives a topic more partitions."""
    return f"kafka-topics.sh --bootstrap-server {bootstrap} --alter --topic {topic} --partitions {partitions}"


def allow(user: str, operations: Iterable[str], topic: str, bootstrap: str) -> str:
    """Return the command that gives a user rights on a topic."""
    listed = " ".join(f"--operation {operation}" for operation in operations)
    return (
        f"kafka-acls.sh --bootstrap-server {bootstrap} --add --allow-principal User:{user} {listed}"
        f" --topic {topic}"
    )


def _in_a_list(value: str) -> str:
    return f"[{value}]" if "," in value else value
