"""Whether Kafka is asked in time."""

import socket

import pytest
from fastapi import HTTPException

from training.api import sending


def test_a_kafka_that_is_away_is_named_with_the_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "_PATIENCE", 0.5)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # and nothing listens
        port = closed.getsockname()[1]

        with pytest.raises(HTTPException) as caught:
            sending.ask(f"127.0.0.1:{port}", "digits", {})

    assert caught.value.status_code == 503
    assert f"Kafka does not answer at 127.0.0.1:{port} (connection refused)" in str(caught.value.detail)
