"""The command line, in the flags of TensorFlow Serving."""

import argparse
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

PROGRAM = "python -m tfserving.server"


@dataclass(frozen=True, slots=True)
class Flags:
    """What the server was told; the names are those of the flags."""

    port: int
    rest_api_port: int
    rest_api_num_threads: int
    rest_api_timeout_in_ms: int
    rest_api_enable_cors_support: bool
    model_name: str
    model_base_path: Path
    file_system_poll_wait_seconds: int
    max_num_load_retries: int
    load_retry_interval_micros: int
    saved_model_tags: str
    tensorflow_session_parallelism: int
    tensorflow_intra_op_parallelism: int
    tensorflow_inter_op_parallelism: int
    version: bool


def parse(arguments: Sequence[str]) -> Flags:
    """Return the flags; `--flag=value` and `--flag value` are the same.

    Exits with one line on standard error where a flag is unknown, missing or wrong.
    """
    flags = Flags(**vars(_parser().parse_args(arguments)))
    if not flags.version:
        _check(flags)
    return flags


def _check(flags: Flags) -> None:
    if not flags.rest_api_port:
        _stop("--rest_api_port must be set: REST is all this server offers, and 0 turns it off")
    if flags.rest_api_port == flags.port:
        _stop(f"--rest_api_port and --port must differ, both are {flags.port}")
    if not flags.model_base_path.parts:
        _stop("--model_base_path must be set: the folder that holds the model's numbered versions")
    if not flags.model_name:
        _stop("--model_name must not be empty")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog=PROGRAM, allow_abbrev=False, description=__doc__)
    add = parser.add_argument
    port, positive, natural = _number(0, 65535), _number(1), _number(0)
    cores = os.cpu_count() or 1
    add("--port", type=port, default=8500, help="accepted and not used: gRPC is not served")
    add("--rest_api_port", type=port, default=0, help="port of the REST API; must be set")
    add("--rest_api_num_threads", type=positive, default=4 * cores, help="requests computed at once")
    add("--rest_api_timeout_in_ms", type=positive, default=30_000, help="time limit of a request")
    _add_switch(parser, "--rest_api_enable_cors_support", "let pages of other origins ask")
    add("--model_name", default="default", help="name of the model in URLs")
    add("--model_base_path", type=Path, default=Path(), help="folder of the model's versions; must be set")
    add("--file_system_poll_wait_seconds", type=int, default=1, help="time between looks for new versions")
    add("--max_num_load_retries", type=natural, default=5, help="attempts after a first one that failed")
    add("--load_retry_interval_micros", type=natural, default=60_000_000, help="time between attempts")
    add("--saved_model_tags", default="serve", help="tags of the graph to load, separated by commas")
    for kind in ("session", "intra_op", "inter_op"):
        add(f"--tensorflow_{kind}_parallelism", type=natural, default=0, help="threads; 0: one a core")
    _add_switch(parser, "--version", "print the version and exit")
    return parser


def _add_switch(parser: argparse.ArgumentParser, flag: str, text: str) -> None:
    parser.add_argument(flag, type=_switch, nargs="?", const=True, default=False, help=text)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        _stop(message)


def _stop(message: str) -> NoReturn:
    raise SystemExit(f"{PROGRAM}: {message}")


def _number(low: int, high: int = 2**63 - 1) -> Callable[[str], int]:
    def convert(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{value} is not between {low} and {high}")
        return value

    return convert


def _switch(text: str) -> bool:
    if text.lower() not in {"true", "false", "1", "0"}:
        raise argparse.ArgumentTypeError(f"{text!r} is neither true nor false")
    return text.lower() in {"true", "1"}
