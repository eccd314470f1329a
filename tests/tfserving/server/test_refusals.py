"""The log lines of requests that fail."""

import logging

import pytest

from pipeline.service.logs import Seldom
from tfserving.server import refusals
from tfserving.server.errors import Code


def test_each_kind_is_logged_once_in_a_minute(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusals, "_seldom", Seldom(logging.getLogger(refusals.__name__)))

    for _ in range(3):
        refusals.log("REST", Code.UNAVAILABLE, "try\nagain")
        refusals.log("gRPC", Code.UNAVAILABLE, "try again")
        refusals.log("REST", Code.CANCELLED, "gone")

    assert caplog.messages == [
        "A request over REST failed: UNAVAILABLE: try again",
        "A request over gRPC failed: UNAVAILABLE: try again",
    ]
