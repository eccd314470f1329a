"""Prepares a Kafka: creates the topics that are missing, and shows where others do not fit.

    python -m pipeline.topics --dry-run

The services' variables apply: KAFKAPORT, KAFKACONFIG, TOPICNAMEIN, PARTITIONS, MAXPIXELS, ...
"""

import argparse
import sys
from collections.abc import Sequence
from typing import Final

from confluent_kafka import KafkaException

from pipeline.kafka import clients
from pipeline.service.settings import SettingsError, load
from pipeline.topics import commands, rights, survey
from pipeline.topics.findings import Found, findings
from pipeline.topics.plan import Plan
from pipeline.topics.settings import TopicsSettings

_WAIT: Final = 10.0  # s for a first answer


def main(arguments: Sequence[str]) -> int:
    """Run the command; return 0 if all topics fit, 1 if not, 2 if it could not look."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.topics",
        description="Creates the topics that are missing, and shows where others do not fit.",
        epilog="The services' variables apply: KAFKAPORT, KAFKACONFIG, TOPICNAMEIN, PARTITIONS, MAXPIXELS.",
        allow_abbrev=False,
    )
    parser.add_argument("--dry-run", action="store_true", help="create nothing")
    parser.add_argument(
        "--print",
        action="store_true",
        help="only print the commands that create the topics and give rights, without connecting to Kafka",
    )
    options = parser.parse_args(arguments)
    try:
        settings = load(TopicsSettings)
        if options.print:
            print("\n".join(_all_commands(settings)))
            return 0
        return _prepare(settings, creates=not options.dry_run)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2


def _prepare(settings: TopicsSettings, *, creates: bool) -> int:
    bootstrap, plans = settings.kafkaport, settings.plans()
    admin = clients.admin(bootstrap, settings.kafkaconfig)
    try:
        seen = survey.survey(admin, plans, _WAIT)
        if seen is None:
            print(f"{bootstrap} is the embedded broker: it creates topics itself, and has no settings")
            return 0
        missing = [plan for plan in seen.missing if creates and plan.partitions]
        outcomes = survey.create(admin, missing, bootstrap)
    except KafkaException as error:
        print(f"Kafka does not answer at {bootstrap}: {error.args[0].str()}", file=sys.stderr)
        return 2
    fits = True
    for plan in plans:
        lines = _lines(plan, seen.found.get(plan), bootstrap)
        if plan in outcomes:
            lines = [outcomes[plan] or f"topic {plan.name}: created"]
            fits = fits and outcomes[plan] is None
        elif plan not in seen.found:
            lines = [f"topic {plan.name} is missing: {commands.create(plan, bootstrap)}"]
            fits = False
        elif plan in seen.hidden:
            lines.append(f"topic {plan.name}: its settings cannot be seen: allow DESCRIBE_CONFIGS")
        elif lines:
            fits = False
        print("\n".join(lines or [f"topic {plan.name}: fits"]))
    return 0 if fits else 1


def _lines(plan: Plan, found: Found | None, bootstrap: str) -> list[str]:
    if found is None:
        return []
    lines = findings(plan, found, bootstrap)
    if plan.content == "frames" and found.partitions < plan.partitions:
        lines.append(
            f"topic {plan.name} has {found.partitions} partitions, expected {plan.partitions} (PARTITIONS):"
            f" {commands.widen(plan.name, plan.partitions, bootstrap)}"
        )
    return lines


def _all_commands(settings: TopicsSettings) -> list[str]:
    plans, bootstrap = settings.plans(), settings.kafkaport
    usual = {
        "videocam": settings.topicnamein,
        "videodisplay": settings.topicnameout,
        "status": settings.topicnamestatus,
        "members": settings.topicnamemembers,
        "cameras": settings.camerastopic,
        "logouts": settings.topicnamelogouts,
    }
    by_name = {plan.name: plan for plan in plans}
    named = {name: by_name[actual] for name, actual in usual.items() if actual}
    return [*(commands.create(plan, bootstrap) for plan in plans), *rights.granting(named, bootstrap)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
