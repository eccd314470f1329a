"""The aggregator of a federated training, `CASE=5`: the data stay with their owners, only weights come."""

import logging
import threading
import time
from datetime import UTC, datetime
from typing import Any, Final

from training.code.supervise import StoppedError
from training.federated import announcement, messages, saved, weights
from training.federated.aggregation import Aggregation
from training.federated.announcement import Announcement
from training.federated.clients import Terms
from training.federated.exchange import Kafka
from training.federated.messages import End, Round
from training.federated.names import Topics
from training.federated.saved import Begun, Saved
from training.federated.sending import fetch
from training.federated.strategies import Options, Server
from training.federated.weights import File
from training.job.federated_model import Model
from training.job.outcome import Outcome
from training.job.reporter import Reporter
from training.job.samples import Kept
from training.job.service import AwayError, RefusedError, Service
from training.job.settings import JobSettings

log = logging.getLogger(__name__)

_WHY_NOT: Final = {6: "incremental", 7: "distributed", 8: "distributed incremental", 9: "blockchain"}


def why_not(settings: JobSettings) -> str | None:
    """Return why a federated training of this kind cannot be done, or None."""
    if kind := _WHY_NOT.get(settings.case):
        return f"CASE={settings.case}: federated {kind} training does not exist: use CASE=5, or another mode"
    if settings.framework != "tf":
        return "FRAMEWORK=pth: PyTorch models do not say which samples they take: federate TensorFlow models"
    return None


class Aggregator:
    """Trains the model of one result with the clients that have data for it."""

    def __init__(
        self, settings: JobSettings, service: Service, kept: Kept, reporter: Reporter, stop: threading.Event
    ) -> None:
        self._settings = settings
        self._service = service
        self._kept = kept
        self._reporter = reporter
        self._stop = stop
        self._file = kept.folder / "federated.npz"
        self._topics = Topics(settings.federated_string_id, settings.federated_prefix)
        self._kafka = Kafka(settings.bootstrap_servers, settings.kafkaconfig, stop)
        self._model = Model(settings, kept, stop)
        self._began = 0.0
        self._said = ""

    def train(self) -> tuple[Outcome, dict[str, Any]]:
        """Train all rounds; leave the model in `work`, and return its metrics and what is known about it.

        Raises ValueError, CodeError and OSError with a reason, which clients get too, and StoppedError.
        """
        self._kept.prepare()
        found = saved.load(self._file, self._settings.identity)
        if found is None or not self._kept.model.exists():
            self._kept.clear()
            self._service.fetch_model(self._kept.model)
            found = Saved(self._model.begin())
        else:
            log.info("continuing a training that was interrupted")
        self._began = time.monotonic() - found.time
        aggregation = self._aggregation(found)
        self._sender = self._kafka.sender(self._note)
        self._fetching = self._kafka.consumer()
        self._updates = self._kafka.follower()
        self._updates.add(self._topics.updates, found.offsets)
        try:
            self._rounds(aggregation, found.begun)
            self._reporter.progress({"state": "exporting", **aggregation.report()})
            program = self._model.end(aggregation.weights)
        except (ValueError, OSError) as error:
            self._say(End(" ".join(str(error).split())))
            raise
        except StoppedError:
            if self._is_refused():
                self._say(End("it was stopped"))
            raise
        finally:
            for each in (self._sender, self._updates, self._fetching):
                each.close()
        fields = aggregation.history.fields()
        outcome = Outcome(
            train_metrics=fields["train_metrics"],
            val_metrics=fields["val_metrics"],
            test_metrics=None,
            training_time=round(time.monotonic() - self._began, 4),
            matrix=None,
            program=program,
        )
        return outcome, self._facts(outcome, aggregation)

    def _rounds(self, aggregation: Aggregation, begun: Begun) -> None:
        topics, settings = self._topics, self._settings
        self._save(aggregation, begun)
        self._kafka.create(self._fetching, settings.model_logger_topic, topics.rounds, topics.updates)
        self._kafka.create(self._fetching, topics.weights, weights=True)
        model = self._kept.model.read_bytes()
        place = self._sender.send_bytes(topics.weights, model)
        announced = Announcement(
            topics, begun.input_shape, begun.output_shape, settings.min_data, settings.data_restriction
        )
        self._sender.send(settings.model_logger_topic, announcement.compose(announced), None)
        if not aggregation.has_begun:
            self._wait(aggregation)
        while not aggregation.is_over:
            aggregation.begin()
            self._save(aggregation, begun)
            described, data = weights.pack(aggregation.weights)
            self._say(
                Round(
                    version=aggregation.version,
                    rounds=settings.aggregation_rounds,
                    place=self._sender.send_bytes(topics.weights, data),
                    weights=described,
                    model_place=place,
                    model=File(len(model), weights.checksum(model)),
                    batch=settings.batch,
                    seed=settings.seed,
                    arguments=settings.kwargs_fit,
                )
            )
            self._wait(aggregation)
            aggregation.close()
            self._reporter.metrics(aggregation.history.fields())
        self._save(aggregation, begun)
        self._say(End())

    def _save(self, aggregation: Aggregation, begun: Begun) -> None:
        offsets = self._updates.offsets(self._topics.updates)
        identity, elapsed = self._settings.identity, time.monotonic() - self._began
        try:
            saved.save(self._file, identity, begun, aggregation, offsets=offsets, time=elapsed)
        except OSError as error:  # after a kill, it continues with an earlier round
            log.warning("round %d is not kept: %s", aggregation.version + 1, error.strerror or error)

    def _wait(self, aggregation: Aggregation) -> None:
        """Take what clients say until the next step is due."""
        while (why := aggregation.why_waiting()) is not None:
            if self._stop.is_set():
                raise StoppedError
            if trouble := aggregation.trouble():
                raise ValueError(trouble)
            self._report(aggregation, self._updates.trouble or why)
            message = self._updates.poll()
            update = message and aggregation.take(message.key(), message.value())
            if update:
                try:
                    data = fetch(self._fetching, update.place, update.weights.size, self._stop)
                except ValueError as error:
                    aggregation.refuse(update.client, str(error))
                else:
                    aggregation.add(update, data)
        self._report(aggregation, "")

    def _report(self, aggregation: Aggregation, why: str) -> None:
        fields = {
            "state": "training" if aggregation.has_begun else "waiting",
            "reason": why[:2000] or None,
            **aggregation.report(),
        }
        if (text := repr(fields)) != self._said:
            self._said = text
            self._reporter.progress(fields)

    def _note(self, why: str) -> None:
        self._reporter.progress({"state": "waiting", "reason": why})
        self._said = ""

    def _say(self, said: Round | End) -> None:
        key = messages.result_key(self._settings.result_id)
        self._sender.send(self._topics.rounds, messages.compose_round(said), key)

    def _is_refused(self) -> bool:
        """Return whether the result was stopped; otherwise this job may be started again."""
        try:
            self._service.progress({"state": "waiting"})
        except RefusedError:
            return True
        except AwayError:
            return False
        return False

    def _aggregation(self, found: Saved) -> Aggregation:
        settings = self._settings
        options = Options(settings.agg_eta, settings.agg_beta1, settings.agg_beta2, settings.agg_tau)
        aggregation = Aggregation(
            self._topics,
            found.begun.weights,
            found.begun.trained,
            server=Server(settings.agg_strategy, options),
            terms=Terms(
                rounds=settings.aggregation_rounds,
                clients=settings.federated_clients,
                updates=settings.federated_updates,
                joining=settings.federated_joining,
                deadline=settings.federated_deadline,
            ),
        )
        found.restore(aggregation)
        return aggregation

    def _facts(self, found: Outcome, aggregation: Aggregation) -> dict[str, Any]:
        """Return what is known about the version. Where the data are is known to their owners only."""
        settings = self._settings
        imports, code = found.program or (None, None)
        return {
            "deployment": settings.deployment_id,
            "model": settings.model_name,
            "imports": imports,
            "code": code,
            "seed": settings.seed,
            "strategy": settings.agg_strategy,
            "clients": aggregation.report()["clients"],
            "metrics": {name: value for name, value in found.fields().items() if name != "confusion_matrix"},
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
        }
