"""Creates, changes and deletes what the cluster has of a run."""

from collections.abc import Mapping

from training.runners.cluster import manifests
from training.runners.cluster.api import Cluster, Manifest
from training.runners.cluster.manifests import Kit
from training.runners.runner import Run


class Objects:
    """The objects of runs, made as a kit says. All methods raise ClusterError."""

    def __init__(self, cluster: Cluster, kit: Kit) -> None:
        self._cluster = cluster
        self._kit = kit

    def add_job(self, run: Run, *, is_suspended: bool) -> Manifest:
        """Create the Job of a training, and what belongs to it; return the Job."""
        job = manifests.job(run, self._kit, is_suspended=is_suspended)
        self._add_secret(run.name, run.variables)
        self._cluster.create(manifests.claim(run.name, self._kit))
        return self._cluster.create(job)

    def start_job(self, name: str) -> Manifest:
        """Let a suspended Job run; return it."""
        return self._cluster.change("Job", name, {"spec": {"suspend": False}})

    def remove_job(self, name: str) -> None:
        """Delete a Job, and what belongs to it."""
        self._cluster.delete("Job", name)
        self._cluster.delete("PersistentVolumeClaim", name)
        self._cluster.delete("Secret", name)

    def add_deployment(self, run: Run, name: str) -> None:
        """Create the Deployment of an inference with one replica, and what belongs to it."""
        self._add_secret(name, run.variables)
        self._cluster.create(manifests.deployment(run, name, self._kit))

    def scale(self, name: str, replicas: int) -> None:
        """Change the number of a Deployment's replicas."""
        self._cluster.change("Deployment", name, {"spec": {"replicas": replicas}})

    def remove_deployment(self, name: str) -> None:
        """Delete a Deployment, and what belongs to it."""
        self._cluster.delete("Deployment", name)
        self._cluster.delete("Secret", name)

    def _add_secret(self, name: str, variables: Mapping[str, str]) -> None:
        if secret := manifests.secret(name, variables):
            self._cluster.delete("Secret", name)
            self._cluster.create(secret)
