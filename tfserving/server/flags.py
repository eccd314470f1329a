"""Serve models over gRPC and REST, with the flags of TensorFlow Serving."""

import argparse
import os
from collections.abc import Callable, Sequence
from dataclasses import Field, dataclass, field, fields
from typing import Any, NoReturn

PROGRAM = "python -m tfserving.server"
IGNORED = "accepted but has no effect"


def _flag(default: Any, text: str, low: int = 0, high: int = 2**63 - 1) -> Any:
    return field(default=default, metadata={"text": text, "range": (low, high)})


def _seconds(default: int, text: str) -> Any:
    return _flag(default, text, -(2**31))


@dataclass(frozen=True, slots=True)
class Flags:
    """The values of the flags, by the flags' names."""

    host: str = _flag(
        "", "address to listen on; empty: all of this machine (not a flag of TensorFlow Serving)"
    )
    port: int = _flag(8500, "port of gRPC; 0: none", high=65535)
    grpc_socket_path: str = _flag("", "path of a UNIX socket for gRPC")
    grpc_max_threads: int = _flag(4 * (os.cpu_count() or 1), "gRPC requests processed at once", 1)
    grpc_channel_arguments: str = _flag("", "options of gRPC's server: name=value, separated by commas")
    ssl_config_file: str = _flag("", "file of an SSLConfig, as text: gRPC over TLS")
    enable_grpc_healthcheck_service: bool = _flag(False, "serve gRPC's health checks")
    enable_serialization_as_tensor_content: bool = _flag(False, "answer gRPC with tensors as bytes")
    rest_api_port: int = _flag(0, "port of the REST API; 0: none", high=65535)
    rest_api_num_threads: int = _flag(4 * (os.cpu_count() or 1), "REST requests processed at once", 1)
    rest_api_timeout_in_ms: int = _flag(30_000, "time limit of a REST request", 1)
    rest_api_enable_cors_support: bool = _flag(False, "allow requests from pages of other origins")
    model_name: str = _flag("default", "name of the model")
    model_base_path: str = _flag("", "folder with the model's versions")
    model_config_file: str = _flag(
        "", "file of a ModelServerConfig, as text; replaces the previous two flags"
    )
    model_config_file_poll_wait_seconds: int = _seconds(0, "time between reads of that file; 0: read once")
    allow_version_labels_for_unavailable_models: bool = _flag(
        False, "let new labels point to versions that are not loaded"
    )
    file_system_poll_wait_seconds: int = _seconds(1, "time between searches for new versions; 0: one search")
    max_num_load_retries: int = _flag(5, "retries after a failed attempt to load a version")
    load_retry_interval_micros: int = _flag(60_000_000, "time between attempts", -(2**63))
    num_load_threads: int = _flag(0, "versions loaded at once; 0: one per core")
    num_unload_threads: int = _flag(0, "versions unloaded at once; 0: one")
    saved_model_tags: str = _flag("serve", "tags of the graph to load, separated by commas")
    enable_signature_method_name_check: bool = _flag(
        False, "check requests against their signature's method_name"
    )
    enable_model_warmup: bool = _flag(True, "replay a version's warm-up requests when it is loaded")
    num_request_iterations_for_warmup: int = _flag(0, "how often each of them is replayed; 0: once", -(2**31))
    enable_batching: bool = _flag(False, "run requests in batches")
    batching_parameters_file: str = _flag("", "file of BatchingParameters, as text")
    enable_per_model_batching_parameters: bool = _flag(
        False, "read batching_params.pbtxt in a version's folder"
    )
    monitoring_config_file: str = _flag("", "file of a MonitoringConfig, as text: metrics for Prometheus")
    tensorflow_session_parallelism: int = _flag(0, "threads per operation and per graph; 0: one per core")
    tensorflow_intra_op_parallelism: int = _flag(0, "threads per operation, overriding the former")
    tensorflow_inter_op_parallelism: int = _flag(0, "threads per graph, overriding the former")
    version: bool = _flag(False, "print the version and exit")
    enable_profiler: bool = _flag(True, IGNORED)
    flush_filesystem_caches: bool = _flag(True, IGNORED)
    per_process_gpu_memory_fraction: float = _flag(0.0, IGNORED)
    platform_config_file: str = _flag("", IGNORED)
    remove_unused_fields_from_bundle_metagraph: bool = _flag(True, IGNORED)
    tensorflow_session_config_file: str = _flag("", IGNORED)
    thread_pool_factory_config_file: str = _flag("", IGNORED)
    xla_cpu_compilation_enabled: bool = _flag(False, IGNORED)


def parse(arguments: Sequence[str]) -> Flags:
    """Return the flags; `--flag=value` and `--flag value` mean the same.

    Exits with one line on standard error if a flag is unknown or invalid, or if flags contradict each other.
    """
    flags = Flags(**vars(_parser().parse_args(arguments)))
    if not flags.version:
        _check(flags)
    return flags


def _check(flags: Flags) -> None:
    if not flags.port and not flags.grpc_socket_path:
        _refuse("At least one of --port or --grpc_socket_path must be set")
    if flags.rest_api_port == flags.port and flags.port:
        _refuse(f"--rest_api_port and --port must differ, but both are {flags.port}")
    if not flags.model_config_file:
        if not flags.model_base_path:
            _refuse("Both --model_base_path and --model_config_file are empty!")
        if not flags.model_name:
            _refuse("--model_name must not be empty")
    if flags.batching_parameters_file and not flags.enable_batching:
        _refuse("--batching_parameters_file is set without setting --enable_batching to true.")
    threads = flags.tensorflow_intra_op_parallelism and flags.tensorflow_inter_op_parallelism
    if threads and flags.tensorflow_session_parallelism:
        _refuse(
            "Either configure --tensorflow_session_parallelism or (--tensorflow_intra_op_parallelism,"
            " --tensorflow_inter_op_parallelism) separately. You cannot configure all."
        )


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog=PROGRAM, allow_abbrev=False, description=__doc__)
    for each in fields(Flags):
        text = each.metadata["text"].replace("%", "%%")
        if isinstance(each.default, bool):
            parser.add_argument(
                f"--{each.name}", type=_switch, nargs="?", const=True, default=each.default, help=text
            )
        else:
            parser.add_argument(f"--{each.name}", type=_converter(each), default=each.default, help=text)
    return parser


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise SystemExit(f"{PROGRAM}: {message}")


def _refuse(message: str) -> NoReturn:
    raise SystemExit(f"Failed to start server. Error: INVALID_ARGUMENT: {message}")


def _converter(each: Field[Any]) -> Callable[[str], Any]:
    if isinstance(each.default, int):
        return _number(*each.metadata["range"])
    return type(each.default)


def _number(low: int, high: int) -> Callable[[str], int]:
    def convert(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"expected a whole number, found {text!r}") from None
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"expected a number from {low} to {high}, found {value}")
        return value

    return convert


def _switch(text: str) -> bool:
    if text.lower() not in {"true", "false", "1", "0"}:
        raise argparse.ArgumentTypeError(f"expected true or false, found {text!r}")
    return text.lower() in {"true", "1"}
