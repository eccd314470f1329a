"""Where a topic does not fit: one line each, with what was found, what is expected, and how to fix it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from pipeline.topics import commands
from pipeline.topics.plan import Plan

_LONG: Final = 3_600_000  # ms; frames are worth nothing after seconds
_COMPACTED: Final = {"states", "cameras", "logouts"}


_Difference = tuple[str, Mapping[str, str]]  # what was found and expected, and the settings that fix it


@dataclass(frozen=True, slots=True)
class Found:
    """A topic as Kafka describes it. `settings` is None if it does not permit this user to see them."""

    partitions: int
    replicas: int
    settings: Mapping[str, str] | None


def findings(plan: Plan, found: Found, bootstrap: str) -> list[str]:
    """Return a line for each difference that matters. More partitions, or other segments, do no harm."""
    if found.settings is None:
        return []
    differences: Iterable[_Difference] = ()
    if plan.content == "frames":
        differences = _of_frames(plan, found.settings)
    elif plan.content in _COMPACTED:
        differences = _of_records(plan, found.settings)
    lines = [
        f"topic {plan.name} {text}: {commands.change(plan.name, fix, bootstrap)}" for text, fix in differences
    ]
    if line := _replicas(plan, found):
        lines.append(line)
    return lines


def _of_frames(plan: Plan, settings: Mapping[str, str]) -> Iterator[_Difference]:
    accepted = _number(settings, "max.message.bytes")
    if accepted is not None and accepted < plan.message_bytes:
        name = "max.message.bytes"
        yield (
            f"accepts messages of {accepted} bytes, expected {plan.message_bytes} for the largest frame of"
            " MAXPIXELS pixels",
            {name: str(plan.message_bytes)},
        )
    policy = settings.get("cleanup.policy", "delete")
    if "delete" not in policy:
        yield (
            f"has cleanup.policy={policy}, which keeps old frames, expected delete",
            {"cleanup.policy": "delete"},
        )
    kept, limited = _number(settings, "retention.ms"), _number(settings, "retention.bytes")
    if kept is not None and not 0 <= kept <= _LONG and (limited is None or limited < 0):
        fix = {name: plan.settings[name] for name in ("retention.ms", "segment.ms")}
        yield f"keeps frames {_time(kept)}, which fills the disk, expected a minute", fix


def _of_records(plan: Plan, settings: Mapping[str, str]) -> Iterator[_Difference]:
    policy = settings.get("cleanup.policy", "delete")
    expected = plan.settings["cleanup.policy"]
    if "compact" not in policy:
        yield (
            f"has cleanup.policy={policy}, which loses or piles up records, expected {expected}",
            dict(plan.settings),
        )
    elif plan.content == "cameras" and "delete" in policy:
        yield (
            f"has cleanup.policy={policy}, which removes cameras after a time, expected {expected}",
            {"cleanup.policy": expected},
        )


def _replicas(plan: Plan, found: Found) -> str | None:
    least = _number(found.settings or {}, "min.insync.replicas")
    # Frames and states are acknowledged by one broker; these records by all replicas.
    if plan.content not in {"cameras", "logouts"} or least is None or least <= found.replicas:
        return None
    return (
        f"topic {plan.name} has {found.replicas} replicas and min.insync.replicas={least}, so nothing can be"
        " written to it: add replicas with kafka-reassign-partitions.sh, or lower min.insync.replicas"
    )


def _number(settings: Mapping[str, str], name: str) -> int | None:
    try:
        return int(settings[name])
    except (KeyError, ValueError):
        return None


def _time(milliseconds: int) -> str:
    if milliseconds < 0:
        return "without a limit"
    hours = milliseconds / 3_600_000
    return f"for {hours / 24:.0f} days" if hours >= 48 else f"for {hours:.0f} hours"
