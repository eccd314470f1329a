"""The command line is TensorFlow Serving's."""

from pathlib import Path

import pytest

from tfserving.server import flags

ENOUGH = ["--rest_api_port=8501", "--model_base_path=/models/m"]


@pytest.mark.parametrize("arguments", [ENOUGH, [part for flag in ENOUGH for part in flag.split("=")]])
def test_a_flag_takes_its_value_after_a_sign_or_a_space(arguments: list[str]) -> None:
    options = flags.parse(arguments)

    assert options.rest_api_port == 8501
    assert options.model_base_path == Path("/models/m")


def test_the_defaults_are_those_of_tensorflow_serving() -> None:
    options = flags.parse(ENOUGH)

    assert options.model_name == "default"
    assert options.port == 8500
    assert options.rest_api_timeout_in_ms == 30_000
    assert options.file_system_poll_wait_seconds == 1
    assert options.max_num_load_retries == 5
    assert options.load_retry_interval_micros == 60_000_000
    assert not options.rest_api_enable_cors_support


@pytest.mark.parametrize(("text", "value"), [("", True), ("=true", True), ("=false", False), ("=0", False)])
def test_switches_may_have_a_value(text: str, value: bool) -> None:
    options = flags.parse([*ENOUGH, f"--rest_api_enable_cors_support{text}"])

    assert options.rest_api_enable_cors_support is value


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "--rest_api_port must be set"),
        ([*ENOUGH, "--rest_api_port=0"], "--rest_api_port must be set"),
        ([*ENOUGH, "--rest_api_port=x"], "argument --rest_api_port: 'x' is not a whole number"),
        ([*ENOUGH, "--rest_api_port=65536"], "argument --rest_api_port: 65536 is not between 0 and 65535"),
        ([*ENOUGH, "--port=8501"], "--rest_api_port and --port must differ, both are 8501"),
        (ENOUGH[:1], "--model_base_path must be set"),
        ([*ENOUGH, "--model_name="], "--model_name must not be empty"),
        ([*ENOUGH, "--rest_api_num_threads=0"], "argument --rest_api_num_threads: 0 is not between 1"),
        ([*ENOUGH, "--rest_api_enable_cors_support=x"], "'x' is neither true nor false"),
        ([*ENOUGH, "--enable_batching"], "unrecognized arguments: --enable_batching"),
        ([*ENOUGH, "--rest_api"], "unrecognized arguments: --rest_api"),
    ],
)
def test_wrong_flags_are_told_in_one_line(arguments: list[str], complaint: str) -> None:
    with pytest.raises(SystemExit) as caught:
        flags.parse(arguments)

    message = str(caught.value)
    assert complaint in message
    assert "\n" not in message


def test_the_version_needs_no_other_flag() -> None:
    assert flags.parse(["--version"]).version
