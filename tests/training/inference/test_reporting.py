from typing import Any

import pytest

from tests.training.inference.fakes import Stopping
from training.inference.counts import Counts
from training.inference.reporting import Reporter
from training.job.service import AwayError, RefusedError


class FakeTarget:
    """Keeps the reports, or raises `error`."""

    def __init__(self) -> None:
        self.reports = list[dict[str, Any]]()
        self.error: Exception | None = None

    def progress(self, fields: dict[str, Any]) -> None:
        self.reports.append(fields)
        if self.error is not None:
            raise self.error


def test_a_replica_reports_when_its_state_changes() -> None:
    target, counts, reasons = FakeTarget(), Counts(), ["loading", "loading", None, None]
    reporter = Reporter(
        target, counts, condition=lambda: reasons.pop(0), health="127.0.0.1:9", stopping=Stopping(9)
    )

    reporter.step()
    reporter.step()
    counts.add(3, {"value": 2})
    counts.waiting = 7
    reporter.step()
    reporter.step()

    first, second = target.reports
    assert first == {
        "run": second["run"],
        "health": "127.0.0.1:9",
        "state": "not-ready",
        "reason": "loading",
        "answered": 0,
        "skipped": 0,
        "skipped_why": None,
        "waiting": None,
    }
    assert second["state"] == "ready"
    assert (second["answered"], second["skipped"], second["waiting"]) == (3, 2, 7)


def test_the_last_report_has_all_counts_and_says_that_it_ends(caplog: pytest.LogCaptureFixture) -> None:
    target, counts = FakeTarget(), Counts()
    reporter = Reporter(target, counts, condition=lambda: "stopping", health="", stopping=Stopping(9))
    counts.add(3, {})
    target.error = RefusedError("the inference was stopped")

    reporter.close()

    (report,) = target.reports
    assert (report["state"], report["reason"], report["answered"]) == ("stopped", None, 3)
    assert caplog.text == ""


@pytest.mark.parametrize("error", [AwayError("it does not answer"), RefusedError("it was stopped")])
def test_a_report_that_is_not_taken_is_logged(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    target = FakeTarget()
    target.error = error
    reporter = Reporter(target, Counts(), condition=lambda: None, health="", stopping=Stopping(9))

    reporter.send(None)

    assert f"the report was not sent: {error}" in caplog.text
