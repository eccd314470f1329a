"""What all gRPC methods have in common."""

from types import SimpleNamespace
from typing import NoReturn

import pytest

from tfserving.server.errors import Code, ServingError
from tfserving.server.inference import aliases
from tfserving.server.rpc import calls
from tfserving.server.rpc.calls import LONGEST_CALL, Call, ModelRef


class Spec:
    """Stands for a ModelSpec."""

    def __init__(self, name: str = "toy", version: int | None = None, label: str | None = None) -> None:
        self.name = name
        self.signature_name = ""
        self.version = SimpleNamespace(value=version)
        self.version_label = label
        self._choice = "version" if version is not None else "version_label" if label is not None else None

    def WhichOneof(self, _: str) -> str | None:  # noqa: N802 # protobuf's name
        """Return the choice."""
        return self._choice


class Request:
    """Stands for a request."""

    def __init__(self, spec: Spec | None) -> None:
        self.model_spec = spec

    def HasField(self, name: str) -> bool:  # noqa: N802 # protobuf's name
        """Whether there is a ModelSpec."""
        return getattr(self, name) is not None


@pytest.mark.parametrize(
    ("spec", "ref"),
    [
        (Spec(), ModelRef("toy", None, None)),
        (Spec(version=7), ModelRef("toy", 7, None)),
        (Spec(label="stable"), ModelRef("toy", None, "stable")),
    ],
)
def test_a_request_names_a_model_and_maybe_a_version(spec: Spec, ref: ModelRef) -> None:
    assert calls.model_ref(Request(spec)) == ref


@pytest.mark.parametrize(("spec", "text"), [(None, "Missing ModelSpec"), (Spec(""), "no name")])
def test_a_request_that_names_no_model_is_invalid(spec: Spec | None, text: str) -> None:
    with pytest.raises(ServingError, match=text) as caught:
        calls.model_ref(Request(spec))

    assert caught.value.code == Code.INVALID_ARGUMENT


def test_an_answer_names_the_version_that_answered() -> None:
    spec, bare = Spec(""), Spec("")

    calls.fill_spec(spec, "toy", "serving_default", 7)
    calls.fill_spec(bare, "toy", None, None)

    assert (spec.name, spec.signature_name, spec.version.value) == ("toy", "serving_default", 7)
    assert (bare.name, bare.signature_name, bare.version.value) == ("toy", "", None)


@pytest.mark.parametrize(
    ("given", "seconds"),
    [(2, 2), (None, LONGEST_CALL), (1e9, LONGEST_CALL)],
)
@pytest.mark.exceeds("tfserving.server.rpc.calls.LONGEST_CALL")
def test_the_time_that_remains(given: float | None, seconds: float) -> None:
    assert 0 < Call(given).remaining() <= seconds


def test_a_client_that_has_gone_waits_for_nothing() -> None:
    call = Call(2)
    call.has_gone = True

    with pytest.raises(ServingError) as caught:
        call.remaining()

    assert caught.value.code == Code.CANCELLED


def fail(error: Exception) -> NoReturn:
    raise error


def test_a_failure_becomes_a_status(caplog: pytest.LogCaptureFixture) -> None:
    assert calls.outcome(lambda: "answer") == ("answer", Code.OK, "")
    assert calls.outcome(lambda: fail(ServingError(Code.NOT_FOUND, "no"))) == (None, Code.NOT_FOUND, "no")
    assert calls.outcome(lambda: fail(KeyError("secret"))) == (
        None,
        Code.INTERNAL,
        "Internal error: KeyError",
    )
    assert "secret" in caplog.text


@pytest.mark.parametrize(
    ("message", "details"),
    [("short", "short"), ("x" * 2000, "x" * 1024 + "...TRUNCATED"), ("ä" * 1000, "ä" * 512 + "...TRUNCATED")],
)
def test_a_long_message_is_cut_between_characters(message: str, details: str) -> None:
    assert calls.details(message) == details


def test_inputs_that_a_signature_does_not_have_are_named() -> None:
    error = aliases.wrong_size({"x", "z"}, {"x", "y", "w"})

    assert error.code == Code.INVALID_ARGUMENT
    assert "Sent extra: {z}. Missing but required: {w,y}" in str(error)
