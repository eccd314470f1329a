"""The GPUs that a restricted process may use."""

import os


def given() -> dict[str, str]:
    """Return the variable with the GPUs that this process was given; without any, nothing."""
    found = os.environ.get("CUDA_VISIBLE_DEVICES")
    if found is None and os.environ.get("NVIDIA_VISIBLE_DEVICES", "void") not in ("void", "none", ""):
        found = "0"
    return {"CUDA_VISIBLE_DEVICES": found} if found else {}
