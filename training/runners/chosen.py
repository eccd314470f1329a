"""The runner that `RUNNER` names."""

import os
from typing import Final

from pipeline.service.settings import SettingsError
from training.runners.process import ProcessRunner
from training.runners.runner import Ended, SteppedRunner
from training.settings import TrainingSettings

# What jobs may know of this service's settings.
_SHARED: Final = frozenset({"KAFKACONFIG", "LOGLEVEL", "LOGFORMAT", "MODELSTORE", "STATEFOLDER"})
_IN_PODS: Final = ("LOGLEVEL", "LOGFORMAT")
_FRAMEWORKS: Final = {"tf", "pth"}


def runner(settings: TrainingSettings, ended: Ended) -> SteppedRunner:
    """Return the runner. Raises SettingsError if there cannot be such a one."""
    if settings.runner == "kubernetes":
        return _cluster_runner(settings, ended)
    private = {name.upper() for name in TrainingSettings.model_fields} - _SHARED
    folder = settings.datafolder / "runs"
    return ProcessRunner(folder, settings.maxruns, private, ended, ends=settings.endruns)


def _cluster_runner(settings: TrainingSettings, ended: Ended) -> SteppedRunner:
    if not settings.backendurl:
        raise SettingsError(
            "BACKENDURL='': expected where pods reach this service, such as http://training-service:8080"
        )
    if lacking := _FRAMEWORKS - settings.jobimages.keys():
        raise SettingsError(f"JOBIMAGES: expected an image for {' and '.join(sorted(lacking))}, found none")
    # Its client takes 40 MB of memory.
    from training.runners.cluster.api import ClusterError, connect  # noqa: PLC0415
    from training.runners.cluster.manifests import Kit  # noqa: PLC0415
    from training.runners.cluster.runner import ClusterRunner  # noqa: PLC0415

    kit = Kit(
        images=settings.jobimages,
        training=settings.jobresources,
        inference=settings.inferenceresources,
        storage=settings.jobstorage,
        storage_class=settings.jobstorageclass,
        priority_class=settings.jobpriorityclass,
        variables={name: os.environ[name] for name in _IN_PODS if os.environ.get(name)},
    )
    try:
        return ClusterRunner(connect(), settings.datafolder / "runs", settings.maxruns, kit, ended)
    except ClusterError as error:
        raise SettingsError(f"RUNNER='kubernetes': {error}") from None
