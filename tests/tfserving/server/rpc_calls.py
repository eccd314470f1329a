"""The failing calls of any gRPC service."""

from collections.abc import Callable
from typing import Any

import grpc
import pytest


def failure(call: Callable[..., Any], *arguments: Any, **options: Any) -> tuple[grpc.StatusCode, str]:
    """Return the status of a failing call."""
    with pytest.raises(grpc.RpcError) as caught:
        call(*arguments, **options)
    return caught.value.code(), str(caught.value.details())
