"""Compares what the services count, camera by camera: `python -m pipeline.ledger`."""

import argparse
import logging
import os
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NoReturn

from pipeline.kafka import clients
from pipeline.ledger import table
from pipeline.ledger.answer import Answer, UnansweredError, ask_all
from pipeline.ledger.balance import Balance, balances
from pipeline.ledger.directory import STAGES, Directory, Process, clocks, settings_of_consumer
from pipeline.ledger.errors import LedgerError
from pipeline.ledger.settings import LedgerSettings
from pipeline.service.masking import hide
from pipeline.service.settings import SettingsError, load
from pipeline.service.values import parse_duration

_DESCRIPTION: Final = """\
Compares what the services count, and shows for each camera

  captured  = published + dropped (reasons)    of the producers
  published = labelled  + dropped (reasons)    of the consumers
  labelled  = shown     + dropped (reasons)    of each video server

The services are those that report on the topic TOPICNAMESTATUS of the Kafka at KAFKAPORT (KAFKACONFIG for
logins and TLS); each is asked at its HEALTHPORT."""

_EPILOG: Final = """\
examples:
  KAFKAPORT=localhost:9092 python -m pipeline.ledger
  KAFKAPORT=localhost:9092 python -m pipeline.ledger --camera door --json

missed: no running process has read these frames: they were lost with one that was killed, or skipped.
unread: they were sent before the first one that a running process has read.
pending: they are on their way.

exit status: 0 if all frames are accounted for, 1 if not, or if a service cannot be asked, 2 for a wrong
command line or setting, or if Kafka does not answer."""

_READ: Final = 60.0  # s for all records, also on a busy machine
_WAIT: Final = 10.0  # s
_UP_TO: Final = 600.0  # s
_PAUSE: Final = 0.1  # s between two questions


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise LedgerError(f"{message} ({self.prog} --help describes the options)")


def _wait(text: str) -> float:
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: {error}") from None
    if not isinstance(seconds, float) or not 0 <= seconds <= _UP_TO:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a duration from 0s to 10m")
    return seconds


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the options; raise `LedgerError` if one is wrong."""
    parser = _Parser(
        "python -m pipeline.ledger",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--camera", metavar="NAME", help="only this camera")
    parser.add_argument("--json", action="store_true", help="print JSON, for scripts")
    parser.add_argument(
        "--wait",
        type=_wait,
        default=_WAIT,
        metavar="DURATION",
        help="how long frames on their way may take to arrive (default: 10s)",
    )
    return parser.parse_args(arguments)


@dataclass(slots=True)
class _Outcome:
    """What was found: the balances, what to say besides, and whether every service could be asked."""

    balances: list[Balance] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    is_complete: bool = True

    @property
    def ok(self) -> bool:
        return self.is_complete and not any(row.difference for each in self.balances for row in each.rows)


def compare(directory: Directory, wait: float, camera: str | None = None) -> _Outcome:
    """Ask all services until the frames that were on their way have arrived, for `wait` s at most."""
    first, unanswered = ask_all(directory.processes())
    last, asked, elapsed = first, time.monotonic(), 0.0
    while True:
        final = elapsed >= wait
        found = balances(_only(first, camera), _only(last, camera), elapsed, final=final)
        if final or all(each.is_settled for each in found):
            break
        time.sleep(_PAUSE)
        directory.follow()
        last, unanswered = ask_all(directory.processes())
        elapsed = time.monotonic() - asked
    outcome = _Outcome(found)
    _note(outcome, last, unanswered)
    outcome.notes += table.unnumbered(found)
    if camera is not None and not found:
        known = ", ".join(sorted({name for answer in last for name in answer.cameras}))
        outcome.notes.append(f"no camera {camera!r}; there are: {known or 'none yet'}")
        outcome.is_complete = False
    return outcome


def _only(answers: Iterable[Answer], camera: str | None) -> list[Answer]:
    if camera is None:
        return list(answers)
    return [
        Answer(each.process, each.began, {camera: each.cameras[camera]} if camera in each.cameras else {})
        for each in answers
    ]


def _note(outcome: _Outcome, answers: Iterable[Answer], unanswered: dict[Process, UnansweredError]) -> None:
    for process, why in unanswered.items():
        has_ended = why.has_ended or process.is_late
        if has_ended and not process.is_current:
            continue
        place = f" at {process.health}" if process.health else ""
        rest = "it has probably ended" if has_ended else "its frames are not counted"
        outcome.notes.append(f"{process.name}{place} does not answer: {why}; {rest}")
        outcome.is_complete = outcome.is_complete and has_ended
    processes = [answer.process for answer in answers]
    outcome.notes += clocks(processes)
    for stage in STAGES:
        if not any(each.service == stage for each in processes):
            name = "video server" if stage == "video" else stage
            outcome.notes.append(f"no {name} answers: its frames cannot be compared; start one")
            outcome.is_complete = False


def main(arguments: Sequence[str]) -> int:
    """Run the command; return its exit status."""
    try:
        options = parse(arguments)
        settings = load(LedgerSettings)
        source = clients.consumer(
            settings.kafkaport, "ledger", 0.1, settings_of_consumer(settings.kafkaconfig)
        )
        directory = Directory(source, settings.topicnamestatus, settings.kafkaport)
        try:
            directory.read(_READ)
            outcome = compare(directory, options.wait, options.camera)
        finally:
            directory.close()
    except (LedgerError, SettingsError) as error:
        _say(str(error))
        return 2
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return 130
    lines = [*outcome.notes, *table.differences(outcome.balances)]
    if options.json:
        print(table.as_json(outcome.balances, [hide(line) for line in lines], ok=outcome.ok))
    elif outcome.balances:
        print(table.table(outcome.balances))
    for line in lines:
        _say(line)
    if not options.json:
        verdict = "all frames are accounted for" if outcome.ok else "not all frames are accounted for"
        count = len(outcome.balances)
        print(f"{count} {'camera' if count == 1 else 'cameras'}: {verdict}")
    return 0 if outcome.ok else 1


def _say(text: str) -> None:
    for line in text.splitlines():
        print(f"ledger: {hide(line)}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    # Whatever matters is printed by the command itself.
    logging.basicConfig(level=logging.CRITICAL)
    status = main(sys.argv[1:])
    sys.stdout.flush()
    # A client of a broker that has gone may take a while to end.
    os._exit(status)
