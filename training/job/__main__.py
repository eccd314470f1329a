"""Trains one model: `python -m training.job`."""

import os
import signal

if __name__ == "__main__":
    # As process 1 of a container, it would otherwise get no signal while the imports take a while.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(143))

import threading
from typing import Final

from pipeline.service import startup
from training.backend import Backend
from training.job.chain_job import ChainJob
from training.job.chain_service import ChainService
from training.job.chain_settings import ChainSettings
from training.job.federated_job import FederatedJob
from training.job.job import Job
from training.job.service import Service
from training.job.settings import JobSettings
from training.job.stream_job import StreamJob

_CHAIN: Final = 3  # Kafka-ML's numbers for kinds of training
_KINDS: Final[dict[int, type[Job]]] = {2: StreamJob, **dict.fromkeys(range(5, 10), FederatedJob)}


def serve(settings: JobSettings) -> int:
    """Run the job; return 0 when the service knows its outcome."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    backend = Backend(settings.result_token.get_secret_value(), settings.result_certificate)
    if isinstance(settings, ChainSettings):
        services = [Service(url, stop, backend=backend) for url in settings.urls]
        return ChainJob(settings, ChainService(services), stop).run()
    kind = _KINDS.get(settings.case, Job)
    return kind(settings, Service(settings.result_url, stop, backend=backend), stop).run()


if __name__ == "__main__":
    kind = ChainSettings if os.environ.get("CASE") == str(_CHAIN) else JobSettings
    startup.main("training.job", kind, serve)
