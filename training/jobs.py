"""What becomes of the runs of trainings and inferences, and what they wait for."""

import logging
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from training.chains import chain_of
from training.database.engine import Database
from training.database.moment import now
from training.database.tables import ACTIVE, Inference, Model, Result
from training.runners.runner import Runner, Waiting
from training.runs import (
    Places,
    inference_addresses,
    inference_names,
    parsed,
    training_addresses,
    training_name,
)

log = logging.getLogger(__name__)

_STARTS: Final = 4  # of a job that is killed, or ends with an error that it does not report
_NAMED: Final = 3  # results that one waits for; of more, only the number is shown


def queued(session: Session, runner: Runner) -> dict[int, dict[str, Any]]:
    """Return the results that wait for their turn: the id → its `progress`, with its place and the reason."""
    found = {
        parsed(each.name)[1]: {"state": "queued", "place": place, "reason": _reason(each)}
        for place, each in enumerate(runner.waiting(), 1)
    }
    if found:  # the other parts of a chain wait with the lowest
        is_part = Result.id.in_(found), Model.distributed.is_(True)
        for lowest in session.scalars(select(Result).join(Result.model).where(*is_part)).all():
            found |= {each.id: found[lowest.id] for each in chain_of(lowest)}
    return found


def _reason(waiting: Waiting) -> str:
    results = [str(parsed(name)[1]) for name in waiting.behind]
    if not results:
        return waiting.why
    if len(results) > _NAMED:
        return f"waits for one of {len(results)} results that are trained ({waiting.why})"
    return f"waits for result {' or '.join(results)} ({waiting.why})"


class Outcome:
    """Decides what becomes of runs that have ended by themselves."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def ended(self, name: str, status: int | None, starts: int) -> bool:
        """Return whether to start a run again; if not, write down that it has failed."""
        kind, number = parsed(name)
        try:
            return self._training(number, status, starts) if kind == "training" else self._inference(number)
        except DBAPIError:
            log.warning("%s has ended, but the database does not answer: starting it again", name)
            return True

    def _training(self, number: int, status: int | None, starts: int) -> bool:
        with self._database.writing() as session:
            result = session.get(Result, number)
            active = [] if result is None else [each for each in chain_of(result) if each.status in ACTIVE]
            if not active:
                return False
            if status != 0 and (starts < _STARTS or _goes_on(active[0], status)):
                log.warning("the job of result %d has ended (%s): starting it again", number, _how(status))
                return True
            times = f" {starts} times" if starts > 1 else ""
            why = f"the job ended{times} without a result ({_how(status)}): see its log"
            for each in active:
                each.become("stopped", "failed", why)
            return False

    def _inference(self, number: int) -> bool:
        with self._database.reading() as session:
            status = session.scalar(select(Inference.status).where(Inference.id == number))
        return status == "deployed"


def _goes_on(result: Result, status: int | None) -> bool:
    """Return whether a job is killed and started again as often as it takes: in months, that may be often."""
    return result.deployment.incremental and (status is None or status < 0)


def recover(database: Database, runner: Runner, places: Places) -> None:
    """Note the failure of results whose runs are lost, such as with their folder, and stop all other runs.

    Those that go on learn where Kafka and the service are now.
    """
    names = runner.names()
    with database.writing() as session:
        for result in session.scalars(select(Result).where(Result.status.in_(ACTIVE))):
            chain = chain_of(result)
            name = training_name(chain[0].id)
            runner.renew(name, training_addresses(chain, places))
            if name not in names:
                result.become("stopped", "failed", "the service was restarted, and found nothing of its job")
                log.warning("result %d: %s", result.id, result.reason)
        for inference in session.scalars(select(Inference).where(Inference.status == "deployed")):
            for name in inference_names(inference):
                runner.renew(name, inference_addresses(inference, places))
            if inference.model_result_id is not None and not {*inference_names(inference)} & names:
                inference.status, inference.status_changed = "stopped", now()
                inference.reason = "the service was restarted, and found nothing of its runs"
        unwanted = [name for name in sorted(names) if not _is_wanted(session, name)]
    for name in unwanted:
        log.warning("%s should not run any more: stopping it", name)
        runner.stop(name)


def _is_wanted(session: Session, name: str) -> bool:
    """Return whether a run should go on: its result may be finished, and the job about to end."""
    kind, number = parsed(name)
    if kind == "training":
        result = session.get(Result, number)
        return result is not None and any(each.status != "stopped" for each in chain_of(result))
    inference = session.get(Inference, number)
    return inference is not None and inference.status == "deployed"


def _how(status: int | None) -> str:
    if status is None:
        return "its exit status is not known"
    return f"killed by signal {-status}" if status < 0 else f"exit status {status}"
