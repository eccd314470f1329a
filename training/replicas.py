"""What the replicas of an inference have reported."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from training.database.moment import shown

_FRESH: Final = timedelta(seconds=30)  # a replica reports every few seconds
_KEPT: Final = timedelta(hours=1)
_COUNTED: Final = ("answered", "exited", "sent_up", "skipped")


def noted(
    progress: Mapping[str, Any] | None, run: str, report: Mapping[str, Any], now: datetime
) -> dict[str, Any]:
    """Return the progress of an inference after a report of a run, that is, of a replica's process.

    Each process counts from 0, so what it has counted since its last report is added.
    """
    before: Mapping[str, Any] = progress or {}
    runs = dict(before.get("runs", {}))
    last = runs.get(run, {})
    totals = {
        name: before.get(name, 0) + max(0, report.get(name, 0) - last.get(name, 0)) for name in _COUNTED
    }
    runs[run] = {**report, "time": now.timestamp()}
    oldest = (now - _KEPT).timestamp()
    return {**totals, "runs": {name: each for name, each in runs.items() if each["time"] >= oldest}}


def summary(progress: Mapping[str, Any] | None, now: datetime) -> dict[str, Any]:
    """Return what clients see: totals, and those who have reported lately and run."""
    found: Mapping[str, Any] = progress or {}
    oldest = (now - _FRESH).timestamp()
    runs = found.get("runs", {}).values()
    fresh = [each for each in runs if each["time"] >= oldest and each["state"] != "stopped"]
    waiting = [each["waiting"] for each in fresh if each["waiting"] is not None]
    return {
        **{name: found.get(name, 0) for name in _COUNTED},
        "waiting": sum(waiting) if waiting else None,
        "replicas": [
            {**each, "time": shown(datetime.fromtimestamp(each["time"], now.tzinfo))} for each in fresh
        ],
    }


def condition(status: str, replicas: int, seen: Mapping[str, Any]) -> tuple[str, str | None]:
    """Return the state of an inference, given its status and its summary.

    With it comes why the inference is not `ready`, or why it has answered nothing so far.
    """
    if status != "deployed":
        return "stopped", None
    found = seen["replicas"]
    if reason := next((each["reason"] for each in found if each["reason"]), None):
        return "not-ready", reason
    if len(found) < replicas:
        return "starting", f"{len(found)} of {replicas} replicas have reported within the last 30 s"
    skipped = [each["skipped_why"] for each in found if each.get("skipped_why")]
    return "ready", skipped[0] if skipped and not (seen["answered"] or seen["sent_up"]) else None
