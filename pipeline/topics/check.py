"""Creates a service's topics of frames when it starts, and checks all its topics."""

import logging
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from pipeline.kafka import clients
from pipeline.service.service import Service
from pipeline.service.workers import Pulse
from pipeline.topics import survey
from pipeline.topics.findings import findings
from pipeline.topics.plan import Plan

log = logging.getLogger(__name__)

_FIRST: Final = 0.5  # s that the first attempt may wait for Kafka, before the service starts
_WAIT: Final = 2.0  # s, later
_AGAIN: Final = 1.0  # s between two attempts while Kafka is away
_EVERY: Final = 30.0  # s between two checks while something is missing or does not fit
_BEAT: Final = 5.0  # s


class TopicCheck:
    """Checks the planned topics of one Kafka, at `bootstrap`.

    Of those that are missing, it creates the topics of frames, unless their plan has no partitions; the
    others are created by whoever writes to them. `admin` returns a client, which lives as long as a check.
    """

    def __init__(self, plans: Sequence[Plan], bootstrap: str, admin: Callable[[], AdminClient]) -> None:
        self._plans = plans
        self._bootstrap = bootstrap
        self._admin = admin
        self._lines: list[str] = []
        self._hidden: set[str] = set()
        self._due_at = 0.0

    def lines(self) -> list[str]:
        """Return a line for each thing that does not fit."""
        return self._lines

    def prepare(self) -> None:
        """Check once, before other clients can cause Kafka to create topics with its own settings.

        Waits half a second at most while Kafka is away.
        """
        self.step(_FIRST)

    def run(self, pulse: Pulse) -> None:
        """Check again as long as something is missing or does not fit: a worker."""
        while not pulse.stopping.is_set():
            if time.monotonic() >= self._due_at:
                self.step(_WAIT)
            pulse.beat()
            pulse.stopping.wait(min(_BEAT, max(_AGAIN, self._due_at - time.monotonic())))

    def step(self, wait: float) -> None:
        """Check the topics, and create those of frames that are missing."""
        admin = self._admin()
        try:
            seen = survey.survey(admin, self._plans, wait)
            if seen is None:
                self._due_at = float("inf")
                return
            lines = [
                line for plan, found in seen.found.items() for line in findings(plan, found, self._bootstrap)
            ]
            wanted = [plan for plan in seen.missing if plan.content == "frames" and plan.partitions]
            for plan, problem in survey.create(admin, wanted, self._bootstrap).items():
                if problem is None:
                    log.info("topic %s created with %d partitions", plan.name, plan.partitions)
                else:
                    lines.append(problem)
        except KafkaException:  # whatever uses the topics says why
            self._due_at = time.monotonic() + _AGAIN
            return
        self._say(lines)
        self._say_hidden(seen.hidden)
        waits = lines or seen.missing
        self._due_at = time.monotonic() + _EVERY if waits else float("inf")

    def _say(self, lines: list[str]) -> None:
        for line in lines:
            if line not in self._lines:
                log.warning("%s", line)
        if self._lines and not lines:
            log.info("all topics fit now")
        self._lines = lines

    def _say_hidden(self, plans: Sequence[Plan]) -> None:
        for plan in plans:
            if plan.name not in self._hidden:
                self._hidden.add(plan.name)
                log.info(
                    "topic %s is not checked, because Kafka does not permit this user to see its settings:"
                    " allow DESCRIBE_CONFIGS with kafka-acls.sh",
                    plan.name,
                )


def watch(service: Service, plans: Sequence[Plan], bootstrap: str, extra: dict[str, Any]) -> None:
    """Check a service's topics now, which takes half a second while Kafka is away, and while it runs."""
    check = TopicCheck(plans, bootstrap, partial(clients.admin, bootstrap, extra))
    check.prepare()
    service.work("topics", check.run)
    service.note(check.lines)
