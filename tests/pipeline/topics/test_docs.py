"""The page about an existing Kafka lists the topics and rights as they are."""

import re

from pipeline.topics import rights
from pipeline.topics.settings import TopicsSettings
from tests.parts import ROOT

PAGE = (ROOT / "docs/kafka.md").read_text()


def rows(heading: str) -> list[list[str]]:
    """Return the rows of a section's table, as lists of cells."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    cells = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in cells[2:]]


def test_the_topics_are_listed_with_their_settings() -> None:
    listed = {
        row[0].strip("`"): (int(row[1].split()[0]), dict(re.findall(r"`([\w.]+)=([\w,]+)`", row[2])))
        for row in rows("Topics")
    }

    assert listed == {plan.name: (plan.partitions, dict(plan.settings)) for plan in TopicsSettings().plans()}


def test_the_rights_are_listed() -> None:
    listed: dict[str, dict[str, tuple[str, ...]]] = {}
    for user, topics, operations in rows("Rights"):
        for topic in re.findall(r"`(\w+)`", topics):
            listed.setdefault(user.strip("`"), {})[topic] = tuple(operations.split(", "))

    assert listed == rights.RIGHTS
