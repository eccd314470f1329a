"""One federated training, from its clients to its result."""

from training.job.federated import Aggregator, why_not
from training.job.job import Job


class FederatedJob(Job):
    """Trains the model of one result where the data are. It can be killed at any moment, as `Job`."""

    def _train(self) -> str | None:
        """Aggregate all rounds, and upload; return what kept the model from the model store."""
        if why := why_not(self._settings):
            raise ValueError(why)
        aggregator = Aggregator(self._settings, self._service, self._kept, self._reporter, self._stop)
        return self._finish(*aggregator.train())
