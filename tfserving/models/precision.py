"""The number formats that kernels are stored in.

Whatever the format, the graph computes in float32; `layers` widens the kernels.
"""

from typing import Final, Literal, get_args

import numpy as np
import numpy.typing as npt

from tfserving.models.weights import FloatArray

Precision = Literal["float32", "float16", "int8"]
PRECISIONS: Final[tuple[Precision, ...]] = get_args(Precision)


def quantized(kernel: FloatArray, channels: int = -1) -> tuple[npt.NDArray[np.int8], FloatArray]:
    """Return a kernel as numbers in -127..127, and the scales that give it back when multiplied with them.

    There is one scale an output channel, whose axis is `channels`; the largest magnitude of each is 127.
    """
    others = tuple(axis for axis in range(kernel.ndim) if axis != channels % kernel.ndim)
    largest = np.abs(kernel).max(axis=others, keepdims=True)
    scales = np.where(largest > 0, largest / 127, 1).astype(np.float32)
    return np.rint(kernel / scales).astype(np.int8), scales
