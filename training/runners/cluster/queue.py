"""The order of trainings in a cluster: which of them wait, and for what."""

from collections.abc import Mapping, Sequence

from training.runners.cluster import state
from training.runners.cluster.api import Manifest
from training.runners.runner import Waiting


def running(jobs: Mapping[str, Manifest]) -> list[str]:
    """Return the names of the Jobs that have had their turn, and have not ended."""
    return [name for name, job in jobs.items() if not state.is_suspended(job) and not state.is_finished(job)]


def unplaced(jobs: Mapping[str, Manifest], pods: Mapping[str, Sequence[Manifest]]) -> dict[str, str]:
    """Return the Jobs that have had their turn, but no node has taken them yet: the name → why."""
    return {name: _why(name, pods[name]) for name in running(jobs) if not state.is_placed(pods[name])}


def waiting(
    jobs: Mapping[str, Manifest],
    pods: Mapping[str, Sequence[Manifest]],
    refused: Mapping[str, str],
    most: int,
) -> list[Waiting]:
    """Return the trainings that wait, in the order of their creation.

    `jobs` are in this order, `pods` are those of each Job, and `refused` are the runs behind them whose Jobs
    the cluster does not accept: the name → why. At most `most` run at a time.
    """
    turns = running(jobs)
    found = [Waiting(name, why) for name, why in unplaced(jobs, pods).items()]
    is_full = len(turns) >= most
    why = f"MAXRUNS={most}" if is_full else "the cluster is full"
    suspended = [name for name, job in jobs.items() if state.is_suspended(job)]
    for name in (*suspended, *refused):
        if found:
            found.append(Waiting(name, why, [found[-1].name]))
        elif is_full:
            found.append(Waiting(name, why, turns))
        else:
            found.append(Waiting(name, refused.get(name) or "it is started in a moment"))
    return found


def _why(name: str, pods: Sequence[Manifest]) -> str:
    newest = state.in_order(pods)[-1:]
    if not newest:
        return f"the cluster has no pod for it yet: a quota may be full (kubectl describe job {name})"
    return state.trouble(newest[0]) or "no node has taken its pod yet"
