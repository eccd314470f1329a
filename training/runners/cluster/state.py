"""What the cluster says about Jobs and pods."""

from collections.abc import Iterable
from typing import Any

from training.runners.cluster.api import Manifest
from training.runners.cluster.manifests import RETRIES, RUN


def name_of(thing: Manifest) -> str:
    """Return an object's name."""
    return str(thing["metadata"]["name"])


def run_of(thing: Manifest) -> str:
    """Return the name of the run that an object belongs to."""
    return str(thing["metadata"].get("labels", {}).get(RUN, ""))


def kept(things: Iterable[Manifest]) -> dict[str, Manifest]:
    """Return the objects that are not being deleted, by their names, in the order of their creation."""
    return {name_of(each): each for each in in_order(things) if not each["metadata"].get("deletionTimestamp")}


def is_suspended(job: Manifest) -> bool:
    """Return whether a Job waits for its turn."""
    return bool(job["spec"].get("suspend"))


def is_finished(job: Manifest) -> bool:
    """Return whether a Job has ended, and is not tried again."""
    return any(_is_true(each, "Complete") or _is_true(each, "Failed") for each in _conditions(job))


def starts(job: Manifest) -> int:
    """Return how often a finished Job was started."""
    if any(_is_true(each, "Failed") for each in _conditions(job)):
        return max(int(job["status"].get("failed") or 0), RETRIES + 1)
    return int(job["status"].get("failed") or 0) + 1


def is_placed(pods: Iterable[Manifest]) -> bool:
    """Return whether a node has taken the newest of a Job's pods."""
    newest = in_order(pods)[-1:]
    return any(
        has_started(pod) or has_ended(pod) or any(_is_true(each, "PodScheduled") for each in _conditions(pod))
        for pod in newest
    )


def exit_status(job: Manifest, pods: Iterable[Manifest]) -> int | None:
    """Return how a finished Job has ended: negative for a signal, None if that is not known."""
    if any(_is_true(each, "Complete") for each in _conditions(job)):
        return 0
    code = None
    for pod in in_order(pods):
        ended = _container(pod).get("state", {}).get("terminated")
        code = ended["exitCode"] if ended else code
    if code is None:
        return None
    # As shells do, runtimes add 128 to the number of a signal.
    return 128 - code if code > 128 else int(code)


def in_order(things: Iterable[Manifest]) -> list[Manifest]:
    """Return objects in the order of their creation; numbers in names decide between those of one second."""
    return sorted(things, key=lambda each: (each["metadata"]["creationTimestamp"], _number(name_of(each))))


def has_started(pod: Manifest) -> bool:
    """Return whether a pod's container has a log."""
    container = _container(pod)
    states = container.get("state", {})
    return "running" in states or "terminated" in states or bool(container.get("restartCount"))


def has_ended(pod: Manifest) -> bool:
    """Return whether a pod's container is not started again."""
    return pod.get("status", {}).get("phase") in ("Succeeded", "Failed")


def troubles(pods: Iterable[Manifest]) -> list[str]:
    """Return what keeps each of the pods that have not started from running."""
    waiting = (pod for pod in pods if not has_started(pod))
    return [f"{name_of(pod)} waits: {why}" for pod in waiting if (why := trouble(pod))]


def trouble(pod: Manifest) -> str | None:
    """Return in one line what keeps a pod from running, or what has ended it; None if nothing does."""
    for each in _conditions(pod):
        if each["type"] == "PodScheduled" and each["status"] == "False":
            return _line("no node has room for it", each)
    states = _container(pod).get("state", {})
    waiting, ended = states.get("waiting"), states.get("terminated")
    if waiting and waiting.get("reason") not in (None, "ContainerCreating", "PodInitializing"):
        return _line(str(waiting["reason"]), waiting)
    if ended and ended.get("exitCode"):
        return _line(f"it ended with exit status {ended['exitCode']} ({ended.get('reason', 'Error')})", ended)
    return None


def _container(pod: Manifest) -> Manifest:
    found: list[Manifest] = pod.get("status", {}).get("containerStatuses") or [{}]
    return found[0]


def _conditions(thing: Manifest) -> list[Manifest]:
    found: list[Manifest] = thing.get("status", {}).get("conditions") or []
    return found


def _is_true(condition: Manifest, kind: str) -> bool:
    return bool(condition["type"] == kind and condition["status"] == "True")


def _line(what: str, more: Any) -> str:
    said = " ".join(str(more.get("message") or "").split())
    return f"{what}: {said}" if said else what


def _number(name: str) -> int:
    last = name.rpartition("-")[2]
    return int(last) if last.isascii() and last.isdecimal() else 0
