"""The flags of TensorFlow Serving, as `tensorflow_model_server --help` lists them.

Those that it calls experimental are left out.
"""

import re
from typing import Final

_TEXTS: Final = (
    "batching_parameters_file",
    "grpc_channel_arguments",
    "grpc_socket_path",
    "model_base_path",
    "model_config_file",
    "model_name",
    "monitoring_config_file",
    "platform_config_file",
    "saved_model_tags",
    "ssl_config_file",
    "tensorflow_session_config_file",
    "thread_pool_factory_config_file",
)
_NUMBERS: Final = (
    "file_system_poll_wait_seconds",
    "grpc_max_threads",
    "load_retry_interval_micros",
    "max_num_load_retries",
    "model_config_file_poll_wait_seconds",
    "num_load_threads",
    "num_request_iterations_for_warmup",
    "num_unload_threads",
    "port",
    "rest_api_num_threads",
    "rest_api_port",
    "rest_api_timeout_in_ms",
    "tensorflow_inter_op_parallelism",
    "tensorflow_intra_op_parallelism",
    "tensorflow_session_parallelism",
)
_SWITCHES: Final = (
    "allow_version_labels_for_unavailable_models",
    "enable_batching",
    "enable_grpc_healthcheck_service",
    "enable_model_warmup",
    "enable_per_model_batching_parameters",
    "enable_profiler",
    "enable_serialization_as_tensor_content",
    "enable_signature_method_name_check",
    "flush_filesystem_caches",
    "remove_unused_fields_from_bundle_metagraph",
    "rest_api_enable_cors_support",
    "version",
    "xla_cpu_compilation_enabled",
)
FLAGS: Final = {
    **dict.fromkeys(_TEXTS, r"=.+"),
    **dict.fromkeys(_NUMBERS, r"=-?\d{1,18}"),
    **dict.fromkeys(_SWITCHES, r"(=(true|false))?"),
    "per_process_gpu_memory_fraction": r"=[01]?\.?\d*",
}
"""Each flag's value, with the equals sign, as a regular expression."""


def is_known(argument: str) -> bool:
    """Whether TensorFlow Serving accepts an argument: a flag, an equals sign and a value."""
    match = re.fullmatch(r"--(\w+)(.*)", argument)
    return bool(match and match[1] in FLAGS and re.fullmatch(FLAGS[match[1]], match[2]))
