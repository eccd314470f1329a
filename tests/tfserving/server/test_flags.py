"""The command line accepts TensorFlow Serving's flags."""

import re

import pytest

from tests.k8s.flags import FLAGS as DOCUMENTED
from tfserving.server import flags

ENOUGH = ["--rest_api_port=8501", "--model_base_path=/models/m"]


@pytest.mark.parametrize("arguments", [ENOUGH, [part for flag in ENOUGH for part in flag.split("=")]])
def test_a_flag_takes_its_value_after_an_equals_sign_or_a_space(arguments: list[str]) -> None:
    options = flags.parse(arguments)

    assert options.rest_api_port == 8501
    assert options.model_base_path == "/models/m"


def test_the_defaults_are_those_of_tensorflow_serving() -> None:
    options = flags.parse(["--model_base_path=/models/m"])

    assert options.model_name == "default"
    assert options.port == 8500
    assert options.rest_api_port == 0
    assert options.rest_api_timeout_in_ms == 30_000
    assert options.file_system_poll_wait_seconds == 1
    assert options.model_config_file_poll_wait_seconds == 0
    assert options.max_num_load_retries == 5
    assert options.load_retry_interval_micros == 60_000_000
    assert options.num_request_iterations_for_warmup == 0
    assert options.saved_model_tags == "serve"
    switches = {name for name in flags.Flags.__slots__ if getattr(options, name) is True}
    assert switches == {
        "enable_model_warmup",
        "enable_profiler",
        "flush_filesystem_caches",
        "remove_unused_fields_from_bundle_metagraph",
    }


def test_what_tensorflow_serving_takes_is_taken() -> None:
    for name, pattern in DOCUMENTED.items():
        text = next(text for text in ("1", "0.5", "true") if re.fullmatch(pattern, f"={text}"))

        value = getattr(flags.parse([*ENOUGH, "--enable_batching", f"--{name}={text}"]), name)

        assert str(value).lower() in {text, f"{text}.0"}, name


@pytest.mark.parametrize(("text", "value"), [("", True), ("=true", True), ("=false", False), ("=0", False)])
def test_switches_may_have_a_value(text: str, value: bool) -> None:
    options = flags.parse([*ENOUGH, f"--rest_api_enable_cors_support{text}"])

    assert options.rest_api_enable_cors_support is value


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (ENOUGH[:1], "Both --model_base_path and --model_config_file are empty!"),
        (
            [*ENOUGH, "--port=0"],
            "Failed to start server. Error: INVALID_ARGUMENT: At least one of --port or --grpc_socket_path",
        ),
        ([*ENOUGH, "--batching_parameters_file=x"], "is set without setting --enable_batching to true"),
        (
            [
                *ENOUGH,
                *(f"--tensorflow_{kind}_parallelism=1" for kind in ("session", "intra_op", "inter_op")),
            ],
            "You cannot configure all.",
        ),
        ([*ENOUGH, "--rest_api_port=x"], "argument --rest_api_port: expected a whole number, found 'x'"),
        ([*ENOUGH, "--rest_api_port=65536"], "argument --rest_api_port: expected a number from 0 to 65535"),
        ([*ENOUGH, "--port=8501"], "8501"),
        ([*ENOUGH, "--model_name="], "--model_name must not be empty"),
        ([*ENOUGH, "--rest_api_num_threads=0"], "argument --rest_api_num_threads: expected a number from 1"),
        ([*ENOUGH, "--rest_api_enable_cors_support=x"], "expected true or false, found 'x'"),
        ([*ENOUGH, "--enable_batch"], "unrecognized arguments: --enable_batch"),
        ([*ENOUGH, "--rest_api"], "unrecognized arguments: --rest_api"),
    ],
)
def test_wrong_flags_are_reported_in_one_line(arguments: list[str], complaint: str) -> None:
    with pytest.raises(SystemExit) as caught:
        flags.parse(arguments)

    message = str(caught.value)
    assert complaint in message
    assert "\n" not in message


def test_a_config_file_replaces_the_model_flags() -> None:
    assert flags.parse(["--model_config_file=/c", "--model_name="]).model_config_file == "/c"


def test_a_unix_socket_can_replace_the_port() -> None:
    assert flags.parse([*ENOUGH, "--port=0", "--grpc_socket_path=/s"]).port == 0


def test_the_version_needs_no_other_flag() -> None:
    assert flags.parse(["--version"]).version
